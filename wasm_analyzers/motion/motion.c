/* The analyzer `motion`: what differs from the empty scene, as boxes with numbers, and as a mask for redaction.
 *
 * The boxes are tight and without shadows. The mask is generous: it covers shadows, small things and whoever may have
 * stood there from the start; while the scene is not known it covers everything. */
#include "background.h"
#include "camera_edge.h"
#include "exposure.h"
#include "holes.h"
#include "report.h"
#include "shadow.h"
#include "text.h"
#include "unsettled.h"

/* What a track's mark holds. */
enum { TRAVELLED = 1, A_FRAME = 2 };

enum {
    GRACE_US = 1000000,         /* for so long a thing need not have travelled */
    GHOST_US = 2000000,         /* how long a region must stand still before it may be a ghost */
    GHOST_EDGE = 8,             /* how much steeper its rim must be in the background, in grey levels */
    GHOST_EDGES = 5,            /* and how many times, in halves */
    GHOST_APART = 6,            /* pixels to anything else that moves */
    GHOST_CONTOUR = 12,         /* pixels of rim that are enough to tell */
    STIRRED = 8,                /* mean unrest from which on a small region is doubted at first */
    RESTLESS = 30,              /* mean unrest from which on a region that never travelled is not reported */
    COVERED_US = 10000000,      /* a view that is covered for so long is a new scene */
    UNSETTLED_DRAW_US = 300000, /* how often the unsettled places are drawn anew */
    UNSETTLED_MARGIN = 3,       /* pixels between parts of an outline that are one person */
    UNSETTLED_PIXELS = 12,      /* fewer are noise */
    PLANES = 11,
};
static const float FAR = 0.7f;           /* of its own size: a thing that moved so far is no branch in the wind */
static const float LARGE = 0.02f;      /* of the view: a branch is smaller */
static const float CHANGED = 0.5f;     /* of the view: so much changes at once when a light is switched */
static const float COVERED = 0.75f;    /* of the view */
static const float SAME_EDGES = 0.6f;  /* of the background's edges: the scene is the same in another light */

typedef struct settings {
    int64_t learn_us, absorb_us, keep_us;
    int32_t threshold, margin, tight;
    float least_area; /* of the view */
} settings;

static settings set;
static extent view;
static uint8_t *room;
static size_t room_bytes;
static background model;
static exposure light;
static unsettled places;
static regions found;
static tracks all;
static still_layer still;
static uint8_t *image, *hits, *solid, *joined, *foreground, *doubtful, *doubtful_before, *cover, *unsettled_cover;
static uint8_t *scratch, *scratch_too, *rows;
static uint8_t *shown; /* the mask as the host gets it: rows of width */
static int64_t last_us, uncovered_us, unsettled_drawn_us;

static double number(const char *name, double fallback, double least, double most) {
    double value = camera_edge_param_number(name, text_length(name), fallback);
    return value < least ? least : value > most ? most : value;
}

static int is_word(const char *text, int32_t length, const char *word) {
    int32_t same = 0;
    while (same < length && word[same] && text[same] == word[same]) same++;
    return same == length && !word[same];
}

/* Which mask is asked for: a word with a slip in it must not bring another one. */
static int32_t read_mask(void) {
    char mask[8] = {0};
    int32_t length = camera_edge_param_text(CAMERA_EDGE_TEXT("mask"), mask, sizeof mask);
    set.tight = is_word(mask, length, "tight");
    if (length < 0 || set.tight || is_word(mask, length, "cover")) return 0;
    camera_edge_log(CAMERA_EDGE_ERROR, CAMERA_EDGE_TEXT("mask is neither cover nor tight: give one of the two"));
    return -1;
}

int32_t camera_edge_open(void) {
    set.learn_us = (int64_t)(number("learn_s", 4, 0.1, 600) * 1e6);
    set.absorb_us = (int64_t)(number("absorb_s", 90, 1, 86400) * 1e6);
    set.keep_us = (int64_t)(number("keep_s", 1, 0, 60) * 1e6);
    set.threshold = (int32_t)number("threshold", 10, 1, 39);
    set.margin = (int32_t)number("margin", 3, 0, 5);
    set.least_area = (float)number("min_area", 0.0006, 0, 1);
    if (read_mask()) return -1;
    view = (extent){0};
    all = (tracks){0};
    return 0;
}

