/* See README.md beside this folder. */
#include "rule.h"
#include "text.h"

static char bytes[512];
static text line;

static void begin(const char *name) {
    line = (text){.bytes = bytes, .capacity = sizeof bytes};
    text_say(&line, name);
}

static void add_text(const char *from, uint32_t len) {
    text_say(&line, " ");
    text_add(&line, from, len);
}

static void add_number(int64_t number) {
    text_say(&line, " ");
    text_add_number(&line, (double)number, 0);
}

static void say(void) { camera_edge_log(CAMERA_EDGE_INFO, line.bytes, line.len); }

static void echo(const camera_edge_seen *seen) {
    begin("seen");
    add_text(seen->analyzer, seen->analyzer_len);
    add_text(seen->kind, seen->kind_len);
    add_number(seen->zones);
    say();
    camera_edge_observation again = {
        .kind = "echo",
        .kind_len = 4,
        .score = seen->score,
        .track = seen->track,
        .x = seen->x,
        .y = seen->y,
        .w = seen->w,
        .h = seen->h,
        .attributes = seen->attributes,
        .attributes_len = seen->attributes_len,
    };
    camera_edge_raise(&again);
}

static void answer(const camera_edge_event *event, int32_t number) {
    begin("event");
    add_number(event->phase);
    add_text(event->id, event->id_len);
    add_text(event->rule, event->rule_len);
    add_text(event->kind, event->kind_len);
    add_text(event->analyzer, event->analyzer_len);
    add_number(event->opened_us);
    add_number(event->closed_us + 1);
    add_number(event->zones);
    say();
    if (event->rule_len == 8) camera_edge_veto(number);
    if (event->phase == CAMERA_EDGE_OPENS) camera_edge_relabel(number, CAMERA_EDGE_TEXT("renamed"), 0.25f);
    if (event->phase == CAMERA_EDGE_CHANGED) camera_edge_relabel(number, CAMERA_EDGE_TEXT("renamed"), -1);
}

int32_t camera_edge_open(void) { return 0; }

int32_t camera_edge_observe(const camera_edge_batch *batch, int32_t len) {
    (void)len;
    begin("batch");
    add_number((int64_t)batch->sequence);
    add_number(batch->media_us);
    add_number(batch->utc_us);
    add_number(batch->week_minute + 1);
    add_number(batch->left_out);
    say();
    for (uint32_t i = 0; i < batch->observations; i++) echo(camera_edge_observations(batch) + i);
    for (uint32_t i = 0; i < batch->events; i++) answer(camera_edge_events(batch) + i, (int32_t)i);
    return 0;
}

void camera_edge_close(void) {}
