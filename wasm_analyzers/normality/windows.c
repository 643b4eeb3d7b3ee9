#include "windows.h"

#include "simd.h"

enum { FIXED = 8, MASK_FULL = 64 * FIXED };
static const float FLAT = 6, STEEP = 86; /* gradients between which edges count, grey levels over two pixels */
static const float STEP = 0.15f, TOP = 1.1f, BOTTOM = 0.06f, WIDTH = 1.3f; /* in heights */
static const float BODY = 0.6f, BODY_FILL = 0.12f, FEET = 0.3f, FEET_FILL = 0.08f;
static const float TURN_X[DIRECTIONS] = {1, 0.8660254f, 0.5f, 0, -0.5f, -0.8660254f};
static const float TURN_Y[DIRECTIONS] = {0, 0.5f, 0.8660254f, 1, 0.8660254f, 0.5f};
static const float NEXT_TURN = 0.8660254f; /* cosine of the angle between two directions */

/* How much an edge points into each direction, of four pixels: all at its middle, nothing at the next one's. */
static void respond(f32x4 gx, f32x4 gy, int32_t (*to)[4]) {
    f32x4 square = gx * gx + gy * gy;
    f32x4 size, response;
    for (int32_t k = 0; k < 4; k++) size[k] = root(square[k]);
    f32x4 strength = max4(min4(size, splat4(STEEP)) - splat4(FLAT), splat4(0));
    f32x4 unit = splat4(1) / max4(size, splat4(1e-3f));
    for (int32_t o = 0; o < DIRECTIONS; o++) {
        f32x4 along = (gx * splat4(TURN_X[o]) + gy * splat4(TURN_Y[o])) * unit;
        along = max4(along, -along);
        response = max4(along - splat4(NEXT_TURN), splat4(0)) * splat4(FIXED / (1 - NEXT_TURN)) * strength;
        i32x4 fixed = __builtin_convertvector(response, i32x4);
        __builtin_memcpy(to[o], &fixed, 16);
    }
}

/* Whether the mask has anything in the block of four pixels or in one beside it. */
static int32_t near_mask(const uint8_t *mask, int32_t width) {
    uint32_t any = 0, word;
    for (int32_t y = -1; y <= 1; y++)
        for (int32_t x = -4; x <= 4; x += 4) {
            __builtin_memcpy(&word, mask + y * width + x, 4);
            any |= word;
        }
    return any != 0;
}

static void fill_row(const integrals *i, int32_t y, const float *difference, const uint8_t *mask) {
    int32_t width = i->size.width, pitch = (width + 1) * CHANNELS;
    uint32_t *above = i->sums + (size_t)y * (size_t)pitch, *row = above + pitch;
    const float *here = difference + y * width;
    int32_t inner = y > 0 && y + 1 < i->size.height;
    u32x4 low = {0}, high = {0}, up;
    __builtin_memset(row, 0, CHANNELS * sizeof(uint32_t));
    for (int32_t x = 0; x < width; x += 4) {
        int32_t edges[CHANNELS][4] = {{0}};
        int32_t count = width - x < 4 ? width - x : 4;
        if (inner && x + 5 <= width && near_mask(mask + y * width + x, width)) {
            f32x4 left = x ? load4(here + x - 1) : load4(here);
            respond(load4(here + x + 1) - left, load4(here + x + width) - load4(here + x - width), edges);
            if (!x)
                for (int32_t o = 0; o < DIRECTIONS; o++) edges[o][0] = 0;
        }
        for (int32_t k = 0; k < count; k++) {
            uint32_t *to = row + (x + k + 1) * CHANNELS, *from = above + (x + k + 1) * CHANNELS;
            low += (u32x4){(uint32_t)edges[0][k], (uint32_t)edges[1][k], (uint32_t)edges[2][k], (uint32_t)edges[3][k]};
            high += (u32x4){(uint32_t)edges[4][k], (uint32_t)edges[5][k], mask[y * width + x + k] ? MASK_FULL : 0, 0};
            __builtin_memcpy(&up, from, 16);
            up += low;
            __builtin_memcpy(to, &up, 16);
            __builtin_memcpy(&up, from + 4, 16);
            up += high;
            __builtin_memcpy(to + 4, &up, 16);
        }
    }
}

