#include "foreground.h"

enum { MOST_LABELS = 32768, LEAST_PIXELS = 12 };
static const float DIFFERENT = 12; /* grey levels, after smoothing */

static uint16_t parents[MOST_LABELS];
static standing found[MOST_LABELS];
static uint8_t kept[MOST_LABELS];

static uint16_t first_of(uint16_t label) {
    while (parents[label] != label) label = parents[label] = parents[parents[label]];
    return label;
}

static uint16_t joined(uint16_t a, uint16_t b) {
    a = first_of(a), b = first_of(b);
    if (a < b) return parents[b] = a;
    return parents[a] = b;
}

/* A 3x3 binomial mean (1 2 1) of the differences against the threshold. */
static void compare(uint8_t *mask, extent e, const float *d) {
    for (int32_t y = 0; y < e.height; y++) {
        const float *row = d + y * e.width;
        const float *up = y ? row - e.width : row, *down = y + 1 < e.height ? row + e.width : row;
        float here = up[0] + 2 * row[0] + down[0], left = here;
        for (int32_t x = 0; x < e.width; x++) {
            int32_t n = x + 1 < e.width ? x + 1 : x;
            float right = up[n] + 2 * row[n] + down[n];
            mask[y * e.width + x] = magnitude(left + 2 * here + right) > 16 * DIFFERENT;
            left = here, here = right;
        }
    }
}

/* Two passes with union and find (Rosenfeld and Pfaltz, 1966); returns the number of labels, or 0 where there are too many. */
static int32_t label(foreground *f, extent e) {
    int32_t count = 1;
    for (int32_t y = 0; y < e.height; y++)
        for (int32_t x = 0; x < e.width; x++) {
            int32_t i = y * e.width + x;
            f->labels[i] = 0;
            if (!f->mask[i]) continue;
            uint16_t name = x ? f->labels[i - 1] : 0;
            for (int32_t k = -1; y && k <= 1; k++) {
                if (x + k < 0 || x + k >= e.width) continue;
                uint16_t above = f->labels[i - e.width + k];
                if (above) name = name ? joined(name, above) : above;
            }
            if (!name) {
                if (count == MOST_LABELS) return 0;
                name = (uint16_t)count++;
                parents[name] = name;
            }
            f->labels[i] = name;
        }
    return count;
}

static void measure(foreground *f, extent e, int32_t count) {
    for (int32_t k = 0; k < count; k++) found[k] = (standing){e.width, e.height, -1, -1, 0};
    for (int32_t y = 0; y < e.height; y++)
        for (int32_t x = 0; x < e.width; x++) {
            int32_t i = y * e.width + x;
            if (!f->labels[i]) continue;
            standing *s = found + (f->labels[i] = first_of(f->labels[i]));
            /* width and height hold the last column and row until the end */
            if (x < s->left) s->left = x;
            if (y < s->top) s->top = y;
            if (x > s->width) s->width = x;
            if (y > s->height) s->height = y;
            s->area++;
        }
}

void foreground_find(foreground *f, extent e, const float *difference) {
    f->count = 0;
    compare(f->mask, e, difference);
    int32_t count = label(f, e);
    if (!count) return;
    measure(f, e, count);
    for (int32_t k = 1; k < count; k++) {
        standing *s = found + k;
        kept[k] = s->area >= LEAST_PIXELS;
        if (!kept[k]) continue;
        s->width -= s->left - 1, s->height -= s->top - 1;
        if (f->count < MOST_REGIONS) f->regions[f->count++] = *s;
    }
    for (int32_t i = 0; i < pixels_of(e); i++)
        if (f->mask[i] && !kept[f->labels[i]]) f->mask[i] = 0;
}
