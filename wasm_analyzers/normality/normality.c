/* The analyzer `normality`: learns on site what is usual, and reports what is not.
 *
 * Five channels, each calibrated by what it says of frames it did not learn from: speed, direction, size, place, shape.
 * With `channel` one of these names the score is that channel's alone, calibrated too: 0 usual, 1 rare. */
#include "camera_edge.h"
#include "learning.h"
#include "text.h"
#include "verdict.h"

enum { MOST_REPORTED = 4, UNFIT_US = 2000000 };
static const float UNLIKE = 0.5f; /* correlation with the scene below which the camera looks elsewhere */
static const char *const CHANNELS_BY_NAME[WHYS] = {"speed", "direction", "size", "place", "shape"};
static const char *const WHY[WHYS] = {"too fast", "wrong way", "unusual size", "unusual place", "unusual shape"};

typedef struct settings {
    int32_t with_motion, channel; /* channel -1: all */
    int32_t pass;                 /* the stage that a pass of `learn` is in, -1: none */
    float alarm;
    int64_t learn_us, occasion_us;
    int32_t occasion;
} settings;

static settings set;
static state_head found;
static learned now;
static sight seen;
static lessons study;
static verdict judged;
static int64_t last_us, first_us, unfit_us;
static int32_t frames, unfit, stored;

static int32_t same_text(const char *text, int32_t len, const char *other) {
    if (len != (int32_t)text_length(other)) return 0;
    for (int32_t i = 0; i < len; i++)
        if (text[i] != other[i]) return 0;
    return 1;
}

/* Which of the words a parameter is; -1: none of them, or it is not set. */
static int32_t choice(const char *name, const char *const *words, int32_t count) {
    char text[16] = {0};
    int32_t len = camera_edge_param_text(name, text_length(name), text, sizeof text);
    for (int32_t k = 0; k < count; k++)
        if (same_text(text, len, words[k])) return k;
    return -1;
}

static double number(const char *name, double fallback, double low, double high) {
    double value = camera_edge_param_number(name, text_length(name), fallback);
    return value >= low ? value > high ? high : value : low;
}

static int32_t refuse(const char *reason) {
    camera_edge_log(CAMERA_EDGE_ERROR, reason, text_length(reason));
    return -1;
}

int32_t camera_edge_open(void) {
    static const char *const passes[] = {"scene", "sizes", "habits", "measure"};
    static const char *const off[] = {"off"};
    set.pass = choice("learn", passes, 4);
    set.with_motion = choice("motion", off, 1) < 0;
    set.channel = choice("channel", CHANNELS_BY_NAME, WHYS);
    set.alarm = (float)number("alarm", 1, 0.05, 1000);
    set.learn_us = (int64_t)(number("learn_s", 1800, 1, 1e6) * 1e6);
    set.occasion_us = (int64_t)(number("occasion_s", 600, 1, 1e6) * 1e6);
    set.occasion = (int32_t)number("occasion", 0, 0, 60000);
    frames = unfit = stored = 0;
    seen.size = (extent){0};
    switch (state_look(&found)) {
        case STATE_NONE: break;
        case STATE_GOOD: stored = 1; break;
        case STATE_ALIEN: return refuse("the state is no state of this analyzer: make one with `camera-edge learn normality`");
        case STATE_OTHER_VERSION: return refuse("the state is of another version of this analyzer: learn anew with `camera-edge learn normality`");
        case STATE_DAMAGED: return refuse("the state is damaged: learn anew with `camera-edge learn normality`");
    }
    return 0;
}

static int32_t start(extent e, int64_t media_us) {
    if (sight_start(&seen, e, set.with_motion)) return -1;
    __builtin_memset(&now, 0, sizeof now);
    judged = (verdict){0};
    first_us = last_us = media_us;
    now.seed = 20260101;
    if (stored) {
        if (found.width != e.width || found.height != e.height)
            return refuse("the state is of a view of another size: learn from this camera with `camera-edge learn normality`");
        state_read(&now, &seen.empty);
    }
    if (set.pass >= 0 || !now.head.sealed) {
        if (lessons_start(&study, e)) return -1;
        if (stored && set.pass >= 0) state_read_lesson(study.now, e);
    }
    if (set.pass >= 0) now.head.stage = (uint16_t)set.pass;
    study.occasion = (uint16_t)set.occasion, study.rate = 0.002f, study.steps = 12, study.things = 2;
    return 0;
}

