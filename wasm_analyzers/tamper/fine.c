/* Noise: J. Immerkaer, "Fast noise variance estimation", Computer Vision and Image Understanding 64 (1996).
 *
 * Sharpness is a regression of the frame's gradients on those of the learned view: noise, which is in the frame alone,
 * falls out of it, and so do things that pass. */
#include "fine.h"

#include <stddef.h>

#include "simd.h"

enum {
    ROWS = 56,     /* about so many are looked at */
    STRONG = 1600, /* sixteenths of the squared gradient, 10 grey levels here: what is weaker an encoder may leave out */
};

static inline int32_t apart(int32_t a, int32_t b) { return a < b ? b - a : a - b; }

typedef struct sums {
    int32_t noise, across, down, changed, pixels;
    int64_t usual, both;
} sums;

static void measure_row(const layout *l, const fine_planes *p, int32_t y, int32_t from, int32_t to, sums *sum) {
    const uint8_t *row = p->pixels + y * p->stride, *above = row - p->stride, *below = row + p->stride;
    const uint8_t *before = p->before + y * l->width;
    const uint16_t *usual = p->usual + y * l->width;
    int32_t noise = 0, across = 0, down = 0, changed = 0, squares = 0, products = 0;
#pragma clang loop unroll_count(4)
    for (int32_t x = from; x < to; x++) {
        int32_t left = row[x - 1] - 2 * row[x] + row[x + 1];
        int32_t top = above[x - 1] - 2 * above[x] + above[x + 1], bottom = below[x - 1] - 2 * below[x] + below[x + 1];
        noise += apart(top + bottom, 2 * left);
        across += apart(left, 0);
        down += apart(above[x] + below[x], 2 * row[x]);
        changed += apart(row[x], before[x]);
        int32_t usual_x = (usual[x + 1] - usual[x - 1]) / 16, usual_y = (usual[x + l->width] - usual[x - l->width]) / 16;
        int32_t square = (usual_x * usual_x + usual_y * usual_y) >> 4;
        if (square < STRONG) continue;
        squares += square;
        products += usual_x * (row[x + 1] - row[x - 1]) + usual_y * (below[x] - above[x]);
    }
    sum->noise += noise;
    sum->across += across;
    sum->down += down;
    sum->changed += changed;
    sum->usual += squares;
    sum->both += products;
    sum->pixels += to - from;
}

static int32_t step_of(const layout *l) { return l->height > 2 * ROWS ? l->height / ROWS : 1; }

static int32_t least(int32_t a, int32_t b) { return a < b ? a : b; }

void fine_measure(const layout *l, const fine_planes *planes, grain *blocks) {
    static sums all[MOST_BLOCKS];
    int32_t count = layout_blocks(l), side = BLOCK * l->factor;
    __builtin_memset(all, 0, sizeof all);
    for (int32_t y = 1; y < l->height - 1; y += step_of(l)) {
        sums *row = all + least(y / side, l->blocks_down - 1) * l->blocks_across;
        for (int32_t n = 0; n < l->blocks_across; n++) {
            int32_t from = n ? n * side : 1, to = n == l->blocks_across - 1 ? l->width - 1 : (n + 1) * side;
            if (from < to) measure_row(l, planes, y, from, to, &row[n]);
        }
    }
    for (int32_t i = 0; i < count; i++) {
        float scale = all[i].pixels ? 1.0f / (float)all[i].pixels : 0;
        blocks[i] = (grain){
            .noise = (float)all[i].noise * scale,
            .across = (float)all[i].across * scale,
            .down = (float)all[i].down * scale,
            .changed = (float)all[i].changed * scale,
            .usual = (float)all[i].usual / 16,
            .both = (float)all[i].both / 16,
        };
    }
}

float fine_fit(const layout *l, const fine_planes *p, const uint8_t *flags, int32_t dx, int32_t dy) {
    int32_t side = BLOCK * l->factor;
    int64_t both = 0;
    for (int32_t y = 4; y < l->height - 4; y += 2 * step_of(l)) {
        const uint8_t *flag = flags + least(y / side, l->blocks_down - 1) * l->blocks_across;
        const uint8_t *row = p->pixels + y * p->stride;
        const uint16_t *usual = p->usual + (y + dy) * l->width + dx;
        for (int32_t n = 0; n < l->blocks_across; n++) {
            int32_t from = n ? n * side : 4, to = n == l->blocks_across - 1 ? l->width - 4 : (n + 1) * side;
            int32_t products = 0;
            if (!flag[n]) continue;
#pragma clang loop unroll_count(4)
            for (int32_t x = from; x < to; x++)
                products += (usual[x + 1] - usual[x - 1]) / 16 * (row[x + 1] - row[x - 1]) +
                            (usual[x + l->width] - usual[x - l->width]) / 16 * (row[x + p->stride] - row[x - p->stride]);
            both += products;
        }
    }
    return (float)both / 16;
}

int fine_same(const layout *l, const fine_planes *p) {
    for (int32_t y = 0; y < l->height; y++) {
        const uint8_t *a = p->pixels + y * p->stride, *b = p->before + y * l->width;
        int32_t x = 0;
        for (; x + 16 <= l->width; x += 16)
            if (any16(load16(a + x) ^ load16(b + x))) return 0;
        for (; x < l->width; x++)
            if (a[x] != b[x]) return 0;
    }
    return 1;
}
