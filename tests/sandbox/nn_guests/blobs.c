/* Asks the shipped model `blobs` about three windows at once, and scores each with the number of its heaviest kind.
 *
 * The test makes `blobs.h`: WINDOWS[], three windows of float32 as models/README.md says.
 *
 * open and analyze return 0, or -(100 * step + error number) of the step that failed. */
#include <math.h>
#include <string.h>

#include "analyzer.h"
#include "blobs.h"
#include "wasi_ephemeral_nn.h"

enum { COUNT = 3, KINDS = 8, EMBEDDING = 32 };

static nn_context_t context;

EXPORT("open") int32_t camera_edge_open(void) {
    nn_graph_t graph;
    int32_t error = nn_load_by_name("blobs", strlen("blobs"), &graph);
    if (error) return -100 - error;
    error = nn_init_execution_context(graph, &context);
    return error ? -200 - error : 0;
}

EXPORT("analyze") int32_t camera_edge_analyze(int32_t slot) {
    (void)slot;
    const uint32_t dimensions[] = {COUNT, 2, 48, 32};
    const nn_tensor_t tensor = {dimensions, 4, NN_F32, WINDOWS, sizeof WINDOWS};
    int32_t error = nn_set_input(context, 0, &tensor);
    if (error) return -300 - error;
    error = nn_compute(context);
    if (error) return -400 - error;

    float kinds[COUNT][KINDS], embeddings[COUNT][EMBEDDING];
    uint32_t bytes = 0;
    error = nn_get_output(context, 0, (uint8_t *)kinds, sizeof kinds, &bytes);
    if (error || bytes != sizeof kinds) return -500 - error;
    error = nn_get_output(context, 1, (uint8_t *)embeddings, sizeof embeddings, &bytes);
    if (error || bytes != sizeof embeddings) return -600 - error;

    for (int i = 0; i < COUNT; i++) {
        float length = 0;
        int heaviest = 0;
        for (int k = 0; k < EMBEDDING; k++) length += embeddings[i][k] * embeddings[i][k];
        if (fabsf(length - 1) > 1e-3f) return -700;
        for (int k = 1; k < KINDS; k++)
            if (kinds[i][k] > kinds[i][heaviest]) heaviest = k;
        error = score(heaviest);
        if (error) return -800 + error;
    }
    return 0;
}
