/* A closing by 5x5 pixels (Serra, "Image Analysis and Mathematical Morphology", 1982), and the holes from which no way leads
 * out of a region: a thing of the colour of its background has gaps where the two are alike. */
#include "holes.h"

enum { HOLE = 255, HOLE_PASSES = 4 };

/* The gap before run i, if it lies between two runs of one region; its row, or -1. */
static int32_t gap_before(const regions *found, int32_t i, int32_t *from, int32_t *to) {
    const run *before = &found->runs[i - 1], *after = &found->runs[i];
    if (before->y != after->y) return -1;
    int32_t n = regions_number(found, i);
    if (n < 0 || regions_number(found, i - 1) != n) return -1;
    /* what is wider is no hole in a thing, but what stands between its parts */
    if (2 * (after->from - before->to) > found->list[n].right - found->list[n].left) return -1;
    *from = before->to;
    *to = after->from;
    return after->y;
}

static int any_clear(const uint8_t *row, int32_t from, int32_t to) {
    for (int32_t x = from; x < to; x += 16)
        if (any16(at_most16(load16(row + x), splat16(0)) & first16(to - x))) return 1;
    return 0;
}

/* filled = joined, with the holes of its regions: the gaps from which no way leads out. */
static void fill_holes(const regions *found, extent e, const uint8_t *joined, uint8_t *filled) {
    int32_t from, to;
    copy16(filled, joined, e.pitch * e.height);
    for (int32_t i = 1; i < found->run_count; i++) {
        int32_t y = gap_before(found, i, &from, &to);
        if (y > 0 && y < e.height - 1) fill16(filled + y * e.pitch + from, HOLE, to - from);
    }
    int changed = 1;
    for (int pass = 0; pass < HOLE_PASSES && changed; pass++) {
        changed = 0;
        for (int32_t k = 1; k < found->run_count; k++) {
            int32_t i = pass & 1 ? found->run_count - k : k;
            int32_t y = gap_before(found, i, &from, &to);
            uint8_t *row = filled + y * e.pitch;
            if (y <= 0 || y >= e.height - 1 || !row[from]) continue;
            if (!any_clear(row - e.pitch, from, to) && !any_clear(row + e.pitch, from, to)) continue;
            fill16(row + from, 0, to - from);
            changed = 1;
        }
    }
}

void holes_close(const regions *found, extent e, const hole_planes *planes, uint8_t *solid) {
    const uint8_t *rows = planes->rows;
    fill_holes(found, e, planes->joined, planes->filled);
    for (int32_t y = 0; y < e.height; y++) {
        if (!rows_near(rows, y, JOINED)) continue;
        const uint8_t *from = planes->filled + y * e.pitch - 2;
        uint8_t *to = planes->scratch + y * e.pitch;
#pragma clang loop unroll_count(4)
        for (int32_t x = 0; x < e.padded; x += 16)
            store16(to + x, load16(from + x) & load16(from + x + 1) & load16(from + x + 2) & load16(from + x + 3) &
                                load16(from + x + 4));
    }
    for (int32_t y = JOINED; y < e.height - JOINED; y++) {
        if (!rows_near(rows, y, 0)) continue;
        const uint8_t *row = planes->scratch + (y - 2) * e.pitch;
        uint8_t *to = solid + y * e.pitch;
#pragma clang loop unroll_count(4)
        for (int32_t x = 0; x < e.padded; x += 16) {
            u8x16 inside = load16(row + x) & load16(row + x + e.pitch) & load16(row + x + 2 * e.pitch) &
                           load16(row + x + 3 * e.pitch) & load16(row + x + 4 * e.pitch);
            store16(to + x, load16(to + x) | inside);
        }
    }
}
