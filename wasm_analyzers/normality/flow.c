#include "flow.h"

#include "simd.h"

enum { REACH_X = 8, REACH_Y = 4, BROAD = 48, /* pixels: what is so high is searched for in larger steps */ SPAN_US = 190000, GAP_US = 1100000, NOTHING = 128, FARTHEST = FLOW_MARGIN - 16 };

typedef struct plane {
    const uint8_t *pixels; /* where the view begins */
    int32_t pitch;
} plane;

typedef struct area {
    int32_t x, y, width, height;
} area;

static extent halved(extent e) { return (extent){(e.width + 1) / 2, (e.height + 1) / 2}; }

static size_t padded_bytes(extent e) {
    return (size_t)(e.width + 2 * FLOW_MARGIN) * (size_t)(e.height + 2 * FLOW_MARGIN) + 32;
}

size_t flow_fine_bytes(extent e) { return padded_bytes(e); }
size_t flow_coarse_bytes(extent e) { return padded_bytes(halved(e)); }

static plane inside(const uint8_t *padded, extent e) {
    int32_t pitch = e.width + 2 * FLOW_MARGIN;
    return (plane){padded + FLOW_MARGIN * pitch + FLOW_MARGIN, pitch};
}

static void keep(flow *f, const float *difference, const uint8_t *mask) {
    extent half = halved(f->size);
    uint8_t *fine = f->fine[f->at], *coarse = f->coarse[f->at];
    __builtin_memset(fine, NOTHING, flow_fine_bytes(f->size));
    __builtin_memset(coarse, NOTHING, flow_coarse_bytes(f->size));
    int32_t pitch = inside(fine, f->size).pitch, half_pitch = inside(coarse, half).pitch;
    uint8_t *to = fine + FLOW_MARGIN * pitch + FLOW_MARGIN;
    for (int32_t y = 0; y < f->size.height; y++)
        for (int32_t x = 0; x < f->size.width; x++) {
            int32_t i = y * f->size.width + x;
            if (mask[i]) to[y * pitch + x] = (uint8_t)whole(difference[i] * 0.75f + NOTHING + 0.5f, 0, 255);
        }
    uint8_t *low = coarse + FLOW_MARGIN * half_pitch + FLOW_MARGIN;
    for (int32_t y = 0; y < half.height; y++)
        for (int32_t x = 0; x < half.width; x++) {
            const uint8_t *p = to + 2 * y * pitch + 2 * x;
            low[y * half_pitch + x] = (uint8_t)((p[0] + p[1] + p[pitch] + p[pitch + 1] + 2) / 4);
        }
}

/* The youngest frame that is old enough, or the oldest; -1: there is none that means anything. */
static int32_t find_before(const flow *f) {
    int32_t best = -1;
    for (int32_t ago = 1; ago < f->count; ago++) {
        int32_t i = (f->at - ago + FLOW_KEPT) % FLOW_KEPT;
        int64_t gap_us = f->times_us[f->at] - f->times_us[i];
        if (gap_us <= 0 || gap_us > GAP_US) break;
        best = i;
        if (gap_us >= SPAN_US) return best;
    }
    return best >= 0 && f->times_us[f->at] - f->times_us[best] >= SPAN_US / 2 ? best : -1;
}

void flow_see(flow *f, const float *difference, const uint8_t *mask, int64_t media_us) {
    f->at = (f->at + 1) % FLOW_KEPT;
    if (f->count < FLOW_KEPT) f->count++;
    f->times_us[f->at] = media_us;
    keep(f, difference, mask);
    f->before = find_before(f);
}

