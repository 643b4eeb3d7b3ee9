/* How far what is in a cell has moved since the frame before: blocks matched at half resolution, refined by a parabola. */
#ifndef NORMALITY_FLOW_H
#define NORMALITY_FLOW_H

#include "common.h"

enum { CELL = 4, FLOW_SUMS = 4 };

typedef struct flow {
    extent size, half, cells;
    uint8_t *now, *before; /* at half resolution, with a margin of FLOW_MARGIN on each side */
    float *sums;           /* integrals over cells: how many move, their speed, vx, vy, in pixels a second */
    int64_t now_us, before_us;
    int32_t frames; /* that were seen, at most 2 */
} flow;

enum { FLOW_MARGIN = 16 };

extent flow_half(extent e);
extent flow_cells(extent e);
size_t flow_half_bytes(extent e);
size_t flow_sum_bytes(extent e);
/* Take a frame; `mask` says where something is. Afterwards `sums` is about it. */
void flow_see(flow *f, const uint8_t *pixels, int32_t stride, const uint8_t *mask, int64_t media_us);

typedef struct moved {
    float cells, speed, vx, vy; /* how many cells, and their means in pixels a second */
} moved;

/* In a box of the view, in pixels. */
moved flow_in(const flow *f, float left, float top, float right, float bottom);

#endif
