#include "perspective.h"

enum { TRIED = 48, LEAST_AREA = 24 };
static const float UPRIGHT = 1.3f; /* higher than wide by so much: one thing alone, not a group */
static const float SLIM = 6;
static const float TOLERANCE = 0.25f; /* of the height */

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

/* How well a line agrees with what was seen: the part of the regions of each row that are as high as it says. Things that
 * cover each other are higher and halves of things are lower, in all directions; single ones agree. */
static float agreement(const perspective *p, const float *weights, extent e) {
    float sum = 0;
    for (int32_t i = 0; i < PERSPECTIVE_ROWS; i++) {
        if (weights[i] <= 0) continue;
        float height = perspective_height(p, ((float)i + 0.5f) * (float)e.height / PERSPECTIVE_ROWS);
        for (int32_t k = 0; k < PERSPECTIVE_HEIGHTS; k++) {
            if (!p->counts[i][k]) continue;
            float off = (((float)k + 0.5f) * (float)e.height / PERSPECTIVE_HEIGHTS / height - 1) / TOLERANCE;
            if (off > -1 && off < 1) sum += weights[i] * (float)p->counts[i][k] * (1 - off * off);
        }
    }
    return sum;
}

int32_t perspective_fit(perspective *p, extent e) {
    p->floor = most(8, 0.03f * (float)e.height);
    p->ceiling = most(p->floor, 0.9f * (float)e.height);
    p->base = within(0.15f * (float)e.height, p->floor, p->ceiling), p->slope = 0;
    if (p->seen < PERSPECTIVE_ENOUGH) return 0;
    float weights[PERSPECTIVE_ROWS];
    for (int32_t i = 0; i < PERSPECTIVE_ROWS; i++) {
        uint32_t total = 0;
        for (int32_t k = 0; k < PERSPECTIVE_HEIGHTS; k++) total += p->counts[i][k];
        /* a row through which few go counts too */
        weights[i] = total < 5 ? 0 : 1 / root((float)total);
    }
    perspective line = *p;
    float best = -1;
    for (int32_t a = 0; a < TRIED; a++)
        for (int32_t b = 0; b < TRIED; b++) {
            /* heights at the upper and at the lower edge */
            float upper = (float)e.height * 0.8f * (float)a / TRIED, lower = (float)e.height * 0.8f * (float)(b + 1) / TRIED;
            line.base = upper, line.slope = (lower - upper) / (float)e.height;
            float sum = agreement(&line, weights, e);
            if (lower < upper || sum <= best) continue;
            best = sum, p->base = line.base, p->slope = line.slope;
        }
    return 1;
}
