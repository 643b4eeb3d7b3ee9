/* Things that have come to rest, and places from which one has gone: where one steady picture gave way to another.
 *
 * The background model answers "is something there?"; this layer answers "what has changed for good?". It is looked at a
 * few times a second, in half of the view's resolution where the view is large. */
#ifndef MOTION_STILL_H
#define MOTION_STILL_H

#include "exposure.h"
#include "regions.h"

enum { MAX_STILL = 32 };

typedef enum still_change { STILL_UNCLEAR, STILL_APPEARED, STILL_REMOVED } still_change;

typedef struct still_thing {
    int32_t id;                       /* its track number, -1 until it is first reported: the caller's */
    int32_t left, top, right, bottom; /* pixels of the view; right and bottom are the first outside */
    int32_t area;                     /* pixels of the view */
    float contrast;                   /* grey levels between the two pictures of the place */
    still_change change;
    int64_t since_us;     /* its places are steady since, in the mean */
    int64_t begun_us;     /* nearly all of them are */
    int64_t taken_us;     /* when that was decided */
    int64_t seen_us;      /* when it was last seen uncovered */
    int64_t wanted_us;    /* when the caller last needed it: the caller's */
    int32_t living;        /* it is no thing: something moved within it most of the time */
    int32_t quiet, lively; /* how often it was looked at and nothing, or something, moved within it */
} still_thing;

typedef struct still_layer {
    extent view, e; /* of the frame; of this layer */
    int32_t halved;
    float least_area; /* of the view: the caller's */
    float gain;       /* that the frame was corrected by: the caller's */
    exposure light;
    uint8_t *image;     /* the frame in this layer's size */
    uint8_t *settled;   /* what each place steadily showed last */
    uint8_t *before;    /* what it showed before that, where `owner` is set */
    uint8_t *owner;     /* which thing has changed the place: its index + 1 */
    uint8_t *candidate; /* what it shows now */
    uint8_t *age;       /* for how long, in AGE_US */
    uint8_t *evidence, *ripe, *restless, *hits, *joined, *scratch, *rows;
    regions found; /* what is not as it settled */
    still_thing list[MAX_STILL];
    int32_t count;
    int32_t running;
    int64_t ticked_us;
    int64_t restless_us; /* when the whole view was last in turmoil */
    float lit;           /* the gain that the things are told in */
    int64_t lit_us;      /* when it changed */
    int32_t ceiling;     /* grey levels: what lies above may be clipped, and is all the same */
    int64_t ceiling_us;  /* when it was last that low */
    int32_t different;   /* grey levels that the two pictures may differ by in this light */
} still_layer;

size_t still_bytes(extent view);
void still_open(still_layer *layer, extent view, uint8_t *space);

/* Forget all; what the next frame shows where nothing changes is taken as settled. */
void still_restart(still_layer *layer);

/* Take a frame; `usual` is the background that the layer starts from. Returns whether it was looked at. */
int still_follow(still_layer *layer, const uint8_t *image, const uint8_t *usual, int64_t media_us);

/* How many pixels of a box of the view are not as they settled: something moves there. */
int32_t still_moving(const still_layer *layer, int32_t left, int32_t top, int32_t right, int32_t bottom);

/* Whether a thing is to be reported now: not while it is covered. */
int still_reported(const still_thing *t, int64_t media_us);

/* Whether something moves within a thing again and again: a person who stands, and no object. */
int still_lives(const still_thing *t);

#endif
