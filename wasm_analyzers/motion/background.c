/* A sample-based background model.
 *
 * Each pixel keeps SAMPLES values that it showed while empty, replaced at random in time and spread to neighbours: ViBe
 * (Barnich and Van Droogenbroeck, IEEE Trans. Image Processing 20(6), 2011). What is usual at a pixel is fed back into
 * what counts as a difference: PBAS (Hofmann et al., CVPR workshops 2012), SuBSENSE (St-Charles et al., IEEE Trans.
 * Image Processing 24(1), 2015). A second layer holds what an object shows until it has stood long enough to be
 * scenery: Kim et al., "Real-time foreground-background segmentation using codebook model", Real-Time Imaging 11, 2005.
 * Instead of a vote of thresholded pixels, the distances themselves are averaged over a neighbourhood (see regions.c).
 *
 * Integers only, and a generator with a fixed seed: the same frames give the same answer everywhere.
 */
#include "background.h"

enum {
    PLANES = 8,
    GROUP = 20,
    RADIUS = 20,                /* grey levels: as far as this a pixel is one that was seen before */
    NOISE_MOST = 128,           /* 16 levels: what is dark against dark must stay visible */
    TURNOVER_US = 640000,       /* a sample is replaced with this mean time, divided by SAMPLES */
    USUAL_SLOWER = 4,           /* the mean follows that much slower */
    UNREST_TICK_US = 250000,     /* unrest falls by one each tick */
    UNREST_RISE = 8,
    SWAYS = 6,           /* changes while learning, of SAMPLES - 1 */
    UNREST_SWAYING = 64, /* what a pixel with so many begins with */
    RESTLESS = 40, /* from here on everything that is seen is learned */
};

/* xorshift32 (Marsaglia, J. Stat. Software 8(14), 2003) in four lanes. */
static inline u32x4 next_random(u32x4 state) {
    state ^= state << 13;
    state ^= state >> 17;
    return state ^ state << 5;
}

size_t background_bytes(extent e) {
    return PLANES * plane_bytes(e) + (size_t)e.padded * SAMPLES * (size_t)e.height;
}

void background_open(background *model, extent e, uint8_t *space) {
    model->e = e;
    model->samples = space;
    space += (size_t)e.padded * SAMPLES * (size_t)e.height;
    uint8_t **planes[PLANES] = {&model->distance, &model->evidence, &model->noise, &model->unrest,
                                &model->held,     &model->held_age, &model->usual, &model->usual_fraction};
    for (int i = 0; i < PLANES; i++) *planes[i] = plane_take(&space, e);
    model->random = (u32x4){0x9E3779B9, 0x243F6A88, 0xB7E15162, 0x6A09E667};
    background_relearn(model);
}

void background_relearn(background *model) { model->learned = 0; }

/* The samples of the block of 16 pixels at (x, y): sample k lies 16 * k further. */
static inline uint8_t *samples_at(const background *model, int32_t x, int32_t y) {
    return model->samples + (y * model->e.padded + x) * SAMPLES;
}

static inline void sort_pair(u8x16 *a, u8x16 *b) {
    u8x16 low = min16(*a, *b);
    *b = max16(*a, *b);
    *a = low;
}

/* Keep what most of the learning frames showed: a value that half of them agree on replaces what passed by. */
static void settle_block(background *model, int32_t at, uint8_t *samples) {
    u8x16 v[SAMPLES];
    for (int k = 0; k < SAMPLES; k++) v[k] = load16(samples + k * 16);
    /* what passes changes a pixel a few times; a branch in the wind does so all the time */
    u8x16 sways = splat16(0);
    for (int k = 1; k < SAMPLES; k++) sways -= ~at_most16(difference16(v[k], v[k - 1]), splat16(16));
    for (int pass = 0; pass < SAMPLES; pass++)
        for (int k = pass & 1; k + 1 < SAMPLES; k += 2) sort_pair(&v[k], &v[k + 1]);
    u8x16 median = v[SAMPLES / 2], close = splat16(16), agree = splat16(0);
    for (int k = 0; k < SAMPLES; k++) agree -= at_most16(difference16(v[k], median), close);
    u8x16 settled = at_most16(splat16(SAMPLES / 2), agree);
    for (int k = 0; k < SAMPLES; k++) {
        u8x16 keep = at_most16(difference16(v[k], median), close) | ~settled;
        store16(samples + k * 16, choose16(keep, v[k], median));
    }
    store16(model->usual + at, median);
    store16(model->usual_fraction + at, splat16(128));
    store16(model->noise + at, min16(add_sat16(v[13] - v[6], v[13] - v[6]), splat16(NOISE_MOST)));
    store16(model->distance + at, v[SAMPLES - 3] - v[2]);
    store16(model->unrest + at, at_most16(splat16(SWAYS), sways) & splat16(UNREST_SWAYING));
    store16(model->held_age + at, splat16(0));
}

