/* What changed since the frame before.
 *
 * The view is divided into cells of 8 x 8 pixels. A cell has changed where its pixels differ from those of the previous
 * slot by more than `threshold` grey levels, on average. If at least `min_cells` cells have changed, one observation
 * `change` is reported: the box around them, and as its score the part of all cells that has changed. Every cell that
 * has changed is hidden by the mask. Of the first frame nothing is known, so it is hidden whole and has no score.
 *
 * The examples of all SDKs give the same answers, to the last bit: pixels are added up as integers, and the conversions
 * to floating point are the same, in the same order.
 */
#include "camera_edge.h"
#include "text.h"

enum { CELL = 8 };

static double threshold;
static double min_cells;
static uint8_t *mask; /* one byte for each pixel of the view, 255: hidden */

/* The cells that have changed in a frame, and the box around them in pixels of the view. */
typedef struct change {
    uint32_t changed, cells;
    uint32_t left, top, right, bottom;
} change;

/* A part of the view, in pixels. */
typedef struct cell {
    uint32_t left, top, right, bottom;
} cell;

static uint32_t smaller(uint32_t a, uint32_t b) { return a < b ? a : b; }
static uint32_t larger(uint32_t a, uint32_t b) { return a > b ? a : b; }

int32_t camera_edge_open(void) {
    threshold = camera_edge_param_number(CAMERA_EDGE_TEXT("threshold"), 12);
    min_cells = camera_edge_param_number(CAMERA_EDGE_TEXT("min_cells"), 2);
    return 0;
}

static int32_t has_changed(const camera_edge_slot *now, const camera_edge_slot *before, cell c) {
    uint32_t sum = 0;
    for (uint32_t y = c.top; y < c.bottom; y++) {
        const uint8_t *a = camera_edge_pixels(now) + y * now->stride;
        const uint8_t *b = camera_edge_pixels(before) + y * before->stride;
        for (uint32_t x = c.left; x < c.right; x++) sum += a[x] > b[x] ? a[x] - b[x] : b[x] - a[x];
    }
    uint32_t pixels = (c.right - c.left) * (c.bottom - c.top);
    return (double)sum > threshold * (double)pixels;
}

static void fill_mask(uint32_t width, cell c, uint8_t value) {
    for (uint32_t y = c.top; y < c.bottom; y++)
        for (uint32_t x = c.left; x < c.right; x++) mask[y * width + x] = value;
}

static change compare(const camera_edge_slot *now, const camera_edge_slot *before) {
    change found = {.left = now->width, .top = now->height};
    for (uint32_t top = 0; top < now->height; top += CELL)
        for (uint32_t left = 0; left < now->width; left += CELL) {
            /* the last column and the last row may be narrower */
            cell c = {left, top, smaller(left + CELL, now->width), smaller(top + CELL, now->height)};
            int32_t changed = has_changed(now, before, c);
            fill_mask(now->width, c, changed ? 255 : 0);
            found.cells++;
            if (!changed) continue;
            found.changed++;
            found.left = smaller(found.left, c.left);
            found.top = smaller(found.top, c.top);
            found.right = larger(found.right, c.right);
            found.bottom = larger(found.bottom, c.bottom);
        }
    return found;
}

static void report(const camera_edge_slot *slot, const change *found) {
    float width = (float)slot->width, height = (float)slot->height;
    char bytes[32];
    text attributes = {.bytes = bytes, .capacity = sizeof bytes};
    text_say(&attributes, "{\"cells\":");
    text_add_number(&attributes, found->changed, 0);
    text_say(&attributes, "}");
    camera_edge_observation seen = {
        .kind = "change",
        .kind_len = 6,
        .score = (float)found->changed / (float)found->cells,
        .track = -1,
        .x = (float)found->left / width,
        .y = (float)found->top / height,
        .w = (float)(found->right - found->left) / width,
        .h = (float)(found->bottom - found->top) / height,
        .attributes = attributes.bytes,
        .attributes_len = attributes.len,
    };
    camera_edge_emit(&seen);
}

int32_t camera_edge_analyze(const camera_edge_slot *slot) {
    uint32_t width = slot->width, height = slot->height;
    /* the size of the view does not change as long as the module lives */
    if (!mask) mask = camera_edge_pages(width * height);
    if (!mask) return -1;
    const camera_edge_slot *before = camera_edge_previous(slot);
    if (!before) {
        fill_mask(width, (cell){0, 0, width, height}, 255);
        camera_edge_mask(mask, width * height, width, height);
        return 0;
    }
    change found = compare(slot, before);
    camera_edge_score((double)found.changed / (double)found.cells);
    camera_edge_mask(mask, width * height, width, height);
    if (found.changed > 0 && (double)found.changed >= min_cells) report(slot, &found);
    return 0;
}

void camera_edge_close(void) {}
