#include "flow.h"

#include "simd.h"

enum { BLOCK = 8, REACH = 8, REACH_FAR = 11, FAR_US = 120000, GAP_US = 1500000, FULL = 5 };

extent flow_half(extent e) { return (extent){e.width / 2, e.height / 2}; }
extent flow_cells(extent e) { return (extent){e.width / CELL, e.height / CELL}; }

static int32_t pitch_of(extent half) { return half.width + 2 * FLOW_MARGIN; }

size_t flow_half_bytes(extent e) {
    extent half = flow_half(e);
    return (size_t)pitch_of(half) * (size_t)(half.height + 2 * FLOW_MARGIN) + 16;
}

size_t flow_sum_bytes(extent e) {
    extent cells = flow_cells(e);
    return (size_t)(cells.width + 1) * (size_t)(cells.height + 1) * FLOW_SUMS * sizeof(float);
}

/* Means of two by two pixels, repeated beyond the borders. */
static void halve(flow *f, const uint8_t *pixels, int32_t stride) {
    int32_t pitch = pitch_of(f->half);
    for (int32_t y = -FLOW_MARGIN; y < f->half.height + FLOW_MARGIN; y++) {
        const uint8_t *row = pixels + 2 * clipped(y, 0, f->half.height - 1) * stride;
        uint8_t *to = f->now + (y + FLOW_MARGIN) * pitch + FLOW_MARGIN;
        for (int32_t x = 0; x < f->half.width; x++)
            to[x] = (uint8_t)((row[2 * x] + row[2 * x + 1] + row[stride + 2 * x] + row[stride + 2 * x + 1] + 2) / 4);
        for (int32_t x = 1; x <= FLOW_MARGIN; x++) to[-x] = to[0], to[f->half.width - 1 + x] = to[f->half.width - 1];
    }
}

/* Sum of absolute differences of two blocks of 8 x 8. */
static int32_t apart(const uint8_t *a, const uint8_t *b, int32_t pitch) {
    u16x8 sum = {0};
    for (int32_t y = 0; y < BLOCK; y += 2) {
        u8x16 p, q;
        __builtin_memcpy(&p, a + y * pitch, 8);
        __builtin_memcpy((char *)&p + 8, a + (y + 1) * pitch, 8);
        __builtin_memcpy(&q, b + y * pitch, 8);
        __builtin_memcpy((char *)&q + 8, b + (y + 1) * pitch, 8);
        u8x16 off = difference16(p, q);
        sum += low16(off) + high16(off);
    }
    return sum[0] + sum[1] + sum[2] + sum[3] + sum[4] + sum[5] + sum[6] + sum[7];
}

/* Where the minimum of a parabola through three values lies, -0.5 to 0.5. */
static float vertex(int32_t left, int32_t middle, int32_t right) {
    int32_t bend = left + right - 2 * middle;
    return bend > 0 ? within(0.5f * (float)(left - right) / (float)bend, -0.5f, 0.5f) : 0;
}

/* Displacement of a cell in half pixels; of equal matches the shortest. */
static void match(const flow *f, int32_t cx, int32_t cy, int32_t reach, float *dx, float *dy) {
    int32_t pitch = pitch_of(f->half);
    int32_t x = clipped(cx * CELL / 2 + CELL / 4 - BLOCK / 2, 0, f->half.width - 1);
    int32_t y = clipped(cy * CELL / 2 + CELL / 4 - BLOCK / 2, 0, f->half.height - 1);
    const uint8_t *here = f->now + (y + FLOW_MARGIN) * pitch + x + FLOW_MARGIN;
    const uint8_t *there = f->before + (y + FLOW_MARGIN) * pitch + x + FLOW_MARGIN;
    int32_t best = INT32_MAX, bx = 0, by = 0;
    for (int32_t v = -reach; v <= reach; v++)
        for (int32_t u = -reach; u <= reach; u++) {
            if (y + v < -FLOW_MARGIN || y + v + BLOCK > f->half.height + FLOW_MARGIN) continue;
            if (x + u < -FLOW_MARGIN || x + u + BLOCK > f->half.width + FLOW_MARGIN) continue;
            /* the farther, the more a match must be better: noise has no direction */
            int32_t cost = apart(here, there + v * pitch + u, pitch) * 4 + u * u + v * v;
            if (cost < best) best = cost, bx = u, by = v;
        }
    *dx = (float)-bx, *dy = (float)-by;
    if (bx <= -reach || bx >= reach || by <= -reach || by >= reach) return;
    const uint8_t *at = there + by * pitch + bx;
    int32_t middle = apart(here, at, pitch);
    *dx -= vertex(apart(here, at - 1, pitch), middle, apart(here, at + 1, pitch));
    *dy -= vertex(apart(here, at - pitch, pitch), middle, apart(here, at + pitch, pitch));
}