static void lay_samples(background *model, const uint8_t *image, int32_t k) {
    extent e = model->e;
    for (int32_t y = 0; y < e.height; y++) {
        uint8_t *to = samples_at(model, 0, y) + k * 16;
        const uint8_t *from = image + y * e.pitch;
#pragma clang loop unroll_count(4)
        for (int32_t x = 0; x < e.padded; x += 16) store16(to + x * SAMPLES, load16(from + x));
    }
}

static void settle(background *model) {
    extent e = model->e;
    for (int32_t y = 0; y < e.height; y++)
        for (int32_t x = 0; x < e.padded; x += 16) settle_block(model, y * e.pitch + x, samples_at(model, x, y));
}

int background_learn(background *model, const uint8_t *image, int64_t media_us, int64_t learn_us) {
    extent e = model->e;
    if (model->learned == 0) model->learn_start_us = media_us;
    if (media_us < model->learn_start_us + learn_us * model->learned / SAMPLES) return 0;
    int32_t k = model->learned++;
    /* the first frame waits in a plane of its own: laid out, it would touch all pages of the samples before the first answer */
    if (k == 0) copy16(model->usual, image, e.pitch * e.height);
    if (k == 1) lay_samples(model, model->usual, 0);
    if (k > 0) lay_samples(model, image, k);
    if (model->learned < SAMPLES) return 0;
    settle(model);
    model->unrest_us = model->held_us = media_us;
    return 1;
}

/* How far a pixel lies outside of what its neighbourhood of 3x3 usually shows: an edge that trembles does not. */
static inline u8x16 beyond_neighbours(const uint8_t *usual, int32_t pitch, u8x16 pixel) {
    u8x16 least = splat16(255), most = splat16(0);
#pragma clang loop unroll(full)
    for (int32_t row = -1; row <= 1; row++) {
        const uint8_t *first = usual + row * pitch - 1;
        u8x16 left = load16(first), middle = load16(first + 1), right = load16(first + 2);
        least = min16(least, min16(min16(left, middle), right));
        most = max16(most, max16(max16(left, middle), right));
    }
    return sub_sat16(pixel, most) + sub_sat16(least, pixel);
}

/* The distance of 16 pixels to the second nearest of their samples. */
static inline u8x16 second_nearest(u8x16 pixel, const uint8_t *samples) {
    u8x16 nearest = splat16(255), second = splat16(255);
#pragma clang loop unroll(full)
    for (int32_t k = 0; k < SAMPLES; k++) {
        u8x16 d = difference16(pixel, load16(samples + k * 16));
        second = min16(second, max16(nearest, d));
        nearest = min16(nearest, d);
    }
    return second;
}

void background_compare(background *model, const uint8_t *image, int32_t allowance) {
    extent e = model->e;
    plane_replicate_border(model->usual, e);
    u8x16 most = splat16(EVIDENCE_MOST), extra = splat16((uint8_t)allowance);
    for (int32_t y = 0; y < e.height; y++) {
        /* two loops: the sandbox's compiler takes all loads of a body first, and has registers for a dozen */
        const uint8_t *samples = samples_at(model, 0, y);
        for (int32_t x = 0; x < e.padded; x += 16, samples += 16 * SAMPLES) {
            int32_t at = y * e.pitch + x;
            store16(model->distance + at, second_nearest(load16(image + at), samples));
        }
#pragma clang loop unroll_count(2)
        for (int32_t x = 0; x < e.padded; x += 16) {
            int32_t at = y * e.pitch + x;
            u8x16 beyond = beyond_neighbours(model->usual + at, e.pitch, load16(image + at));
            u8x16 distance = min16(load16(model->distance + at), beyond);
            u8x16 usual = add_sat16(load16(model->noise + at) >> 3, load16(model->unrest + at) >> 3);
            store16(model->distance + at, distance);
            store16(model->evidence + at, min16(sub_sat16(distance, add_sat16(usual, extra)), most));
        }
    }
}

/* The quantile of the distance, followed by steps up and down (here 4 to 1: the 80th percentile). */
static inline u8x16 followed_noise(u8x16 noise, u8x16 distance, u8x16 empty, uint8_t step) {
    u8x16 scaled = add_sat16(distance, distance);
    scaled = add_sat16(scaled, scaled);
    scaled = add_sat16(scaled, scaled);
    u8x16 below = at_most16(scaled, noise);
    u8x16 up = min16(add_sat16(noise, splat16((uint8_t)(4 * step))), splat16(NOISE_MOST));
    u8x16 moved = choose16(below, sub_sat16(noise, splat16(step)), up);
    return choose16(empty, moved, noise);
}

