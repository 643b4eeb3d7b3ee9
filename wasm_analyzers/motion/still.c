/* Two steady pictures of one place are compared, as with a long- and a short-term background (Porikli, Ivanov and Haga,
 * EURASIP J. Adv. Signal Processing 2008). Light that fades is followed, and what is steady in it is steady. */
#include "things.h"

enum {
    PLANES = 12,
    WIDE = 200,         /* pixels: from here on half of the resolution is enough */
    TAKEN_SILENTLY = 60, /* a steady rest that is no thing, or one too small */
    FADE = 6,           /* grey levels that it may drift by from one look to the next */
    DRIFT = 1,          /* the same for what has settled */
    THRESHOLD = 12,     /* of the mean of what lies beyond, over 5x5 */
    STRONG = 12,        /* grey levels beyond DIFFERENT that no change of light brings */
    TAKEN_IN_NEW_LIGHT = 12, /* AGE_US: a steady rest is taken so soon while the exposure is new */
    CLIPPED = 235,      /* grey levels of the frame: from here on a colour may be at its end */
    COARSE = 16,        /* grey levels of doubt where the gain is off by 1: dark frames have few levels, noise grows */
};
static const float NEW_LIGHT = 0.1f;        /* of the gain */
static const int64_t NEW_LIGHT_US = 3000000; /* for so long an exposure is new */
static const int64_t CLIPPED_US = 25000000;  /* what was clipped, may be covered, and hold for so long */
static const int64_t TURMOIL_US = 1000000;
static const float TURMOIL = 0.4f; /* of the view */

static extent layer_extent(extent view, int32_t *halved) {
    *halved = view.width > WIDE && view.height > 16;
    return *halved ? extent_of(view.width / 2, view.height / 2) : view;
}

size_t still_bytes(extent view) {
    int32_t halved;
    extent e = layer_extent(view, &halved);
    return PLANES * plane_bytes(e) + (size_t)(e.height + 2 * ROW_MARGIN);
}

void still_open(still_layer *layer, extent view, uint8_t *space) {
    layer->view = view;
    layer->e = layer_extent(view, &layer->halved);
    uint8_t **planes[PLANES] = {&layer->image,     &layer->settled, &layer->before, &layer->owner, &layer->candidate, &layer->age,
                                &layer->evidence,  &layer->ripe,    &layer->restless, &layer->hits,   &layer->joined, &layer->scratch};
    for (int32_t i = 0; i < PLANES; i++) *planes[i] = plane_take(&space, layer->e);
    layer->rows = rows_take(&space, layer->e);
    still_restart(layer);
}

void still_restart(still_layer *layer) {
    layer->running = 0;
    layer->count = 0;
}

/* Follow the exposure: since when it is new, and up to which level both pictures are told apart. */
static void follow_light(still_layer *layer, int64_t media_us) {
    float gain = layer->gain * layer->light.gain, against = gain / layer->lit;
    if (against > 1 + NEW_LIGHT || against < 1 - NEW_LIGHT) {
        layer->lit = gain;
        layer->lit_us = media_us;
    }
    int32_t ceiling = gain > 1 + NEW_LIGHT ? (int32_t)(CLIPPED / gain) : gain < 1 - NEW_LIGHT ? CLIPPED : 255;
    if (ceiling <= layer->ceiling || media_us - layer->ceiling_us > CLIPPED_US) {
        layer->ceiling = ceiling;
        layer->ceiling_us = media_us;
    }
    float off = gain > 1 ? gain - 1 : 1 - gain;
    layer->different = DIFFERENT + (off > NEW_LIGHT ? (int32_t)(COARSE * (off < 1 ? off : 1)) : 0);
}

static int is_light_new(const still_layer *layer, int64_t media_us) { return media_us - layer->lit_us < NEW_LIGHT_US; }

/* The mean of two by two pixels. */
static void halve(extent to_e, uint8_t *to, extent from_e, const uint8_t *from) {
    for (int32_t y = 0; y < to_e.height; y++) {
        const uint8_t *upper = from + 2 * y * from_e.pitch, *lower = upper + from_e.pitch;
        uint8_t *row = to + y * to_e.pitch;
        for (int32_t x = 0; x < to_e.padded; x += 16) {
            u16x8 sums[2];
            for (int32_t k = 0; k < 2; k++) {
                u16x8 a = (u16x8)load16(upper + 2 * x + 16 * k), b = (u16x8)load16(lower + 2 * x + 16 * k);
                sums[k] = ((a & 255) + (a >> 8) + (b & 255) + (b >> 8) + 2) >> 2;
            }
            store16(row + x, narrow16(sums[0], sums[1]));
        }
    }
}

static void take(const still_layer *layer, uint8_t *to, const uint8_t *from) {
    if (layer->halved)
        halve(layer->e, to, layer->view, from);
    else
        copy16(to, from, layer->e.pitch * layer->e.height);
}

static void begin(still_layer *layer, const uint8_t *usual, int64_t media_us) {
    extent e = layer->e;
    take(layer, layer->settled, usual);
    copy16(layer->candidate, layer->image, e.pitch * e.height);
    plane_clear(layer->age, e);
    plane_clear(layer->owner, e);
    layer->count = 0;
    layer->running = 1;
    plane_clear(layer->joined, e);
    exposure_open(&layer->light);
    layer->light.tolerance = 0.005f;
    layer->lit = layer->gain;
    layer->lit_us = media_us - NEW_LIGHT_US;
    layer->ceiling = 255;
    layer->ceiling_us = media_us;
    layer->ticked_us = media_us;
    layer->restless_us = media_us - TURMOIL_US;
}

