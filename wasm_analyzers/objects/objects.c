/* The analyzer `objects`: asks the host to run a detector on the whole frame, and follows what it finds.
 *
 * It shows no pixel to anyone and looks at none itself. */
#include "camera_edge.h"
#include "detector.h"
#include "simd.h"
#include "text.h"
#include "tracks.h"

enum { MOST_REPORTED = 256 }; /* the manifest says so too */
enum { MAX_CLASSES = 512, CLASSES_BYTES = 16384, NAME_BYTES = 64, PERSON = 0, VEHICLE = 1, OBJECT = 2 };

static const char *const KINDS[] = {"person", "vehicle", "object"};
static const char *const VEHICLES[] = {"bicycle", "car", "motorcycle", "bus", "train", "truck"};

static char model[NAME_BYTES];
static uint32_t model_len;
static detector net;
static char classes_text[CLASSES_BYTES];
static struct {
    const char *name;
    uint32_t len;
    int32_t kind;
} classes[MAX_CLASSES];
static float min_score, nms_iou, hide_score;
static int64_t keep_us;

static float *numbers;
static uint8_t *mask;
static int32_t mask_bytes;
static detections seen;
static tracks all;

static double number(const char *name, double fallback) {
    return camera_edge_param_number(name, text_length(name), fallback);
}

static int32_t refuse(const char *why) {
    camera_edge_log(CAMERA_EDGE_ERROR, why, text_length(why));
    return -1;
}

static int32_t same(const char *a, uint32_t len, const char *b) {
    if (text_length(b) != len) return 0;
    for (uint32_t i = 0; i < len; i++)
        if (a[i] != b[i]) return 0;
    return 1;
}

/* The text of a parameter, cut to what fits; its length, 0 where there is none. */
static uint32_t ask(const char *name, char *into, uint32_t capacity) {
    int32_t len = camera_edge_param_text(name, text_length(name), into, capacity);
    if (len <= 0) return 0;
    return (uint32_t)len < capacity ? (uint32_t)len : capacity;
}

static int32_t kind_of(const char *name, uint32_t len) {
    if (same(name, len, "person")) return PERSON;
    for (uint32_t i = 0; i < sizeof VEHICLES / sizeof *VEHICLES; i++)
        if (same(name, len, VEHICLES[i])) return VEHICLE;
    return OBJECT;
}

static void read_classes(void) {
    uint32_t len = ask("model.classes", classes_text, sizeof classes_text), start = 0;
    net.classes = 0;
    for (uint32_t i = 0; i <= len && net.classes < MAX_CLASSES; i++) {
        if (i < len && classes_text[i] != '\n') continue;
        if (i > start) {
            classes[net.classes].name = classes_text + start;
            classes[net.classes].len = i - start;
            classes[net.classes++].kind = kind_of(classes_text + start, i - start);
        }
        start = i + 1;
    }
}

static void read_strides(void) {
    char text[64];
    uint32_t len = ask("model.strides", text, sizeof text);
    net.stride_count = 0;
    int32_t value = 0;
    for (uint32_t i = 0; i <= len; i++) {
        if (i < len && text[i] >= '0' && text[i] <= '9') {
            value = value * 10 + text[i] - '0';
        } else {
            if (value > 0 && net.stride_count < MAX_STRIDES) net.strides[net.stride_count++] = value;
            value = 0;
        }
    }
}

static int32_t read_model(void) {
    char text[NAME_BYTES];
    uint32_t len = ask("model.decoder", text, sizeof text);
    net.kind = same(text, len, "yolox") ? DECODER_YOLOX : same(text, len, "fastestdet") ? DECODER_FASTESTDET : DECODER_NONE;
    if (net.kind == DECODER_NONE) return refuse("the model is no detector that objects can decode: it needs yolox or fastestdet");
    len = ask("model.fit", text, sizeof text);
    net.letterbox = same(text, len, "letterbox");
    net.width = (int32_t)number("model.width", 0);
    net.height = (int32_t)number("model.height", 0);
    read_classes();
    read_strides();
    if (net.width < 1 || net.height < 1 || net.classes < 1 || net.stride_count < 1)
        return refuse("the model's contract lacks width, height, classes or strides");
    int32_t needed = detector_numbers(&net);
    if (needed != net.numbers) numbers = camera_edge_pages((size_t)needed * sizeof(float));
    net.numbers = numbers ? needed : 0;
    return numbers ? 0 : refuse("no memory for the outputs of the model");
}

