/* Numbers that stay with the things a detector finds, through short occlusions and doubtful frames.
 *
 * Boxes are in 0..1 of the frame, from the top left corner. A thing is followed as soon as it is seen, and gets its number
 * once it is trusted: see `followed_rules`. */
#ifndef OBJECTS_FOLLOWED_H
#define OBJECTS_FOLLOWED_H

#include <stdint.h>

#include "tracks.h"

enum { MAX_FOLLOWED = 128 };

/* What the detector says of one thing in one frame. */
typedef struct sighting {
    box at;
    float score;
    int32_t group; /* only sightings of the same group are one thing */
    int32_t class_index;
} sighting;

/* A coordinate with its speed (in its unit, per second), and how sure both are: the three numbers of their covariance. */
typedef struct motion_estimate {
    float at, speed;
    float at_variance, covariance, speed_variance;
} motion_estimate;

typedef struct followed {
    int32_t id;      /* counts up from 0; -1 until it is trusted for the first time */
    int32_t trusted; /* at present */
    int32_t group;
    int32_t class_index;         /* of the last sighting */
    int32_t hits;                /* frames in which it was seen */
    motion_estimate x, y;        /* of the centre, in heights of the frame */
    float w, h;                  /* in heights of the frame */
    float rest_x, rest_y;        /* it has not left this place since rest_us */
    int64_t rest_us;
    int32_t moved;               /* it has left a place once */
    float score;                 /* running mean */
    int64_t first_us, seen_us;
    int32_t seen; /* index of its sighting in this frame, -1: none */
} followed;

typedef struct followed_all {
    followed list[MAX_FOLLOWED];
    int32_t count;
    int32_t next_id;
    int64_t now_us;
    float aspect; /* width of the frame / its height */
} followed_all;

typedef struct followed_rules {
    int64_t keep_us;   /* how long a thing that has a number outlives its last sighting */
    float sure_score;    /* a sighting from here on may begin a new thing, */
    float least_score;   /* one from here on only goes on with one that is there */
    float trust_score;   /* the mean score from which a thing is trusted wherever it is; below it must have moved */
    int64_t confirm_us;  /* how long it must have been seen, and in two frames at least, before it is trusted */
    int64_t still_us;    /* what must move to be trusted has lost that after so long in one place */
} followed_rules;

void followed_reset(followed_all *all, float aspect);

/* Take the sightings of a frame, best first. Afterwards `list[i].seen` says which of them is thing i's. */
void followed_feed(followed_all *all, const sighting *seen, int32_t count, int64_t media_us, const followed_rules *rules);

/* Where a thing is by its motion, in 0..1 of the frame, not clipped. */
box followed_box(const followed_all *all, const followed *one);

#endif
