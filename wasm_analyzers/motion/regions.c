/* Smoothing, widening and labelling of planes. Labelling follows runs of rows with union-find (Rosenfeld and Pfaltz,
 * J. ACM 13(4), 1966; by runs: He, Chao and Suzuki, IEEE Trans. Image Processing 17(5), 2008). */
#include "regions.h"

#include "simd.h"

/* columns[x] = the sum of five rows; 1 if any is not 0. Five times the bounded evidence (40) fits in a byte. */
static int sum_columns(const uint8_t *row, extent e, uint8_t *columns) {
    u8x16 any = splat16(0);
#pragma clang loop unroll_count(4)
    for (int32_t x = -16; x < e.padded + 16; x += 16) {
        const uint8_t *at = row + x;
        u8x16 sum = load16(at - 2 * e.pitch) + load16(at - e.pitch) + load16(at) + load16(at + e.pitch) + load16(at + 2 * e.pitch);
        store16(columns + x, sum);
        any |= sum;
    }
    return any16(any);
}

/* Whether the row has hits. */
static int smooth_row(extent e, const uint8_t *columns, uint8_t *to, u16x8 least) {
    u8x16 any = splat16(0);
#pragma clang loop unroll_count(2)
    for (int32_t x = 0; x < e.padded; x += 16) {
        const uint8_t *first = columns + x - 2;
        u8x16 a = load16(first), b = load16(first + 1), c = load16(first + 2), d = load16(first + 3), f = load16(first + 4);
        if (!any16(a | f | c)) continue;
        u16x8 low = low16(a) + low16(b) + low16(c) + low16(d) + low16(f);
        u16x8 high = high16(a) + high16(b) + high16(c) + high16(d) + high16(f);
        u8x16 hit = narrow16((u16x8)(low > least) & 255, (u16x8)(high > least) & 255);
        any |= hit;
        store16(to + x, hit);
    }
    plane_zero_tail(to, e);
    return any16(any);
}

void regions_smooth(extent e, uint8_t *evidence, uint8_t *hits, uint8_t *rows, uint8_t *columns, int32_t threshold) {
    plane_replicate_border(evidence, e);
    plane_clear(hits, e);
    u16x8 least = (u16x8){0} + (uint16_t)(25 * threshold);
    for (int32_t y = 0; y < e.height; y++) {
        int some = sum_columns(evidence + y * e.pitch, e, columns);
        rows[y] = some ? (uint8_t)smooth_row(e, columns, hits + y * e.pitch, least) : 0;
    }
}

void regions_join(extent e, hit_plane hits, uint8_t *joined, uint8_t *scratch) {
    plane_clear(scratch, e);
    plane_clear(joined, e);
    for (int32_t y = 0; y < e.height; y++) {
        if (!hits.rows[y]) continue;
        const uint8_t *from = hits.pixels + y * e.pitch - 2;
        uint8_t *to = scratch + y * e.pitch;
#pragma clang loop unroll_count(4)
        for (int32_t x = 0; x < e.padded; x += 16)
            store16(to + x, load16(from + x) | load16(from + x + 1) | load16(from + x + 2) | load16(from + x + 3) |
                                load16(from + x + 4));
        plane_zero_tail(to, e);
    }
    for (int32_t y = 0; y < e.height; y++) {
        if (!rows_near(hits.rows, y, 2)) continue;
        /* the margin of a plane is 0 */
        const uint8_t *row = scratch + (y - 2) * e.pitch;
        uint8_t *to = joined + y * e.pitch;
#pragma clang loop unroll_count(4)
        for (int32_t x = 0; x < e.padded; x += 16)
            store16(to + x, load16(row + x) | load16(row + x + e.pitch) | load16(row + x + 2 * e.pitch) |
                                load16(row + x + 3 * e.pitch) | load16(row + x + 4 * e.pitch));
        plane_zero_tail(to, e);
    }
}