/* Memory for a view of this size, all at its beginning. */
static int32_t start(extent e, int64_t media_us) {
    size_t pixels = (size_t)e.width * (size_t)e.height;
    size_t bytes = background_bytes(e) + unsettled_bytes(e) + still_bytes(e) + PLANES * plane_bytes(e) + pixels +
                   (size_t)(e.height + 2 * ROW_MARGIN);
    if (bytes > room_bytes) {
        /* zero already: to write it would only cost its pages, all of them before the first answer */
        room = camera_edge_pages(bytes);
        room_bytes = room ? bytes : 0;
    } else {
        __builtin_memset(room, 0, bytes);
    }
    if (!room) {
        camera_edge_log(CAMERA_EDGE_ERROR, CAMERA_EDGE_TEXT("no memory for a view of this size: ask for a smaller one"));
        return -1;
    }
    uint8_t *space = room;
    background_open(&model, e, space);
    space += background_bytes(e);
    unsettled_open(&places, e, space);
    space += unsettled_bytes(e);
    still_open(&still, e, space);
    still.least_area = set.least_area;
    space += still_bytes(e);
    uint8_t **planes[PLANES] = {&image,           &hits,  &solid,           &joined,  &foreground, &doubtful,
                                &doubtful_before, &cover, &unsettled_cover, &scratch, &scratch_too};
    for (int32_t i = 0; i < PLANES; i++) *planes[i] = plane_take(&space, e);
    rows = rows_take(&space, e);
    shown = space;
    exposure_open(&light);
    view = e;
    last_us = uncovered_us = media_us;
    return 0;
}

static void send_mask(void) {
    camera_edge_mask(shown, (uint32_t)(view.width * view.height), (uint32_t)view.width, (uint32_t)view.height);
}

static void hide_all(void) {
    __builtin_memset(shown, CAMERA_EDGE_HIDDEN, (size_t)(view.width * view.height));
    send_mask();
}

/* What is found and not doubted: the foreground of the mask. */
static void draw_foreground(void) {
    regions_paint_told(&found, view, (hit_plane){solid, rows}, scratch);
    for (int32_t y = 0; y < view.height; y++) copy16(shown + y * view.width, scratch + y * view.pitch, view.width);
}

/* What is hidden beside it. */
static void draw_hidden(const uint8_t *plane) {
    u8x16 hidden = splat16(CAMERA_EDGE_HIDDEN);
    for (int32_t y = 0; y < view.height; y++) {
        const uint8_t *from = plane + y * view.pitch;
        uint8_t *to = shown + y * view.width;
        int32_t x = 0;
#pragma clang loop unroll_count(4)
        for (; x + 16 <= view.width; x += 16) store16(to + x, max16(load16(to + x), load16(from + x) & hidden));
        for (; x < view.width; x++) to[x] |= to[x] ? 0 : from[x] & CAMERA_EDGE_HIDDEN;
    }
}

static void learn(const uint8_t *pixels, int32_t stride, int64_t media_us) {
    light.gain = 1;
    exposure_correct(&light, view, pixels, stride, image);
    if (background_learn(&model, image, media_us, set.learn_us)) {
        unsettled_start(&places, model.distance, media_us + set.absorb_us);
        unsettled_drawn_us = media_us - UNSETTLED_DRAW_US;
        uncovered_us = media_us;
    }
    hide_all();
}

static void learn_again(void) {
    background_relearn(&model);
    plane_clear(foreground, view);
    plane_clear(doubtful, view);
    plane_clear(doubtful_before, view);
    still_restart(&still);
    all.count = 0;
    hide_all();
}

/* A light was switched, or the camera was turned or covered: what was learned is of no use. */
static int scene_changed(int64_t media_us) {
    float part = (float)plane_count(hits, rows, view) / (float)(view.width * view.height);
    camera_edge_score(part);
    if (part < COVERED) uncovered_us = media_us;
    if (media_us - uncovered_us > COVERED_US) return 1;
    return part > CHANGED && exposure_same_edges(view, image, model.usual) > SAME_EDGES;
}

/* A thing that comes or goes is seen to travel; a branch in the wind is not. */
static int32_t has_travelled(const track *t) {
    float dx = t->at.x + t->at.w / 2 - t->start.x - t->start.w / 2, dy = t->at.y + t->at.h / 2 - t->start.y - t->start.h / 2;
    float w = t->at.w > t->start.w ? t->at.w : t->start.w, h = t->at.h > t->start.h ? t->at.h : t->start.h;
    return dx * dx / (w * w + 1e-9f) + dy * dy / (h * h + 1e-9f) > FAR * FAR;
}

