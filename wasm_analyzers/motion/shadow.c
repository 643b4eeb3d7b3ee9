/* A shadow scales the light of a surface: the ratio of frame and background is below one and locally constant, while an
 * object brings a texture of its own (Rosin and Ellis, BMVC 1995; Jacques, Jung and Musse, SIBGRAPI 2005). Deep shadows,
 * in which nothing of the texture is left, cannot be told from dark objects, and stay. */
#include "shadow.h"

/* The ratio to the background lies between 0.4 and 0.95 (see explained). */
enum {
    TEXTURE = 4,     /* grey levels of the frame that the ratio leaves unexplained */
    ALIKE = 21,      /* of 25 pixels around: how many the ratio must explain */
    RIM = 4,         /* pixels around the core in which it fades out */
    THICK = 11,      /* of 25 pixels around: fewer are a thread */
    RIM_LIGHTER = 6, /* grey levels: where a shadow fades out */
};

/* Sums over 3x3 pixels, two apart. */
static inline void sum_around(const uint8_t *at, int32_t pitch, u16x8 *low, u16x8 *high) {
    u16x8 sum_low = {0}, sum_high = {0};
#pragma clang loop unroll(full)
    for (int32_t row = -2; row <= 2; row += 2) {
        const uint8_t *first = at + row * pitch - 2;
        u8x16 a = load16(first), b = load16(first + 2), c = load16(first + 4);
        sum_low += low16(a) + low16(b) + low16(c);
        sum_high += high16(a) + high16(b) + high16(c);
    }
    *low = sum_low;
    *high = sum_high;
}

static inline u16x8 below8(u16x8 a, u16x8 b) { return (u16x8)(__builtin_elementwise_max(a, b) != a); }

/* 1 where one factor explains a pixel and its surroundings: sum / sum_usual is that factor. */
static inline u16x8 explained(u16x8 pixel, u16x8 usual, u16x8 sum, u16x8 sum_usual) {
    u16x8 in_range = below8(4 * sum_usual, 10 * sum) & below8(20 * sum, 19 * sum_usual);
    /* a sixteenth of the sums: the products fit in 16 bits */
    u16x8 part = (sum + 8) >> 4, part_usual = (sum_usual + 8) >> 4;
    u16x8 is = pixel * part_usual, expected = usual * part;
    u16x8 rest = __builtin_elementwise_max(is, expected) - __builtin_elementwise_min(is, expected);
    return in_range & below8(rest, TEXTURE * part_usual) & 1;
}

/* candidates = 1 where a shadow would look like this, in the blocks that have hits. */
static int mark_candidates(extent e, const shadow_planes *planes) {
    u8x16 any = splat16(0);
    plane_clear(planes->candidates, e);
    for (int32_t y = 0; y < e.height; y++) {
        if (!planes->hits.rows[y]) continue;
        for (int32_t x = 0; x < e.padded; x += 16) {
            int32_t at = y * e.pitch + x;
            const uint8_t *image = planes->image + at, *usual = planes->usual + at;
            u8x16 hit = load16(planes->hits.pixels + at);
            if (!any16(hit)) continue;
            u16x8 low, high, usual_low, usual_high;
            sum_around(image, e.pitch, &low, &high);
            sum_around(usual, e.pitch, &usual_low, &usual_high);
            u8x16 pixel = load16(image), was = load16(usual);
            u8x16 marked = narrow16(explained(low16(pixel), low16(was), low, usual_low),
                                    explained(high16(pixel), high16(was), high, usual_high));
            any |= marked & hit;
            store16(planes->candidates + at, marked);
        }
        plane_zero_tail(planes->candidates + y * e.pitch, e);
    }
    return any16(any);
}

/* Five pixels beside one another. Offsets that are not negative become part of the load. */
static inline u8x16 count_row(const uint8_t *first) {
    return load16(first) + load16(first + 1) + load16(first + 2) + load16(first + 3) + load16(first + 4);
}

static inline u8x16 count_around(const uint8_t *at, int32_t pitch) {
    const uint8_t *row = at - 2 * pitch - 2;
    return count_row(row) + count_row(row + pitch) + count_row(row + 2 * pitch) + count_row(row + 3 * pitch) +
           count_row(row + 4 * pitch);
}

/* core = 255 where nearly all pixels around are candidates. */
static int mark_core(extent e, const shadow_planes *planes) {
    u8x16 any = splat16(0);
    plane_clear(planes->core, e);
    for (int32_t y = 0; y < e.height; y++) {
        if (!planes->hits.rows[y]) continue;
        for (int32_t x = 0; x < e.padded; x += 16) {
            int32_t at = y * e.pitch + x;
            if (!any16(load16(planes->candidates + at))) continue;
            u8x16 alike = at_most16(splat16(ALIKE), count_around(planes->candidates + at, e.pitch));
            u8x16 core = alike & load16(planes->hits.pixels + at);
            any |= core;
            store16(planes->core + at, core);
        }
        plane_zero_tail(planes->core + y * e.pitch, e);
    }
    return any16(any);
}

