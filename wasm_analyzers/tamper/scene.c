/* Comparison of gradients with a learned background, block by block, after E. Ribnick et al., "Real-time detection of
 * camera tampering" (AVSS 2006) and A. Saglam and A. Temizel, "Real-time adaptive camera tamper detection for video
 * surveillance" (AVSS 2009). Correlation instead of differences, so that exposure and lamps do not count. */
#include "scene.h"

#include <stddef.h>

enum {
    SNAPSHOTS = 2,
    SNAPSHOT_US = 400000, /* from one to the next: the older one is about half a second old */
    LEARN_US = 400000,    /* how often the slow learning takes a frame */
    SLOWNESS = 64,        /* frames of it */
    ENOUGH = 3,           /* frames in a row of it that must agree with what is in doubt */
    BRIGHT = 208,         /* luma of what is as good as white */
};
static const float STRUCTURE = 4;    /* mean squared gradient of a cell from which on a block has structure */
static const float VISIBLE = 0.3f;   /* the same in poor light, of what must be seen to call it lost */
static const float MATCH = 0.5f;     /* correlation of a block that is still there */
static const float BETTER = 1.1f;    /* fit from which on the learned view is moved */
static const float BUSY = 4;         /* grey levels from one frame to the next, of a block in which something moves while all else is still */
static const float FOREIGN = 0.9f;   /* correlation of a block in which there is more than the scene */
static const float STILL = 0.7f;     /* correlation with a second ago */
static const float STILL_LIGHT = 6;  /* grey levels, of a block without structure */

static layout view;
static float now[MOST_CELLS], usual[MOST_CELLS], snapshots[SNAPSHOTS][MOST_CELLS];
static uint8_t open_cells[MOST_CELLS];
static relation with_usual[MOST_BLOCKS], with_then[MOST_BLOCKS];
static grain grains[MOST_BLOCKS];
static uint8_t lost[MOST_BLOCKS], matched[MOST_BLOCKS];
static uint8_t was_busy[MOST_BLOCKS]; /* when something last moved */
static uint8_t trusted[MOST_BLOCKS]; /* what was learned there is the scene, and nothing that was passing */
static uint8_t agreed[MOST_BLOCKS];  /* how often in a row, or while it was being learned, the frame agreed with it */
static fine_planes planes;
static uint8_t *before;
static uint16_t *usual_fine;
static int64_t snapshot_us, learned_us, followed_us;
static float drift_x, drift_y;
static int32_t snapshots_taken;
static float grain_energy; /* mean squared gradient of a cell that noise makes */
static int known;

uint32_t scene_bytes(int32_t width, int32_t height) { return (uint32_t)(width * height) * 3 + 64; }

void scene_open(int32_t width, int32_t height, uint8_t *room) {
    view = layout_of(width, height);
    usual_fine = (uint16_t *)room;
    before = room + (size_t)(width * height) * 2;
    known = 0;
}

void scene_forget(void) { known = 0; }

const layout *scene_layout(void) { return &view; }
const float *scene_now(void) { return now; }
const float *scene_usual(void) { return usual; }

static int32_t cells(void) { return view.across * view.down; }

static void find_open(const uint8_t *zones) {
    for (int32_t y = 0; y < view.down; y++)
        for (int32_t x = 0; x < view.across; x++) {
            int32_t at = (y * view.factor) * view.width + x * view.factor;
            open_cells[y * view.across + x] = zones == NULL || zones[at] != 0;
        }
}

static void begin(int64_t media_us) {
    __builtin_memcpy(usual, now, sizeof usual);
    for (int32_t y = 0; y < view.height; y++)
        for (int32_t x = 0; x < view.width; x++)
            usual_fine[y * view.width + x] = (uint16_t)(planes.pixels[y * planes.stride + x] << 8);
    __builtin_memset(was_busy, 0, sizeof was_busy);
    __builtin_memset(agreed, 0, sizeof agreed);
    __builtin_memset(trusted, 1, sizeof trusted);
    snapshots_taken = 0;
    snapshot_us = media_us - SNAPSHOT_US;
    learned_us = followed_us = media_us;
    drift_x = drift_y = 0;
    known = 1;
}

static float median(float *values, int32_t count) {
    /* insertion sort: at most 169 values */
    for (int32_t i = 1; i < count; i++) {
        float value = values[i];
        int32_t at = i;
        for (; at > 0 && values[at - 1] > value; at--) values[at] = values[at - 1];
        values[at] = value;
    }
    return count ? values[count / 2] : 0;
}

static float correlation(const relation *r) {
    float energies = r->now * r->then;
    return energies > 1 ? r->both / __builtin_sqrtf(energies) : 0;
}

