/* The host side of the ABI for a native build of a guest, in one process and for one instance.
 *
 * It stands where the sandbox stands, so that the same C can be timed and compared outside of it: `camera-edge bench`
 * and the tests drive it through ctypes. It keeps what the guest said in the last frame; it checks nothing.
 */
#include <stdlib.h>
#include <string.h>

#include "camera_edge.h"

#define NATIVE_EXPORT __attribute__((visibility("default")))

enum { MAX_OBSERVATIONS = 4096, MAX_PARAMS = 64, NAME_BYTES = 64, TEXT_BYTES = 4096, LOG_BYTES = 4096 };

typedef struct native_observation {
    char kind[NAME_BYTES];
    char attributes[256];
    float score, x, y, w, h;
    int32_t track;
} native_observation;

typedef struct native_param {
    char name[NAME_BYTES];
    char text[TEXT_BYTES];
    double number;
    int32_t is_text;
} native_param;

typedef int32_t (*native_infer)(const char *model, float x, float y, float w, float h, float *out, uint32_t capacity);

static native_observation observations[MAX_OBSERVATIONS];
static int32_t observation_count;
static native_param params[MAX_PARAMS];
static int32_t param_count;
static uint8_t *mask_pixels;
static uint32_t mask_width, mask_height;
static double last_score;
static char log_text[LOG_BYTES];
static uint32_t log_used;
static native_infer infer_call;

static void copy_text(char *to, size_t capacity, const char *from, size_t len) {
    if (len > capacity - 1) len = capacity - 1;
    memcpy(to, from, len);
    to[len] = 0;
}

static const native_param *find_param(const char *name, uint32_t name_len) {
    for (int32_t i = 0; i < param_count; i++)
        if (strlen(params[i].name) == name_len && memcmp(params[i].name, name, name_len) == 0) return &params[i];
    return NULL;
}

void *camera_edge_pages(size_t bytes) {
    size_t whole = (bytes + 65535) / 65536 * 65536;
    void *pages = aligned_alloc(65536, whole);
    if (pages) memset(pages, 0, whole);
    return pages;
}

double camera_edge_param_number(const char *name, uint32_t name_len, double fallback) {
    const native_param *param = find_param(name, name_len);
    return param && !param->is_text ? param->number : fallback;
}

int32_t camera_edge_param_text(const char *name, uint32_t name_len, char *text, uint32_t capacity) {
    const native_param *param = find_param(name, name_len);
    if (!param || !param->is_text) return CAMERA_EDGE_NOT_FOUND;
    size_t len = strlen(param->text);
    memcpy(text, param->text, len < capacity ? len : capacity);
    return (int32_t)len;
}

int32_t camera_edge_emit(const camera_edge_observation *seen) {
    if (observation_count == MAX_OBSERVATIONS) return CAMERA_EDGE_TOO_MANY;
    native_observation *kept = &observations[observation_count++];
    copy_text(kept->kind, sizeof kept->kind, seen->kind, seen->kind_len);
    copy_text(kept->attributes, sizeof kept->attributes, seen->attributes, seen->attributes_len);
    kept->score = seen->score;
    kept->x = seen->x;
    kept->y = seen->y;
    kept->w = seen->w;
    kept->h = seen->h;
    kept->track = seen->track;
    return 0;
}

int32_t camera_edge_score(double value) {
    last_score = value;
    return 0;
}

int32_t camera_edge_score_at(int32_t lag, double value) {
    if (lag == 0) last_score = value;
    return 0;
}

int32_t camera_edge_mask(const uint8_t *pixels, uint32_t len, uint32_t width, uint32_t height) {
    if (mask_width * mask_height < len) {
        free(mask_pixels);
        mask_pixels = malloc(len);
    }
    memcpy(mask_pixels, pixels, len);
    mask_width = width;
    mask_height = height;
    return 0;
}

int32_t camera_edge_infer(const char *model, uint32_t model_len, float x, float y, float w, float h, float *out,
                          uint32_t capacity) {
    char name[NAME_BYTES];
    copy_text(name, sizeof name, model, model_len);
    return infer_call ? infer_call(name, x, y, w, h, out, capacity) : CAMERA_EDGE_NOT_GRANTED;
}

int32_t camera_edge_regions(void *boxes, uint32_t capacity) {
    (void)boxes, (void)capacity;
    return CAMERA_EDGE_NOT_FOUND;
}

int32_t camera_edge_state_get(uint32_t offset, uint8_t *bytes, uint32_t capacity) {
    (void)offset, (void)bytes, (void)capacity;
    return 0;
}

int32_t camera_edge_state_put(uint32_t offset, const uint8_t *bytes, uint32_t len) {
    (void)offset, (void)bytes, (void)len;
    return CAMERA_EDGE_TOO_LARGE;
}

int32_t camera_edge_log(int32_t level, const char *text, uint32_t len) {
    (void)level;
    if (log_used + len + 2 > LOG_BYTES) return CAMERA_EDGE_TOO_MANY;
    memcpy(log_text + log_used, text, len);
    log_used += len;
    log_text[log_used++] = '\n';
    log_text[log_used] = 0;
    return 0;
}

int32_t camera_edge_metric(const char *name, uint32_t name_len, double value) {
    (void)name, (void)name_len, (void)value;
    return 0;
}

NATIVE_EXPORT int32_t native_set_number(const char *name, double number) {
    if (param_count == MAX_PARAMS) return -1;
    native_param *param = &params[param_count++];
    copy_text(param->name, sizeof param->name, name, strlen(name));
    param->number = number;
    param->is_text = 0;
    return 0;
}

NATIVE_EXPORT int32_t native_set_text(const char *name, const char *text) {
    if (native_set_number(name, 0)) return -1;
    native_param *param = &params[param_count - 1];
    copy_text(param->text, sizeof param->text, text, strlen(text));
    param->is_text = 1;
    return 0;
}

NATIVE_EXPORT void native_set_infer(native_infer call) { infer_call = call; }

NATIVE_EXPORT int32_t native_open(void) { return camera_edge_open(); }

NATIVE_EXPORT int32_t native_analyze(const void *slot) {
    observation_count = 0;
    last_score = 0;
    return camera_edge_analyze(slot);
}

NATIVE_EXPORT int32_t native_observation_count(void) { return observation_count; }
NATIVE_EXPORT const native_observation *native_observations(void) { return observations; }
NATIVE_EXPORT const uint8_t *native_mask(uint32_t *width, uint32_t *height) {
    *width = mask_width;
    *height = mask_height;
    return mask_pixels;
}
NATIVE_EXPORT double native_score(void) { return last_score; }
NATIVE_EXPORT const char *native_log(void) { return log_text; }
