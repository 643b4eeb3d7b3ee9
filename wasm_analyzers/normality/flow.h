/* How far what is in a box has moved since about a fifth of a second ago.
 *
 * Whole parts of a thing are matched, not points: legs swing, and what is uncovered matches nothing. Pictures are compared
 * without the scene, so that its edges do not hold a box back. Over the same time at any frame rate, so that what is
 * learned at one is true at another. */
#ifndef NORMALITY_FLOW_H
#define NORMALITY_FLOW_H

#include "common.h"

enum { FLOW_KEPT = 16, FLOW_MARGIN = 64 };

typedef struct flow {
    extent size;
    uint8_t *fine[FLOW_KEPT];   /* what is before the scene, 128 where nothing is, with a margin of FLOW_MARGIN */
    uint8_t *coarse[FLOW_KEPT]; /* the same at half resolution */
    int64_t times_us[FLOW_KEPT];
    int32_t at, count;          /* the last one, and how many there are */
    int32_t before;             /* the one to compare with, -1: there is none */
} flow;

size_t flow_fine_bytes(extent e);
size_t flow_coarse_bytes(extent e);
void flow_see(flow *f, const float *difference, const uint8_t *mask, int64_t media_us);

typedef struct moved {
    float vx, vy; /* pixels a second */
    float off;    /* how much of the box is not found again, as a part of what is in it */
} moved;

typedef struct body {
    float left, top, middle, right, bottom; /* pixels of the view; what lies outside is left out */
} body;

enum { UPPER, LOWER, WHOLE, PARTS };

/* Of the parts above and below the middle, and of both together. */
void flow_of(const flow *f, body b, moved *parts);

#endif
