/* How bright a frame is against the background model: automatic exposure and switched lights. */
#ifndef MOTION_EXPOSURE_H
#define MOTION_EXPOSURE_H

#include "plane.h"

typedef struct exposure {
    uint8_t logarithm[256]; /* of a grey value, in steps of 1/24 octave */
    float tolerance;        /* a gain that is so near to 1 is none */
    float gain;             /* of the frame against the model; 1 where they agree */
} exposure;

void exposure_open(exposure *light);

/* Estimate the gain of a frame (rows of `stride` bytes) where `foreground` is 0. */
void exposure_measure(exposure *light, extent e, const uint8_t *pixels, int32_t stride, const uint8_t *usual,
                      const uint8_t *foreground);

/* Copy the frame into the plane `image` as it would look in the exposure of the model. */
void exposure_correct(const exposure *light, extent e, const uint8_t *pixels, int32_t stride, uint8_t *image);

/* The part of the background's edges (0..1) that the frame shows too, in the same direction. */
float exposure_same_edges(extent e, const uint8_t *image, const uint8_t *usual);

#endif
