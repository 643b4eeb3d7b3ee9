/* The analyzer `motion`: what differs from the empty scene, as boxes with numbers, and as a mask for redaction. */
#include "background.h"
#include "camera_edge.h"
#include "exposure.h"
#include "regions.h"
#include "text.h"
#include "tracks.h"

#define LEAST(a, b) ((a) < (b) ? (a) : (b))

typedef struct settings {
    int64_t learn_us, absorb_us;
    int32_t radius, threshold;
    float least_area; /* of the view */
    float relearn_part;
    int32_t tight;
} settings;

static settings set;
static extent view;
static size_t room_bytes;
static uint8_t *room;
static background model;
static exposure light;
static regions found;
static tracks all;
static uint8_t *image, *hits, *joined, *cover, *scratch, *foreground, *before;
static uint8_t *shown; /* the mask as the host gets it: rows of width */
static int64_t last_us;

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
    set.tight = camera_edge_param_text(CAMERA_EDGE_TEXT("mask"), mask, sizeof mask) > 0 && mask[0] == 't';
    view = (extent){0};
    return 0;
}

static int32_t start(extent e) {
    size_t bytes = background_bytes(e) + 8 * plane_bytes(e) + (size_t)e.width * (size_t)e.height;
    if (bytes > room_bytes) {
        room = camera_edge_pages(bytes);
        room_bytes = room ? bytes : 0;
    }
    if (!room) return -1;
    __builtin_memset(room, 0, bytes);
    uint8_t *space = room + background_bytes(e);
    background_open(&model, e, room);
    uint8_t **planes[] = {&image, &hits, &joined, &cover, &scratch, &foreground, &before};
    for (uint32_t i = 0; i < sizeof planes / sizeof *planes; i++) *planes[i] = plane_take(&space, e);
    shown = space;
    exposure_open(&light);
    all = (tracks){0};
    view = e;
    return 0;
}

static void show_all_hidden(void) {
    __builtin_memset(shown, 255, (size_t)(view.width * view.height));
    camera_edge_mask(shown, (uint32_t)(view.width * view.height), (uint32_t)view.width, (uint32_t)view.height);
}

static void show_mask(const uint8_t *plane) {
    for (int32_t y = 0; y < view.height; y++)
        __builtin_memcpy(shown + y * view.width, plane + y * view.pitch, (size_t)view.width);
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
    for (int32_t i = 0; i < all.count; i++)
        if (all.list[i].seen >= 0 && all.list[i].id >= 0) emit_track(&all.list[i], &found.list[all.list[i].seen], media_us);
}

int32_t camera_edge_analyze(const camera_edge_slot *slot) {
    extent e = extent_of((int32_t)slot->width, (int32_t)slot->height);
    if ((e.width != view.width || e.height != view.height) && start(e)) return -1;
    const uint8_t *pixels = camera_edge_pixels(slot);
    int32_t stride = (int32_t)slot->stride;
    int64_t media_us = slot->media_us, elapsed_us = media_us - last_us;
    last_us = media_us;
    if (model.learned < SAMPLES) {
        light.gain = 1;
        exposure_correct(&light, e, pixels, stride, image);
        background_learn(&model, image, media_us, set.learn_us);
        show_all_hidden();
        return 0;
    }
    exposure_measure(&light, e, pixels, stride, model.usual, foreground);
    exposure_correct(&light, e, pixels, stride, image);
    float off = light.gain < 1 ? 1 - light.gain : light.gain - 1;
    background_compare(&model, image, (int32_t)(off * 16));
    regions_smooth(e, model.evidence, hits, scratch + 16, set.threshold);
    regions_widen(e, hits, joined, scratch, 2);
    region_planes planes = {hits, model.evidence, image, model.usual, model.held_age};
    regions_find(&found, e, joined, &planes, (int32_t)(set.least_area * (float)(e.width * e.height)));
    uint8_t *swap = before; before = foreground; foreground = swap;
    regions_paint(&found, e, hits, foreground);
    background_step step = {image, foreground, before, media_us, elapsed_us, set.absorb_us, set.radius};
    background_follow(&model, &step);
    track_regions(media_us);
    if (set.tight) show_mask(foreground);
    else {
        regions_widen(e, hits, cover, scratch, 5);
        show_mask(cover);
    }
    return 0;
}

void camera_edge_close(void) {}
