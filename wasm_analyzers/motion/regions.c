/* Smoothing, widening and labelling of planes. Labelling follows runs of rows with union-find (Rosenfeld and Pfaltz,
 * J. ACM 13(4), 1966; by runs: He, Chao and Suzuki, IEEE Trans. Image Processing 17(5), 2008). */
#include "regions.h"

#include "simd.h"

void regions_smooth(extent e, uint8_t *evidence, uint8_t *hits, uint8_t *scratch, int32_t threshold) {
    plane_replicate_border(evidence, e);
    u16x8 least = (u16x8){0} + (uint16_t)(25 * threshold);
    for (int32_t y = 0; y < e.height; y++) {
        /* five times the bounded evidence (40) fits in a byte */
        for (int32_t x = -16; x < e.padded + 16; x += 16) {
            const uint8_t *at = evidence + y * e.pitch + x;
            store16(scratch + x, load16(at - 2 * e.pitch) + load16(at - e.pitch) + load16(at) + load16(at + e.pitch) +
                                     load16(at + 2 * e.pitch));
        }
        for (int32_t x = 0; x < e.padded; x += 16) {
            u16x8 low = {0}, high = {0};
#pragma clang loop unroll(full)
            for (int32_t beside = -2; beside <= 2; beside++) {
                u8x16 column = load16(scratch + x + beside);
                low += low16(column);
                high += high16(column);
            }
            store16(hits + y * e.pitch + x, narrow16((u16x8)(low > least) & 255, (u16x8)(high > least) & 255));
        }
        plane_zero_tail(hits + y * e.pitch, e);
    }
}

static void widen_rows(extent e, const uint8_t *from, uint8_t *to, int32_t radius) {
    for (int32_t y = 0; y < e.height; y++) {
        for (int32_t x = 0; x < e.padded; x += 16) {
            const uint8_t *at = from + y * e.pitch + x;
            u8x16 most = load16(at);
            for (int32_t beside = 1; beside <= radius; beside++)
                most |= load16(at - beside) | load16(at + beside);
            store16(to + y * e.pitch + x, most);
        }
        plane_zero_tail(to + y * e.pitch, e);
    }
}

void regions_widen(extent e, const uint8_t *from, uint8_t *to, uint8_t *scratch, int32_t radius) {
    widen_rows(e, from, scratch, radius);
    for (int32_t y = 0; y < e.height; y++) {
        int32_t first = y < radius ? -y : -radius, last = y + radius >= e.height ? e.height - 1 - y : radius;
        for (int32_t x = 0; x < e.padded; x += 16) {
            u8x16 most = splat16(0);
            for (int32_t below = first; below <= last; below++) most |= load16(scratch + (y + below) * e.pitch + x);
            store16(to + y * e.pitch + x, most);
        }
    }
}

static int32_t root_of(run *runs, int32_t i) {
    while (runs[i].parent != i) {
        runs[i].parent = runs[runs[i].parent].parent;
        i = runs[i].parent;
    }
    return i;
}

/* The earlier run becomes the root, so that regions come in order of their first pixel. */
static void join(run *runs, int32_t a, int32_t b) {
    a = root_of(runs, a);
    b = root_of(runs, b);
    if (a < b) runs[b].parent = a;
    if (b < a) runs[a].parent = b;
}

static void find_runs_of_row(regions *found, extent e, const uint8_t *joined, int32_t y) {
    const uint8_t *row = joined + y * e.pitch;
    int32_t x = 0;
    while (x < e.width) {
        if ((x & 15) == 0 && !any16(load16(row + x))) {
            x += 16;
            continue;
        }
        if (!row[x]) {
            x++;
            continue;
        }
        int32_t from = x;
        while (x < e.width && row[x]) x++;
        if (found->run_count == MAX_RUNS) {
            found->overflow = 1;
            return;
        }
        int32_t i = found->run_count++;
        found->runs[i] = (run){.y = y, .from = from, .to = x, .parent = i, .region = -1};
    }
}

static void connect_runs(regions *found, extent e, const uint8_t *joined) {
    int32_t above = 0, above_end = 0;
    for (int32_t y = 0; y < e.height; y++) {
        int32_t first = found->run_count;
        find_runs_of_row(found, e, joined, y);
        for (int32_t i = first; i < found->run_count; i++) {
            while (above < above_end && found->runs[above].to <= found->runs[i].from) above++;
            for (int32_t k = above; k < above_end && found->runs[k].from < found->runs[i].to; k++) join(found->runs, k, i);
        }
        above = first;
        above_end = found->run_count;
    }
}

static inline int32_t gradient(const uint8_t *at, int32_t pitch) {
    int32_t across = at[2] - at[-2], down = at[2 * pitch] - at[-2 * pitch];
    return (across < 0 ? -across : across) + (down < 0 ? -down : down);
}

