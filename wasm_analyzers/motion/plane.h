/* One byte a pixel, laid out so that filters need no special case at the border.
 *
 * Rows are `pitch` bytes apart, with at least 16 bytes of padding at the right, which is also the padding at the left of
 * the next row; MARGIN rows lie above and below. A plane pointer points at pixel (0, 0).
 */
#ifndef MOTION_PLANE_H
#define MOTION_PLANE_H

#include <stddef.h>
#include <stdint.h>

#include "simd.h"

enum { MARGIN = 16 };

typedef struct extent {
    int32_t width, height;
    int32_t pitch;  /* bytes from row to row: padded + 16 */
    int32_t padded; /* columns that are worked on: width rounded up to 16 */
} extent;

static inline extent extent_of(int32_t width, int32_t height) {
    int32_t padded = (width + 15) / 16 * 16;
    return (extent){.width = width, .height = height, .pitch = padded + 16, .padded = padded};
}

static inline size_t plane_bytes(extent e) { return (size_t)e.pitch * (size_t)(e.height + 2 * MARGIN); }

/* Cut the next plane from `*space`. */
static inline uint8_t *plane_take(uint8_t **space, extent e) {
    uint8_t *pixels = *space + (size_t)e.pitch * MARGIN;
    *space += plane_bytes(e);
    return pixels;
}

/* Make the padding of a row zero, after whole vectors were written over it. */
static inline void plane_zero_tail(uint8_t *row, extent e) {
    store16(row + e.padded, splat16(0));
    for (int32_t x = e.width; x < e.padded; x++) row[x] = 0;
}

/* One flag a row: whether the plane has anything there. ROW_MARGIN flags lie before the first and after the last, all 0. */
enum { ROW_MARGIN = 16 };

static inline uint8_t *rows_take(uint8_t **space, extent e) {
    uint8_t *rows = *space + ROW_MARGIN;
    *space += e.height + 2 * ROW_MARGIN;
    return rows;
}

/* Whether there is anything at most `reach` rows away; at most 7. */
static inline int rows_near(const uint8_t *rows, int32_t y, int32_t reach) {
    return any16(load16(rows + y - reach) & first16(2 * reach + 1));
}

static inline void plane_clear(uint8_t *plane, extent e) {
    __builtin_memset(plane, 0, (size_t)e.pitch * (size_t)e.height);
}

/* How many pixels of a plane of masks are set, in the rows that have any. */
static inline int32_t plane_count(const uint8_t *plane, const uint8_t *rows, extent e) {
    int32_t count = 0;
    for (int32_t y = 0; y < e.height; y++) {
        if (!rows[y]) continue;
#pragma clang loop unroll_count(4)
        for (int32_t x = 0; x < e.padded; x += 16) {
            u8x16 ones = load16(plane + y * e.pitch + x) & 1;
            u64x2 pairs = (u64x2)ones;
            count += (int32_t)((pairs[0] + pairs[1]) * 0x0101010101010101 >> 56);
        }
    }
    return count;
}

/* Repeat the outermost pixels for two pixels beyond the border. */
static inline void plane_replicate_border(uint8_t *plane, extent e) {
    for (int32_t y = 0; y < e.height; y++) {
        uint8_t *row = plane + y * e.pitch;
        row[-2] = row[-1] = row[0];
        row[e.width] = row[e.width + 1] = row[e.width - 1];
    }
    for (int32_t x = -16; x < e.padded + 16; x += 16) {
        u8x16 first = load16(plane + x), last = load16(plane + (e.height - 1) * e.pitch + x);
        for (int32_t beyond = 1; beyond <= 2; beyond++) {
            store16(plane - beyond * e.pitch + x, first);
            store16(plane + (e.height - 1 + beyond) * e.pitch + x, last);
        }
    }
}

#endif
