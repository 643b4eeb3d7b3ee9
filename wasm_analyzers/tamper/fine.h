/* What is measured on the pixels of the view themselves, a block at a time: noise, sharpness, change. Every n-th row will do. */
#ifndef TAMPER_FINE_H
#define TAMPER_FINE_H

#include "coarse.h"

typedef struct grain {
    float noise;           /* mean of Immerkaer's difference of two Laplacians, which edges leave cold, in grey levels */
    float rough;           /* mean second difference, along rows and along columns added up */
    float changed;         /* mean absolute difference to the frame before */
    float alive;           /* part of the pixels that are not as they were in the frame before */
    float usual, both;     /* sums: squared gradients of the learned view, and their products with the frame's */
} grain;

typedef struct fine_planes {
    const uint8_t *pixels; /* rows of `stride` */
    int32_t stride;
    const uint8_t *before; /* the frame before; rows of the view's width */
    const uint16_t *usual; /* the learned view in 1/256; rows of the view's width */
    int32_t gain;          /* how bright the frame is, in 1/256 of the learned view's brightness */
} fine_planes;

/* Returns how much there is of lines that go all across the picture or down it, in grey levels. */
float fine_measure(const layout *l, const fine_planes *planes, grain *blocks);

/* Where the learned view fits best, a few pixels beside where it lies. */
typedef struct nudge {
    int32_t x, y;
    float fit, none; /* there, and where it lies: products of gradients as in `grain` */
} nudge;

/* Over the blocks that are flagged; of views of 32 x 32 pixels and more. */
nudge fine_climb(const layout *l, const fine_planes *planes, const uint8_t *flags);

/* Whether a frame is the one before, pixel by pixel. */
int fine_same(const layout *l, const fine_planes *planes);

#endif
