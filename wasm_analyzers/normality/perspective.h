/* How high a thing of the usual kind is, as a straight line over the row it stands on.
 *
 * On a plane seen by a pinhole the height of equal things grows linearly with the row of their feet (Hoiem, Efros and
 * Hebert, Putting objects in perspective, 2006). The line is the one that most single upright regions agree with. */
#ifndef NORMALITY_PERSPECTIVE_H
#define NORMALITY_PERSPECTIVE_H

#include "common.h"

enum { PERSPECTIVE_ROWS = 20, PERSPECTIVE_HEIGHTS = 128, PERSPECTIVE_ENOUGH = 60 };

typedef struct perspective {
    float base, slope; /* pixels at row 0, pixels a row */
    float floor, ceiling;
    uint32_t seen;
    uint32_t counts[PERSPECTIVE_ROWS][PERSPECTIVE_HEIGHTS];
} perspective;

typedef struct standing {
    int32_t left, top, width, height, area;
} standing;

void perspective_see(perspective *p, extent e, const standing *region);
/* Fits the line; returns 0 where too little was seen. */
int32_t perspective_fit(perspective *p, extent e);

static inline float perspective_height(const perspective *p, float row) {
    return within(p->base + p->slope * row, p->floor, p->ceiling);
}

#endif
