/* The analyzer `objects`: asks the host to run a detector on the frame or on parts of it, and follows what it finds.
 *
 * It shows no pixel to anyone and looks at none itself. */
#include "camera_edge.h"
#include "detector.h"
#include "followed.h"
#include "glances.h"
#include "likeness.h"
#include "network.h"
#include "simd.h"
#include "text.h"

enum { MOST_REPORTED = 256 }; /* the manifest says so too */
enum { NAME_BYTES = 64, MOST_LOOKS = 2048 };

static const char *const KINDS[] = {"person", "vehicle", "object"};
static const float PREDICTED_SCORE = 0.1f; /* of a thing that is not seen, in parts of its mean score */

static char model[NAME_BYTES];
static uint32_t model_len;
static char reid_model[NAME_BYTES];
static uint32_t reid_model_len;
static int32_t reid_numbers;
static detector net;
static const class_name *classes;
static float min_score, nms_iou, hide_score, smooth;
static followed_rules rules;
static int64_t predict_us;
static int32_t by_regions;

static float *numbers;
static int32_t numbers_room;
static uint8_t *mask;
static int32_t mask_bytes;
static detections seen;
static followed_all all;
static glances looked;

static int32_t refuse(const char *why) {
    camera_edge_log(CAMERA_EDGE_ERROR, why, text_length(why));
    return -1;
}

static int64_t in_us(const char *name, double fallback) { return (int64_t)(ask_number(name, fallback) * 1e6); }

static void read_rules(void) {
    nms_iou = (float)ask_number("nms_iou", 0.45);
    hide_score = (float)ask_number("hide_score", 0.1);
    smooth = (float)ask_number("smooth", 0.4);
    predict_us = in_us("predict_s", 0.2);
    float sure = (float)ask_number("sure_score", 0);
    if (sure <= 0) sure = net.sure_score;
    rules = (followed_rules){
        .keep_us = in_us("keep_s", 2),
        .sure_score = sure,
        .least_score = sure / 3,
        .trust_score = sure + (1 - sure) / 8,
        .confirm_us = 50000,
        .still_us = 3000000,
    };
    min_score = (float)ask_number("min_score", 0);
    if (min_score <= 0) min_score = sure + (1 - sure) / 4;
    /* who asks for less than anybody follows wants what the detector says, as it says it */
    if (min_score < rules.least_score) smooth = 0, predict_us = 0;
}

int32_t camera_edge_open(void) {
    char regions[NAME_BYTES];
    model_len = ask_text("model", model, sizeof model);
    if (model_len == 0)
        return refuse("objects needs a detector: add one with `camera-edge model add FILE` and name it, model=NAME");
    const char *why = network_read(&net, &classes);
    if (why) return refuse(why);
    if (net.numbers > numbers_room) {
        numbers = camera_edge_pages((size_t)net.numbers * sizeof(float));
        numbers_room = numbers ? net.numbers : 0;
    }
    if (!numbers) return refuse("no memory for the outputs of the model");
    read_rules();
    reid_model_len = ask_text("reid_model", reid_model, sizeof reid_model);
    reid_numbers = reid_model_len ? network_vector("reid_model.outputs") : 0;
    if (reid_model_len && reid_numbers == 0) return refuse("the re-identification model puts out more than one vector");
    why = likeness_open(reid_numbers);
    if (why) return refuse(why);
    by_regions = ask_text("regions", regions, sizeof regions) > 0;
    looked.whole_us = -1;
    all.count = 0;
    all.aspect = 0;
    return 0;
}

static kind kind_of(const detection *found) { return classes[found->class_index].kind; }

/* Vehicles may change their class. */
static int32_t group_of(const detection *found) {
    return kind_of(found) == OBJECT ? (int32_t)OBJECT + found->class_index : (int32_t)kind_of(found);
}

static void emit(box at, float score, int32_t track, int32_t class_index, int32_t predicted) {
    char bytes[256];
    text attributes = {.bytes = bytes, .capacity = sizeof bytes};
    text_say(&attributes, "{\"class\":");
    text_add_quoted(&attributes, classes[class_index].name, classes[class_index].len);
    text_say(&attributes, predicted ? ",\"predicted\":true}" : "}");
    at = box_clip(at);
    if (at.w <= 0 || at.h <= 0) return;
    const char *name = KINDS[classes[class_index].kind];
    camera_edge_observation record = {
        .kind = name,
        .kind_len = text_length(name),
        .score = score > 1 ? 1 : score,
        .track = track,
        .x = at.x,
        .y = at.y,
        .w = at.w,
        .h = at.h,
        .attributes = bytes,
        .attributes_len = attributes.len,
    };
    camera_edge_emit(&record);
}

/* The looks of what is in a box, until the next call. */
static const float *look(box at) {
    static float looks[MOST_LOOKS];
    int32_t got = camera_edge_infer(reid_model, reid_model_len, at.x, at.y, at.w, at.h, looks, MOST_LOOKS);
    return got == reid_numbers && all_finite(looks, got) ? looks : 0;
}

/* Follow what was found, best first. Afterwards `whose[i]` is the thing with a number that detection i is of, or NULL. */
static int32_t follow(int64_t media_us, const followed **whose) {
    static sighting sightings[MAX_FOLLOWED];
    int32_t count = seen.count < MAX_FOLLOWED ? seen.count : MAX_FOLLOWED;
    for (int32_t i = 0; i < count; i++)
        sightings[i] = (sighting){seen.list[i].at, seen.list[i].score, group_of(&seen.list[i]), seen.list[i].class_index};
    followed_feed(&all, sightings, count, media_us, &rules);
    if (likeness_correct(&all, PERSON, look)) return refuse("the re-identification model gave no answer, or one that is no vector of numbers");
    for (int32_t i = 0; i < count; i++) whose[i] = 0;
    for (int32_t i = 0; i < all.count; i++) {
        const followed *one = &all.list[i];
        if (one->seen >= 0 && one->trusted) whose[one->seen] = one;
    }
    return 0;
}