void integrals_fill(integrals *i, const float *difference, const uint8_t *mask) {
    __builtin_memset(i->sums, 0, (size_t)(i->size.width + 1) * CHANNELS * sizeof(uint32_t));
    for (int32_t y = 0; y < i->size.height; y++) fill_row(i, y, difference, mask);
}

static uint32_t mask_at(const integrals *i, int32_t x, int32_t y) {
    return i->sums[((size_t)y * (size_t)(i->size.width + 1) + (size_t)x) * CHANNELS + DIRECTIONS];
}

float integrals_fill_of(const integrals *i, float left, float top, float right, float bottom) {
    float area = (right - left) * (bottom - top);
    if (area <= 0) return 0;
    int32_t x0 = whole(left, 0, i->size.width), x1 = whole(right, 0, i->size.width);
    int32_t y0 = whole(top, 0, i->size.height), y1 = whole(bottom, 0, i->size.height);
    uint32_t sum = mask_at(i, x1, y1) - mask_at(i, x0, y1) - mask_at(i, x1, y0) + mask_at(i, x0, y0);
    return (float)sum / (area * MASK_FULL);
}

int32_t windows_find(const integrals *i, const perspective *p, place *places) {
    int32_t count = 0, row = 0;
    float y = perspective_height(p, 0) * 0.5f;
    while (y < (float)i->size.height + 0.15f * perspective_height(p, y)) {
        float h = perspective_height(p, y), half = BODY * h / 2;
        int32_t column = 0;
        for (float x = 0; x < (float)i->size.width; x += h * STEP, column++) {
            if (integrals_fill_of(i, x - half, y - h, x + half, y) <= BODY_FILL) continue;
            if (integrals_fill_of(i, x - half, y - h * FEET, x + half, y) <= FEET_FILL) continue;
            if (count == MOST_WINDOWS) return count;
            places[count++] = (place){x, y, !(row & 1 || column & 1)};
        }
        y += h * STEP, row++;
    }
    return count;
}

void windows_describe(const integrals *i, place at, float height, float *features) {
    int32_t rows[CELLS + 1], columns[CELLS + 1];
    float top = at.y - TOP * height, tall = (TOP + BOTTOM) * height, left = at.x - WIDTH * height / 2, wide = WIDTH * height;
    for (int32_t k = 0; k <= CELLS; k++) {
        rows[k] = nearest(top + tall * (float)k / CELLS);
        columns[k] = nearest(left + wide * (float)k / CELLS);
    }
    for (int32_t r = 0; r < CELLS; r++)
        for (int32_t c = 0; c < CELLS; c++) {
            float area = (float)((rows[r + 1] - rows[r]) * (columns[c + 1] - columns[c]));
            int32_t x0 = clipped(columns[c], 0, i->size.width), x1 = clipped(columns[c + 1], 0, i->size.width);
            int32_t y0 = clipped(rows[r], 0, i->size.height), y1 = clipped(rows[r + 1], 0, i->size.height);
            size_t pitch = (size_t)(i->size.width + 1) * CHANNELS;
            const uint32_t *upper = i->sums + (size_t)y0 * pitch, *lower = i->sums + (size_t)y1 * pitch;
            const uint32_t *a = upper + x0 * CHANNELS, *b = upper + x1 * CHANNELS;
            const uint32_t *d = lower + x0 * CHANNELS, *e = lower + x1 * CHANNELS;
            float share = 1 / (FIXED * most(area, 1));
            for (int32_t k = 0; k <= DIRECTIONS; k++)
                *features++ = root((float)(e[k] - d[k] - b[k] + a[k]) * share);
        }
}
