#include "perspective.h"

enum { FIT_ROUNDS = 12, LEAST_AREA = 24 };
static const float UPRIGHT = 1.3f; /* higher than wide by so much: one thing alone, not a group */
static const float SLIM = 6;
static const float LOW_PART = 0.35f; /* of the heights in a row: above it are things that cover each other */
static const float OUTLIER = 0.15f;  /* of the height: beyond it a row counts less */

void perspective_see(perspective *p, extent e, const standing *s) {
    int32_t bottom = s->top + s->height;
    if (s->left <= 1 || s->top <= 1 || s->left + s->width >= e.width - 1 || bottom >= e.height - 1) return;
    if (s->area < LEAST_AREA || s->area * 4 < s->width * s->height) return;
    if ((float)s->height < UPRIGHT * (float)s->width || (float)s->height > SLIM * (float)s->width) return;
    int32_t row = clipped(bottom * PERSPECTIVE_ROWS / e.height, 0, PERSPECTIVE_ROWS - 1);
    int32_t height = clipped(s->height * PERSPECTIVE_HEIGHTS / e.height, 0, PERSPECTIVE_HEIGHTS - 1);
    p->counts[row][height]++;
    p->seen++;
}

/* The height below which lies a part of what was seen in this row, in pixels; of specks no notice is taken. */
static float row_height(const uint32_t *counts, float part, extent e) {
    uint32_t total = 0, sum = 0;
    for (int32_t i = 0; i < PERSPECTIVE_HEIGHTS; i++) total += counts[i];
    for (int32_t i = 0; i < PERSPECTIVE_HEIGHTS; i++) {
        sum += counts[i];
        if ((float)sum >= part * (float)total) return ((float)i + 0.5f) * (float)e.height / PERSPECTIVE_HEIGHTS;
    }
    return 0;
}

int32_t perspective_fit(perspective *p, extent e) {
    p->floor = most(8, 0.03f * (float)e.height);
    p->ceiling = most(p->floor, 0.9f * (float)e.height);
    if (p->seen < PERSPECTIVE_ENOUGH) return 0;
    float heights[PERSPECTIVE_ROWS], rows[PERSPECTIVE_ROWS], counts[PERSPECTIVE_ROWS];
    float mean = 0, weight = 0;
    for (int32_t i = 0; i < PERSPECTIVE_ROWS; i++) {
        uint32_t total = 0;
        for (int32_t k = 0; k < PERSPECTIVE_HEIGHTS; k++) total += p->counts[i][k];
        rows[i] = ((float)i + 0.5f) * (float)e.height / PERSPECTIVE_ROWS;
        heights[i] = row_height(p->counts[i], LOW_PART, e);
        counts[i] = total < 5 ? 0 : root((float)total);
        mean += counts[i] * heights[i];
        weight += counts[i];
    }
    if (weight <= 0) return 0;
    mean /= weight;
    p->base = mean, p->slope = 0;
    for (int32_t round = 0; round < FIT_ROUNDS; round++) {
        /* a weak prior that the height does not change keeps a scene of one row sane */
        float w = 0, x = 0, y = 0, xx = 0, xy = 0;
        for (int32_t i = 0; i < PERSPECTIVE_ROWS; i++) {
            float off = magnitude(heights[i] - perspective_height(p, rows[i])) / (OUTLIER * most(mean, 1));
            float v = counts[i] / (1 + off * off);
            w += v, x += v * rows[i], y += v * heights[i], xx += v * rows[i] * rows[i], xy += v * rows[i] * heights[i];
        }
        if (w <= 0) break;
        float spread = xx / w - x / w * (x / w), prior = 0.002f * (float)e.height * (float)e.height;
        p->slope = within((xy / w - x / w * (y / w)) / (spread + prior), 0, 2);
        p->base = y / w - p->slope * x / w;
    }
    return 1;
}
