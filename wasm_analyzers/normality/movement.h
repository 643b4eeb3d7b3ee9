/* How a thing moves where it stands: how fast in four bands of its height, and which way.
 *
 * Speed is in heights a second. Usual movements are exemplars chosen by greedy k-centre with a growing radius (Charikar et al.,
 * Incremental clustering, 1997); how unusual one is is the distance to the nearest. There are two sets of everything, from odd and from
 * even occasions, so that what was learned from can be measured by what was not. */
#ifndef NORMALITY_MOVEMENT_H
#define NORMALITY_MOVEMENT_H

#include "common.h"
#include "flow.h"
#include "perspective.h"
#include "windows.h"

enum { BANDS = 4, MOVES = 2 * BANDS, MOST_EXEMPLARS = 640, PLACES_X = 16, PLACES_Y = 12, WAYS = 8, FOLDS = 2 };

typedef struct exemplars {
    int32_t count;
    float radius;
    uint16_t first[MOST_EXEMPLARS]; /* the occasion on which it was first seen */
    uint8_t usual[MOST_EXEMPLARS];  /* 0: on probation, it was seen on one occasion alone */
    float moves[MOST_EXEMPLARS][MOVES];
} exemplars;

typedef struct habits {
    exemplars speeds[FOLDS];
    float ways[FOLDS][PLACES_Y][PLACES_X][WAYS];
    float places[FOLDS][PLACES_Y][PLACES_X];
    float windows[FOLDS]; /* how many were counted */
} habits;

typedef struct movement {
    float moves[MOVES];
    float vx, vy, speed; /* in heights a second */
    int32_t place_x, place_y;
} movement;

/* How to take in what was seen: on which occasion; and whether what is new must wait until it is seen on another. */
typedef struct intake {
    int32_t fold;
    uint16_t occasion;
    int32_t probation;
    int32_t room; /* how many new exemplars there may be */
} intake;

movement movement_of(const flow *f, const integrals *i, place at, float height);
/* Returns how many new exemplars there are, 0 or 1. */
int32_t movement_learn(habits *h, const movement *m, const intake *how, int32_t moving);
/* How unusual it is, by the sets in `folds` (bits): 0 and more. */
float movement_speed(const habits *h, const movement *m, uint32_t folds);
float movement_way(const habits *h, const movement *m, uint32_t folds);
float movement_place(const habits *h, const movement *m, uint32_t folds);

#endif
