#include "calibration.h"

enum { FEW_SAMPLES = 20, SEEN_MOST = 200000 };
static const float RARE = 0.999f, OFTEN = 0.99f;
static const float BEYOND = 1.5f; /* how much farther than from often to rare an alarm lies */
static const float LEAST_SPAN[WHYS] = {0.05f, 0.5f, 0.1f, 0.5f, 0.3f};

static float sorted[MOST_SAMPLES];

void calibration_see(calibration *c, const float *values, uint64_t *seed) {
    uint32_t at = c->kept;
    if (c->seen < SEEN_MOST) c->seen++;
    if (at == MOST_SAMPLES) at = next_random(seed) % c->seen;
    if (at >= MOST_SAMPLES) return;
    for (int32_t k = 0; k < WHYS; k++) c->samples[at][k] = values[k];
    if (c->kept < MOST_SAMPLES) c->kept++;
}

/* Shell's sort with Ciura's gaps. */
static void sort(float *v, int32_t count) {
    static const int32_t gaps[] = {1750, 701, 301, 132, 57, 23, 10, 4, 1};
    for (uint32_t g = 0; g < sizeof gaps / sizeof *gaps; g++)
        for (int32_t i = gaps[g]; i < count; i++) {
            float x = v[i];
            int32_t k = i;
            for (; k >= gaps[g] && v[k - gaps[g]] > x; k -= gaps[g]) v[k] = v[k - gaps[g]];
            v[k] = x;
        }
}

static float quantile(int32_t count, float part) {
    float at = part * (float)(count - 1);
    int32_t low = (int32_t)at, high = low + 1 < count ? low + 1 : low;
    return sorted[low] + (sorted[high] - sorted[low]) * (at - (float)low);
}

static float rare_combination(const calibration *c, int32_t still) {
    calibration plain = {.rare_all = 1, .rare_still = 1};
    for (int32_t k = 0; k < WHYS; k++) plain.middle[k] = c->middle[k], plain.rare[k] = c->rare[k];
    int32_t count = (int32_t)c->kept;
    for (int32_t i = 0; i < count; i++) sorted[i] = calibration_combine(&plain, c->samples[i], still);
    sort(sorted, count);
    float often = quantile(count, OFTEN), rare = quantile(count, RARE);
    return most(rare + BEYOND * (rare - often), 0.5f);
}

int32_t calibration_settle(calibration *c) {
    int32_t count = (int32_t)c->kept;
    if (count < FEW_SAMPLES) return 0;
    for (int32_t k = 0; k < WHYS; k++) {
        for (int32_t i = 0; i < count; i++) sorted[i] = c->samples[i][k];
        sort(sorted, count);
        c->middle[k] = quantile(count, 0.5f);
        c->rare[k] = most(quantile(count, RARE), c->middle[k] + LEAST_SPAN[k]);
    }
    c->rare_all = rare_combination(c, 0);
    c->rare_still = rare_combination(c, 1);
    return 1;
}

float calibration_level(const calibration *c, int32_t channel, float value) {
    float span = most(c->rare[channel] - c->middle[channel], 1e-3f);
    return within((value - c->middle[channel]) / span, 0, 100);
}

float calibration_combine(const calibration *c, const float *values, int32_t still) {
    float sum = 0;
    for (int32_t k = 0; k < WHYS; k++) {
        if (still && (k == SPEED || k == DIRECTION)) continue;
        float level = calibration_level(c, k, values[k]);
        sum += level * level;
    }
    float rare = still ? c->rare_still : c->rare_all;
    return root(sum) / most(rare, 1e-3f);
}
