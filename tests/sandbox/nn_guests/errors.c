/* Asks for what it cannot have, and compares the error number of each call with the one that the interface names.
 *
 * `errors.h`, made by the test, holds MODEL[], which gives back its one f32 input of any length.
 * The score of a frame counts the right answers; a wrong one is printed and makes analyze fail. */
#include <stdio.h>
#include <string.h>

#include "analyzer.h"
#include "errors.h"
#include "wasi_ephemeral_nn.h"

/* beyond every memory that a guest may have */
#define NOWHERE ((void *)0xFFFFFFF0u)

static int right, wrong;

static void expect(int line, const char *call, int32_t got, int32_t wanted) {
    if (got == wanted) {
        right++;
        return;
    }
    wrong++;
    printf("line %d: %s gave %d, not %d\n", line, call, (int)got, (int)wanted);
}
#define EXPECT(wanted, call) expect(__LINE__, #call, call, wanted)

static const float VALUES[4] = {1, 2, 3, 4};
static const uint32_t FOUR[] = {4}, MANY[] = {1, 1, 1, 1, 1, 1, 1, 1, 4}, TWO_BY_TWO[] = {2, 2};
/* their product is 4 modulo 2^32 */
static const uint32_t HUGE[] = {0x80000001u, 4};

static nn_tensor_t tensor_of(const uint32_t *dimensions, uint32_t count, uint8_t type, const void *data,
                             uint32_t bytes) {
    nn_tensor_t tensor;
    memset(&tensor, 0xAA, sizeof tensor);
    tensor.dimensions = dimensions;
    tensor.dimensions_count = count;
    tensor.type = type;
    tensor.data = data;
    tensor.data_bytes = bytes;
    return tensor;
}

static void check_load(void) {
    nn_graph_t graph = 77;
    nn_builder_t model[2] = {{MODEL, sizeof MODEL}, {MODEL, sizeof MODEL}};
    EXPECT(NN_INVALID_ENCODING, nn_load(model, 1, NN_OPENVINO, NN_CPU, &graph));
    EXPECT(NN_INVALID_ENCODING, nn_load(model, 1, NN_TENSORFLOW, NN_CPU, &graph));
    EXPECT(NN_INVALID_ENCODING, nn_load(model, 1, NN_PYTORCH, NN_CPU, &graph));
    EXPECT(NN_INVALID_ENCODING, nn_load(model, 1, NN_TENSORFLOWLITE, NN_CPU, &graph));
    EXPECT(NN_INVALID_ENCODING, nn_load(model, 1, 6, NN_CPU, &graph));
    EXPECT(NN_INVALID_ARGUMENT, nn_load(model, 1, NN_ONNX, 4, &graph));
    EXPECT(NN_INVALID_ARGUMENT, nn_load(model, 0, NN_ONNX, NN_CPU, &graph));
    EXPECT(NN_INVALID_ARGUMENT, nn_load(model, 2, NN_ONNX, NN_CPU, &graph));
    EXPECT(NN_INVALID_ARGUMENT, nn_load(NOWHERE, 1, NN_ONNX, NN_CPU, &graph));
    EXPECT(NN_INVALID_ARGUMENT, nn_load(model, 1, NN_ONNX, NN_CPU, NOWHERE));
    model[1].data = NOWHERE;
    EXPECT(NN_INVALID_ARGUMENT, nn_load(&model[1], 1, NN_ONNX, NN_CPU, &graph));
    model[1] = (nn_builder_t){MODEL, 1u << 30};
    EXPECT(NN_TOO_LARGE, nn_load(&model[1], 1, NN_ONNX, NN_CPU, &graph));
    model[1] = (nn_builder_t){MODEL, sizeof MODEL / 2};
    EXPECT(NN_RUNTIME_ERROR, nn_load(&model[1], 1, NN_ONNX, NN_CPU, &graph));
    EXPECT(NN_NOT_FOUND, nn_load_by_name("nobody's", 8, &graph));
    EXPECT(NN_NOT_FOUND, nn_load_by_name("", 0, &graph));
    EXPECT(NN_INVALID_ARGUMENT, nn_load_by_name("\xff\xfe", 2, &graph));
    EXPECT(NN_INVALID_ARGUMENT, nn_load_by_name(NOWHERE, 200, &graph));
    EXPECT(NN_TOO_LARGE, nn_load_by_name("x", 1u << 20, &graph));
    EXPECT(NN_SUCCESS, graph == 77 ? NN_SUCCESS : NN_RUNTIME_ERROR);
}

