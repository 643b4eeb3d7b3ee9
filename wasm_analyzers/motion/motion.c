/* The analyzer `motion`: what differs from the empty scene, as boxes with numbers, and as a mask for redaction. */
#include "background.h"
#include "camera_edge.h"
#include "exposure.h"
#include "regions.h"
#include "text.h"
#include "tracks.h"
#include "unsettled.h"

#define LEAST(a, b) ((a) < (b) ? (a) : (b))

enum {
    GHOST_US = 2000000, /* how long a region must stand still before it may be one */
    UNSETTLED_DRAW_US = 300000,
    GHOST_EDGE = 8,     /* how much steeper its rim must be in the background, in grey levels */
};

typedef struct settings {
    int64_t learn_us, absorb_us;
    int32_t radius, threshold;
    float least_area; /* of the view */
    float relearn_part;
    int32_t tight, restless, margin; float travel;
} settings;

static settings set;
static extent view;
static size_t room_bytes;
static uint8_t *room;
static background model;
static exposure light;
static unsettled places;
static regions found;
static tracks all;
static uint8_t *image, *hits, *joined, *cover, *scratch, *foreground, *doubtful, *doubtful_now, *unsettled_mask;
static uint8_t *shown; /* the mask as the host gets it: rows of width */
static int64_t last_us, unsettled_drawn_us;

static double number(const char *name, double fallback) {
    return camera_edge_param_number(name, text_length(name), fallback);
}

int32_t camera_edge_open(void) {
    char mask[8] = {0};
    set.learn_us = (int64_t)(number("learn_s", 4) * 1e6);
    set.absorb_us = (int64_t)(number("absorb_s", 90) * 1e6);
    set.radius = (int32_t)number("radius", 20);
    set.threshold = (int32_t)number("threshold", 10);
    set.least_area = (float)number("min_area", 0.0006);
    set.margin = (int32_t)number("margin", 3);
    set.travel = (float)number("travel", 0.7);
    set.restless = (int32_t)number("restless", 30);
    set.tight = camera_edge_param_text(CAMERA_EDGE_TEXT("mask"), mask, sizeof mask) > 0 && mask[0] == 't';
    view = (extent){0};
    return 0;
}

static int32_t start(extent e) {
    size_t bytes = background_bytes(e) + unsettled_bytes(e) + 9 * plane_bytes(e) + (size_t)e.width * (size_t)e.height;
    if (bytes > room_bytes) {
        room = camera_edge_pages(bytes);
        room_bytes = room ? bytes : 0;
    }
    if (!room) return -1;
    __builtin_memset(room, 0, bytes);
    uint8_t *space = room + background_bytes(e);
    background_open(&model, e, room);
    uint8_t **planes[] = {&image, &hits, &joined, &cover, &scratch, &foreground, &doubtful, &doubtful_now, &unsettled_mask};
    for (uint32_t i = 0; i < sizeof planes / sizeof *planes; i++) *planes[i] = plane_take(&space, e);
    unsettled_open(&places, e, space);
    space += unsettled_bytes(e);
    shown = space;
    exposure_open(&light);
    all = (tracks){0};
    view = e;
    return 0;
}

static void hide_all(void) {
    __builtin_memset(shown, 255, (size_t)(view.width * view.height));
    camera_edge_mask(shown, (uint32_t)(view.width * view.height), (uint32_t)view.width, (uint32_t)view.height);
}

static void show_mask(const uint8_t *plane) {
    for (int32_t y = 0; y < view.height; y++)
        copy16(shown + y * view.width, plane + y * view.pitch, view.width);
    camera_edge_mask(shown, (uint32_t)(view.width * view.height), (uint32_t)view.width, (uint32_t)view.height);
}

static void emit_track(const track *t, const region *r, int64_t media_us) {
    char bytes[96];
    text attributes = {.bytes = bytes, .capacity = sizeof bytes};
    text_say(&attributes, "{\"area\":");
    text_add_number(&attributes, (double)r->area / (view.width * view.height), 5);
    text_say(&attributes, ",\"age_s\":");
    text_add_number(&attributes, (double)(media_us - t->first_us) * 1e-6, 2);
    text_say(&attributes, "}");
    float contrast = (float)r->strength / (float)r->area / 32.0f;
    float score = 0.4f + 0.6f * LEAST(contrast, 1.0f) * (float)LEAST(t->hits, 4) / 4.0f;
    float w = (float)view.width, h = (float)view.height;
    camera_edge_observation seen = {
        .kind = "motion", .kind_len = 6, .score = score, .track = t->id,
        .x = (float)r->left / w, .y = (float)r->top / h,
        .w = (float)(r->right - r->left) / w, .h = (float)(r->bottom - r->top) / h,
        .attributes = bytes, .attributes_len = attributes.len,
    };
    camera_edge_emit(&seen);
}

/* A thing that comes or goes is seen to travel; a branch in the wind is not. */
static int32_t has_travelled(const track *t) {
    float dx = t->at.x + t->at.w / 2 - t->start.x - t->start.w / 2, dy = t->at.y + t->at.h / 2 - t->start.y - t->start.h / 2;
    float w = t->at.w > t->start.w ? t->at.w : t->start.w, h = t->at.h > t->start.h ? t->at.h : t->start.h;
    return dx * dx / (w * w + 1e-9f) + dy * dy / (h * h + 1e-9f) > set.travel * set.travel;
}

