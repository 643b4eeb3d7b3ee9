#include "flow.h"

#include "simd.h"

enum {
    REACH_X = 4, /* steps of two pixels at half resolution, of four where things are high */
    REACH_Y = 2,
    BROAD = 48, /* pixels: from here on things are high */
    FARTHEST = FLOW_MARGIN - 16,
    SPAN_US = 190000,
    GAP_US = 1100000,
    NOTHING = 128,
};

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

/* Sums of two neighbours each. */
static u16x8 pairs(u8x16 v) {
#if defined(__wasm_simd128__)
    return (u16x8)__builtin_wasm_extadd_pairwise_i8x16_u_i16x8((i8x16)v);
#else
    return (u16x8)v % 256 + (u16x8)v / 256;
#endif
}

static u32x4 widened(u16x8 sum) {
    return __builtin_convertvector(__builtin_shufflevector(sum, sum, 0, 1, 2, 3), u32x4) +
           __builtin_convertvector(__builtin_shufflevector(sum, sum, 4, 5, 6, 7), u32x4);
}

/* Sum of absolute differences of a box with the one that lies (u, v) off in another plane. */
static int32_t apart(plane a, plane b, area box, int32_t u, int32_t v) {
    const uint8_t *p = a.pixels + box.y * a.pitch + box.x, *q = b.pixels + (box.y + v) * b.pitch + box.x + u;
    u32x4 total = {0};
    for (int32_t x = 0; x < box.width; x += 16) {
        u8x16 used = first16(box.width - x);
        u16x8 sum = {0};
        for (int32_t y = 0; y < box.height; y++) {
            u8x16 off = difference16(load16(p + y * a.pitch + x), load16(q + y * b.pitch + x)) & used;
            sum += pairs(off);
            if ((y & 127) != 127) continue;
            /* before the sums of 16 bits could run over */
            total += widened(sum);
            sum = (u16x8){0};
        }
        total += widened(sum);
    }
    return (int32_t)(total[0] + total[1] + total[2] + total[3]);
}

/* How much is in a box: its sum of absolute differences from nothing. */
static int32_t content(plane a, area box) {
    u32x4 total = {0};
    for (int32_t y = 0; y < box.height; y++) {
        const uint8_t *p = a.pixels + (box.y + y) * a.pitch + box.x;
        u16x8 sum = {0};
        for (int32_t x = 0; x < box.width; x += 16) {
            u8x16 off = difference16(load16(p + x), splat16(NOTHING)) & first16(box.width - x);
            sum += pairs(off);
        }
        total += widened(sum);
    }
    return (int32_t)(total[0] + total[1] + total[2] + total[3]);
}

/* Where the minimum of a parabola through three values lies, -0.5 to 0.5. */
static float vertex(int32_t left, int32_t middle, int32_t right) {
    int32_t bend = left + right - 2 * middle;
    return bend > 0 ? within(0.5f * (float)(left - right) / (float)bend, -0.5f, 0.5f) : 0;
}

typedef struct shift {
    int32_t u, v;
} shift;

/* What a shift costs: the more, the farther, so that of equal matches the shortest wins. */
static int32_t cost_of(int32_t off, shift s) { return off * 64 + s.u * s.u + s.v * s.v; }

/* The best match of a shift and its eight neighbours at this distance. */
static shift refine(plane a, plane b, area box, shift from, int32_t distance) {
    shift best = from;
    int32_t lowest = INT32_MAX;
    for (int32_t dv = -distance; dv <= distance; dv += distance)
        for (int32_t du = -distance; du <= distance; du += distance) {
            shift to = {clipped(from.u + du, -FARTHEST, FARTHEST), clipped(from.v + dv, -FARTHEST, FARTHEST)};
            int32_t cost = cost_of(apart(a, b, box, to.u, to.v), to);
            if (cost < lowest) lowest = cost, best = to;
        }
    return best;
}