/* Sum of absolute differences of a box with the one that lies (u, v) off in another plane. */
static int32_t apart(plane a, plane b, area box, int32_t u, int32_t v) {
    u32x4 total = {0};
    for (int32_t y = 0; y < box.height; y++) {
        const uint8_t *p = a.pixels + (box.y + y) * a.pitch + box.x, *q = b.pixels + (box.y + y + v) * b.pitch + box.x + u;
        u16x8 sum = {0};
        for (int32_t x = 0; x < box.width; x += 16) {
            u8x16 off = difference16(load16(p + x), load16(q + x)) & first16(box.width - x);
            sum += low16(off) + high16(off);
        }
        total += (u32x4){sum[0], sum[1], sum[2], sum[3]} + (u32x4){sum[4], sum[5], sum[6], sum[7]};
    }
    return (int32_t)(total[0] + total[1] + total[2] + total[3]);
}

/* How much is in a box: its sum of absolute differences from nothing. */
static int32_t content(plane a, area box) {
    int32_t sum = 0;
    for (int32_t y = 0; y < box.height; y++)
        for (int32_t x = 0; x < box.width; x++) {
            int32_t off = a.pixels[(box.y + y) * a.pitch + box.x + x] - NOTHING;
            sum += off < 0 ? -off : off;
        }
    return sum;
}

/* Where the minimum of a parabola through three values lies, -0.5 to 0.5. */
static float vertex(int32_t left, int32_t middle, int32_t right) {
    int32_t bend = left + right - 2 * middle;
    return bend > 0 ? within(0.5f * (float)(left - right) / (float)bend, -0.5f, 0.5f) : 0;
}

typedef struct shift {
    int32_t u, v;
} shift;

typedef struct reach {
    int32_t x, y, step, limit; /* limit: how far from nothing a shift may be */
} reach;

/* The best match around a shift; of equal ones the shortest. What would look beyond the margin is left out. */
static shift search(plane a, plane b, area box, shift from, reach r) {
    shift best = from;
    int32_t lowest = INT32_MAX;
    for (int32_t dv = -r.y; dv <= r.y; dv++)
        for (int32_t du = -r.x; du <= r.x; du++) {
            shift to = {from.u + du * r.step, from.v + dv * r.step};
            if (to.u < -r.limit || to.u > r.limit || to.v < -r.limit || to.v > r.limit) continue;
            int32_t cost = apart(a, b, box, to.u, to.v) * 64 + to.u * to.u + to.v * to.v;
            if (cost < lowest) lowest = cost, best = to;
        }
    return best;
}

moved flow_of(const flow *f, float left, float top, float right, float bottom) {
    if (f->before < 0) return (moved){0, 0, 1};
    int32_t x0 = whole(left, 0, f->size.width), x1 = whole(right, 0, f->size.width);
    int32_t y0 = whole(top, 0, f->size.height), y1 = whole(bottom, 0, f->size.height);
    area box = {x0, y0, x1 - x0, y1 - y0}, half = {x0 / 2, y0 / 2, (x1 - x0) / 2, (y1 - y0) / 2};
    if (half.width < 2 || half.height < 2) return (moved){0, 0, 1};
    extent small = halved(f->size);
    plane a = inside(f->coarse[f->at], small), b = inside(f->coarse[f->before], small);
    int32_t step = 1 + box.height / BROAD;
    shift best = search(a, b, half, (shift){0, 0}, (reach){REACH_X, REACH_Y, step, FARTHEST / 2});
    if (step > 1) best = search(a, b, half, best, (reach){step - 1, step - 1, 1, FARTHEST / 2});
    a = inside(f->fine[f->at], f->size), b = inside(f->fine[f->before], f->size);
    best = search(a, b, box, (shift){2 * best.u, 2 * best.v}, (reach){1, 1, 1, FARTHEST + 1});
    int32_t u = best.u, v = best.v, middle = apart(a, b, box, u, v);
    float dx = (float)u + vertex(apart(a, b, box, u - 1, v), middle, apart(a, b, box, u + 1, v));
    float dy = (float)v + vertex(apart(a, b, box, u, v - 1), middle, apart(a, b, box, u, v + 1));
    float per_second = 1e6f / (float)(f->times_us[f->at] - f->times_us[f->before]);
    return (moved){-dx * per_second, -dy * per_second, (float)middle / most((float)content(a, box), 1)};
}