/* Fill evidence and ripe. */
static void compare(still_layer *layer, int32_t ticks) {
    extent e = layer->e;
    u8x16 older = splat16((uint8_t)ticks), limit = splat16(STEADY);
    u8x16 ceiling = splat16((uint8_t)layer->ceiling), different = splat16((uint8_t)layer->different);
    for (int32_t y = 0; y < e.height; y++) {
#pragma clang loop unroll_count(2)
        for (int32_t x = 0; x < e.padded; x += 16) {
            int32_t at = y * e.pitch + x;
            u8x16 pixel = load16(layer->image + at), candidate = load16(layer->candidate + at);
            u8x16 same = at_most16(difference16(pixel, candidate), limit);
            u8x16 age = add_sat16(load16(layer->age + at), older) & same;
            /* light that fades is no motion */
            u8x16 near = min16(max16(pixel, sub_sat16(candidate, splat16(FADE))), add_sat16(candidate, splat16(FADE)));
            u8x16 apart = sub_sat16(difference16(min16(pixel, ceiling), min16(load16(layer->settled + at), ceiling)), different);
            store16(layer->candidate + at, choose16(same, near, pixel));
            store16(layer->age + at, age);
            u8x16 ripe = at_most16(splat16(RIPE), age);
            store16(layer->ripe + at, ripe & 1);
            store16(layer->restless + at, ~ripe & at_most16(splat16(STRONG), apart) & 1);
            store16(layer->evidence + at, min16(apart, splat16(40)));
        }
    }
}

/* What lies in no changed region follows the frame, step by step; a rest that stays is taken: soon, where it is the light
 * that changed. */
static void drift(still_layer *layer, int32_t taken) {
    extent e = layer->e;
    u8x16 step = splat16(DRIFT);
    for (int32_t y = 0; y < e.height; y++) {
#pragma clang loop unroll_count(2)
        for (int32_t x = 0; x < e.padded; x += 16) {
            int32_t at = y * e.pitch + x;
            u8x16 pixel = load16(layer->image + at), settled = load16(layer->settled + at), age = load16(layer->age + at);
            u8x16 follow = ~load16(layer->joined + at) & at_most16(splat16(RIPE), age) & step;
            u8x16 up = min16(sub_sat16(pixel, settled), follow), down = min16(sub_sat16(settled, pixel), follow);
            u8x16 next = sub_sat16(add_sat16(settled, up), down);
            u8x16 stays = at_most16(splat16((uint8_t)taken), age);
            u8x16 lives = stays & load16(layer->joined + at) & ~at_most16(difference16(pixel, settled), splat16(DIFFERENT));
            u8x16 owner = load16(layer->owner + at), stands = (u8x16)(owner == splat16(LIVING));
            store16(layer->before + at, choose16(lives & ~stands, settled, load16(layer->before + at)));
            store16(layer->owner + at, (owner | lives) & ~(stands & (u8x16)(age == splat16(255))));
            store16(layer->settled + at, choose16(stays, pixel, next));
        }
    }
}

static void find_regions(still_layer *layer) {
    extent e = layer->e;
    hit_plane hits = {layer->hits, layer->rows};
    regions_join(e, hits, layer->joined, layer->scratch);
    region_planes planes = {hits, JOINED, layer->evidence, layer->image, layer->settled, layer->ripe, layer->restless};
    regions_find(&layer->found, e, layer->joined, &planes, (int32_t)(layer->least_area * (float)(e.width * e.height)));
}

int still_follow(still_layer *layer, const uint8_t *image, const uint8_t *usual, int64_t media_us) {
    if (layer->running && media_us - layer->ticked_us < TICK_US) return 0;
    extent e = layer->e;
    take(layer, layer->image, image);
    if (!layer->running) begin(layer, usual, media_us);
    exposure_measure(&layer->light, e, layer->image, e.pitch, layer->settled, layer->joined);
    copy16(layer->scratch, layer->image, e.pitch * e.height);
    exposure_correct(&layer->light, e, layer->scratch, e.pitch, layer->image);
    follow_light(layer, media_us);
    int64_t ticks = (media_us - layer->ticked_us + AGE_US / 2) / AGE_US;
    layer->ticked_us = media_us;
    compare(layer, ticks > 255 ? 255 : (int32_t)ticks);
    regions_smooth(e, layer->evidence, layer->hits, layer->rows, layer->scratch + 16, THRESHOLD);
    if ((float)plane_count(layer->hits, layer->rows, e) > TURMOIL * (float)(e.width * e.height)) layer->restless_us = media_us;
    find_regions(layer);
    things_follow(layer, media_us);
    int new_light = is_light_new(layer, media_us);
    if (media_us - layer->restless_us >= TURMOIL_US && !new_light) things_take(layer, media_us);
    drift(layer, new_light ? TAKEN_IN_NEW_LIGHT : TAKEN_SILENTLY);
    return 1;
}

int32_t still_moving(const still_layer *layer, int32_t left, int32_t top, int32_t right, int32_t bottom) {
    int32_t shift = layer->halved, count = 0;
    if (!layer->running) return 0;
    for (int32_t y = top >> shift; y < bottom >> shift; y++)
        for (int32_t x = left >> shift; x < right >> shift; x += 16)
            count += __builtin_popcount(bits16(load16(layer->hits + y * layer->e.pitch + x) & first16((right >> shift) - x)));
    return count << 2 * shift;
}
