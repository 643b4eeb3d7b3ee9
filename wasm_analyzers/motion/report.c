#include "report.h"

#include "camera_edge.h"
#include "text.h"

enum { MOST_BOXES = 64 }; /* reported in one frame; the manifest says so too */
static const float RESTS = 0.5f;       /* of a region's box: so much of it lies where a thing rests */
static const float FULL_CONTRAST = 32; /* mean evidence of a region, in grey levels, that leaves no doubt */

static uint8_t resting[MAX_TRACKS]; /* of each track: it is a thing at rest */

box report_box(extent view, const region *r) {
    float w = (float)view.width, h = (float)view.height;
    return (box){(float)r->left / w, (float)r->top / h, (float)(r->right - r->left) / w, (float)(r->bottom - r->top) / h};
}

static void say(const char *kind, int32_t id, box at, float score, const text *attributes) {
    camera_edge_observation seen = {
        .kind = kind,
        .kind_len = (uint32_t)text_length(kind),
        .score = score,
        .track = id,
        .x = at.x,
        .y = at.y,
        .w = at.w,
        .h = at.h,
        .attributes = attributes->bytes,
        .attributes_len = attributes->len,
    };
    camera_edge_emit(&seen);
}

static void say_number(text *attributes, const char *name, double value, int32_t digits) {
    text_say(attributes, attributes->len ? ",\"" : "{\"");
    text_say(attributes, name);
    text_say(attributes, "\":");
    text_add_number(attributes, value, digits);
}

static void say_moving(const sighting *of, const track *t, const region *r) {
    char bytes[96];
    text attributes = {.bytes = bytes, .capacity = sizeof bytes};
    say_number(&attributes, "area", (double)r->area / (of->view.width * of->view.height), 5);
    say_number(&attributes, "age_s", (double)(of->media_us - t->first_us) * 1e-6, 2);
    text_say(&attributes, "}");
    float contrast = (float)r->strength / (float)r->area / FULL_CONTRAST;
    float sure = (contrast < 1 ? contrast : 1) * (float)(t->hits < 4 ? t->hits : 4) / 4;
    say("motion", t->id, box_clip(report_box(of->view, r)), 0.4f + 0.6f * sure, &attributes);
}

static void say_still(const sighting *of, const still_thing *t) {
    static const char *const change[] = {"unclear", "appeared", "removed"};
    char bytes[160];
    text attributes = {.bytes = bytes, .capacity = sizeof bytes};
    double still_s = (double)(of->media_us - t->since_us) * 1e-6;
    say_number(&attributes, "area", (double)t->area / (of->view.width * of->view.height), 5);
    say_number(&attributes, "age_s", still_s, 2);
    say_number(&attributes, "still_s", still_s, 2);
    text_say(&attributes, ",\"change\":\"");
    text_say(&attributes, change[t->change]);
    text_say(&attributes, "\"}");
    region place = {.left = t->left, .top = t->top, .right = t->right, .bottom = t->bottom};
    float sure = t->contrast / FULL_CONTRAST;
    say("still", t->id, box_clip(report_box(of->view, &place)), 0.4f + 0.6f * (sure < 1 ? sure : 1), &attributes);
}

/* A region that is nothing but a thing at rest. */
static int rests_in(const sighting *of, const region *r, const still_thing *t) {
    int32_t w = (r->right < t->right ? r->right : t->right) - (r->left > t->left ? r->left : t->left);
    int32_t h = (r->bottom < t->bottom ? r->bottom : t->bottom) - (r->top > t->top ? r->top : t->top);
    if (w <= 0 || h <= 0 || (float)(w * h) < RESTS * (float)((r->right - r->left) * (r->bottom - r->top))) return 0;
    return 4 * still_moving(of->still, r->left, r->top, r->right, r->bottom) < r->area;
}

static int number_in_use(const sighting *of, int32_t id, const still_thing *but) {
    for (int32_t i = 0; i < of->still->count; i++)
        if (&of->still->list[i] != but && of->still->list[i].id == id) return 1;
    return 0;
}

/* Whether track k's region is a thing at rest, which is reported as that. */
static int is_at_rest(const sighting *of, const track *t) {
    const region *r = &of->found->list[t->seen];
    for (int32_t i = 0; i < of->still->count; i++) {
        still_thing *thing = &of->still->list[i];
        if (!rests_in(of, r, thing)) continue;
        thing->wanted_us = of->media_us;
        if (!still_reported(thing, of->media_us)) continue;
        region place = {.left = thing->left, .top = thing->top, .right = thing->right, .bottom = thing->bottom};
        if (thing->id < 0 && box_overlap(report_box(of->view, r), report_box(of->view, &place)) > RESTS && !number_in_use(of, t->id, thing)) thing->id = t->id;
        return 1;
    }
    return 0;
}

/* A thing keeps its number where it moves on: it is not at rest then. */
static int moves_on(const sighting *of, int32_t id) {
    for (int32_t i = 0; i < of->all->count; i++)
        if (of->all->list[i].id == id && of->all->list[i].seen >= 0 && !resting[i]) return 1;
    return 0;
}

void report_seen(const sighting *of) {
    int32_t count = 0;
    __builtin_memset(resting, 0, sizeof resting);
    for (int32_t i = 0; i < of->all->count && count < MOST_BOXES; i++) {
        track *t = &of->all->list[i];
        if (t->seen < 0 || t->id < 0) continue;
        const region *r = &of->found->list[t->seen];
        resting[i] = (uint8_t)is_at_rest(of, t);
        if (resting[i] || r->untold) continue;
        say_moving(of, t, r);
        count++;
    }
    for (int32_t i = 0; i < of->still->count && count < MOST_BOXES; i++) {
        still_thing *t = &of->still->list[i];
        if (t->id < 0) t->id = of->all->next_id++;
        if (!still_reported(t, of->media_us) || moves_on(of, t->id)) continue;
        say_still(of, t);
        count++;
    }
}
