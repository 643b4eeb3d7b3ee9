/* A rule module: a person in zone A while there is no forklift in zone B, on weekdays.
 *
 * It sees no pixels. For each analysed frame the host hands it a batch: what the camera's modules observed, with the
 * zones that each thing stands in. As long as the rule holds, it raises an event of kind `person_alone`: the first call
 * opens it, those that follow keep it open, and it closes when there were none for `quiet_s` seconds.
 *
 * A forklift is an observation of kind `forklift`, or a `vehicle` with the attribute `"class": "forklift"`.
 */
#include "attributes.h"
#include "rule.h"
#include "text.h"

enum { ZONES = 32, NAME_BYTES = 64, LIST_BYTES = 4096, MINUTES_A_DAY = 24 * 60, WORKDAYS = 5 };

static uint32_t zone_a, zone_b; /* one bit each */
static double from_hour, to_hour;

static int32_t refuse(const char *why) {
    camera_edge_log(CAMERA_EDGE_ERROR, why, text_length(why));
    return -1;
}

/* The bit of the zone that the parameter names, 0: the camera has no such zone. */
static uint32_t zone_of(const char *param, uint32_t param_len) {
    static char list[LIST_BYTES];
    char name[NAME_BYTES + 1] = {0};
    int32_t name_len = camera_edge_param_text(param, param_len, name, NAME_BYTES);
    int32_t list_len = camera_edge_param_text(CAMERA_EDGE_TEXT("camera.zones"), list, LIST_BYTES);
    if (name_len <= 0 || name_len > NAME_BYTES || list_len <= 0 || list_len > LIST_BYTES) return 0;
    int32_t start = 0;
    for (int32_t number = 0; number < ZONES && start < list_len; number++) {
        int32_t end = start;
        while (end < list_len && list[end] != '\n') end++;
        if (attributes_same(list + start, (uint32_t)(end - start), name)) return 1u << number;
        start = end + 1;
    }
    return 0;
}

int32_t camera_edge_open(void) {
    from_hour = camera_edge_param_number(CAMERA_EDGE_TEXT("from_hour"), 6);
    to_hour = camera_edge_param_number(CAMERA_EDGE_TEXT("to_hour"), 22);
    zone_a = zone_of(CAMERA_EDGE_TEXT("zone_a"));
    if (!zone_a) return refuse("zone_a is not a zone of this camera");
    zone_b = zone_of(CAMERA_EDGE_TEXT("zone_b"));
    if (!zone_b) return refuse("zone_b is not a zone of this camera");
    return 0;
}

/* An unknown time does not silence the rule. */
static int32_t is_due(int32_t week_minute) {
    if (week_minute < 0) return 1;
    if (week_minute / MINUTES_A_DAY >= WORKDAYS) return 0;
    double hour = (double)(week_minute % MINUTES_A_DAY) / 60;
    if (from_hour <= to_hour) return from_hour <= hour && hour < to_hour;
    return from_hour <= hour || hour < to_hour;
}

static int32_t is_forklift(const camera_edge_seen *seen) {
    if (attributes_same(seen->kind, seen->kind_len, "forklift")) return 1;
    return attributes_same(seen->kind, seen->kind_len, "vehicle") &&
           attributes_say(seen->attributes, seen->attributes_len, "class", "forklift");
}

int32_t camera_edge_observe(const camera_edge_batch *batch, int32_t len) {
    (void)len;
    if (!is_due(batch->week_minute)) return 0;
    const camera_edge_seen *all = camera_edge_observations(batch), *person = NULL;
    for (uint32_t i = 0; i < batch->observations; i++) {
        const camera_edge_seen *seen = &all[i];
        if ((seen->zones & zone_b) && is_forklift(seen)) return 0;
        if (!(seen->zones & zone_a) || !attributes_same(seen->kind, seen->kind_len, "person")) continue;
        if (!person || seen->score > person->score) person = seen;
    }
    if (!person) return 0;
    camera_edge_observation alone = {
        .kind = "person_alone",
        .kind_len = 12,
        .score = person->score,
        .track = person->track,
        .x = person->x,
        .y = person->y,
        .w = person->w,
        .h = person->h,
    };
    return camera_edge_raise(&alone);
}

void camera_edge_close(void) {}
