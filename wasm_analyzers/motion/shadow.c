/* A shadow scales the light of a surface: the ratio of frame and background is below one and locally constant, while an
 * object brings a texture of its own (Rosin and Ellis, BMVC 1995; Jacques, Jung and Musse, SIBGRAPI 2005). Deep shadows,
 * in which nothing of the texture is left, cannot be told from dark objects, and stay. */
#include "shadow.h"

typedef float f32x8 __attribute__((vector_size(32)));
typedef int32_t i32x8 __attribute__((vector_size(32)));

static const float DEEPEST = 0.4f, FAINTEST = 0.95f; /* ratio to the background */
static const float TEXTURE = 4;                      /* grey levels of the frame that the ratio leaves unexplained */
enum {
    ALIKE = 21,      /* of 25 pixels around: how many the ratio must explain */
    RIM_LIGHTER = 6, /* grey levels: where a shadow fades out */
};

/* Sums over 3x3 pixels, two apart. */
static inline void sum_around(const uint8_t *at, int32_t pitch, u16x8 *low, u16x8 *high) {
    u16x8 sum_low = {0}, sum_high = {0};
#pragma clang loop unroll(full)
    for (int32_t row = -2; row <= 2; row += 2) {
        const uint8_t *middle = at + row * pitch;
        u8x16 a = load16(middle - 2), b = load16(middle), c = load16(middle + 2);
        sum_low += low16(a) + low16(b) + low16(c);
        sum_high += high16(a) + high16(b) + high16(c);
    }
    *low = sum_low;
    *high = sum_high;
}

/* 255 where one factor explains a pixel and its surroundings. */
static inline u16x8 explained(u16x8 pixel, u16x8 usual, u16x8 sum, u16x8 sum_usual) {
    f32x8 ratio = __builtin_convertvector(sum, f32x8) / (__builtin_convertvector(sum_usual, f32x8) + 1);
    f32x8 rest = __builtin_convertvector(pixel, f32x8) - ratio * __builtin_convertvector(usual, f32x8);
    i32x8 yes = (ratio > DEEPEST) & (ratio < FAINTEST) & (rest < TEXTURE) & (rest > -TEXTURE);
    return __builtin_convertvector(yes, u16x8) & 1;
}

/* candidates = 1 where a shadow would look like this, in the blocks that have hits. */
static int mark_candidates(extent e, const shadow_planes *planes) {
    u8x16 any = splat16(0);
    for (int32_t y = 0; y < e.height; y++) {
        for (int32_t x = 0; x < e.padded; x += 16) {
            int32_t at = y * e.pitch + x;
            const uint8_t *image = planes->image + at, *usual = planes->usual + at;
            u8x16 hit = load16(planes->hits + at), marked = splat16(0);
            if (any16(hit)) {
                u16x8 low, high, usual_low, usual_high;
                sum_around(image, e.pitch, &low, &high);
                sum_around(usual, e.pitch, &usual_low, &usual_high);
                u8x16 pixel = load16(image), was = load16(usual);
                marked = narrow16(explained(low16(pixel), low16(was), low, usual_low),
                                  explained(high16(pixel), high16(was), high, usual_high));
                any |= marked & hit;
            }
            store16(planes->candidates + at, marked);
        }
        plane_zero_tail(planes->candidates + y * e.pitch, e);
    }
    return any16(any);
}

static inline u8x16 count_row(const uint8_t *at) {
    return load16(at - 2) + load16(at - 1) + load16(at) + load16(at + 1) + load16(at + 2);
}

/* core = 255 where nearly all pixels around are candidates. */
static int mark_core(extent e, const shadow_planes *planes) {
    u8x16 any = splat16(0);
    for (int32_t y = 0; y < e.height; y++) {
        for (int32_t x = 0; x < e.padded; x += 16) {
            int32_t at = y * e.pitch + x;
            const uint8_t *row = planes->candidates + at;
            u8x16 core = splat16(0);
            if (any16(load16(row))) {
                u8x16 count = count_row(row - 2 * e.pitch) + count_row(row - e.pitch) + count_row(row) +
                              count_row(row + e.pitch) + count_row(row + 2 * e.pitch);
                core = at_most16(splat16(ALIKE), count) & load16(planes->hits + at);
                any |= core;
            }
            store16(planes->core + at, core);
        }
        plane_zero_tail(planes->core + y * e.pitch, e);
    }
    return any16(any);
}

static inline u8x16 any_of_row(const uint8_t *at) {
    return load16(at - 3) | load16(at - 2) | load16(at - 1) | load16(at) | load16(at + 1) | load16(at + 2) | load16(at + 3);
}

/* Around the core, whatever is about as dark as a shadow is its rim. */
static inline u8x16 rim_of(extent e, const shadow_planes *planes, int32_t at) {
    const uint8_t *row = planes->core + at;
    u8x16 near = splat16(0);
#pragma clang loop unroll(full)
    for (int32_t below = -3; below <= 3; below++) near |= any_of_row(row + below * e.pitch);
    if (!any16(near)) return near;
    u8x16 pixel = load16(planes->image + at), was = load16(planes->usual + at);
    u8x16 not_deeper = at_most16((was >> 2) + (was >> 3), pixel);
    return near & not_deeper & at_most16(pixel, add_sat16(was, splat16(RIM_LIGHTER)));
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
    for (int32_t x = 0; x < e.padded; x += 16) {
        store16(above + x, splat16(0));
        store16(below + (e.height - 1) * e.pitch + x, splat16(0));
    }
    for (int32_t y = 1; y < e.height; y++) {
        for (int32_t x = 0; x < e.padded; x += 16) {
            int32_t at = y * e.pitch + x, before = at - e.pitch;
            store16(above + at, (load16(above + before) | load16(solid + before)) & load16(planes->hits + at));
        }
    }
    for (int32_t y = e.height - 2; y >= 0; y--) {
        for (int32_t x = 0; x < e.padded; x += 16) {
            int32_t at = y * e.pitch + x, before = at + e.pitch;
            store16(below + at, (load16(below + before) | load16(solid + before)) & load16(planes->hits + at));
        }
    }
    for (int32_t y = 1; y < e.height - 1; y++) {
        u8x16 any = splat16(0);
        for (int32_t x = 0; x < e.padded; x += 16) {
            int32_t at = y * e.pitch + x;
            u8x16 enclosed = load16(above + at) & load16(below + at) & ~load16(solid + at);
            store16(above + at, enclosed);
            any |= enclosed;
        }
        int32_t row = y * e.pitch;
        if (any16(any)) restore_in_row(e, planes->hits + row, above + row, solid + row);
    }
}

int shadow_remove(extent e, const shadow_planes *planes, uint8_t *solid) {
    int found = mark_candidates(e, planes) && mark_core(e, planes);
    for (int32_t y = 0; y < e.height; y++) {
        for (int32_t x = 0; x < e.padded; x += 16) {
            int32_t at = y * e.pitch + x;
            u8x16 hit = load16(planes->hits + at);
            if (found && any16(hit)) hit &= ~rim_of(e, planes, at);
            store16(solid + at, hit);
        }
        plane_zero_tail(solid + y * e.pitch, e);
    }
    if (found) restore_enclosed(e, planes, solid);
    return found;
}
