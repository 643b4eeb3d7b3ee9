/* Analyzer ABI v1 for guests in C: the contract is wasm_analyzers/ABI.md, this header only spells it.
 *
 * A pixel analyzer is one translation unit that includes this header and defines camera_edge_open, camera_edge_analyze
 * and camera_edge_close; a rule module includes rule.h and defines camera_edge_observe instead of camera_edge_analyze.
 * The same source builds as WebAssembly (wasm32-freestanding, no libc) and natively together with
 * native_host.c: pointers are 32 bits wide in the first case, so records have exactly the layout of the ABI there.
 */
#ifndef CAMERA_EDGE_H
#define CAMERA_EDGE_H

#include <stddef.h>
#include <stdint.h>

#define CAMERA_EDGE_ABI 1

#if defined(__wasm__)
#define CAMERA_EDGE_IMPORT(name) __attribute__((import_module("camera_edge"), import_name(name)))
#define CAMERA_EDGE_EXPORT(name) __attribute__((export_name(name)))
#else
#define CAMERA_EDGE_IMPORT(name)
#define CAMERA_EDGE_EXPORT(name) __attribute__((visibility("default")))
#endif

enum camera_edge_format { CAMERA_EDGE_GRAY8 = 1, CAMERA_EDGE_RGB24 = 2, CAMERA_EDGE_I420 = 3 };

enum camera_edge_level {
    CAMERA_EDGE_DEBUG = 0,
    CAMERA_EDGE_INFO = 1,
    CAMERA_EDGE_WARNING = 2,
    CAMERA_EDGE_ERROR = 3
};

/* In a mask: hidden, but no foreground. Any other value above 0 is foreground, and hidden too. */
enum { CAMERA_EDGE_HIDDEN = 64 };

enum camera_edge_status {
    CAMERA_EDGE_OK = 0,
    CAMERA_EDGE_BAD_POINTER = -1,
    CAMERA_EDGE_BAD_VALUE = -2,
    CAMERA_EDGE_NOT_FOUND = -3,
    CAMERA_EDGE_NOT_GRANTED = -4,
    CAMERA_EDGE_TOO_MANY = -5,
    CAMERA_EDGE_TOO_LARGE = -6,
    CAMERA_EDGE_NOT_NOW = -7,
    CAMERA_EDGE_FAILED = -8,
    CAMERA_EDGE_INTERNAL = -9
};

/* What the host writes at the start of a slot. previous and zones are byte offsets from this header, 0 = none. */
typedef struct camera_edge_slot {
    uint32_t abi;
    uint32_t format;
    uint64_t sequence;
    int64_t media_us;
    uint32_t width;
    uint32_t height;
    uint32_t stride;
    int32_t previous;
    int32_t zones;
    uint32_t pixel_offset;
    uint32_t frame_width;
    uint32_t frame_height;
    uint32_t reserved[2];
} camera_edge_slot;
_Static_assert(sizeof(camera_edge_slot) == 64, "the slot header has 64 bytes");

/* One observation. The box is in 0..1 from the top left corner of the frame; track is -1 where there is none. */
typedef struct camera_edge_observation {
    const char *kind;
    uint32_t kind_len;
    float score;
    int32_t track;
    float x, y, w, h;
    const char *attributes;
    uint32_t attributes_len;
} camera_edge_observation;
#if defined(__wasm__)
_Static_assert(sizeof(camera_edge_observation) == 40, "an emit record has 40 bytes");
#endif

CAMERA_EDGE_IMPORT("param_number") double camera_edge_param_number(const char *name, uint32_t name_len, double fallback);
CAMERA_EDGE_IMPORT("param_text")
int32_t camera_edge_param_text(const char *name, uint32_t name_len, char *text, uint32_t capacity);
CAMERA_EDGE_IMPORT("emit") int32_t camera_edge_emit(const camera_edge_observation *observation);
CAMERA_EDGE_IMPORT("score") int32_t camera_edge_score(double value);
CAMERA_EDGE_IMPORT("score_at") int32_t camera_edge_score_at(int32_t lag, double value);
CAMERA_EDGE_IMPORT("mask")
int32_t camera_edge_mask(const uint8_t *pixels, uint32_t len, uint32_t width, uint32_t height);
CAMERA_EDGE_IMPORT("infer")
int32_t camera_edge_infer(const char *model, uint32_t model_len, float x, float y, float w, float h, float *out,
                          uint32_t capacity);
/* Where the analyzer that this one follows saw something in this frame: four floats each, x, y, w, h, as many as there is
 * room for; returns how many there are. */
CAMERA_EDGE_IMPORT("regions") int32_t camera_edge_regions(void *boxes, uint32_t capacity);
CAMERA_EDGE_IMPORT("state_get") int32_t camera_edge_state_get(uint32_t offset, uint8_t *bytes, uint32_t capacity);
CAMERA_EDGE_IMPORT("state_put") int32_t camera_edge_state_put(uint32_t offset, const uint8_t *bytes, uint32_t len);
CAMERA_EDGE_IMPORT("log") int32_t camera_edge_log(int32_t level, const char *text, uint32_t len);
CAMERA_EDGE_IMPORT("metric") int32_t camera_edge_metric(const char *name, uint32_t name_len, double value);

/* A literal as the two arguments pointer and length. */
#define CAMERA_EDGE_TEXT(literal) (literal), (uint32_t)(sizeof(literal) - 1)

/* What the guest defines. A negative return says that the guest failed on this camera or this frame. */
CAMERA_EDGE_EXPORT("open") int32_t camera_edge_open(void);
CAMERA_EDGE_EXPORT("analyze") int32_t camera_edge_analyze(const camera_edge_slot *slot);
CAMERA_EDGE_EXPORT("close") void camera_edge_close(void);

CAMERA_EDGE_EXPORT("camera_edge_abi") __attribute__((weak)) int32_t camera_edge_abi(void) { return CAMERA_EDGE_ABI; }

#if defined(__wasm__)
/* Pages from the engine: zeroed, aligned to 64 KiB, never given back. NULL where the host's limit is reached.
 * An allocator beside it must ask the engine too and take what it is given, as the malloc of wasi-libc does. */
static inline void *camera_edge_pages(size_t bytes) {
    size_t page = __builtin_wasm_memory_grow(0, (bytes + 65535) / 65536);
    return page == (size_t)-1 ? NULL : (void *)(page * 65536);
}

/* Space for the frame ring; the host maps the frames over it. Negative: no memory. */
CAMERA_EDGE_EXPORT("camera_edge_ring") __attribute__((weak)) int32_t camera_edge_ring(int32_t bytes) {
    void *ring = camera_edge_pages((size_t)bytes);
    return ring ? (int32_t)(intptr_t)ring : -1;
}
#else
void *camera_edge_pages(size_t bytes);
#endif

static inline const uint8_t *camera_edge_pixels(const camera_edge_slot *slot) {
    return (const uint8_t *)slot + slot->pixel_offset;
}

/* The slot that was written before this one, or NULL. It is not always the frame that this guest saw before. */
static inline const camera_edge_slot *camera_edge_previous(const camera_edge_slot *slot) {
    return slot->previous ? (const camera_edge_slot *)((const uint8_t *)slot + slot->previous) : NULL;
}

/* The map of zones, one byte for each pixel of the view, rows of `width`, or NULL: no zones and no privacy masks. */
static inline const uint8_t *camera_edge_zones(const camera_edge_slot *slot) {
    return slot->zones ? (const uint8_t *)slot + slot->zones : NULL;
}

#endif
