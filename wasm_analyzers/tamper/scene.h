/* The view as it was learned, and what the newest frame says when it is held against it. */
#ifndef TAMPER_SCENE_H
#define TAMPER_SCENE_H

#include "coarse.h"
#include "fine.h"

/* One frame against the learned view. Parts are fractions of the blocks that have structure, unless said otherwise. */
typedef struct measures {
    float structured;  /* blocks with structure in the learned view, of all blocks */
    float lost;        /* whose structure is not there now, though the light would show it */
    float lost_still;  /* lost, and as they were half a second ago */
    float lost_bright; /* lost in brightness */
    float alike;       /* correlation of all gradients */
    float light, usual_light;   /* mean luma, 16 is black */
    float bright, usual_bright; /* part of the cells that is near white */
    float lit;         /* luma that a fiftieth of the cells is above */
    float dim, usual_dim; /* luma that a fiftieth of the cells is below */
    float contrast;    /* of the frame, of the learned view's: squared gradients */
    float sharp;       /* gradients of pixels, of what the contrast would have them be */
    float edges;       /* mean second difference where the learned view has edges, of the contrast */
    float noise;       /* of half of the blocks, in grey levels of a normal deviation */
    float lines;       /* by how much rows or columns step, in grey levels */
    float rough;       /* mean second difference */
    float changed, changed_mean; /* to the frame that was kept: of half of the blocks, of all */
    float drift;       /* of the view, that the learned view has been moved since it was learned */
    float busy;        /* how many blocks change much */
    float changed_most; /* of the block that changes most */
    float things;      /* part of the blocks that were busy last in which there still is more than the scene */
    float stirred;     /* part of the blocks that change at all */
    float alive;       /* part of the pixels that are not as they were in the frame that was kept */
    int same;          /* pixel by pixel the frame that was kept */
    int too_soon;      /* there is no picture of half a second ago yet */
} measures;

/* What is usual while nothing is wrong. */
typedef struct habits {
    float sharp, edges, noise, lines, rough, changed, changed_mean;
    int frames;
    float busy, changed_most; /* at least, in the last second */
    float light, stirred; /* in the last half second; in the last three seconds */
    float alive; /* at least, while nothing moved */
    int calm;    /* glances in which nothing moved */
} habits;

/* Memory that a view of this size needs, zero at first. */
uint32_t scene_bytes(int32_t width, int32_t height);

/* Begin with nothing learned. */
void scene_open(int32_t width, int32_t height, uint8_t *room);

/* Forget what was learned. */
void scene_forget(void);

/* Hold a frame against what was learned; `zones` is the host's map, or NULL. The first frame is learned at once. */
void scene_look(const uint8_t *pixels, int32_t stride, const uint8_t *zones, int64_t media_us, measures *out);

/* Learn the frame that was looked at: as one of the first `count`, or slowly where `count` is 0. */
void scene_learn(int32_t count, int64_t media_us);

/* Changes are those to the frame that was looked at last when this was called. */
void scene_keep(void);

/* Move the learned view along where the camera sways or creeps by a few pixels, and that makes it `gain` times as sharp. */
/* How much better the learned view fits where it fits best, pixels beside where it lies: a camera trembles. At least 1. */
float scene_tremble(void);

void scene_follow_drift(int64_t media_us, float gain);

const layout *scene_layout(void);
const float *scene_now(void);
const float *scene_usual(void);

/* The smallest rectangle around all lost blocks, in fractions of the view. */
void scene_lost_box(float *x, float *y, float *w, float *h);

#endif
