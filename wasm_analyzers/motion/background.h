/* What an empty scene looks like, pixel by pixel, and how far each pixel of a frame is from it. */
#ifndef MOTION_BACKGROUND_H
#define MOTION_BACKGROUND_H

#include "plane.h"
#include "simd.h"

enum {
    SAMPLES = 20,
    ABSORB_TICKS = 240,
    EVIDENCE_MOST = 40, /* one pixel may not outvote its neighbourhood */
};

typedef struct background {
    extent e;
    uint8_t *samples;  /* SAMPLES values a pixel: for each block of 16 pixels, SAMPLES vectors of 16 */
    uint8_t *distance; /* of the last frame: to the second nearest sample; when just learned: the spread */
    uint8_t *evidence; /* of the last frame: the distance beyond what is usual at this pixel, bounded */
    uint8_t *noise;    /* a high quantile of the distance while nothing was there, in eighths */
    uint8_t *unrest;   /* how often the pixel changes between empty and not empty */
    uint8_t *held;     /* the foreground value a pixel shows, if it shows one steadily */
    uint8_t *held_age; /* for how long, in 1/ABSORB_TICKS of absorb_s */
    uint8_t *usual;    /* the mean of the background, rounded */
    uint8_t *usual_fraction; /* in 1/256 */
    int32_t learned; /* samples filled while learning; SAMPLES: learned */
    int64_t learn_start_us;
    int64_t unrest_us, held_us;
    int32_t turn; /* which rows are followed in this frame: the even or the odd ones */
    u32x4 random;
} background;

/* How one frame is to be taken. */
typedef struct background_step {
    const uint8_t *image;      /* the frame in the exposure of the model, a plane */
    const uint8_t *foreground; /* what was accepted as objects, a plane of masks */
    const uint8_t *doubtful;   /* the part of the foreground of the frame before that has not been seen to travel */
    int64_t media_us;
    int64_t elapsed_us;
    int64_t absorb_us; /* what stood still for so long is background */
} background_step;

size_t background_bytes(extent e);
void background_open(background *model, extent e, uint8_t *space);
void background_relearn(background *model);

/* Take a frame into the model while it is learned; 1 once it is complete. */
int background_learn(background *model, const uint8_t *image, int64_t media_us, int64_t learn_us);

/* Fill distance and evidence for a frame. */
void background_compare(background *model, const uint8_t *image, int32_t allowance);

/* Follow the scene where no object is; take in what has stood still for absorb_us. */
void background_follow(background *model, const background_step *step);

/* Take the pixels of `mask` within the box into the background now: what was there has gone. */
void background_accept(background *model, const uint8_t *image, const uint8_t *mask, int32_t x, int32_t y, int32_t w,
                       int32_t h);

#endif
