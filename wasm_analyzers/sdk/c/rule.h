/* Rule modules: they get what other modules saw, and the events made of it, and no pixels.
 *
 * A rule module is one translation unit that includes this header and defines camera_edge_open, camera_edge_observe and
 * camera_edge_close. Its manifest asks for the capability `observations`. It is for WebAssembly only.
 */
#ifndef CAMERA_EDGE_RULE_H
#define CAMERA_EDGE_RULE_H

#include "camera_edge.h"

/* What the modules of this camera said about one frame. Offsets are in bytes from the start of the batch. */
typedef struct camera_edge_batch {
    uint32_t abi;
    uint32_t observations; /* how many */
    uint64_t sequence;
    int64_t media_us;
    int64_t utc_us;
    int32_t week_minute; /* local time: minutes since Monday 00:00; -1: not known */
    uint32_t observations_offset;
    uint32_t events; /* how many */
    uint32_t events_offset;
    uint32_t left_out; /* how many observations and events found no room */
    uint32_t reserved[3];
} camera_edge_batch;
_Static_assert(sizeof(camera_edge_batch) == 64, "the header of a batch has 64 bytes");

/* One observation of another module. */
typedef struct camera_edge_seen {
    const char *analyzer;
    uint32_t analyzer_len;
    const char *kind;
    uint32_t kind_len;
    float score;
    int32_t track;
    float x, y, w, h;
    uint32_t zones; /* bit n: it lies in the camera's n-th zone, in the order of the parameter `camera.zones` */
    const char *attributes;
    uint32_t attributes_len;
    uint32_t reserved[3];
} camera_edge_seen;

enum camera_edge_phase {
    CAMERA_EDGE_GOES_ON = 0,
    CAMERA_EDGE_OPENS = 1,
    CAMERA_EDGE_CHANGED = 2,
    CAMERA_EDGE_CLOSES = 3
};

/* One event of this camera. `id` is empty while it opens; `closed_us` is -1 while it is open. */
typedef struct camera_edge_event {
    uint32_t phase;
    const char *id;
    uint32_t id_len;
    const char *rule;
    uint32_t rule_len;
    const char *kind;
    uint32_t kind_len;
    const char *analyzer;
    uint32_t analyzer_len;
    float score;
    int64_t opened_us;
    int64_t closed_us;
    uint32_t zones;
    uint32_t reserved[5];
} camera_edge_event;
#if defined(__wasm__)
_Static_assert(sizeof(camera_edge_seen) == 64, "an observation in a batch has 64 bytes");
_Static_assert(sizeof(camera_edge_event) == 80, "an event in a batch has 80 bytes");
#endif

/* Opens an event of one of the manifest's kinds, or keeps it open. It closes once this was not called for as long as
 * the parameter `quiet_s` says. */
CAMERA_EDGE_IMPORT("raise") int32_t camera_edge_raise(const camera_edge_observation *observation);
/* The event with this index in the batch does not open, or closes. Another index spoils the whole answer. */
CAMERA_EDGE_IMPORT("veto") int32_t camera_edge_veto(int32_t event);
/* Another of the manifest's kinds for this event; a score below 0 keeps the one it has. */
CAMERA_EDGE_IMPORT("relabel")
int32_t camera_edge_relabel(int32_t event, const char *kind, uint32_t kind_len, float score);

/* What the guest defines. A negative return says that it failed on this batch. */
CAMERA_EDGE_EXPORT("observe") int32_t camera_edge_observe(const camera_edge_batch *batch, int32_t len);

static inline const camera_edge_seen *camera_edge_observations(const camera_edge_batch *batch) {
    return (const camera_edge_seen *)((const uint8_t *)batch + batch->observations_offset);
}

static inline const camera_edge_event *camera_edge_events(const camera_edge_batch *batch) {
    return (const camera_edge_event *)((const uint8_t *)batch + batch->events_offset);
}

#endif