int32_t camera_edge_open(void) {
    model_len = ask("model", model, sizeof model);
    if (model_len == 0)
        return refuse("objects needs a detector: add one with `camera-edge model add FILE` and name it, model=NAME");
    min_score = (float)number("min_score", 0.4);
    nms_iou = (float)number("nms_iou", 0.45);
    hide_score = (float)number("hide_score", 0.1);
    keep_us = (int64_t)(number("keep_s", 2) * 1e6);
    all.count = all.next_id = 0;
    return read_model();
}

static void emit(const detection *found, const track *t) {
    char bytes[256];
    text attributes = {.bytes = bytes, .capacity = sizeof bytes};
    text_say(&attributes, "{\"class\":");
    text_add_quoted(&attributes, classes[found->class_index].name, classes[found->class_index].len);
    text_say(&attributes, "}");
    box at = box_clip(found->at);
    if (at.w <= 0 || at.h <= 0) return;
    const char *kind = KINDS[classes[found->class_index].kind];
    camera_edge_observation record = {
        .kind = kind,
        .kind_len = text_length(kind),
        .score = found->score > 1 ? 1 : found->score,
        .track = t ? t->id : -1,
        .x = at.x,
        .y = at.y,
        .w = at.w,
        .h = at.h,
        .attributes = bytes,
        .attributes_len = attributes.len,
    };
    camera_edge_emit(&record);
}

/* Follow what is sure enough to be reported, and report it, best first. Vehicles may change their class. */
static void report(int64_t media_us) {
    static box boxes[MAX_TRACKS];
    static int32_t groups[MAX_TRACKS];
    int32_t sure = 0;
    for (; sure < seen.count && sure < MAX_TRACKS && seen.list[sure].score >= min_score; sure++) {
        int32_t class_index = seen.list[sure].class_index, kind = classes[class_index].kind;
        boxes[sure] = seen.list[sure].at;
        groups[sure] = kind == OBJECT ? OBJECT + class_index : kind;
    }
    track_rules rules = {.keep_us = keep_us, .confirm_hits = 1, .reach = 0.7f};
    tracks_feed(&all, boxes, groups, sure, media_us, &rules);
    const track *followed[MAX_TRACKS] = {0};
    for (int32_t k = 0; k < all.count; k++)
        if (all.list[k].seen >= 0) followed[all.list[k].seen] = &all.list[k];
    for (int32_t i = 0; i < seen.count && i < MOST_REPORTED && seen.list[i].score >= min_score; i++)
        emit(&seen.list[i], i < MAX_TRACKS ? followed[i] : 0);
    camera_edge_score(seen.count ? seen.list[0].score : 0);
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
        if (classes[seen.list[i].class_index].kind != OBJECT) hide(seen.list[i].at, width, height);
    for (int32_t i = 0; i < all.count; i++)
        if (all.list[i].seen < 0 && all.list[i].group < OBJECT) hide(all.list[i].at, width, height);
    camera_edge_mask(mask, (uint32_t)(width * height), (uint32_t)width, (uint32_t)height);
}

int32_t camera_edge_analyze(const camera_edge_slot *slot) {
    int32_t width = (int32_t)slot->width, height = (int32_t)slot->height;
    if (width * height > mask_bytes) {
        mask = camera_edge_pages((size_t)(width * height));
        mask_bytes = mask ? width * height : 0;
    }
    if (!mask) return refuse("no memory for the mask");
    int32_t got = camera_edge_infer(model, model_len, 0, 0, 1, 1, numbers, (uint32_t)net.numbers);
    if (got != net.numbers) return refuse("the model gave no answer, or one of another shape than its contract says");
    float least = hide_score < min_score ? hide_score : min_score;
    detector_decode(&net, numbers, least, (float)slot->frame_width, (float)slot->frame_height, &seen);
    detections_suppress(&seen, nms_iou);
    report(slot->media_us);
    show_mask(width, height);
    return 0;
}

void camera_edge_close(void) {}
