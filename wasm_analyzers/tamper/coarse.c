#include "coarse.h"

layout layout_of(int32_t width, int32_t height) {
    int32_t longest = width > height ? width : height;
    int32_t factor = (longest + MOST_SIDE - 1) / MOST_SIDE;
    layout l = {.width = width, .height = height, .factor = factor, .across = width / factor, .down = height / factor};
    if (l.across < 1) l.across = 1;
    if (l.down < 1) l.down = 1;
    l.blocks_across = l.across / BLOCK > 0 ? l.across / BLOCK : 1;
    l.blocks_down = l.down / BLOCK > 0 ? l.down / BLOCK : 1;
    return l;
}

/* A view that is narrower than a cell has one cell there, of the pixels that it has. */
static int32_t side_of_cell(int32_t factor, int32_t pixels) { return factor < pixels ? factor : pixels; }

void coarse_shrink(const layout *l, const uint8_t *pixels, int32_t stride, float *cells) {
    int32_t wide = side_of_cell(l->factor, l->width), high = side_of_cell(l->factor, l->height);
    float scale = 1.0f / (float)(wide * high);
    for (int32_t y = 0; y < l->down; y++) {
        uint32_t sums[MOST_SIDE] = {0};
        for (int32_t row = 0; row < high; row++) {
            const uint8_t *from = pixels + (y * high + row) * stride;
            if (wide == 4) {
#pragma clang loop unroll_count(4)
                for (int32_t x = 0; x < l->across; x++, from += 4) sums[x] += (uint32_t)(from[0] + from[1] + from[2] + from[3]);
                continue;
            }
            for (int32_t x = 0; x < l->across; x++)
                for (int32_t column = 0; column < wide; column++) sums[x] += *from++;
        }
        for (int32_t x = 0; x < l->across; x++) cells[y * l->across + x] = (float)sums[x] * scale;
    }
}

static void relate_row(const layout *l, int32_t y, int32_t from, int32_t to, const float *now, const float *then,
                       const uint8_t *open, relation *sum) {
    int32_t pitch = l->across;
    int edge_row = y == 0 || y == l->down - 1;
    for (int32_t x = from; x < to; x++) {
        int32_t at = y * pitch + x;
        if (!open[at]) continue;
        float change = now[at] - then[at];
        sum->cells++;
        sum->changed += change < 0 ? -change : change;
        sum->light_now += now[at];
        sum->light_then += then[at];
        if (edge_row || x == 0 || x == pitch - 1) continue;
        float now_x = now[at + 1] - now[at - 1], now_y = now[at + pitch] - now[at - pitch];
        float then_x = then[at + 1] - then[at - 1], then_y = then[at + pitch] - then[at - pitch];
        sum->now += now_x * now_x + now_y * now_y;
        sum->then += then_x * then_x + then_y * then_y;
        sum->both += now_x * then_x + now_y * then_y;
    }
}

void coarse_relate(const layout *l, const float *now, const float *then, const uint8_t *open, relation *blocks) {
    for (int32_t row = 0; row < l->blocks_down; row++) {
        int32_t top = block_start(row, l->blocks_down, l->down), bottom = block_start(row + 1, l->blocks_down, l->down);
        for (int32_t column = 0; column < l->blocks_across; column++) {
            int32_t left = block_start(column, l->blocks_across, l->across);
            int32_t right = block_start(column + 1, l->blocks_across, l->across);
            relation sum = {0};
            for (int32_t y = top; y < bottom; y++) relate_row(l, y, left, right, now, then, open, &sum);
            *blocks++ = sum;
        }
    }
}
