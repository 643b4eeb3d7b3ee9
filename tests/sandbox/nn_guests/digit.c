/* Classifies a picture as the image classification example of any wasi-nn host does: load, set the input, compute, sort
 * the outputs. Here the picture is that of a digit, and the score of each frame is the digit.
 *
 * The model comes by the name `mnist`, or out of this program where it is built with OWN_MODEL.
 * The test makes `digit.h`: DIGIT[28 * 28], white on black, and MNIST[], the model.
 *
 * open and analyze return 0, or -(100 * step + error number) of the step that failed. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer.h"
#include "digit.h"
#include "wasi_ephemeral_nn.h"

enum { SIDE = 28, PIXELS = SIDE * SIDE, CLASSES = 10 };

typedef struct {
    int digit;
    float weight;
} result_t;

static nn_context_t context;

static int32_t load(nn_graph_t *graph) {
#ifdef OWN_MODEL
    const nn_builder_t model = {MNIST, sizeof MNIST};
    return nn_load(&model, 1, NN_ONNX, NN_CPU, graph);
#else
    return nn_load_by_name("mnist", strlen("mnist"), graph);
#endif
}

static int heaviest_first(const void *left, const void *right) {
    const float a = ((const result_t *)left)->weight, b = ((const result_t *)right)->weight;
    return (a < b) - (a > b);
}

EXPORT("open") int32_t camera_edge_open(void) {
    nn_graph_t graph;
    int32_t error = load(&graph);
    if (error) return -100 - error;
    error = nn_init_execution_context(graph, &context);
    return error ? -200 - error : 0;
}

EXPORT("analyze") int32_t camera_edge_analyze(int32_t slot) {
    (void)slot;
    float *picture = malloc(PIXELS * sizeof *picture);
    for (int i = 0; i < PIXELS; i++) picture[i] = DIGIT[i] / 255.0f;
    const uint32_t dimensions[] = {1, 1, SIDE, SIDE};

    /* the padding is left as a careless compiler leaves it */
    nn_tensor_t tensor;
    memset(&tensor, 0xAA, sizeof tensor);
    tensor.dimensions = dimensions;
    tensor.dimensions_count = 4;
    tensor.type = NN_F32;
    tensor.data = (const uint8_t *)picture;
    tensor.data_bytes = PIXELS * sizeof *picture;
    int32_t error = nn_set_input(context, 0, &tensor);
    /* the host has its own copy: what happens to this one changes nothing */
    memset(picture, 0xFF, PIXELS * sizeof *picture);
    free(picture);
    if (error) return -300 - error;
    error = nn_compute(context);
    if (error) return -400 - error;

    float weights[CLASSES];
    uint32_t bytes = 0;
    error = nn_get_output(context, 0, (uint8_t *)weights, 0, &bytes);
    if (error != NN_TOO_LARGE || bytes != sizeof weights) return -500 - error;
    error = nn_get_output(context, 0, (uint8_t *)weights, sizeof weights, &bytes);
    if (error || bytes != sizeof weights) return -600 - error;

    result_t results[CLASSES];
    for (int i = 0; i < CLASSES; i++) results[i] = (result_t){i, weights[i]};
    qsort(results, CLASSES, sizeof *results, heaviest_first);
    printf("a %d, or else a %d\n", results[0].digit, results[1].digit);
    return score(results[0].digit);
}