static box between(box a, box b, float part) {
    return (box){a.x + part * (b.x - a.x), a.y + part * (b.y - a.y), a.w + part * (b.w - a.w), a.h + part * (b.h - a.h)};
}

/* What was found and is sure enough or goes on with a thing that has a number, best first; then things that a moment hides. */
static int32_t report(int64_t media_us) {
    const followed *whose[MAX_FOLLOWED];
    int32_t room = MOST_REPORTED;
    if (follow(media_us, whose)) return -1;
    for (int32_t i = 0; i < seen.count && room > 0; i++) {
        const detection *found = &seen.list[i];
        const followed *thing = i < MAX_FOLLOWED ? whose[i] : 0;
        if (found->score < min_score && !thing) continue;
        box at = thing ? between(found->at, followed_box(&all, thing), smooth) : found->at;
        emit(at, found->score, thing ? thing->id : -1, found->class_index, 0);
        room--;
    }
    for (int32_t i = 0; i < all.count && room > 0; i++) {
        const followed *one = &all.list[i];
        if (one->seen >= 0 || !one->trusted || media_us - one->seen_us > predict_us || predict_us <= 0) continue;
        emit(followed_box(&all, one), PREDICTED_SCORE * one->score, one->id, one->class_index, 1);
        room--;
    }
    camera_edge_score(seen.count ? seen.list[0].score : 0);
    return 0;
}

static void hide(box at, int32_t width, int32_t height) {
    at.x -= 0.1f * at.w;
    at.y -= 0.1f * at.h;
    at.w *= 1.2f;
    at.h *= 1.2f;
    at = box_clip(at);
    int32_t left = (int32_t)(at.x * (float)width), top = (int32_t)(at.y * (float)height);
    int32_t right = (int32_t)((at.x + at.w) * (float)width + 0.999f), bottom = (int32_t)((at.y + at.h) * (float)height + 0.999f);
    if (right > width) right = width;
    if (bottom > height) bottom = height;
    fill_box16(mask + top * width + left, width, 255, right - left, bottom - top);
}

/* Persons and vehicles that may be there, and those that were there a moment ago. */
static void show_mask(int32_t width, int32_t height) {
    /* more candidates than there is room for: better nothing is seen */
    __builtin_memset(mask, seen.overflow ? 255 : 0, (size_t)(width * height));
    for (int32_t i = 0; i < seen.count; i++)
        if (kind_of(&seen.list[i]) != OBJECT && seen.list[i].score >= hide_score) hide(seen.list[i].at, width, height);
    for (int32_t i = 0; i < all.count; i++)
        if (all.list[i].seen < 0 && all.list[i].group < (int32_t)OBJECT) hide(followed_box(&all, &all.list[i]), width, height);
    camera_edge_mask(mask, (uint32_t)(width * height), (uint32_t)width, (uint32_t)height);
}

/* What the detector sees in a window, added to what it saw in others. */
static int32_t glance(window at, float least_score) {
    float x = (float)at.x / (float)at.frame_width, y = (float)at.y / (float)at.frame_height;
    float w = (float)at.w / (float)at.frame_width, h = (float)at.h / (float)at.frame_height;
    int32_t got = camera_edge_infer(model, model_len, x, y, w, h, numbers, (uint32_t)net.numbers);
    if (got < 0) return refuse("the model could not be run");
    if (got != net.numbers) return refuse("the model gave an answer of another shape than its contract says");
    if (!all_finite(numbers, got)) return refuse("the model gave numbers that are infinite or none at all");
    int32_t first = seen.count, kept = first;
    detector_decode(&net, numbers, least_score, at, &seen);
    for (int32_t i = first; i < seen.count; i++)
        if (!window_cuts(at, seen.list[i].at)) seen.list[kept++] = seen.list[i];
    seen.count = kept;
    return 0;
}

/* Where the waker saw something and where things are that are followed; the whole frame where nobody can say. */
static void choose_windows(window whole, int64_t media_us) {
    static box places[MAX_PLACES];
    int32_t count = by_regions ? camera_edge_regions(places, MAX_PLACES - MAX_FOLLOWED) : -1;
    if (count < 0 || count > MAX_PLACES - MAX_FOLLOWED) {
        glances_whole(&looked, whole, media_us);
        return;
    }
    for (int32_t i = 0; i < all.count; i++) places[count++] = followed_box(&all, &all.list[i]);
    glances_plan(&looked, places, count, whole, &net, media_us);
}

int32_t camera_edge_analyze(const camera_edge_slot *slot) {
    int32_t width = (int32_t)slot->width, height = (int32_t)slot->height;
    if (width * height > mask_bytes) {
        mask = camera_edge_pages((size_t)(width * height));
        mask_bytes = mask ? width * height : 0;
    }
    if (!mask) return refuse("no memory for the mask");
    window whole = window_whole((int32_t)slot->frame_width, (int32_t)slot->frame_height);
    if (all.aspect == 0) followed_reset(&all, (float)whole.w / (float)whole.h);
    choose_windows(whole, slot->media_us);
    float least = hide_score < min_score ? hide_score : min_score;
    if (rules.least_score < least) least = rules.least_score;
    seen.count = seen.overflow = 0;
    for (int32_t i = 0; i < looked.count; i++)
        if (glance(looked.list[i], least)) return -1;
    detections_suppress(&seen, nms_iou);
    if (report(slot->media_us)) return -1;
    show_mask(width, height);
    return 0;
}

void camera_edge_close(void) {}