static inline void follow_usual(uint8_t *usual, uint8_t *usual_fraction, u8x16 pixel, u8x16 follow, int32_t rate) {
    u8x16 whole = load16(usual), fraction = load16(usual_fraction);
    i16x8 speed = (i16x8){0} + (int16_t)rate;
    i16x8 low = (i16x8)low16(pixel) - (i16x8)low16(whole), high = (i16x8)high16(pixel) - (i16x8)high16(whole);
    u16x8 mean_low = (low16(whole) << 8 | low16(fraction)) + (u16x8)(low * speed);
    u16x8 mean_high = (high16(whole) << 8 | high16(fraction)) + (u16x8)(high * speed);
    store16(usual, choose16(follow, narrow16(mean_low >> 8, mean_high >> 8), whole));
    store16(usual_fraction, choose16(follow, narrow16(mean_low & 255, mean_high & 255), fraction));
}

/* The lanes moved by one to the left (-1), to the right (1) or not at all; what leaves the block is lost. Without a branch,
 * because nothing foretells which way it goes. */
static inline u8x16 moved16(u8x16 v, int32_t by) {
    u8x16 none = splat16(0);
    u8x16 left = __builtin_shufflevector(v, none, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16);
    u8x16 right = __builtin_shufflevector(v, none, 16, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14);
    u8x16 to_left = splat16((uint8_t)-(by < 0)), to_right = splat16((uint8_t)-(by > 0));
    return (left & to_left) | (right & to_right) | (v & ~(to_left | to_right));
}

/* What there is to know of one row while the scene is followed; pointers are to its first pixel. */
typedef struct followed_row {
    const uint8_t *image, *foreground, *distance, *unrest;
    uint8_t *noise, *usual, *usual_fraction, *samples;
    int32_t pitch, sample_pitch;
    int32_t up, down; /* how many rows there are above and below, at most 1 */
    int32_t rate;
    uint8_t noise_step;
} followed_row;

/* Put the pixel into one sample of its own, and one of a neighbour, here and there. */
static inline u32x4 follow_samples(const followed_row *row, int32_t x, u8x16 pixel, u8x16 follow, u32x4 random) {
    random = next_random(random);
    u8x16 rate = splat16((uint8_t)row->rate), lots = (u8x16)random;
    u8x16 own = follow & at_most16(lots, rate), spread = follow & at_most16(~lots, rate);
    uint32_t dice = random[1] >> 4;
    uint8_t *block = row->samples + x * SAMPLES, *to = block + 16 * (dice % SAMPLES);
    store16(to, choose16(own, pixel, load16(to)));
    int32_t aside = (int32_t)((dice >> 8) % 3) - 1, below = (int32_t)((dice >> 12) % 3) - 1;
    /* beyond the first and the last row there is nothing to spread to */
    int32_t there = below >= -row->up && below <= row->down;
    below = there ? below : 0;
    u8x16 open = moved16(spread, aside) & ~load16(row->foreground + below * row->pitch + x) & splat16((uint8_t)-there);
    to = block + below * row->sample_pitch + 16 * ((dice >> 16) % SAMPLES);
    store16(to, choose16(open, moved16(pixel, aside), load16(to)));
    return random;
}

/* One tick of what stands still in the foreground. Half of the samples take it in; the rest remember what was behind. */
static void follow_held(background *model, const background_step *step, int32_t x, int32_t y) {
    int32_t at = y * model->e.pitch + x;
    u8x16 front = load16(step->foreground + at), pixel = load16(step->image + at);
    u8x16 held = load16(model->held + at), age = load16(model->held_age + at);
    if (!any16(front | age)) return;
    u8x16 same = at_most16(difference16(pixel, held), splat16(RADIUS)) & front;
    age = choose16(same, add_sat16(age, splat16(1)), sub_sat16(age, splat16(2)));
    u8x16 none = at_most16(age, splat16(0));
    held = choose16(none, pixel, held);
    u8x16 ripe = at_most16(splat16(ABSORB_TICKS), age);
    if (any16(ripe)) {
        uint8_t *sample = samples_at(model, x, y);
        for (int k = 0; k < SAMPLES / 2; k++, sample += 16) store16(sample, choose16(ripe, held, load16(sample)));
        store16(model->usual + at, choose16(ripe, held, load16(model->usual + at)));
        age &= ~ripe;
    }
    store16(model->held + at, held);
    store16(model->held_age + at, age);
}

static int ticks_due(int64_t *last_us, int64_t now_us, int64_t tick_us) {
    int64_t due = (now_us - *last_us) / tick_us;
    *last_us += due * tick_us;
    return due > 255 ? 255 : (int)due;
}

