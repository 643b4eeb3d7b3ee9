/* wasi-nn for 32-bit core WebAssembly, in the words of wasi-nn.witx (preview 1): what any guest that was written
 * against that interface imports. Nothing in here is of camera-edge.
 *
 * Every function returns an error number; results go where the last pointers say. */
#ifndef WASI_EPHEMERAL_NN_H
#define WASI_EPHEMERAL_NN_H

#include <stdint.h>

typedef enum {
    NN_SUCCESS = 0,
    NN_INVALID_ARGUMENT = 1,
    NN_INVALID_ENCODING = 2,
    NN_MISSING_MEMORY = 3,
    NN_BUSY = 4,
    NN_RUNTIME_ERROR = 5,
    NN_UNSUPPORTED_OPERATION = 6,
    NN_TOO_LARGE = 7,
    NN_NOT_FOUND = 8,
} nn_errno_t;

enum { NN_F16 = 0, NN_F32 = 1, NN_F64 = 2, NN_U8 = 3, NN_I32 = 4, NN_I64 = 5 };
enum {
    NN_OPENVINO = 0,
    NN_ONNX = 1,
    NN_TENSORFLOW = 2,
    NN_PYTORCH = 3,
    NN_TENSORFLOWLITE = 4,
    NN_AUTODETECT = 5,
};
enum { NN_CPU = 0, NN_GPU = 1, NN_TPU = 2 };

typedef uint32_t nn_graph_t;
typedef uint32_t nn_context_t;

/* one part of a model */
typedef struct {
    const uint8_t *data;
    uint32_t data_bytes;
} nn_builder_t;
_Static_assert(sizeof(nn_builder_t) == 8, "as the interface lays it out");

typedef struct {
    const uint32_t *dimensions;
    uint32_t dimensions_count;
    uint8_t type; /* three bytes of padding follow */
    const uint8_t *data;
    uint32_t data_bytes;
} nn_tensor_t;
_Static_assert(sizeof(nn_tensor_t) == 20, "as the interface lays it out");
_Static_assert(__builtin_offsetof(nn_tensor_t, data) == 12, "as the interface lays it out");

#define NN_IMPORT(name) __attribute__((import_module("wasi_ephemeral_nn"), import_name(name)))

NN_IMPORT("load")
int32_t nn_load(const nn_builder_t *parts, uint32_t parts_count, uint32_t encoding, uint32_t target, nn_graph_t *graph);
NN_IMPORT("load_by_name") int32_t nn_load_by_name(const char *name, uint32_t name_bytes, nn_graph_t *graph);
NN_IMPORT("init_execution_context") int32_t nn_init_execution_context(nn_graph_t graph, nn_context_t *context);
NN_IMPORT("set_input") int32_t nn_set_input(nn_context_t context, uint32_t index, const nn_tensor_t *tensor);
NN_IMPORT("compute") int32_t nn_compute(nn_context_t context);
NN_IMPORT("get_output")
int32_t nn_get_output(nn_context_t context, uint32_t index, uint8_t *out, uint32_t out_bytes, uint32_t *written_bytes);

/* beyond the witx: what guests written for WasmEdge import too */
NN_IMPORT("unload") int32_t nn_unload(nn_graph_t graph);
NN_IMPORT("finalize_execution_context") int32_t nn_finalize_execution_context(nn_context_t context);

#endif