static int has_structure(int32_t block) {
    const relation *r = &with_usual[block];
    return trusted[block] && r->cells > BLOCK && r->then > (STRUCTURE + 2 * grain_energy) * (float)r->cells;
}

/* Most of it behind a privacy mask. */
static int is_hidden(int32_t block) {
    return layout_blocks(&view) > 4 && with_usual[block].cells * 2 < BLOCK * BLOCK;
}

/* By how much contrast was multiplied, as the blocks that are still there say; else as brightness was. */
static float contrast_gain(const measures *m) {
    static float gains[MOST_BLOCKS];
    int32_t count = 0;
    for (int32_t i = 0; i < layout_blocks(&view); i++)
        if (has_structure(i) && correlation(&with_usual[i]) > MATCH)
            gains[count++] = with_usual[i].both / with_usual[i].then;
    if (count > 2) return median(gains, count);
    float gain = (m->light - 15) / (m->usual_light > 17 ? m->usual_light - 15 : 2);
    return gain < 0 ? 0 : gain > 1 ? 1 : gain;
}

static int is_still(const relation *r) {
    if (r->now > STRUCTURE * (float)r->cells || r->then > STRUCTURE * (float)r->cells) return correlation(r) > STILL;
    return r->changed < STILL_LIGHT * (float)r->cells;
}

static void compare_blocks(measures *m) {
    int32_t count = layout_blocks(&view), structured = 0, seen = 0, gone = 0, still = 0, bright = 0;
    float gain = contrast_gain(m);
    for (int32_t i = 0; i < count; i++) {
        const relation *r = &with_usual[i];
        float area = (float)(r->cells ? r->cells : 1);
        lost[i] = matched[i] = 0;
        if (!has_structure(i)) continue;
        structured++;
        float found = correlation(r);
        matched[i] = found > MATCH;
        if (gain * gain * r->then < (VISIBLE + grain_energy) * area) continue;
        seen++;
        lost[i] = found < MATCH && found > -MATCH;
        if (!lost[i]) continue;
        gone++;
        still += is_still(&with_then[i]);
        bright += r->light_now > 190 * area && r->light_now > r->light_then + 20 * area;
    }
    float whole = seen ? (float)seen : 1;
    m->structured = (float)structured / (float)count;
    m->lost = (float)gone / whole;
    m->lost_still = (float)still / whole;
    m->lost_bright = (float)bright / whole;
}

/* The luma that a fiftieth is below. */
static float darkest(const int32_t *count, int32_t all) {
    int32_t value = 0, below = 0;
    while (value < 255 && (below += count[value]) * 50 < all) value++;
    return (float)value;
}

static void compare_whole(measures *m) {
    relation all = {0};
    for (int32_t i = 0; i < layout_blocks(&view); i++) {
        all.now += with_usual[i].now;
        all.then += with_usual[i].then;
        all.both += with_usual[i].both;
        all.light_now += with_usual[i].light_now;
        all.light_then += with_usual[i].light_then;
        all.cells += with_usual[i].cells;
    }
    float area = (float)(all.cells ? all.cells : 1);
    m->alike = correlation(&all);
    m->light = all.light_now / area;
    m->usual_light = all.light_then / area;
    m->contrast = all.now / (all.then + area * 0.01f);
    int32_t count[256] = {0}, usual_count[256] = {0}, bright = 0, usual_bright = 0, above = 0;
    for (int32_t i = 0; i < cells(); i++) {
        if (!open_cells[i]) continue;
        count[(int32_t)now[i]]++;
        usual_count[(int32_t)usual[i]]++;
        bright += now[i] >= BRIGHT;
        usual_bright += usual[i] >= BRIGHT;
    }
    m->bright = (float)bright / area;
    m->usual_bright = (float)usual_bright / area;
    int32_t value = 255;
    while (value > 0 && (above += count[value]) * 50 < all.cells) value--;
    m->lit = (float)value;
    m->dim = darkest(count, all.cells);
    m->usual_dim = darkest(usual_count, all.cells);
}

/* Of the frame's pixels, which cells average. */
static void measure_noise(measures *m) {
    static float noise[MOST_BLOCKS];
    int32_t open = 0;
    for (int32_t i = 0; i < layout_blocks(&view); i++) {
        if (!is_hidden(i)) noise[open++] = grains[i].noise;
    }
    /* of white noise of deviation 1 the mean is 4.79 */
    m->noise = median(noise, open) / 4.79f;
    grain_energy = 4 * m->noise * m->noise / (float)(view.factor * view.factor);
}

