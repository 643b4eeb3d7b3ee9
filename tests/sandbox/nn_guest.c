/* An analyzer that brings its own tensor: it loads `mnist` by name through the standard wasi-nn interface and gives the
 * digit in an embedded picture as its score. Declarations follow wasi-nn.witx (preview 1); `digit.h` is made by the test.
 *
 * analyze returns 0, or -(100 * step + errno) of the step that failed. */
#include <stdint.h>

#include "digit.h" /* static const uint8_t DIGIT[28 * 28], white on black */

#define NN(name) __attribute__((import_module("wasi_ephemeral_nn"), import_name(name)))
#define EXPORT(name) __attribute__((export_name(name)))

typedef uint32_t graph_t, context_t;

typedef struct {
    const uint32_t *dims;
    uint32_t dims_count;
    uint8_t type;
    const uint8_t *data;
    uint32_t data_bytes;
} tensor_t;
_Static_assert(sizeof(tensor_t) == 20, "as wasi-nn lays a tensor out in 32-bit memory");

NN("load_by_name") int32_t load_by_name(const char *name, uint32_t name_bytes, graph_t *graph);
NN("init_execution_context") int32_t init_execution_context(graph_t graph, context_t *context);
NN("set_input") int32_t set_input(context_t context, uint32_t index, const tensor_t *tensor);
NN("compute") int32_t compute(context_t context);
NN("get_output")
int32_t get_output(context_t context, uint32_t index, uint8_t *out, uint32_t capacity_bytes, uint32_t *written_bytes);

__attribute__((import_module("camera_edge"), import_name("score"))) int32_t score(double value);

enum { F32 = 1, TOO_LARGE = 7 };

static context_t context;
static float picture[28 * 28];
static float digits[10];

EXPORT("camera_edge_abi") int32_t abi(void) { return 1; }

EXPORT("open") int32_t open(void) {
    graph_t graph;
    int32_t errno = load_by_name("mnist", 5, &graph);
    if (errno) return -100 - errno;
    errno = init_execution_context(graph, &context);
    return errno ? -200 - errno : 0;
}

EXPORT("analyze") int32_t analyze(int32_t slot) {
    (void)slot;
    static const uint32_t dims[4] = {1, 1, 28, 28};
    for (int i = 0; i < 28 * 28; i++) picture[i] = DIGIT[i] / 255.0f;

    /* the padding is left as a careless compiler leaves it */
    tensor_t tensor;
    for (unsigned i = 0; i < sizeof tensor; i++) ((volatile uint8_t *)&tensor)[i] = 0xAA;
    tensor.dims = dims;
    tensor.dims_count = 4;
    tensor.type = F32;
    tensor.data = (const uint8_t *)picture;
    tensor.data_bytes = sizeof picture;
    int32_t errno = set_input(context, 0, &tensor);
    if (errno) return -300 - errno;
    errno = compute(context);
    if (errno) return -400 - errno;

    uint32_t needed = 0;
    errno = get_output(context, 0, (uint8_t *)digits, 0, &needed);
    if (errno != TOO_LARGE || needed != sizeof digits) return -500 - errno;
    errno = get_output(context, 0, (uint8_t *)digits, sizeof digits, &needed);
    if (errno) return -600 - errno;

    int best = 0;
    for (int i = 1; i < 10; i++)
        if (digits[i] > digits[best]) best = i;
    return score(best);
}