static void measure_pixel(region *into, extent e, const region_planes *planes, int32_t x, int32_t y) {
    int32_t at = y * e.pitch + x;
    const uint8_t *hit = planes->hits + at;
    if (x < into->left) into->left = x;
    if (x >= into->right) into->right = x + 1;
    if (y < into->top) into->top = y;
    if (y >= into->bottom) into->bottom = y + 1;
    into->area++;
    into->strength += planes->evidence[at];
    into->unrest += planes->unrest[at];
    into->steady += planes->held_age[at];
    int32_t inside = x >= 2 && y >= 2 && x < e.width - 2 && y < e.height - 2;
    if (inside && !(hit[-1] && hit[1] && hit[-e.pitch] && hit[e.pitch])) {
        into->contour++;
        into->edge_now += gradient(planes->image + at, e.pitch);
        into->edge_usual += gradient(planes->usual + at, e.pitch);
    }
}

static int32_t hits_of(const run *r, extent e, const uint8_t *hits) {
    int32_t count = 0;
    for (int32_t x = r->from; x < r->to; x++) count += hits[r->y * e.pitch + x] & 1;
    return count;
}

/* Number the regions that are large enough; their roots know them. */
static void number_regions(regions *found, extent e, const uint8_t *hits, int32_t least_area) {
    static int32_t area[MAX_RUNS];
    for (int32_t i = 0; i < found->run_count; i++) area[i] = 0;
    for (int32_t i = 0; i < found->run_count; i++) area[root_of(found->runs, i)] += hits_of(&found->runs[i], e, hits);
    for (int32_t i = 0; i < found->run_count; i++) {
        if (found->runs[i].parent != i || area[i] < least_area) continue;
        if (found->count == MAX_REGIONS) {
            found->overflow = 1;
            return;
        }
        found->list[found->count] = (region){.left = e.width, .top = e.height};
        found->runs[i].region = found->count++;
    }
}

void regions_find(regions *found, extent e, const uint8_t *joined, const region_planes *planes, int32_t least_area) {
    found->run_count = found->count = found->overflow = 0;
    connect_runs(found, e, joined);
    number_regions(found, e, planes->hits, least_area);
    for (int32_t i = 0; i < found->run_count; i++) {
        const run *r = &found->runs[i];
        int32_t number = found->runs[root_of(found->runs, i)].region;
        if (number < 0) continue;
        for (int32_t x = r->from; x < r->to; x++)
            if (planes->hits[r->y * e.pitch + x]) measure_pixel(&found->list[number], e, planes, x, r->y);
    }
}

/* The region of a run, -1 where it was too small. */
static int32_t region_of(const regions *found, int32_t i) {
    while (found->runs[i].parent != i) i = found->runs[i].parent;
    return found->runs[i].region;
}

void regions_paint(const regions *found, extent e, const uint8_t *hits, uint8_t *foreground, uint8_t *doubtful) {
    size_t bytes = (size_t)e.pitch * (size_t)e.height;
    __builtin_memset(foreground, 0, bytes);
    __builtin_memset(doubtful, 0, bytes);
    for (int32_t i = 0; i < found->run_count; i++) {
        const run *r = &found->runs[i];
        int32_t number = region_of(found, i);
        if (number < 0) continue;
        int32_t doubt = found->list[number].travelled ? 0 : 255;
        for (int32_t x = r->from; x < r->to; x++) {
            int32_t at = r->y * e.pitch + x;
            foreground[at] = hits[at];
            doubtful[at] = (uint8_t)(hits[at] & doubt);
        }
    }
}

void regions_paint_one(const regions *found, extent e, const uint8_t *hits, int32_t number, uint8_t *mask) {
    const region *one = &found->list[number];
    for (int32_t y = one->top; y < one->bottom; y++)
        for (int32_t x = one->left & ~15; x < one->right; x += 16) store16(mask + y * e.pitch + x, splat16(0));
    for (int32_t i = 0; i < found->run_count; i++) {
        const run *r = &found->runs[i];
        if (region_of(found, i) != number) continue;
        for (int32_t x = r->from; x < r->to; x++) mask[r->y * e.pitch + x] = hits[r->y * e.pitch + x];
    }
}

void regions_fill(const regions *found, extent e, uint8_t *mask) {
    static int32_t row[MAX_REGIONS], end[MAX_REGIONS];
    for (int32_t n = 0; n < found->count; n++) row[n] = -1;
    for (int32_t i = 0; i < found->run_count; i++) {
        const run *r = &found->runs[i];
        int32_t n = region_of(found, i);
        if (n < 0) continue;
        /* runs come from left to right: the gap to the one before belongs to the region too */
        int32_t from = row[n] == r->y ? end[n] : r->from;
        __builtin_memset(mask + r->y * e.pitch + from, 255, (size_t)(r->to - from));
        row[n] = r->y;
        end[n] = r->to;
    }
}
