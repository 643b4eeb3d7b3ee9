/* The empty scene: what most samples of a pixel agree on, and how it follows the light.
 *
 * While the scene is learned each pixel keeps its three most frequent values (a small codebook after Kim et al., 2005). What
 * is kept in the end is the most frequent one; a place where no value has a clear share is unknown, so whoever stood there
 * for a part of the time leaves no picture behind. */
#ifndef NORMALITY_SCENE_H
#define NORMALITY_SCENE_H

#include "common.h"

enum { SCENE_MODES = 3 };

typedef struct scene_modes { /* of one pixel */
    uint8_t value[SCENE_MODES];
    uint8_t fraction[SCENE_MODES]; /* of the value, in 256ths */
    uint16_t count[SCENE_MODES];
} scene_modes;

typedef struct scene {
    extent size;
    float *usual;          /* grey of the empty scene; meaningless where it is unknown */
    uint8_t *known;        /* 0: unknown; 1: the grey there is agreed on; more: it was taken in lately */
    uint8_t *before;       /* the frame before */
    uint8_t *steady;       /* how long a pixel has not changed, in eighths of a second */
    float gain;            /* what frames are multiplied by */
    float likeness;        /* part of the blocks with texture that look as in the scene; 1 where nothing can be told */
    int64_t steady_us;
} scene;

/* One sample for the codebook. */
void scene_sample(scene_modes *modes, extent e, const uint8_t *pixels, int32_t stride);
/* The most frequent values of so many samples. Returns how much of the view is known, 0 to 1. */
float scene_settle(scene *s, const scene_modes *modes, int32_t samples);
/* The difference of a frame from the scene, in grey levels of the scene's light; measures gain and likeness first. */
void scene_difference(scene *s, const uint8_t *pixels, int32_t stride, float *difference);
/* Follow the light where nothing is, and take in what has not changed for long. */
void scene_follow(scene *s, const uint8_t *pixels, int32_t stride, const uint8_t *mask, int64_t elapsed_us);

/* Some minutes have passed: what was taken in long ago is agreed on by now. */
void scene_age(scene *s);
/* Whether a pixel may be kept beyond this process: whoever stands still for a while is no scenery. */
static inline int32_t scene_is_agreed(const scene *s, int32_t pixel) { return s->known[pixel] == 1; }

#endif