static void report(const answers *a, const float *smooth, float score) {
    static char attributes[512];
    int32_t best = -1;
    float highest = 0;
    text to = {attributes, sizeof attributes, 0};
    text_say(&to, "{\"why\":");
    for (int32_t k = 0; k < WHYS; k++) {
        float level = calibration_level(&now.measured, k, smooth[k]);
        if (a->windows[k] < 0 || (!set.with_motion && k <= DIRECTION)) continue;
        if (set.channel >= 0 && k != set.channel) continue;
        if (best < 0 || level > highest) best = k, highest = level;
    }
    if (best < 0) return;
    text_add_quoted(&to, WHY[best], text_length(WHY[best]));
    for (int32_t k = 0; k < WHYS; k++) {
        text_say(&to, ",\"");
        text_say(&to, CHANNELS_BY_NAME[k]);
        text_say(&to, "\":");
        text_add_number(&to, calibration_level(&now.measured, k, smooth[k]), 3);
    }
    text_say(&to, "}");
    place at = seen.places[a->windows[best]];
    float h = perspective_height(&now.sizes, at.y), w = (float)seen.size.width, t = (float)seen.size.height;
    float left = within((at.x - 0.65f * h) / w, 0, 1), right = within((at.x + 0.65f * h) / w, 0, 1);
    float top = within((at.y - 1.1f * h) / t, 0, 1), bottom = within((at.y + 0.06f * h) / t, 0, 1);
    camera_edge_observation o = {"unusual", 7, within(1 - 0.5f * set.alarm / score, 0, 1), -1, left, top, right - left, bottom - top,
                                 attributes, to.len};
    camera_edge_emit(&o);
}

static float score_of(const float *smooth) {
    if (set.channel >= 0) return calibration_level(&now.measured, set.channel, smooth[set.channel]);
    return calibration_combine(&now.measured, smooth, !set.with_motion);
}

/* The camera looks at another scene than the one that was learned: nothing that it says would mean anything. */
static int32_t fits(int64_t elapsed_us) {
    unfit_us = seen.empty.likeness < UNLIKE ? unfit_us + elapsed_us : 0;
    int32_t bad = seen.empty.likeness < UNLIKE;
    if (unfit_us >= UNFIT_US && !unfit) {
        unfit = 1;
        const char *words = "what the camera shows is not the scene that was learned: nothing is reported until it is, or learn anew";
        camera_edge_log(CAMERA_EDGE_WARNING, words, text_length(words));
    }
    if (!bad) unfit = 0;
    return !bad;
}

static void judge(const frame *f) {
    answers a;
    float smooth[WHYS], revised[WHYS];
    sight_judge(&seen, &now, 3, &a);
    verdict_see(&judged, f->media_us, a.values, smooth);
    for (int32_t k = 0; k < WHYS; k++) camera_edge_metric(CHANNELS_BY_NAME[k], text_length(CHANNELS_BY_NAME[k]), a.values[k]);
    float score = score_of(smooth);
    camera_edge_score(score);
    if (score >= set.alarm) report(&a, smooth, score);
    int32_t lag = verdict_revise(&judged, revised);
    if (lag > 0) camera_edge_score_at(lag, score_of(revised));
}

static void measure(const frame *f) {
    answers a;
    float smooth[WHYS];
    uint32_t other = 2u >> (study.occasion % FOLDS);
    sight_judge(&seen, &now, now.nets[1 - study.occasion % FOLDS].steps ? other : 3, &a);
    verdict_see(&judged, f->media_us, a.values, smooth);
    calibration_see(&now.measured, smooth, &now.seed);
}

static void work(const frame *f) {
    if (now.head.stage == LEARN_SCENE) {
        lessons_scene(&study, &now, f, seen.size);
        camera_edge_score(0);
        return;
    }
    sight_compare(&seen, f);
    if (now.head.stage == LEARN_SIZES) {
        lessons_sizes(&now, &seen);
        camera_edge_score(0);
    } else if (now.head.stage == READY && !fits(f->elapsed_us)) {
        camera_edge_score(0);
    } else {
        sight_describe(&seen, f, &now.sizes);
        if (now.head.stage == LEARN_HABITS) lessons_habits(&study, &now, &seen);
        if (now.head.stage == MEASURE) measure(f);
        if (now.head.stage == READY)
            judge(f);
        else
            camera_edge_score(0);
    }
    scene_follow(&seen.empty, f->pixels, f->stride, seen.front.mask, f->elapsed_us);
}

int32_t camera_edge_analyze(const camera_edge_slot *slot) {
    extent e = {(int32_t)slot->width, (int32_t)slot->height};
    if ((e.width != seen.size.width || e.height != seen.size.height) && start(e, slot->media_us)) {
        seen.size = (extent){0};
        return -1;
    }
    frame f = {camera_edge_pixels(slot), (int32_t)slot->stride, slot->media_us, slot->media_us - last_us};
    if (f.elapsed_us < 0) f.elapsed_us = 0;
    last_us = slot->media_us;
    study.occasion = (uint16_t)(set.occasion + (slot->media_us - first_us) / set.occasion_us);
    frames++;
    work(&f);
    return 0;
}

/* Ends a pass: what the next one needs is worked out. */
static void finish_pass(void) {
    if (set.pass == LEARN_SCENE) scene_settle(&seen.empty, study.now->modes, (int32_t)now.head.samples);
    if (set.pass == LEARN_SIZES) perspective_fit(&now.sizes, seen.size);
    if (set.pass == MEASURE) {
        calibration_settle(&now.measured);
        now.head.stage = READY, now.head.sealed = 1;
    }
}

void camera_edge_close(void) {
    if (!frames || seen.size.width == 0 || set.pass < 0) return;
    finish_pass();
    /* a recording's own light is not that of the next one */
    if (set.pass > LEARN_SCENE) state_read_scene(&seen.empty);
    state_write(&now, &seen.empty, study.now);
}