/* What makes a pixel restless: a thing that came from nowhere, and went nowhere. */
static void follow_unrest(background *model, const background_step *step) {
    extent e = model->e;
    u8x16 rest = splat16((uint8_t)ticks_due(&model->unrest_us, step->media_us, UNREST_TICK_US));
    for (int32_t y = 0; y < e.height; y++) {
#pragma clang loop unroll_count(4)
        for (int32_t x = 0; x < e.padded; x += 16) {
            int32_t at = y * e.pitch + x;
            u8x16 vanished = ~load16(step->foreground + at) & load16(step->doubtful + at);
            u8x16 unrest = sub_sat16(load16(model->unrest + at), rest);
            store16(model->unrest + at, add_sat16(unrest, vanished & splat16(UNREST_RISE)));
        }
    }
}

static u32x4 follow_row(const followed_row *row, int32_t padded, u32x4 random) {
    /* copied, so that no store through a pointer of bytes makes the compiler read it again */
    followed_row r = *row;
    for (int32_t x = 0; x < padded; x += 16) {
        u8x16 pixel = load16(r.image + x), front = load16(r.foreground + x);
        u8x16 distance = load16(r.distance + x), unrest = load16(r.unrest + x), noise = load16(r.noise + x);
        u8x16 near = at_most16(distance, add_sat16(add_sat16(noise >> 3, unrest >> 3), splat16(RADIUS)));
        u8x16 restless = at_most16(splat16(RESTLESS), unrest);
        store16(r.noise + x, followed_noise(noise, distance, ~front, r.noise_step));
        follow_usual(r.usual + x, r.usual_fraction + x, pixel, near & ~front, r.rate / USUAL_SLOWER);
        random = follow_samples(&r, x, pixel, (near & ~front) | restless, random);
    }
    return random;
}

/* Half of the rows each time, twice as fast. */
static void follow_rows(background *model, const background_step *step, int32_t rate, uint8_t noise_step) {
    extent e = model->e;
    u32x4 random = model->random;
    model->turn = !model->turn;
    for (int32_t y = model->turn; y < e.height; y += 2) {
        int32_t at = y * e.pitch;
        followed_row row = {
            .image = step->image + at,
            .foreground = step->foreground + at,
            .distance = model->distance + at,
            .unrest = model->unrest + at,
            .noise = model->noise + at,
            .usual = model->usual + at,
            .usual_fraction = model->usual_fraction + at,
            .samples = samples_at(model, 0, y),
            .pitch = e.pitch,
            .sample_pitch = e.padded * SAMPLES,
            .up = y > 0,
            .down = y < e.height - 1,
            .rate = rate,
            .noise_step = noise_step,
        };
        random = follow_row(&row, e.padded, random);
    }
    model->random = random;
}

/* Most blocks have nothing in front and no age: four of them are passed over at once. */
static void follow_all_held(background *model, const background_step *step) {
    extent e = model->e;
    for (int32_t y = 0; y < e.height; y++) {
        const uint8_t *front = step->foreground + y * e.pitch, *age = model->held_age + y * e.pitch;
        for (int32_t x = 0; x < e.padded; x += 64) {
            /* the last ones may reach into the next row, or into the margin: that finds too much, never too little */
            u8x16 first = load16(front + x) | load16(age + x) | load16(front + x + 16) | load16(age + x + 16);
            u8x16 second = load16(front + x + 32) | load16(age + x + 32) | load16(front + x + 48) | load16(age + x + 48);
            if (!any16(first | second)) continue;
            for (int32_t block = x; block < x + 64 && block < e.padded; block += 16) follow_held(model, step, block, y);
        }
    }
}

void background_follow(background *model, const background_step *step) {
    int64_t share = 2 * step->elapsed_us * 256 / TURNOVER_US;
    int32_t rate = share < 4 ? 4 : share > 128 ? 128 : (int32_t)share;
    uint8_t noise_step = step->elapsed_us >= 100000 ? 4 : 2;
    int held_due = ticks_due(&model->held_us, step->media_us, step->absorb_us / ABSORB_TICKS) > 0;
    follow_unrest(model, step);
    follow_rows(model, step, rate, noise_step);
    if (held_due) follow_all_held(model, step);
}

void background_accept(background *model, const uint8_t *image, const uint8_t *mask, int32_t x, int32_t y, int32_t w,
                       int32_t h) {
    extent e = model->e;
    for (int32_t row = y; row < y + h; row++) {
        for (int32_t column = x & ~15; column < x + w; column += 16) {
            int32_t at = row * e.pitch + column;
            u8x16 take = load16(mask + at), pixel = load16(image + at);
            uint8_t *sample = samples_at(model, column, row);
            for (int k = 0; k < SAMPLES; k++, sample += 16) store16(sample, choose16(take, pixel, load16(sample)));
            store16(model->usual + at, choose16(take, pixel, load16(model->usual + at)));
            store16(model->held_age + at, load16(model->held_age + at) & ~take);
        }
    }
}