/* The best matches of two boxes and of both together, in steps. */
static void search(plane a, plane b, const area *boxes, int32_t step, shift *best) {
    int32_t lowest[PARTS] = {INT32_MAX, INT32_MAX, INT32_MAX};
    for (int32_t dv = -REACH_Y; dv <= REACH_Y; dv++)
        for (int32_t du = -REACH_X; du <= REACH_X; du++) {
            shift to = {clipped(du * step, -FARTHEST / 2, FARTHEST / 2), clipped(dv * step, -FARTHEST / 2, FARTHEST / 2)};
            int32_t off[PARTS] = {apart(a, b, boxes[UPPER], to.u, to.v), apart(a, b, boxes[LOWER], to.u, to.v), 0};
            off[WHOLE] = off[UPPER] + off[LOWER];
            for (int32_t k = 0; k < PARTS; k++) {
                int32_t cost = cost_of(off[k], to);
                if (cost < lowest[k]) lowest[k] = cost, best[k] = to;
            }
        }
}

/* Parts of one thing mostly move alike: what one of them found is tried by the others too. */
static void share(plane a, plane b, const area *boxes, shift *best) {
    shift found[PARTS] = {best[UPPER], best[LOWER], best[WHOLE]};
    for (int32_t k = 0; k < PARTS; k++) {
        int32_t lowest = INT32_MAX;
        for (int32_t j = 0; j < PARTS; j++) {
            int32_t cost = cost_of(apart(a, b, boxes[k], found[j].u, found[j].v), found[j]);
            if (cost < lowest) lowest = cost, best[k] = found[j];
        }
    }
}

/* A box's shift in parts of a pixel, and how much of it is not found again. */
static moved measure(plane a, plane b, area box, shift at, float per_second) {
    int32_t u = at.u, v = at.v, middle = apart(a, b, box, u, v);
    float dx = (float)u + vertex(apart(a, b, box, u - 1, v), middle, apart(a, b, box, u + 1, v));
    float dy = (float)v + vertex(apart(a, b, box, u, v - 1), middle, apart(a, b, box, u, v + 1));
    return (moved){-dx * per_second, -dy * per_second, (float)middle / most((float)content(a, box), 1)};
}

void flow_of(const flow *f, body b, moved *parts) {
    for (int32_t k = 0; k < PARTS; k++) parts[k] = (moved){0, 0, 1};
    int32_t x0 = whole(b.left, 0, f->size.width), x1 = whole(b.right, 0, f->size.width);
    int32_t y0 = whole(b.top, 0, f->size.height), y1 = whole(b.bottom, 0, f->size.height);
    int32_t middle = whole(b.middle, y0, y1), width = x1 - x0;
    area boxes[PARTS] = {{x0, y0, width, middle - y0}, {x0, middle, width, y1 - middle}, {x0, y0, width, y1 - y0}};
    area halves[PARTS];
    for (int32_t k = 0; k < PARTS; k++)
        halves[k] = (area){x0 / 2, boxes[k].y / 2, width / 2, (boxes[k].y + boxes[k].height) / 2 - boxes[k].y / 2};
    if (f->before < 0 || halves[UPPER].width < 2 || halves[UPPER].height < 2 || halves[LOWER].height < 2) return;
    extent small = halved(f->size);
    plane now = inside(f->coarse[f->at], small), then = inside(f->coarse[f->before], small);
    plane fine_now = inside(f->fine[f->at], f->size), fine_then = inside(f->fine[f->before], f->size);
    int32_t step = boxes[WHOLE].height < BROAD ? 2 : 4;
    shift best[PARTS] = {{0, 0}, {0, 0}, {0, 0}};
    search(now, then, halves, step, best);
    float per_second = 1e6f / (float)(f->times_us[f->at] - f->times_us[f->before]);
    for (int32_t k = 0; k < PARTS; k++)
        for (int32_t d = step / 2; d > 0; d /= 2) best[k] = refine(now, then, halves[k], best[k], d);
    share(now, then, halves, best);
    for (int32_t k = 0; k < PARTS; k++) {
        best[k] = refine(fine_now, fine_then, boxes[k], (shift){2 * best[k].u, 2 * best[k].v}, 1);
        parts[k] = measure(fine_now, fine_then, boxes[k], best[k], per_second);
    }
}