/* Where the wind is at work, something small must be seen for a while without a break. */
static int32_t is_doubted(const track *t, const region *r, int64_t media_us) {
    int32_t unrest = r->unrest / r->area;
    if (unrest < STIRRED) return 0;
    if (!r->travelled && unrest > RESTLESS) return 1;
    if ((float)r->area > LARGE * (float)(view.width * view.height)) return 0;
    return 5 * t->hits < 4 * (t->mark / A_FRAME) || media_us - t->first_us < GRACE_US;
}

/* What has just come may yet travel: where it was a frame ago it has not come from nowhere and gone nowhere. */
static void clear_doubt(const region *r) {
    int32_t w = (r->right - r->left) / 2, h = (r->bottom - r->top) / 2;
    int32_t left = r->left - w < 0 ? 0 : r->left - w, right = r->right + w > view.width ? view.width : r->right + w;
    int32_t top = r->top - h < 0 ? 0 : r->top - h, bottom = r->bottom + h > view.height ? view.height : r->bottom + h;
    fill_box16(doubtful_before + top * view.pitch + left, view.pitch, 0, right - left, bottom - top);
}

static void follow_regions(int64_t media_us) {
    static box boxes[MAX_TRACKS];
    static int32_t groups[MAX_TRACKS];
    int32_t count = found.count < MAX_TRACKS ? found.count : MAX_TRACKS;
    for (int32_t i = 0; i < count; i++) boxes[i] = report_box(view, &found.list[i]);
    track_rules rules = {.keep_us = set.keep_us, .confirm_hits = 2, .reach = 1.0f};
    tracks_feed(&all, boxes, groups, count, media_us, &rules);
    for (int32_t i = 0; i < all.count; i++) {
        track *t = &all.list[i];
        t->mark += A_FRAME;
        if (t->seen < 0) continue;
        region *r = &found.list[t->seen];
        if (has_travelled(t)) t->mark |= TRAVELLED;
        r->travelled = t->mark & TRAVELLED;
        r->untold = is_doubted(t, r, media_us);
        if (!r->travelled && media_us - t->first_us < GRACE_US) clear_doubt(r);
    }
}

/* Parts of one thing lie side by side: none of them is a ghost alone. */
static int stands_alone(int32_t n) {
    const region *r = &found.list[n];
    for (int32_t i = 0; i < found.count; i++) {
        const region *other = &found.list[i];
        if (i != n && other->left < r->right + GHOST_APART && r->left < other->right + GHOST_APART &&
            other->top < r->bottom + GHOST_APART && r->top < other->bottom + GHOST_APART)
            return 0;
    }
    return 1;
}

/* What has left the scene shows no edge where the background model has one: the model held it, and lets go of it now.
 * What has come and stands still has its edges in the frame. */
static void forget_ghosts(void) {
    int32_t least_steady = (int32_t)(GHOST_US * ABSORB_TICKS / set.absorb_us);
    for (int32_t i = 0; i < found.count; i++) {
        const region *r = &found.list[i];
        if (r->contour < GHOST_CONTOUR || r->steady < least_steady * r->area) continue;
        if (2 * r->edge_usual < GHOST_EDGES * r->edge_now + 2 * GHOST_EDGE * r->contour || !stands_alone(i)) continue;
        regions_paint_one(&found, view, (hit_plane){solid, rows}, i, scratch);
        background_accept(&model, image, scratch, r->left, r->top, r->right - r->left, r->bottom - r->top);
        camera_edge_metric(CAMERA_EDGE_TEXT("ghosts"), 1);
    }
}

/* to |= from, or only where `without` is 0. */
static void add_plane(uint8_t *to, const uint8_t *from, const uint8_t *without) {
    for (int32_t y = 0; y < view.height; y++) {
#pragma clang loop unroll_count(4)
        for (int32_t x = 0; x < view.padded; x += 16) {
            int32_t at = y * view.pitch + x;
            u8x16 add = without ? load16(from + at) & ~load16(without + at) : load16(from + at);
            store16(to + at, load16(to + at) | add);
        }
    }
}