static void check_handles(nn_graph_t graph, nn_context_t context, const nn_tensor_t *tensor) {
    nn_context_t other;
    uint32_t written;
    uint8_t out[16];
    EXPECT(NN_INVALID_ARGUMENT, nn_init_execution_context(graph + 1000, &other));
    EXPECT(NN_INVALID_ARGUMENT, nn_init_execution_context(graph, NOWHERE));
    EXPECT(NN_INVALID_ARGUMENT, nn_set_input(context + 1000, 0, tensor));
    EXPECT(NN_INVALID_ARGUMENT, nn_compute(context + 1000));
    EXPECT(NN_INVALID_ARGUMENT, nn_compute((nn_context_t)-1));
    EXPECT(NN_INVALID_ARGUMENT, nn_get_output(context + 1000, 0, out, sizeof out, &written));
    EXPECT(NN_INVALID_ARGUMENT, nn_unload(graph + 1000));
    EXPECT(NN_INVALID_ARGUMENT, nn_finalize_execution_context(context + 1000));
}

static void check_input(nn_context_t context) {
    const nn_tensor_t wrong_tensors[] = {
        tensor_of(NOWHERE, 1, NN_F32, VALUES, 16),     tensor_of(FOUR, 1, NN_F32, NOWHERE, 16),
        tensor_of(FOUR, 1, 6, VALUES, 16),             tensor_of(FOUR, 1, 0xAA, VALUES, 16),
        tensor_of(FOUR, 1, NN_I32, VALUES, 16),        tensor_of(FOUR, 1, NN_F32, VALUES, 12),
        tensor_of(MANY, 9, NN_F32, VALUES, 16),        tensor_of(MANY, 0xFFFFFFFFu, NN_F32, VALUES, 16),
        tensor_of(TWO_BY_TWO, 2, NN_F32, VALUES, 16),  tensor_of(HUGE, 2, NN_F32, VALUES, 16),
    };
    for (unsigned i = 0; i < sizeof wrong_tensors / sizeof *wrong_tensors; i++)
        EXPECT(NN_INVALID_ARGUMENT, nn_set_input(context, 0, &wrong_tensors[i]));
    const nn_tensor_t large = tensor_of(FOUR, 1, NN_F32, VALUES, 1u << 30);
    EXPECT(NN_TOO_LARGE, nn_set_input(context, 0, &large));
    EXPECT(NN_INVALID_ARGUMENT, nn_set_input(context, 0, NOWHERE));
}

static void check_output(nn_context_t context) {
    uint32_t written = 0;
    float out[4] = {0};
    EXPECT(NN_TOO_LARGE, nn_get_output(context, 0, (uint8_t *)out, 15, &written));
    EXPECT(NN_SUCCESS, written == 16 && out[0] == 0 ? NN_SUCCESS : NN_RUNTIME_ERROR);
    EXPECT(NN_INVALID_ARGUMENT, nn_get_output(context, 1, (uint8_t *)out, sizeof out, &written));
    EXPECT(NN_INVALID_ARGUMENT, nn_get_output(context, 0, NOWHERE, sizeof out, &written));
    EXPECT(NN_INVALID_ARGUMENT, nn_get_output(context, 0, (uint8_t *)out, sizeof out, NOWHERE));
    EXPECT(NN_SUCCESS, nn_get_output(context, 0, (uint8_t *)out, sizeof out, &written));
    EXPECT(NN_SUCCESS, memcmp(out, VALUES, sizeof out) ? NN_RUNTIME_ERROR : NN_SUCCESS);
}

EXPORT("open") int32_t camera_edge_open(void) { return 0; }

EXPORT("analyze") int32_t camera_edge_analyze(int32_t slot) {
    (void)slot;
    right = wrong = 0;
    const nn_builder_t model = {MODEL, sizeof MODEL};
    const nn_tensor_t tensor = tensor_of(FOUR, 1, NN_F32, VALUES, sizeof VALUES);
    nn_graph_t graph = 0;
    nn_context_t context = 0;
    uint32_t written = 0;
    uint8_t out[16];

    check_load();
    EXPECT(NN_SUCCESS, nn_load(&model, 1, NN_ONNX, NN_TPU, &graph));
    EXPECT(NN_SUCCESS, nn_init_execution_context(graph, &context));
    check_handles(graph, context, &tensor);
    EXPECT(NN_INVALID_ARGUMENT, nn_set_input(context, 1, &tensor));
    EXPECT(NN_INVALID_ARGUMENT, nn_compute(context));
    EXPECT(NN_RUNTIME_ERROR, nn_get_output(context, 0, out, sizeof out, &written));
    check_input(context);
    EXPECT(NN_SUCCESS, nn_set_input(context, 0, &tensor));
    EXPECT(NN_SUCCESS, nn_compute(context));
    check_output(context);
    EXPECT(NN_SUCCESS, nn_finalize_execution_context(context));
    EXPECT(NN_INVALID_ARGUMENT, nn_compute(context));
    EXPECT(NN_SUCCESS, nn_unload(graph));
    EXPECT(NN_INVALID_ARGUMENT, nn_unload(graph));
    EXPECT(NN_INVALID_ARGUMENT, nn_init_execution_context(graph, &context));

    int32_t status = score(right);
    return wrong ? -wrong : status;
}
