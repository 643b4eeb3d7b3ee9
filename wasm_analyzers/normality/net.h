/* A small net that tells a site's own windows from those with a drawn thing in them: one hidden layer of rectifiers.
 *
 * Trained by Adam (Kingma and Ba, 2015) on the logistic loss. */
#ifndef NORMALITY_NET_H
#define NORMALITY_NET_H

#include "common.h"
#include "windows.h"

enum { HIDDEN = 32, NET_WEIGHTS = FEATURES * HIDDEN + HIDDEN + HIDDEN + 4 };

/* Weights from features, hidden biases, weights to the answer, its bias and three unused numbers. */
typedef struct net {
    float weights[NET_WEIGHTS];
    float mean[NET_WEIGHTS], square[NET_WEIGHTS]; /* of the gradients, for Adam */
    uint32_t steps;
    uint32_t reserved[3];
} net;

void net_start(net *n, uint64_t *seed);
/* The logit: above 0 is rather a drawn thing. */
float net_answer(const net *n, const float *features);
/* Adds a window's gradient; `wanted` is 1 for a drawn thing. Then net_step takes one step of all that was added. */
void net_learn(net *n, const float *features, float wanted);
void net_step(net *n, float rate);

#endif
