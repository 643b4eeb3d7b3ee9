/* How a thing moves where it stands: how fast and which way, against what is usual at that place.
 *
 * Speed is in heights a second, and counted only as far as the upper half, the lower half and the whole of a thing
 * agree on it and are found again: what is half covered by another has none. There are two sets of counts, from odd and
 * from even occasions, so that what was learned from can be measured by what was not. */
#ifndef NORMALITY_MOVEMENT_H
#define NORMALITY_MOVEMENT_H

#include "common.h"
#include "flow.h"
#include "perspective.h"
#include "windows.h"

enum { PLACES_X = 16, PLACES_Y = 12, WAYS = 8, SPEEDS = 40, FOLDS = 2 };

/* What was seen at one place. */
typedef struct usual_here {
    float windows, ways[WAYS], speeds[SPEEDS];
} usual_here;

typedef struct habits {
    usual_here at[FOLDS][PLACES_Y][PLACES_X], all[FOLDS];
} habits;

typedef struct movement {
    float vx, vy; /* of the whole, in heights a second */
    float speed;  /* that all parts agree on */
    int32_t place_x, place_y;
} movement;

movement movement_of(const flow *f, extent e, place at, float height);
/* Count it, `weight` times; `moving`: there was a frame to compare with. */
void movement_learn(habits *h, const movement *m, int32_t fold, float weight, int32_t moving);
/* How unusual it is, by the sets in `folds` (bits): 0 and more. */
float movement_speed(const habits *h, const movement *m, uint32_t folds);
float movement_way(const habits *h, const movement *m, uint32_t folds);
float movement_place(const habits *h, const movement *m, uint32_t folds);

#endif