static void measure_change(measures *m) {
    static float changed[MOST_BLOCKS];
    int32_t open = 0, busy = 0, stirred = 0;
    float sum = 0, rough = 0, alive = 0;
    for (int32_t i = 0; i < layout_blocks(&view); i++) {
        if (is_hidden(i)) continue;
        changed[open++] = grains[i].changed;
        stirred += grains[i].changed > 0;
        sum += grains[i].changed;
        alive += grains[i].alive;
        rough += grains[i].rough;
    }
    float whole = open ? (float)open : 1;
    m->changed_mean = sum / whole;
    m->rough = rough / whole;
    m->stirred = (float)stirred / whole;
    m->alive = alive / whole;
    m->changed = median(changed, open); /* which sorts them */
    m->changed_most = open ? changed[open - 1] : 0;
    for (int32_t i = 0; i < open; i++) busy += changed[i] > 3 * m->changed + BUSY;
    m->busy = (float)busy;
    int32_t things = 0, gone = 0;
    for (int32_t i = 0; i < layout_blocks(&view); i++) {
        if (busy) was_busy[i] = grains[i].changed > 3 * m->changed + BUSY;
        if (!was_busy[i]) continue;
        if (correlation(&with_usual[i]) < FOREIGN)
            things++;
        else
            gone++;
    }
    m->things = things + gone ? (float)things / (float)(things + gone) : 0;
}

/* How much of the fine is left where the view is still there, for the contrast that it has. */
static void measure_focus(measures *m) {
    float edges = 0, fine_both = 0, fine_usual = 0, coarse_both = 0, coarse_usual = 0;
    for (int32_t i = 0; i < layout_blocks(&view); i++) {
        if (!matched[i]) continue;
        edges += grains[i].usual * grains[i].rough;
        fine_both += grains[i].both, fine_usual += grains[i].usual;
        coarse_both += with_usual[i].both, coarse_usual += with_usual[i].then;
    }
    float contrast = coarse_usual > 0 ? coarse_both / coarse_usual : 0;
    if (fine_usual <= 0 || contrast < 0.05f) return;
    m->sharp = fine_both / fine_usual / contrast;
    m->edges = edges / fine_usual / contrast;
}

void scene_look(const uint8_t *pixels, int32_t stride, const uint8_t *zones, int64_t media_us, measures *out) {
    planes = (fine_planes){pixels, stride, before, usual_fine, 256};
    coarse_shrink(&view, pixels, stride, now);
    find_open(zones);
    if (!known) {
        begin(media_us);
        scene_keep();
    }
    if (media_us - snapshot_us >= SNAPSHOT_US) {
        __builtin_memcpy(snapshots[snapshots_taken++ % SNAPSHOTS], now, sizeof now);
        snapshot_us = media_us;
    }
    const float *then = snapshots[snapshots_taken >= SNAPSHOTS ? snapshots_taken % SNAPSHOTS : 0];
    coarse_relate(&view, now, usual, open_cells, with_usual);
    coarse_relate(&view, now, then, open_cells, with_then);
    *out = (measures){.too_soon = snapshots_taken < 2};
    compare_whole(out);
    float gain = out->light / (out->usual_light > 1 ? out->usual_light : 1);
    planes.gain = (int32_t)(256 * (gain < 4 ? gain : 4));
    out->lines = fine_measure(&view, &planes, grains);
    measure_noise(out);
    compare_blocks(out);
    measure_change(out);
    measure_focus(out);
    out->same = fine_same(&view, &planes);
    out->drift = __builtin_sqrtf(drift_x * drift_x + drift_y * drift_y);
}

void scene_keep(void) {
    for (int32_t y = 0; y < view.height; y++)
        __builtin_memcpy(before + y * view.width, planes.pixels + y * planes.stride, (size_t)view.width);
}

static void learn_fine(int32_t slowness) {
    for (int32_t y = 0; y < view.height; y++) {
        uint16_t *to = usual_fine + y * view.width;
        const uint8_t *from = planes.pixels + y * planes.stride;
#pragma clang loop unroll_count(4)
        for (int32_t x = 0; x < view.width; x++) to[x] = (uint16_t)(to[x] + ((from[x] << 8) - to[x]) / slowness);
    }
}

static int agrees(int32_t block) {
    const relation *r = &with_usual[block];
    return r->then < STRUCTURE * (float)r->cells || correlation(r) > MATCH;
}

/* Of the first frames most must agree with their mean. */
static void learn_first(int32_t count) {
    for (int32_t i = 0; i < layout_blocks(&view); i++) {
        agreed[i] = (uint8_t)(agreed[i] + (agreed[i] < 255 && agrees(i)));
        trusted[i] = agreed[i] * 4 >= (count < 255 ? count : 255) * 3;
    }
}