static void track_regions(int64_t media_us) {
    static box boxes[MAX_REGIONS];
    static int32_t groups[MAX_REGIONS];
    for (int32_t i = 0; i < found.count; i++) {
        const region *r = &found.list[i];
        boxes[i] = (box){(float)r->left / view.width, (float)r->top / view.height,
                         (float)(r->right - r->left) / view.width, (float)(r->bottom - r->top) / view.height};
        groups[i] = 0;
    }
    track_rules rules = {.keep_us = 1000000, .confirm_hits = 2, .reach = 1.0f};
    tracks_feed(&all, boxes, groups, found.count, media_us, &rules);
    for (int32_t i = 0; i < all.count; i++) {
        track *t = &all.list[i];
        if (t->seen < 0) continue;
        if (has_travelled(t)) t->mark = 1;
        found.list[t->seen].travelled = t->mark;
    }
}

/* What has left the scene shows no edge where the background model has one: the model held it, and lets go of it now.
 * What has come and stands still has its edges in the frame. */
static void forget_ghosts(void) {
    int32_t least_steady = (int32_t)(GHOST_US * ABSORB_TICKS / set.absorb_us);
    for (int32_t i = 0; i < found.count; i++) {
        const region *r = &found.list[i];
        if (r->contour < 12 || r->steady < least_steady * r->area) continue;
        if (r->edge_usual < r->edge_now + r->edge_now / 2 + GHOST_EDGE * r->contour) continue;
        regions_paint_one(&found, view, hits, i, scratch);
        background_accept(&model, image, scratch, r->left, r->top, r->right - r->left, r->bottom - r->top);
        camera_edge_metric(CAMERA_EDGE_TEXT("ghosts"), 1);
#ifndef __wasm__
        extern int printf(const char*,...); printf("ghost %lld box %d %d %d %d area %d now %d usual %d\n",(long long)last_us,r->left,r->top,r->right,r->bottom,r->area,r->edge_now/r->contour,r->edge_usual/r->contour);
#endif
    }
}

static void emit_tracks(int64_t media_us) {
    for (int32_t i = 0; i < all.count; i++) {
        const track *t = &all.list[i];
        if (t->seen < 0 || t->id < 0) continue;
        const region *r = &found.list[t->seen];
        if (!r->travelled && r->unrest > set.restless * r->area) continue;
        emit_track(t, r, media_us);
    }
}

static void learn(const uint8_t *pixels, int32_t stride, int64_t media_us) {
    light.gain = 1;
    exposure_correct(&light, view, pixels, stride, image);
    if (background_learn(&model, image, media_us, set.learn_us))
        unsettled_drawn_us = media_us - UNSETTLED_DRAW_US, unsettled_start(&places, model.distance, media_us + set.absorb_us);
    hide_all();
}

/* Where someone may have stood from the start, filled; drawn anew a few times a second. */
static void draw_unsettled(int64_t media_us) {
    if (media_us - unsettled_drawn_us < UNSETTLED_DRAW_US) return;
    unsettled_drawn_us = media_us;
    for (int32_t y = 0; y < view.height; y++)
        for (int32_t x = 0; x < view.padded; x += 16) {
            int32_t at = y * view.pitch + x;
            store16(model.evidence + at, ~at_most16(load16(places.left + at), splat16(0)) & splat16(40));
        }
    regions_smooth(view, model.evidence, hits, scratch + 16, 7);
    regions_join(view, hits, unsettled_mask, scratch);
    region_planes planes = {hits, model.evidence, image, model.usual, model.held_age, model.unrest};
    regions_find(&found, view, unsettled_mask, &planes, 12);
    regions_fill(&found, view, unsettled_mask);
}

/* All that may be someone: what differs, generously; and where someone may have stood from the start. */
static void show_cover(int64_t media_us, int64_t elapsed_us) {
    regions_widen(view, joined, cover, scratch, set.margin);
    unsettled_follow(&places, image, cover, media_us, elapsed_us);
    regions_fill(&found, view, cover);
    if (places.any) {
        draw_unsettled(media_us);
        for (int32_t y = 0; y < view.height; y++)
            for (int32_t x = 0; x < view.padded; x += 16) {
                int32_t at = y * view.pitch + x;
                store16(cover + at, load16(cover + at) | load16(unsettled_mask + at));
            }
    }
    show_mask(cover);
}

int32_t camera_edge_analyze(const camera_edge_slot *slot) {
    extent e = extent_of((int32_t)slot->width, (int32_t)slot->height);
    if ((e.width != view.width || e.height != view.height) && start(e)) return -1;
    const uint8_t *pixels = camera_edge_pixels(slot);
    int32_t stride = (int32_t)slot->stride;
    int64_t media_us = slot->media_us, elapsed_us = media_us - last_us;
    last_us = media_us;
    if (model.learned < SAMPLES) {
        learn(pixels, stride, media_us);
        return 0;
    }
    exposure_measure(&light, e, pixels, stride, model.usual, foreground);
    exposure_correct(&light, e, pixels, stride, image);
    float off = light.gain < 1 ? 1 - light.gain : light.gain - 1;
    background_compare(&model, image, (int32_t)(off * 16));
    regions_smooth(e, model.evidence, hits, scratch + 16, set.threshold);
    regions_join(e, hits, joined, scratch);
    region_planes planes = {hits, model.evidence, image, model.usual, model.held_age, model.unrest};
    regions_find(&found, e, joined, &planes, (int32_t)(set.least_area * (float)(e.width * e.height)));
    track_regions(media_us);
    regions_paint(&found, e, hits, foreground, doubtful_now);
    background_step step = {image, foreground, doubtful, media_us, elapsed_us, set.absorb_us, set.radius};
    background_follow(&model, &step);
    forget_ghosts();
    uint8_t *swap = doubtful; doubtful = doubtful_now; doubtful_now = swap;
    emit_tracks(media_us);
    if (set.tight)
        show_mask(foreground);
    else
        show_cover(media_us, elapsed_us);
    return 0;
}

void camera_edge_close(void) {}
