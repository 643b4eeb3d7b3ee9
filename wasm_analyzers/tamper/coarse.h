/* The view at about 80 cells across: each cell the mean of `factor` x `factor` pixels, and blocks of BLOCK x BLOCK cells.
 *
 * Noise is all but gone at this scale, and what is left of the structure of a scene survives blur, compression and poor light. */
#ifndef TAMPER_COARSE_H
#define TAMPER_COARSE_H

#include <stdint.h>

enum { MOST_WIDTH = 320, MOST_SIDE = 100, MOST_CELLS = MOST_SIDE * MOST_SIDE, BLOCK = 8, MOST_STRIPS = 13, MOST_BLOCKS = MOST_STRIPS * MOST_STRIPS };

typedef struct layout {
    int32_t width, height; /* of the view, in pixels */
    int32_t factor;        /* pixels to the side of a cell */
    int32_t across, down;  /* cells */
    int32_t blocks_across, blocks_down;
} layout;

layout layout_of(int32_t width, int32_t height);

static inline int32_t layout_blocks(const layout *l) { return l->blocks_across * l->blocks_down; }

/* Where the n-th of `count` blocks begins, of `cells` cells; the last one takes the rest. */
static inline int32_t block_start(int32_t n, int32_t count, int32_t cells) { return n == count ? cells : n * BLOCK; }

/* Fill `cells`, rows of `across`. */
void coarse_shrink(const layout *l, const uint8_t *pixels, int32_t stride, float *cells);

/* How the gradients of two coarse pictures of one block relate; sums over its cells. */
typedef struct relation {
    float now, then; /* squared gradients */
    float both;      /* their products */
    float changed;   /* absolute differences of brightness */
    float light_now, light_then;
    int32_t cells;   /* that no privacy mask hides */
} relation;

/* `open` has one flag a cell: 0 where a privacy mask hides it. */
void coarse_relate(const layout *l, const float *now, const float *then, const uint8_t *open, relation *blocks);

#endif
