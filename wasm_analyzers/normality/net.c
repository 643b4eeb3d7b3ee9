#include "net.h"

#include "simd.h"

enum { LANES = HIDDEN / 4, BIASES = FEATURES * HIDDEN, OUTWARD = BIASES + HIDDEN, BIAS = OUTWARD + HIDDEN };
static const float CENTRE = 1, SPREAD = 0.7f; /* features are about 1 with a deviation of 1.4 */
static const float KEEP_MEAN = 0.9f, KEEP_SQUARE = 0.999f, DECAY = 1e-4f, TINY = 1e-7f;

static float gradient[NET_WEIGHTS];
static int32_t added;

void net_start(net *n, uint64_t *seed) {
    __builtin_memset(n, 0, sizeof *n);
    /* about normal: the sum of four uniform numbers */
    for (int32_t i = 0; i < BIASES; i++) {
        float sum = -2;
        for (int32_t k = 0; k < 4; k++) sum += random_part(seed);
        n->weights[i] = sum * 1.732f * root(2.0f / FEATURES);
    }
    for (int32_t i = 0; i < HIDDEN; i++) n->weights[OUTWARD + i] = random_between(seed, -1.7f, 1.7f) * root(1.0f / HIDDEN);
}

static float forward(const net *n, const float *features, f32x4 *hidden) {
    for (int32_t k = 0; k < LANES; k++) hidden[k] = load4(n->weights + BIASES + 4 * k);
    const float *w = n->weights;
    for (int32_t i = 0; i < FEATURES; i++, w += HIDDEN) {
        f32x4 x = splat4((features[i] - CENTRE) * SPREAD);
        for (int32_t k = 0; k < LANES; k++) hidden[k] += x * load4(w + 4 * k);
    }
    f32x4 sum = {0};
    for (int32_t k = 0; k < LANES; k++) {
        hidden[k] = max4(hidden[k], splat4(0));
        sum += hidden[k] * load4(n->weights + OUTWARD + 4 * k);
    }
    return sum[0] + sum[1] + sum[2] + sum[3] + n->weights[BIAS];
}

float net_answer(const net *n, const float *features) {
    f32x4 hidden[LANES];
    return forward(n, features, hidden);
}

static void add4(float *to, f32x4 what) {
    f32x4 sum = load4(to) + what;
    __builtin_memcpy(to, &sum, 16);
}

void net_learn(net *n, const float *features, float wanted) {
    f32x4 hidden[LANES], back[LANES];
    float off = sigmoid(forward(n, features, hidden)) - wanted;
    for (int32_t k = 0; k < LANES; k++) {
        back[k] = choose4(hidden[k] > splat4(0), load4(n->weights + OUTWARD + 4 * k) * splat4(off), splat4(0));
        add4(gradient + OUTWARD + 4 * k, hidden[k] * splat4(off));
        add4(gradient + BIASES + 4 * k, back[k]);
    }
    gradient[BIAS] += off;
    float *g = gradient;
    for (int32_t i = 0; i < FEATURES; i++, g += HIDDEN) {
        f32x4 x = splat4((features[i] - CENTRE) * SPREAD);
        for (int32_t k = 0; k < LANES; k++) add4(g + 4 * k, back[k] * x);
    }
    added++;
}

void net_step(net *n, float rate) {
    if (!added) return;
    n->steps++;
    /* the correction of the first steps, whose means began at 0 */
    float mean_part = 1, square_part = 1;
    for (uint32_t i = 0; i < n->steps && i < 10000; i++) mean_part *= KEEP_MEAN, square_part *= KEEP_SQUARE;
    float share = 1 / (float)added, by = rate / (1 - mean_part), of = 1 / (1 - square_part);
    for (int32_t i = 0; i < NET_WEIGHTS; i += 4) {
        f32x4 g = load4(gradient + i) * splat4(share), w = load4(n->weights + i);
        if (i < BIASES) g += w * splat4(DECAY);
        f32x4 mean = load4(n->mean + i) * splat4(KEEP_MEAN) + g * splat4(1 - KEEP_MEAN);
        f32x4 square = load4(n->square + i) * splat4(KEEP_SQUARE) + g * g * splat4(1 - KEEP_SQUARE);
        f32x4 size = square * splat4(of);
        for (int32_t k = 0; k < 4; k++) size[k] = root(size[k]);
        w -= mean * splat4(by) / (size + splat4(TINY));
        __builtin_memcpy(n->mean + i, &mean, 16);
        __builtin_memcpy(n->square + i, &square, 16);
        __builtin_memcpy(n->weights + i, &w, 16);
    }
    __builtin_memset(gradient, 0, sizeof gradient);
    added = 0;
}
