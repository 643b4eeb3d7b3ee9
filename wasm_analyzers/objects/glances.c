#include "glances.h"

static const float ROOM = 0.5f;          /* around a place, in its longer sides */
static const float ZOOM = 2;             /* a window is not shown larger than this */
static const float MUCH = 0.5f;          /* of the frame, in all windows together */
static const float TOGETHER = 1.2f;      /* windows whose common one is at most so much larger become one */
static const float EDGE = 0.01f;         /* of a window's side */
static const int64_t WHOLE_US = 3000000; /* so often the whole is looked at besides */

static inline float smaller(float a, float b) { return a < b ? a : b; }
static inline float larger(float a, float b) { return a > b ? a : b; }

window window_whole(int32_t frame_width, int32_t frame_height) {
    return (window){0, 0, frame_width, frame_height, frame_width, frame_height};
}

void glances_whole(glances *at, window whole, int64_t media_us) {
    at->list[0] = whole;
    at->count = 1;
    at->whole_us = media_us;
}

/* A side of `length` around a middle, inside 0..limit. */
static void settle(float middle, float length, float limit, float *from, float *side) {
    *side = smaller(length, limit);
    *from = smaller(larger(middle - *side / 2, 0), limit - *side);
}

/* Of at least this size and of the model's shape, inside the frame; all in pixels. */
static box widened(box at, float least_w, float least_h, window whole) {
    float shape = least_w / least_h;
    float w = larger(at.w, least_w), h = larger(at.h, least_h);
    if (w < h * shape) w = h * shape;
    if (h < w / shape) h = w / shape;
    box out;
    settle(at.x + at.w / 2, w, (float)whole.w, &out.x, &out.w);
    settle(at.y + at.h / 2, h, (float)whole.h, &out.y, &out.h);
    return out;
}

static box in_pixels(box place, window whole) {
    box at = box_clip(place);
    at = (box){at.x * (float)whole.w, at.y * (float)whole.h, at.w * (float)whole.w, at.h * (float)whole.h};
    float room = ROOM * larger(at.w, at.h);
    return (box){at.x - room, at.y - room, at.w + 2 * room, at.h + 2 * room};
}

static box common(box a, box b) {
    float x = smaller(a.x, b.x), y = smaller(a.y, b.y);
    return (box){x, y, larger(a.x + a.w, b.x + b.w) - x, larger(a.y + a.h, b.y + b.h) - y};
}

static float area(box b) { return b.w * b.h; }

/* Join the two whose common window costs least, as long as that is no loss or there are too many; how many are left. */
static int32_t join(box *windows, int32_t count, float least_w, float least_h, window whole) {
    while (count > 1) {
        int32_t a = 0, b = 1;
        float least = __builtin_inff();
        for (int32_t i = 0; i < count; i++)
            for (int32_t k = i + 1; k < count; k++) {
                float cost = area(widened(common(windows[i], windows[k]), least_w, least_h, whole)) / (area(windows[i]) + area(windows[k]));
                if (cost < least) least = cost, a = i, b = k;
            }
        if (least > TOGETHER && count <= MAX_WINDOWS) break;
        windows[a] = widened(common(windows[a], windows[b]), least_w, least_h, whole);
        windows[b] = windows[--count];
    }
    return count;
}

/* To whole pixels, so that the host cuts out exactly this. */
static window in_whole_pixels(box at, window whole) {
    int32_t left = (int32_t)at.x, top = (int32_t)at.y;
    int32_t right = (int32_t)(at.x + at.w + 0.999f), bottom = (int32_t)(at.y + at.h + 0.999f);
    if (right > whole.w) right = whole.w;
    if (bottom > whole.h) bottom = whole.h;
    return (window){left, top, right - left, bottom - top, whole.w, whole.h};
}

void glances_plan(glances *at, box *places, int32_t count, window whole, const detector *net, int64_t media_us) {
    float least_w = (float)net->width / ZOOM, least_h = (float)net->height / ZOOM, covered = 0;
    int32_t kept = 0;
    for (int32_t i = 0; i < count; i++) {
        box place = widened(in_pixels(places[i], whole), least_w, least_h, whole);
        /* many at one place are one at once: only few are ever compared with each other */
        places[kept++] = place;
        if (kept > 2 * MAX_WINDOWS || i == count - 1) kept = join(places, kept, least_w, least_h, whole);
    }
    for (int32_t i = 0; i < kept; i++) covered += area(places[i]);
    if (covered > MUCH * (float)whole.w * (float)whole.h) {
        glances_whole(at, whole, media_us);
        return;
    }
    at->count = 0;
    for (int32_t i = 0; i < kept; i++) at->list[at->count++] = in_whole_pixels(places[i], whole);
    if (at->whole_us >= 0 && media_us - at->whole_us < WHOLE_US) return;
    at->list[at->count++] = whole;
    at->whole_us = media_us;
}

int32_t window_cuts(window seen, box thing) {
    float left = (float)seen.x / (float)seen.frame_width, right = (float)(seen.x + seen.w) / (float)seen.frame_width;
    float top = (float)seen.y / (float)seen.frame_height, bottom = (float)(seen.y + seen.h) / (float)seen.frame_height;
    float edge_x = EDGE * (right - left), edge_y = EDGE * (bottom - top);
    return (seen.x > 0 && thing.x < left + edge_x) || (seen.x + seen.w < seen.frame_width && thing.x + thing.w > right - edge_x) ||
           (seen.y > 0 && thing.y < top + edge_y) || (seen.y + seen.h < seen.frame_height && thing.y + thing.h > bottom - edge_y);
}
