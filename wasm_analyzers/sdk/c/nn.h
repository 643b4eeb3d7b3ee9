/* wasi-nn (preview 1), as much of it as running a granted model takes: see "wasi-nn" in wasm_analyzers/ABI.md.
 *
 * A guest that includes this needs a model to be granted, or it does not start. In a native build there is no model. */
#ifndef CAMERA_EDGE_NN_H
#define CAMERA_EDGE_NN_H

#include <stdint.h>

enum { CAMERA_EDGE_NN_F32 = 1, CAMERA_EDGE_NN_NOT_FOUND = 8 };

typedef struct camera_edge_tensor {
    const uint32_t *dimensions;
    uint32_t dimension_count;
    uint8_t type;
    uint8_t unread[3];
    const void *data;
    uint32_t bytes;
} camera_edge_tensor;

#if defined(__wasm__)
_Static_assert(sizeof(camera_edge_tensor) == 20, "a tensor has 20 bytes");
#define CAMERA_EDGE_NN_IMPORT(name) __attribute__((import_module("wasi_ephemeral_nn"), import_name(name)))
CAMERA_EDGE_NN_IMPORT("load_by_name") int32_t camera_edge_nn_load_by_name(const char *name, uint32_t len, uint32_t *graph);
CAMERA_EDGE_NN_IMPORT("init_execution_context") int32_t camera_edge_nn_context(uint32_t graph, uint32_t *context);
CAMERA_EDGE_NN_IMPORT("set_input")
int32_t camera_edge_nn_set_input(uint32_t context, uint32_t index, const camera_edge_tensor *tensor);
CAMERA_EDGE_NN_IMPORT("compute") int32_t camera_edge_nn_compute(uint32_t context);
CAMERA_EDGE_NN_IMPORT("get_output")
int32_t camera_edge_nn_get_output(uint32_t context, uint32_t index, void *buffer, uint32_t capacity, uint32_t *written);
#else
static inline int32_t camera_edge_nn_load_by_name(const char *name, uint32_t len, uint32_t *graph) {
    (void)name, (void)len, (void)graph;
    return CAMERA_EDGE_NN_NOT_FOUND;
}
static inline int32_t camera_edge_nn_context(uint32_t graph, uint32_t *context) {
    (void)graph, (void)context;
    return CAMERA_EDGE_NN_NOT_FOUND;
}
static inline int32_t camera_edge_nn_set_input(uint32_t context, uint32_t index, const camera_edge_tensor *tensor) {
    (void)context, (void)index, (void)tensor;
    return CAMERA_EDGE_NN_NOT_FOUND;
}
static inline int32_t camera_edge_nn_compute(uint32_t context) {
    (void)context;
    return CAMERA_EDGE_NN_NOT_FOUND;
}
static inline int32_t camera_edge_nn_get_output(uint32_t context, uint32_t index, void *buffer, uint32_t capacity,
                                                uint32_t *written) {
    (void)context, (void)index, (void)buffer, (void)capacity, (void)written;
    return CAMERA_EDGE_NN_NOT_FOUND;
}
#endif

#endif