static int32_t is_full(const flow *f, const uint8_t *mask, int32_t cx, int32_t cy) {
    int32_t count = 0;
    for (int32_t y = cy * CELL; y < (cy + 1) * CELL; y++)
        for (int32_t x = cx * CELL; x < (cx + 1) * CELL; x++) count += mask[y * f->size.width + x];
    return count >= FULL;
}

static void add_up(flow *f, const uint8_t *mask, int32_t reach, float per_second) {
    int32_t pitch = (f->cells.width + 1) * FLOW_SUMS;
    for (int32_t i = 0; i < pitch; i++) f->sums[i] = 0;
    for (int32_t cy = 0; cy < f->cells.height; cy++) {
        float *above = f->sums + cy * pitch, *row = above + pitch;
        f32x4 sum = {0};
        __builtin_memcpy(row, &sum, 16);
        for (int32_t cx = 0; cx < f->cells.width; cx++) {
            if (is_full(f, mask, cx, cy)) {
                float dx, dy;
                match(f, cx, cy, reach, &dx, &dy);
                dx *= 2 * per_second, dy *= 2 * per_second;
                sum += (f32x4){1, root(dx * dx + dy * dy), dx, dy};
            }
            f32x4 whole_sum = sum + load4(above + (cx + 1) * FLOW_SUMS);
            __builtin_memcpy(row + (cx + 1) * FLOW_SUMS, &whole_sum, 16);
        }
    }
}

void flow_see(flow *f, const uint8_t *pixels, int32_t stride, const uint8_t *mask, int64_t media_us) {
    uint8_t *swap = f->before;
    f->before = f->now, f->now = swap;
    f->before_us = f->now_us, f->now_us = media_us;
    halve(f, pixels, stride);
    int64_t gap_us = f->now_us - f->before_us;
    if (f->frames < 2) f->frames++;
    if (f->frames < 2 || gap_us <= 0 || gap_us > GAP_US) {
        __builtin_memset(f->sums, 0, flow_sum_bytes(f->size));
        return;
    }
    add_up(f, mask, gap_us >= FAR_US ? REACH_FAR : REACH, 1e6f / (float)gap_us);
}

moved flow_in(const flow *f, float left, float top, float right, float bottom) {
    int32_t pitch = (f->cells.width + 1) * FLOW_SUMS;
    int32_t x0 = clipped(nearest(left / CELL), 0, f->cells.width), x1 = clipped(nearest(right / CELL), 0, f->cells.width);
    int32_t y0 = clipped(nearest(top / CELL), 0, f->cells.height), y1 = clipped(nearest(bottom / CELL), 0, f->cells.height);
    f32x4 sum = load4(f->sums + y1 * pitch + x1 * FLOW_SUMS) - load4(f->sums + y0 * pitch + x1 * FLOW_SUMS) -
                load4(f->sums + y1 * pitch + x0 * FLOW_SUMS) + load4(f->sums + y0 * pitch + x0 * FLOW_SUMS);
    if (sum[0] < 0.5f) return (moved){0};
    return (moved){sum[0], most(sum[1], 0) / sum[0], sum[2] / sum[0], sum[3] / sum[0]};
}