/* Where someone may have stood from the start, filled; drawn a few times a second. Uses `hits`, `rows`, `joined` and `found` up. */
static void draw_unsettled(int64_t media_us) {
    if (media_us - unsettled_drawn_us < UNSETTLED_DRAW_US) return;
    unsettled_drawn_us = media_us;
    unsettled_mark(&places, model.evidence);
    regions_smooth(view, model.evidence, hits, rows, scratch + 16, UNSETTLED_THRESHOLD);
    regions_join(view, (hit_plane){hits, rows}, joined, scratch);
    regions_widen(view, (hit_plane){joined, rows}, unsettled_cover, scratch, UNSETTLED_MARGIN);
    region_planes planes = {{hits, rows}, JOINED + UNSETTLED_MARGIN, model.evidence, image, model.usual, model.held_age, model.unrest};
    regions_find(&found, view, unsettled_cover, &planes, UNSETTLED_PIXELS);
    regions_fill_rows(&found, view, unsettled_cover);
}

/* All that may be someone. */
static void show_cover(int64_t media_us, int64_t elapsed_us) {
    regions_widen(view, (hit_plane){joined, rows}, cover, scratch, set.margin);
    unsettled_follow(&places, image, cover, media_us, elapsed_us);
    regions_fill_boxes(&found, view, cover);
    if (places.any) {
        draw_unsettled(media_us);
        add_plane(cover, unsettled_cover, NULL);
    }
    draw_hidden(cover);
    send_mask();
}

/* Fill joined and found from the plane of hits or of what is solid. */
static void find_regions(const uint8_t *plane) {
    regions_join(view, (hit_plane){plane, rows}, joined, scratch);
    region_planes planes = {{plane, rows}, JOINED, model.evidence, image, model.usual, model.held_age, model.unrest};
    regions_find(&found, view, joined, &planes, (int32_t)(set.least_area * (float)(view.width * view.height)));
}

/* Fill hits, rows and solid. Returns whether there are shadows. */
static int find_hits(void) {
    float off = light.gain < 1 ? 1 - light.gain : light.gain - 1;
    /* a corrected exposure leaves rounding and noise behind */
    background_compare(&model, image, (int32_t)(16 * (off < 4 ? off : 4)));
    regions_smooth(view, model.evidence, hits, rows, scratch + 16, set.threshold);
    shadow_planes dark = {image, model.usual, {hits, rows}, scratch, scratch_too};
    return shadow_remove(view, &dark, solid);
}

static void analyze_known_scene(int64_t media_us, int64_t elapsed_us) {
    int shadows = find_hits();
    if (scene_changed(media_us)) {
        learn_again();
        return;
    }
    find_regions(solid);
    follow_regions(media_us);
    hole_planes closing = {joined, rows, scratch, scratch_too};
    holes_close(&found, view, &closing, solid);
    regions_paint(&found, view, (hit_plane){solid, rows}, foreground, doubtful);
    draw_foreground();
    if (set.tight) send_mask();
    /* a shadow is no object, but the background is not to be learned from it */
    if (shadows) add_plane(foreground, hits, solid);
    background_step step = {image, foreground, doubtful_before, media_us, elapsed_us, set.absorb_us};
    background_follow(&model, &step);
    forget_ghosts();
    still.gain = light.gain;
    still_follow(&still, image, model.usual, media_us);
    report_seen(&(sighting){view, &found, &all, &still, media_us});
    uint8_t *swap = doubtful;
    doubtful = doubtful_before;
    doubtful_before = swap;
    if (shadows) find_regions(hits);
    /* more pieces than there is room for: better nothing is seen */
    if (found.overflow)
        hide_all();
    else if (!set.tight)
        show_cover(media_us, elapsed_us);
}

int32_t camera_edge_analyze(const camera_edge_slot *slot) {
    extent e = extent_of((int32_t)slot->width, (int32_t)slot->height);
    if ((e.width != view.width || e.height != view.height) && start(e, slot->media_us)) return -1;
    const uint8_t *pixels = camera_edge_pixels(slot);
    int32_t stride = (int32_t)slot->stride;
    int64_t elapsed_us = slot->media_us > last_us ? slot->media_us - last_us : 0;
    last_us = slot->media_us;
    if (model.learned < SAMPLES) {
        learn(pixels, stride, slot->media_us);
        return 0;
    }
    exposure_measure(&light, e, pixels, stride, model.usual, foreground);
    exposure_correct(&light, e, pixels, stride, image);
    analyze_known_scene(slot->media_us, elapsed_us);
    return 0;
}

void camera_edge_close(void) {}
