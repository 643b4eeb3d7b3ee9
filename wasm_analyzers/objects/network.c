#include "network.h"

#include "camera_edge.h"
#include "text.h"

enum { MAX_CLASSES = 512, CLASSES_BYTES = 16384, WORD_BYTES = 64, MAX_SIDES = 8 };

static const char *const VEHICLES[] = {"bicycle", "car", "motorcycle", "bus", "train", "truck"};

static char classes_text[CLASSES_BYTES];
static class_name known[MAX_CLASSES];

double ask_number(const char *name, double fallback) { return camera_edge_param_number(name, text_length(name), fallback); }

uint32_t ask_text(const char *name, char *into, uint32_t capacity) {
    int32_t len = camera_edge_param_text(name, text_length(name), into, capacity);
    if (len <= 0) return 0;
    return (uint32_t)len < capacity ? (uint32_t)len : capacity;
}

static int32_t same(const char *a, uint32_t len, const char *b) {
    if (text_length(b) != len) return 0;
    for (uint32_t i = 0; i < len; i++)
        if (a[i] != b[i]) return 0;
    return 1;
}

static kind kind_of(const char *name, uint32_t len) {
    if (same(name, len, "person")) return PERSON;
    for (uint32_t i = 0; i < sizeof VEHICLES / sizeof *VEHICLES; i++)
        if (same(name, len, VEHICLES[i])) return VEHICLE;
    return OBJECT;
}

static int32_t read_classes(void) {
    uint32_t len = ask_text("model.classes", classes_text, sizeof classes_text), start = 0;
    int32_t count = 0;
    for (uint32_t i = 0; i <= len && count < MAX_CLASSES; i++) {
        if (i < len && classes_text[i] != '\n') continue;
        const char *name = classes_text + start;
        if (i > start) known[count++] = (class_name){name, i - start, kind_of(name, i - start)};
        start = i + 1;
    }
    return count;
}

/* The numbers in a text, up to the first comma where `one_list` is set; how many. */
static int32_t read_numbers(const char *name, int32_t *into, int32_t room, int32_t one_list) {
    char words[WORD_BYTES];
    uint32_t len = ask_text(name, words, sizeof words);
    int32_t count = 0, value = 0;
    for (uint32_t i = 0; i <= len; i++) {
        if (i < len && words[i] >= '0' && words[i] <= '9') {
            value = value < 100000000 ? value * 10 + words[i] - '0' : value;
            continue;
        }
        if (value > 0 && count < room) into[count++] = value;
        value = 0;
        if (one_list && i < len && words[i] == ',') break;
    }
    return count;
}

int32_t network_vector(const char *outputs) {
    int32_t sides[MAX_SIDES], size = 1;
    int32_t count = read_numbers(outputs, sides, MAX_SIDES, 1);
    for (int32_t i = 0; i < count; i++) {
        if (sides[i] > 1 && size > 1) return 0;
        size *= sides[i];
    }
    return count > 0 ? size : 0;
}

static decoder read_decoder(void) {
    static const char *const NAMES[] = {"none", "yolox", "fastestdet", "yolov5", "yolov8", "yolov10"};
    char words[WORD_BYTES];
    uint32_t len = ask_text("model.decoder", words, sizeof words);
    for (int32_t i = 0; i < (int32_t)(sizeof NAMES / sizeof *NAMES); i++)
        if (same(words, len, NAMES[i])) return (decoder)i;
    return DECODER_NONE;
}

static fit read_fit(void) {
    char words[WORD_BYTES];
    uint32_t len = ask_text("model.fit", words, sizeof words);
    if (same(words, len, "letterbox")) return FIT_LETTERBOX;
    return same(words, len, "letterbox_centre") ? FIT_LETTERBOX_CENTRE : FIT_STRETCH;
}

/* How many things a model without grids proposes; 0 where its output has another shape than its decoder reads. */
static int32_t read_rows(const detector *net) {
    int32_t sides[MAX_SIDES];
    int32_t count = read_numbers("model.outputs", sides, MAX_SIDES, 1);
    if (count != 3 || sides[0] != 1) return 0;
    if (net->kind == DECODER_YOLOV8) return sides[1] == 4 + net->classes ? sides[2] : 0;
    return sides[2] == (net->kind == DECODER_YOLOV5 ? 5 + net->classes : 6) ? sides[1] : 0;
}

const char *network_read(detector *net, const class_name **classes) {
    *classes = known;
    net->kind = read_decoder();
    if (net->kind == DECODER_NONE)
        return "the model is no detector that objects can decode: it needs yolox, fastestdet, yolov5, yolov8 or yolov10";
    net->fitted = read_fit();
    net->width = (int32_t)ask_number("model.width", 0);
    net->height = (int32_t)ask_number("model.height", 0);
    net->classes = read_classes();
    net->sure_score = (float)ask_number("model.sure_score", 0.5);
    if (net->width < 1 || net->height < 1 || net->classes < 1)
        return "the model's contract lacks width, height or classes";
    int32_t on_grids = net->kind == DECODER_YOLOX || net->kind == DECODER_FASTESTDET;
    net->stride_count = on_grids ? read_numbers("model.strides", net->strides, MAX_STRIDES, 0) : 0;
    net->rows = on_grids ? 0 : read_rows(net);
    if (on_grids && net->stride_count < 1) return "the model's contract lacks strides";
    if (!on_grids && net->rows < 1) return "the model's outputs have another shape than its decoder reads";
    net->numbers = detector_numbers(net);
    return 0;
}