/* Take a block of the frame for the scene. */
static void replace_block(int32_t block) {
    int32_t row = block / view.blocks_across, column = block % view.blocks_across;
    int32_t top = block_start(row, view.blocks_down, view.down), bottom = block_start(row + 1, view.blocks_down, view.down);
    int32_t left = block_start(column, view.blocks_across, view.across);
    int32_t right = block_start(column + 1, view.blocks_across, view.across);
    for (int32_t y = top; y < bottom; y++)
        for (int32_t x = left; x < right; x++) usual[y * view.across + x] = now[y * view.across + x];
    for (int32_t y = top * view.factor; y < bottom * view.factor; y++)
        for (int32_t x = left * view.factor; x < right * view.factor; x++)
            usual_fine[y * view.width + x] = (uint16_t)(planes.pixels[y * planes.stride + x] << 8);
}

/* Where something was passing while the view was learned, the scene is what comes to rest there. */
static void learn_doubtful(void) {
    for (int32_t i = 0; i < layout_blocks(&view); i++) {
        if (trusted[i]) continue;
        int agreeing = agrees(i);
        agreed[i] = agreeing ? (uint8_t)(agreed[i] + 1) : 0;
        trusted[i] = agreed[i] >= ENOUGH;
        if (!agreeing && is_still(&with_then[i])) replace_block(i);
    }
}

void scene_learn(int32_t count, int64_t media_us) {
    if (!count && media_us - learned_us < LEARN_US) return;
    learned_us = media_us;
    int32_t slowness = count ? count : SLOWNESS;
    for (int32_t i = 0; i < cells(); i++) usual[i] += (now[i] - usual[i]) / (float)slowness;
    learn_fine(slowness);
    if (count)
        learn_first(count);
    else
        learn_doubtful();
}

/* Put the learned view where (x + dx, y + dy) was at (x, y); the border keeps what it has. */
static void move_usual(int32_t dx, int32_t dy) {
    int32_t last = view.height - 1;
    for (int32_t n = 0; n <= last; n++) {
        int32_t y = dy > 0 ? n : last - n, from = y + dy;
        if (from < 0 || from > last) continue;
        int32_t left = dx < 0 ? -dx : 0, right = dx > 0 ? view.width - dx : view.width;
        __builtin_memmove(usual_fine + y * view.width + left, usual_fine + from * view.width + left + dx,
                          (size_t)(right - left) * sizeof *usual_fine);
    }
    for (int32_t y = 0; y < view.down; y++)
        for (int32_t x = 0; x < view.across; x++) {
            uint32_t sum = 0;
            int32_t high = view.factor < view.height ? view.factor : view.height;
            int32_t wide = view.factor < view.width ? view.factor : view.width;
            for (int32_t row = 0; row < high; row++)
                for (int32_t column = 0; column < wide; column++)
                    sum += usual_fine[(y * high + row) * view.width + x * wide + column];
            usual[y * view.across + x] = (float)sum / (float)(256 * high * wide);
        }
}

static int is_tiny(void) { return view.width < 32 || view.height < 32; }

float scene_tremble(void) {
    if (is_tiny()) return 1;
    nudge best = fine_climb(&view, &planes, matched);
    return best.none > 0 ? best.fit / best.none : 1;
}

/* The view sways and creeps by pixels: put the learned view where it fits best. */
void scene_follow_drift(int64_t media_us, float gain) {
    if (media_us - followed_us < LEARN_US || is_tiny()) return;
    followed_us = media_us;
    nudge best = fine_climb(&view, &planes, matched);
    if (best.fit <= 0 || best.fit < (gain > BETTER ? gain : BETTER) * best.none) return;
    move_usual(best.x, best.y);
    drift_x += (float)best.x / (float)view.width;
    drift_y += (float)best.y / (float)view.height;
}

void scene_lost_box(float *x, float *y, float *w, float *h) {
    int32_t left = view.blocks_across, top = view.blocks_down, right = 0, bottom = 0;
    for (int32_t i = 0; i < layout_blocks(&view); i++) {
        if (!lost[i]) continue;
        int32_t column = i % view.blocks_across, row = i / view.blocks_across;
        if (column < left) left = column;
        if (row < top) top = row;
        if (column >= right) right = column + 1;
        if (row >= bottom) bottom = row + 1;
    }
    *x = *y = 0;
    *w = *h = 1;
    if (right == 0) return;
    *x = (float)left / (float)view.blocks_across;
    *y = (float)top / (float)view.blocks_down;
    *w = (float)right / (float)view.blocks_across - *x;
    *h = (float)bottom / (float)view.blocks_down - *y;
}
