/* What a window of the height of a thing looks like: gradients of the difference image by direction, and how full it is.
 *
 * Histograms of oriented gradients (Dalal and Triggs, 2005) over integral images, without their normalisation of contrast:
 * how strong an edge is tells a wheel from a trouser leg. Cells are as large as the row's height says, so a thing far
 * away and one nearby look alike. */
#ifndef NORMALITY_WINDOWS_H
#define NORMALITY_WINDOWS_H

#include "common.h"
#include "perspective.h"

enum {
    DIRECTIONS = 6,
    CHANNELS = 8, /* the directions, the mask, and one that is empty so that a pixel is two vectors */
    CELLS = 6,    /* in each direction */
    FEATURES = CELLS * CELLS * (DIRECTIONS + 1),
    MOST_WINDOWS = 1500,
};

typedef struct integrals {
    extent size;
    uint32_t *sums; /* (height + 1) x (width + 1) x CHANNELS, over all above and to the left */
} integrals;

static inline size_t integrals_bytes(extent e) {
    return (size_t)(e.width + 1) * (size_t)(e.height + 1) * CHANNELS * sizeof(uint32_t);
}

typedef struct place {
    float x, y;     /* the middle of the lower edge, in pixels */
    int32_t sparse; /* on a grid of twice the step, too */
} place;

void integrals_fill(integrals *i, const float *difference, const uint8_t *mask);
/* Part of a box that is in the mask; what lies outside of the view counts as empty. */
float integrals_fill_of(const integrals *i, float left, float top, float right, float bottom);
/* The places where something stands, on a grid whose step is a part of the height there. Returns how many. */
int32_t windows_find(const integrals *i, const perspective *p, place *places);
/* FEATURES square roots of means, each 0 to about 9. `shift` is where the integrals lie in the view. */
void windows_describe(const integrals *i, place at, float height, float *features);

#endif