/* Around the core, whatever is about as dark as a shadow is its rim. */
static inline u8x16 rim_of(const shadow_planes *planes, int32_t at) {
    u8x16 pixel = load16(planes->image + at), was = load16(planes->usual + at);
    u8x16 not_deeper = at_most16((was >> 2) + (was >> 3), pixel);
    return load16(planes->core + at) & not_deeper & at_most16(pixel, add_sat16(was, splat16(RIM_LIGHTER)));
}

/* Give back what has solid pixels on both sides of its row, over nothing but hits. */
static void restore_in_row(extent e, const uint8_t *hits, const uint8_t *enclosed, uint8_t *solid) {
    int32_t x = 0;
    while (x < e.width) {
        if (!hits[x]) {
            x += (x & 15) == 0 && !any16(load16(hits + x)) ? 16 : 1;
            continue;
        }
        int32_t first = -1, last = -1;
        for (; x < e.width && hits[x]; x++) {
            if (!solid[x]) continue;
            if (first < 0) first = x;
            last = x;
        }
        for (int32_t k = first; k < last; k++) solid[k] |= enclosed[k];
    }
}

/* A dark part within an object is no shadow: give back what has solid pixels above, below and on both sides. The planes
 * to work in hold what is reached from above and from below. */
static void restore_enclosed(extent e, const shadow_planes *planes, uint8_t *solid) {
    uint8_t *above = planes->candidates, *below = planes->core;
    const uint8_t *hits = planes->hits.pixels, *rows = planes->hits.rows;
    plane_clear(above, e);
    plane_clear(below, e);
    for (int32_t y = 1; y < e.height; y++) {
        if (!rows[y]) continue;
#pragma clang loop unroll_count(4)
        for (int32_t x = 0; x < e.padded; x += 16) {
            int32_t at = y * e.pitch + x, before = at - e.pitch;
            store16(above + at, (load16(above + before) | load16(solid + before)) & load16(hits + at));
        }
    }
    for (int32_t y = e.height - 2; y > 0; y--) {
        if (!rows[y]) continue;
        u8x16 any = splat16(0);
#pragma clang loop unroll_count(4)
        for (int32_t x = 0; x < e.padded; x += 16) {
            int32_t at = y * e.pitch + x, before = at + e.pitch;
            u8x16 under = (load16(below + before) | load16(solid + before)) & load16(hits + at);
            u8x16 enclosed = load16(above + at) & under & ~load16(solid + at);
            store16(below + at, under);
            store16(above + at, enclosed);
            any |= enclosed;
        }
        int32_t row = y * e.pitch;
        if (any16(any)) restore_in_row(e, hits + row, above + row, solid + row);
    }
}

/* solid = hits without the cores and what fades out around them, and without the threads that this leaves. The planes to
 * work in become what is left, as 0 and 1, and the surroundings of the cores. */
static void take_away(extent e, const shadow_planes *planes, uint8_t *solid) {
    const uint8_t *rows = planes->hits.rows;
    uint8_t *ones = planes->candidates;
    regions_join(e, (hit_plane){planes->core, rows}, planes->candidates, solid);
    regions_widen(e, (hit_plane){planes->candidates, rows}, planes->core, solid, RIM - JOINED);
    plane_clear(ones, e);
    plane_clear(solid, e);
    for (int32_t y = 0; y < e.height; y++) {
        if (!rows[y]) continue;
#pragma clang loop unroll_count(4)
        for (int32_t x = 0; x < e.padded; x += 16) {
            int32_t at = y * e.pitch + x;
            store16(ones + at, load16(planes->hits.pixels + at) & ~rim_of(planes, at) & 1);
        }
    }
    for (int32_t y = 0; y < e.height; y++) {
        if (!rows[y]) continue;
        for (int32_t x = 0; x < e.padded; x += 16) {
            int32_t at = y * e.pitch + x;
            u8x16 one = load16(ones + at);
            if (any16(one)) one &= at_most16(splat16(THICK), count_around(ones + at, e.pitch));
            store16(solid + at, ~at_most16(one, splat16(0)));
        }
    }
}

int shadow_remove(extent e, const shadow_planes *planes, uint8_t *solid) {
    if (mark_candidates(e, planes) && mark_core(e, planes)) {
        take_away(e, planes, solid);
        restore_enclosed(e, planes, solid);
        return 1;
    }
    for (int32_t y = 0; y < e.height; y++) copy16(solid + y * e.pitch, planes->hits.pixels + y * e.pitch, e.pitch);
    return 0;
}
