#include "verdict.h"

static const int64_t SPANS_US[WHYS] = {350000, 350000, 350000, 350000, 1000000};
enum { REVISED_US = 1000000 };

static int32_t index_of(const verdict *v, int32_t ago) { return (v->at - ago + MOMENTS) % MOMENTS; }

/* The mean of a channel over the frames from `from_us` on, this one at least. */
static float mean(const verdict *v, int32_t channel, int64_t from_us) {
    float sum = 0;
    int32_t count = 0;
    for (; count < v->count; count++) {
        int32_t i = index_of(v, count);
        if (count && v->times_us[i] <= from_us) break;
        sum += v->values[i][channel];
    }
    return sum / (float)(count ? count : 1);
}

void verdict_see(verdict *v, int64_t media_us, const float *values, float *smooth) {
    v->at = (v->at + 1) % MOMENTS;
    if (v->count < MOMENTS) v->count++;
    v->times_us[v->at] = media_us;
    for (int32_t k = 0; k < WHYS; k++) v->values[v->at][k] = values[k];
    for (int32_t k = 0; k < WHYS; k++) smooth[k] = mean(v, k, media_us - SPANS_US[k]);
}

int32_t verdict_revise(const verdict *v, float *smooth) {
    int64_t now_us = v->times_us[v->at];
    int32_t lag = 0;
    while (lag + 1 < v->count && now_us - v->times_us[index_of(v, lag + 1)] <= REVISED_US / 2) lag++;
    for (int32_t k = 0; k < WHYS; k++) smooth[k] = mean(v, k, now_us - REVISED_US);
    return lag;
}
