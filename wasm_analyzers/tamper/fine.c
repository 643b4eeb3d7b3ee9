/* Noise: J. Immerkaer, "Fast noise variance estimation", Computer Vision and Image Understanding 64 (1996).
 *
 * Sharpness is a regression of the frame's gradients on those of the learned view: noise, which is in the frame alone,
 * falls out of it, and so do things that pass. */
#include "fine.h"

#include <stddef.h>

#include "simd.h"

enum {
    NUDGE = 3,     /* pixels; fit_at allows no more */
    ROWS = 56,     /* about so many are looked at */
    STRONG = 1600, /* sixteenths of the squared gradient, 10 grey levels here: what is weaker an encoder may leave out */
};

static inline int32_t apart(int32_t a, int32_t b) { return a < b ? b - a : a - b; }

typedef struct sums {
    int32_t noise, rough, changed, alive, pixels;
    int64_t usual, both;
} sums;

/* Returns how much brighter it is than the learned view. */
static int32_t measure_row(const layout *l, const fine_planes *p, int32_t y, int32_t from, int32_t to, sums *sum,
                           int32_t *columns) {
    const uint8_t *row = p->pixels + y * p->stride, *above = row - p->stride, *below = row + p->stride;
    const uint8_t *before = p->before + y * l->width;
    const uint16_t *usual = p->usual + y * l->width;
    int32_t noise = 0, rough = 0, changed = 0, alive = 0, squares = 0, products = 0, brighter = 0;
#pragma clang loop unroll_count(4)
    for (int32_t x = from; x < to; x++) {
        int32_t left = row[x - 1] - 2 * row[x] + row[x + 1];
        int32_t top = above[x - 1] - 2 * above[x] + above[x + 1], bottom = below[x - 1] - 2 * below[x] + below[x + 1];
        noise += apart(top + bottom, 2 * left);
        rough += apart(left, 0) + apart(above[x] + below[x], 2 * row[x]);
        changed += apart(row[x], before[x]);
        alive += row[x] != before[x];
        int32_t more = row[x] - ((usual[x] * p->gain) >> 16);
        brighter += more;
        columns[x] += more;
        int32_t usual_x = (usual[x + 1] - usual[x - 1]) / 16, usual_y = (usual[x + l->width] - usual[x - l->width]) / 16;
        int32_t square = (usual_x * usual_x + usual_y * usual_y) >> 4;
        if (square < STRONG) continue;
        squares += square;
        products += usual_x * (row[x + 1] - row[x - 1]) + usual_y * (below[x] - above[x]);
    }
    sum->noise += noise;
    sum->rough += rough;
    sum->changed += changed;
    sum->alive += alive;
    sum->usual += squares;
    sum->both += products;
    sum->pixels += to - from;
    return brighter;
}

static int32_t step_of(const layout *l) { return l->height > 2 * ROWS ? l->height / ROWS : 1; }

static int32_t least(int32_t a, int32_t b) { return a < b ? a : b; }

/* How much brighter than the learned view each line of pixels is within each of the blocks that it crosses. */
typedef struct strip {
    int32_t parts[MOST_STRIPS];
} strip;

/* The mean step from one line to the next in which its parts agree: lines go on, and things end. */
static float mean_step(const strip *lines, int32_t count, int32_t stride, int32_t pixels) {
    int64_t agreed = 0;
    int32_t taken = 0;
    for (int32_t i = stride; i < count; i += stride, taken++) {
        int32_t whole = 0, parts = 0;
        for (int32_t n = 0; n < MOST_STRIPS; n++) {
            int32_t change = lines[i].parts[n] - lines[i - stride].parts[n];
            whole += change;
            parts += apart(change, 0);
        }
        /* of random signs half and less agrees */
        int32_t beyond = 2 * apart(whole, 0) - parts;
        agreed += beyond > 0 ? beyond : 0;
    }
    return taken && pixels ? (float)agreed / (float)taken / (float)pixels : 0;
}

float fine_measure(const layout *l, const fine_planes *planes, grain *blocks) {
    static sums all[MOST_BLOCKS];
    static strip rows[2 * ROWS + 2], columns[MOST_WIDTH];
    static int32_t along[MOST_WIDTH];
    int32_t count = layout_blocks(l), side = BLOCK * l->factor, step = step_of(l), measured = 0;
    __builtin_memset(all, 0, sizeof all);
    __builtin_memset(rows, 0, sizeof rows);
    __builtin_memset(columns, 0, sizeof columns);
    /* not evenly, or even lines would be the same in all rows */
    for (int32_t top = 1; top < l->height - 2; top += step) {
        int32_t y = step > 1 ? top + (measured & 1) : top;
        int32_t down = least(y / side, l->blocks_down - 1);
        __builtin_memset(along, 0, sizeof along);
        for (int32_t n = 0; n < l->blocks_across; n++) {
            int32_t from = n ? n * side : 1, to = n == l->blocks_across - 1 ? l->width - 1 : (n + 1) * side;
            if (from < to) rows[measured].parts[n] = measure_row(l, planes, y, from, to, &all[down * l->blocks_across + n], along);
        }
        for (int32_t x = 0; x < l->width; x++) columns[x].parts[down] += along[x];
        measured++;
    }
    for (int32_t i = 0; i < count; i++) {
        float scale = all[i].pixels ? 1.0f / (float)all[i].pixels : 0;
        blocks[i] = (grain){
            .noise = (float)all[i].noise * scale,
            .rough = (float)all[i].rough * scale,
            .changed = (float)all[i].changed * scale,
            .alive = (float)all[i].alive * scale,
            .usual = (float)all[i].usual / 16,
            .both = (float)all[i].both / 16,
        };
    }
    float down = mean_step(rows, measured, 1, l->width), across = mean_step(columns, l->width - 1, step | 1, measured);
    return down > across ? down : across;
}

/* With the learned view shifted by (dx, dy). */
static float fit_at(const layout *l, const fine_planes *p, const uint8_t *flags, int32_t dx, int32_t dy) {
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

nudge fine_climb(const layout *l, const fine_planes *p, const uint8_t *flags) {
    static const int8_t steps[4][2] = {{1, 0}, {-1, 0}, {0, 1}, {0, -1}};
    nudge best = {0, 0, 0, fit_at(l, p, flags, 0, 0)};
    best.fit = best.none;
    for (int climbing = 1; climbing;) {
        climbing = 0;
        for (int32_t i = 0; i < 4; i++) {
            int32_t x = best.x + steps[i][0], y = best.y + steps[i][1];
            if (x < -NUDGE || x > NUDGE || y < -NUDGE || y > NUDGE) continue;
            float fit = fit_at(l, p, flags, x, y);
            if (fit <= best.fit) continue;
            best.fit = fit, best.x = x, best.y = y, climbing = 1;
            break;
        }
    }
    return best;
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
