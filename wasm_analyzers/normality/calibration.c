#include "calibration.h"

enum { FEW_SAMPLES = 20, SEEN_MOST = 200000 };
/* An alarm is as rare as one frame in so many: as a natural logarithm, about eight thousand. */
static const float ALARM = 9;
static const float LEAST_BEYOND[WHYS] = {0.02f, 0.2f, 0.04f, 0.2f, 0.12f};
static const float LEAST_BEYOND_ALL = 0.2f;
/* Of two that say a thing is rare the better founded one counts more: places and ways are few, and a crowd is large. */
static const float WEIGHTS[WHYS] = {1, 0.7f, 0.5f, 0.4f, 1.1f};

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

/* Of `sorted`. */
static usual_range range_of(int32_t count, float least_beyond) {
    usual_range r;
    for (int32_t k = 0; k < STEPS; k++) {
        float at = (float)k / STEPS * (float)(count - 1);
        int32_t low = (int32_t)at, high = low + 1 < count ? low + 1 : low;
        r.steps[k] = sorted[low] + (sorted[high] - sorted[low]) * (at - (float)low);
    }
    float sum = 0, more = 0;
    for (int32_t i = count - 1; i >= 0 && sorted[i] > r.steps[STEPS - 1]; i--) sum += sorted[i] - r.steps[STEPS - 1], more++;
    r.beyond = more > 0 ? most(sum / more, least_beyond) : least_beyond;
    return r;
}

/* -ln of the part of frames that are at least so unusual. */
static float surprise(const usual_range *r, float value) {
    /* -ln(1 - k / STEPS) */
    static const float logs[STEPS] = {0,         0.0512933f, 0.1053605f, 0.1625189f, 0.2231436f, 0.2876821f, 0.3566749f,
                                      0.4307829f, 0.5108256f, 0.5978370f, 0.6931472f, 0.7985077f, 0.9162907f, 1.0498221f,
                                      1.2039728f, 1.3862944f, 1.6094379f, 1.8971200f, 2.3025851f, 2.9957323f};
    const float *steps = r->steps;
    if (value >= steps[STEPS - 1]) return least(logs[STEPS - 1] + (value - steps[STEPS - 1]) / r->beyond, 1000);
    int32_t k = 0;
    while (k < STEPS - 2 && value >= steps[k + 1]) k++;
    float width = steps[k + 1] - steps[k];
    return logs[k] + (width > 0 ? within((value - steps[k]) / width, 0, 1) * (logs[k + 1] - logs[k]) : 0);
}

static float together(const calibration *c, const float *values, int32_t still) {
    float sum = 0;
    for (int32_t k = still ? SIZE : SPEED; k < WHYS; k++) {
        float rare = WEIGHTS[k] * surprise(&c->channels[k], values[k]);
        sum += rare * rare;
    }
    return root(sum);
}

static usual_range range_together(const calibration *c, int32_t still) {
    for (uint32_t i = 0; i < c->kept; i++) sorted[i] = together(c, c->samples[i], still);
    sort(sorted, (int32_t)c->kept);
    return range_of((int32_t)c->kept, LEAST_BEYOND_ALL);
}

int32_t calibration_settle(calibration *c) {
    int32_t count = (int32_t)c->kept;
    if (count < FEW_SAMPLES) return 0;
    for (int32_t k = 0; k < WHYS; k++) {
        for (int32_t i = 0; i < count; i++) sorted[i] = c->samples[i][k];
        sort(sorted, count);
        c->channels[k] = range_of(count, LEAST_BEYOND[k]);
    }
    c->all = range_together(c, 0);
    c->still = range_together(c, 1);
    return c->ready = 1;
}

float calibration_level(const calibration *c, int32_t channel, float value) {
    return c->ready ? surprise(&c->channels[channel], value) / ALARM : 0;
}

float calibration_combine(const calibration *c, const float *values, int32_t still) {
    return c->ready ? surprise(still ? &c->still : &c->all, together(c, values, still)) / ALARM : 0;
}