void regions_widen(extent e, hit_plane joined, uint8_t *wide, uint8_t *scratch, int32_t margin) {
    plane_clear(scratch, e);
    plane_clear(wide, e);
    for (int32_t y = 0; y < e.height; y++) {
        if (!rows_near(joined.rows, y, 2)) continue;
        const uint8_t *from = joined.pixels + y * e.pitch - margin;
        uint8_t *to = scratch + y * e.pitch;
#pragma clang loop unroll_count(4)
        for (int32_t x = 0; x < e.padded; x += 16)
            store16(to + x, load16(from + x) | load16(from + x + margin) | load16(from + x + 2 * margin));
        plane_zero_tail(to, e);
    }
    for (int32_t y = 0; y < e.height; y++) {
        if (!rows_near(joined.rows, y, 2 + margin)) continue;
        const uint8_t *row = scratch + (y - margin) * e.pitch;
        uint8_t *to = wide + y * e.pitch;
#pragma clang loop unroll_count(4)
        for (int32_t x = 0; x < e.padded; x += 16)
            store16(to + x, load16(row + x) | load16(row + x + margin * e.pitch) | load16(row + x + 2 * margin * e.pitch));
        plane_zero_tail(to, e);
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

static void add_run(regions *found, int32_t y, int32_t from, int32_t to) {
    if (found->run_count == MAX_RUNS) {
        found->overflow = 1;
        return;
    }
    int32_t i = found->run_count++;
    found->runs[i] = (run){.y = y, .from = from, .to = to, .parent = i, .region = -1};
}

static void find_runs_of_row(regions *found, extent e, const uint8_t *joined, int32_t y) {
    const uint8_t *row = joined + y * e.pitch;
    int32_t from = -1; /* where the run began that is open */
    for (int32_t x = 0; x < e.padded; x += 16) {
        uint32_t set = bits16(load16(row + x) & first16(e.width - x));
        /* a bit where a pixel differs from the one before it */
        uint32_t turns = (set ^ (set << 1 | (from >= 0))) & 0xFFFF;
        for (; turns; turns &= turns - 1) {
            int32_t at = x + __builtin_ctz(turns);
            if (from < 0) {
                from = at;
            } else {
                add_run(found, y, from, at);
                from = -1;
            }
        }
    }
    if (from >= 0) add_run(found, y, from, e.width);
}

static void connect_runs(regions *found, extent e, const uint8_t *joined, const region_planes *planes) {
    int32_t above = 0, above_end = 0;
    for (int32_t y = 0; y < e.height; y++) {
        int32_t first = found->run_count;
        if (rows_near(planes->hits.rows, y, planes->reach)) find_runs_of_row(found, e, joined, y);
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

/* The region of a run, -1 where it was too small. */
int32_t regions_number(const regions *found, int32_t i) {
    while (found->runs[i].parent != i) i = found->runs[i].parent;
    return found->runs[i].region;
}

/* Sums of bytes in lanes: of at most 128 blocks, so that none runs over. */
static inline u16x8 pairs16(u8x16 v) { return low16(v) + high16(v); }

static inline int32_t sum8(u16x8 v) {
    u64x2 even = (u64x2)v & 0x0000FFFF0000FFFF, odd = (u64x2)v >> 16 & 0x0000FFFF0000FFFF, both = even + odd;
    uint64_t all = both[0] + both[1];
    return (int32_t)((all & 0xFFFFFFFF) + (all >> 32));
}

/* The columns of a run from its first to its last hit; 0 where it has none. */
static int trim_run(const uint8_t *hits, int32_t *from, int32_t *to) {
    int32_t first = -1, last = -1;
    for (int32_t x = *from; x < *to; x += 16) {
        uint32_t set = bits16(load16(hits + x) & first16(*to - x));
        if (!set) continue;
        if (first < 0) first = x + __builtin_ctz(set);
        last = x + 31 - __builtin_clz(set);
    }
    *from = first;
    *to = last + 1;
    return first >= 0;
}

/* What a run adds to its region: all but the rim. */
static void measure_run(region *into, extent e, const region_planes *planes, const run *r) {
    const uint8_t *hits = planes->hits.pixels + r->y * e.pitch, *evidence = planes->evidence + r->y * e.pitch;
    const uint8_t *steady = planes->held_age + r->y * e.pitch, *unrest = planes->unrest + r->y * e.pitch;
    int32_t from = r->from, to = r->to;
    if (!trim_run(hits, &from, &to)) return;
    if (from < into->left) into->left = from;
    if (to > into->right) into->right = to;
    if (r->y < into->top) into->top = r->y;
    into->bottom = r->y + 1;
    u16x8 area = {0}, strength = {0}, ages = {0}, restless = {0};
    for (int32_t x = from; x < to; x += 16) {
        u8x16 hit = load16(hits + x) & first16(to - x);
        area += pairs16(hit & 1);
        strength += pairs16(load16(evidence + x) & hit);
        ages += pairs16(load16(steady + x) & hit);
        restless += pairs16(load16(unrest + x) & hit);
    }
    into->area += sum8(area);
    into->strength += sum8(strength);
    into->steady += sum8(ages);
    into->unrest += sum8(restless);
}

/* The steepness of the picture and of the background along the rim of a region. */
static void measure_rim(region *into, extent e, const region_planes *planes, const run *r) {
    if (r->y < 2 || r->y >= e.height - 2) return;
    int32_t from = r->from < 2 ? 2 : r->from, to = r->to > e.width - 2 ? e.width - 2 : r->to;
    const uint8_t *hits = planes->hits.pixels + r->y * e.pitch;
    const uint8_t *image = planes->image + r->y * e.pitch, *usual = planes->usual + r->y * e.pitch;
    int32_t edge_now = 0, edge_usual = 0;
    for (int32_t x = from; x < to; x += 16) {
        const uint8_t *hit = hits + x;
        u8x16 within = load16(hit - 1) & load16(hit + 1) & load16(hit - e.pitch) & load16(hit + e.pitch);
        uint32_t rim = bits16(load16(hit) & ~within & first16(to - x));
        into->contour += __builtin_popcount(rim);
        for (; rim; rim &= rim - 1) {
            int32_t at = x + __builtin_ctz(rim);
            edge_now += gradient(image + at, e.pitch);
            edge_usual += gradient(usual + at, e.pitch);
        }
    }
    into->edge_now += edge_now;
    into->edge_usual += edge_usual;
}

/* Give every root a region; 0 where there are too many. */
static void number_roots(regions *found, extent e) {
    for (int32_t i = 0; i < found->run_count; i++) {
        if (found->runs[i].parent != i) continue;
        if (found->count == MAX_REGIONS) {
            found->overflow = 1;
            return;
        }
        found->list[found->count] = (region){.left = e.width, .top = e.height};
        found->runs[i].region = found->count++;
    }
}

/* Keep the regions that are large enough, in their order. */
static void drop_small(regions *found, int32_t least_area) {
    int32_t kept = 0;
    for (int32_t i = 0; i < found->run_count; i++) {
        run *r = &found->runs[i];
        if (r->parent != i || r->region < 0) continue;
        if (found->list[r->region].area < least_area) {
            r->region = -1;
        } else {
            found->list[kept] = found->list[r->region];
            r->region = kept++;
        }
    }
    found->count = kept;
}

void regions_find(regions *found, extent e, const uint8_t *joined, const region_planes *planes, int32_t least_area) {
    found->run_count = found->count = found->overflow = 0;
    connect_runs(found, e, joined, planes);
    number_roots(found, e);
    for (int32_t i = 0; i < found->run_count; i++) {
        int32_t n = regions_number(found, i);
        if (n >= 0) measure_run(&found->list[n], e, planes, &found->runs[i]);
    }
    drop_small(found, least_area);
    for (int32_t i = 0; i < found->run_count; i++) {
        int32_t n = regions_number(found, i);
        if (n >= 0) measure_rim(&found->list[n], e, planes, &found->runs[i]);
    }
}

/* `foreground` and `doubtful` are 0 where no run was painted yet, and runs do not overlap. */
static inline void paint_run(const uint8_t *hits, uint8_t *foreground, uint8_t *doubtful, int32_t count, u8x16 doubt) {
    for (int32_t x = 0; x < count; x += 16) {
        u8x16 hit = load16(hits + x) & first16(count - x);
        store16(foreground + x, load16(foreground + x) | hit);
        store16(doubtful + x, load16(doubtful + x) | (hit & doubt));
    }
}

void regions_paint(const regions *found, extent e, hit_plane hits, uint8_t *foreground, uint8_t *doubtful) {
    plane_clear(foreground, e);
    plane_clear(doubtful, e);
    for (int32_t i = 0; i < found->run_count; i++) {
        const run *r = &found->runs[i];
        int32_t number = regions_number(found, i), at = r->y * e.pitch + r->from;
        if (number < 0) continue;
        u8x16 doubt = splat16(found->list[number].travelled ? 0 : 255);
        paint_run(hits.pixels + at, foreground + at, doubtful + at, r->to - r->from, doubt);
    }
}

void regions_paint_told(const regions *found, extent e, hit_plane hits, uint8_t *told) {
    plane_clear(told, e);
    for (int32_t i = 0; i < found->run_count; i++) {
        const run *r = &found->runs[i];
        int32_t number = regions_number(found, i), at = r->y * e.pitch + r->from;
        if (number < 0 || found->list[number].untold) continue;
        for (int32_t x = 0; x < r->to - r->from; x += 16)
            store16(told + at + x, load16(told + at + x) | (load16(hits.pixels + at + x) & first16(r->to - r->from - x)));
    }
}

void regions_paint_one(const regions *found, extent e, hit_plane hits, int32_t number, uint8_t *mask) {
    const region *one = &found->list[number];
    for (int32_t y = one->top; y < one->bottom; y++)
        for (int32_t x = one->left & ~15; x < one->right; x += 16) store16(mask + y * e.pitch + x, splat16(0));
    for (int32_t i = 0; i < found->run_count; i++) {
        const run *r = &found->runs[i];
        if (regions_number(found, i) != number) continue;
        int32_t at = r->y * e.pitch + r->from;
        for (int32_t x = 0; x < r->to - r->from; x += 16) {
            u8x16 hit = load16(hits.pixels + at + x) & first16(r->to - r->from - x);
            store16(mask + at + x, load16(mask + at + x) | hit);
        }
    }
}

void regions_fill_rows(const regions *found, extent e, uint8_t *mask) {
    static int32_t row[MAX_REGIONS], end[MAX_REGIONS];
    for (int32_t n = 0; n < found->count; n++) row[n] = -1;
    for (int32_t i = 0; i < found->run_count; i++) {
        const run *r = &found->runs[i];
        int32_t n = regions_number(found, i);
        if (n < 0) continue;
        /* runs come from left to right: the gap to the one before belongs to the region too */
        int32_t from = row[n] == r->y ? end[n] : r->from;
        fill16(mask + r->y * e.pitch + from, 255, r->to - from);
        row[n] = r->y;
        end[n] = r->to;
    }
}

void regions_fill_boxes(const regions *found, extent e, uint8_t *mask) {
    for (int32_t n = 0; n < found->count; n++) {
        const region *r = &found->list[n];
        fill_box16(mask + r->top * e.pitch + r->left, e.pitch, 255, r->right - r->left, r->bottom - r->top);
    }
}
