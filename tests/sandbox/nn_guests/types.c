/* Sends tensors of every type through models out of this program. `types.h`, made by the test, holds for each type its
 * models SAME_x (gives back its input) and SUM_x (adds its two inputs), of shape 2 x 4, and NOISE_x, bytes to send.
 *
 * The score of a frame counts what was right. analyze returns -(100 * type + step) where a call failed. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer.h"
#include "types.h"
#include "wasi_ephemeral_nn.h"

enum { ROWS = 2, COLUMNS = 4, COUNT = ROWS * COLUMNS };

typedef struct {
    const char *name;
    uint8_t type;
    uint32_t item_bytes;
    nn_builder_t same, sum;
    const uint8_t *noise;
    const void *a, *b, *a_and_b;
} case_t;

/* f16 as bits: 1.5 + 2.25 = 3.75, 65504 + 0, -2 + 0.5 = -1.5 */
static const uint16_t A_F16[COUNT] = {0x3E00, 0x7BFF, 0xC000}, B_F16[COUNT] = {0x4080, 0, 0x3800};
static const uint16_t AB_F16[COUNT] = {0x4380, 0x7BFF, 0xBE00};
static const float A_F32[COUNT] = {1.5f, -1e30f, 16777216.0f}, B_F32[COUNT] = {2.25f, 0, 2.0f};
static const float AB_F32[COUNT] = {3.75f, -1e30f, 16777218.0f};
/* what f32 could not tell apart */
static const double A_F64[COUNT] = {1.5, 1e300, 9007199254740991.0}, B_F64[COUNT] = {2.25, 1e284, -1.0};
static const double AB_F64[COUNT] = {3.75, 1e300 + 1e284, 9007199254740990.0};
static const uint8_t A_U8[COUNT] = {1, 200, 255, 128}, B_U8[COUNT] = {2, 100, 0, 127};
static const uint8_t AB_U8[COUNT] = {3, 44, 255, 255};
static const int32_t A_I32[COUNT] = {1, -7, INT32_MAX, INT32_MIN}, B_I32[COUNT] = {2, 5, -1, 1};
static const int32_t AB_I32[COUNT] = {3, -2, INT32_MAX - 1, INT32_MIN + 1};
/* what f64 could not tell apart */
static const int64_t A_I64[COUNT] = {1, -7, INT64_MAX, 9007199254740993}, B_I64[COUNT] = {2, 5, -1, 0};
static const int64_t AB_I64[COUNT] = {3, -2, INT64_MAX - 1, 9007199254740993};

#define CASE(X, bytes) \
    {#X, NN_##X, bytes, {SAME_##X, sizeof SAME_##X}, {SUM_##X, sizeof SUM_##X}, NOISE_##X, A_##X, B_##X, AB_##X}

static const case_t CASES[] = {CASE(F16, 2), CASE(F32, 4), CASE(F64, 8), CASE(U8, 1), CASE(I32, 4), CASE(I64, 8)};

static int32_t set(nn_context_t context, uint32_t index, const case_t *each, const void *data) {
    static const uint32_t DIMENSIONS[] = {ROWS, COLUMNS};
    nn_tensor_t tensor;
    memset(&tensor, 0xAA, sizeof tensor);
    tensor.dimensions = DIMENSIONS;
    tensor.dimensions_count = 2;
    tensor.type = each->type;
    tensor.data = data;
    tensor.data_bytes = COUNT * each->item_bytes;
    return nn_set_input(context, index, &tensor);
}

/* 0: the output is `wanted`, byte for byte; else the step that failed. The second input is set where there is one. */
static int run(const case_t *each, const nn_builder_t *model, const void *first, const void *second,
               const void *wanted) {
    const uint32_t bytes = COUNT * each->item_bytes;
    nn_graph_t graph;
    nn_context_t context;
    if (nn_load(model, 1, NN_AUTODETECT, NN_GPU, &graph)) return 1;
    if (nn_init_execution_context(graph, &context)) return 2;
    /* a context outlives its graph */
    if (nn_unload(graph)) return 3;
    if (set(context, 0, each, first) || (second && set(context, 1, each, second))) return 4;
    if (nn_compute(context)) return 5;
    /* not aligned, and with a byte after it that must stay */
    uint8_t *out = malloc(bytes + 2);
    memset(out, 0x5A, bytes + 2);
    uint32_t written = 0;
    int step = nn_get_output(context, 0, out + 1, bytes, &written) || written != bytes ? 6 : 0;
    if (!step && (memcmp(out + 1, wanted, bytes) || out[0] != 0x5A || out[bytes + 1] != 0x5A)) step = 7;
    free(out);
    return step ? step : nn_finalize_execution_context(context) ? 8 : 0;
}

EXPORT("open") int32_t camera_edge_open(void) { return 0; }

EXPORT("analyze") int32_t camera_edge_analyze(int32_t slot) {
    (void)slot;
    int right = 0;
    for (unsigned i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        const case_t *each = &CASES[i];
        int step = run(each, &each->same, each->noise, NULL, each->noise);
        if (!step) step = 10 * run(each, &each->sum, each->a, each->b, each->a_and_b);
        if (step) {
            printf("%s failed at step %d\n", each->name, step);
            return -(int32_t)(100 * (i + 1) + step);
        }
        right++;
    }
    return score(right);
}
