/* The analyzer `normality`: learns on site what is usual, and reports what is not.
 *
 * Five channels, each calibrated by what it says of frames it did not learn from: speed, direction, size, place, shape.
 * With `channel` one of these names the score is that channel's alone, calibrated too: 0 usual, 1 rare. */
#include "camera_edge.h"
#include "learning.h"
#include "looks.h"
#include "routine.h"
#include "text.h"
#include "verdict.h"

/* unlike for so long: it is said; and for so long: the camera was moved */
enum { UNFIT_US = 2000000, MOVED_US = 60000000 };
static const float UNLIKE = 0.3f; /* part of the scene that is to be seen, or the camera looks elsewhere */
static const float SURE = 0.5f;       /* of the model that says what it looks like */
static const float FEW_WINDOWS = 100; /* of which nothing can be learned */
enum { BY_STATE, ALWAYS, NEVER, FIRST_PASS, LEARN_WORDS = FIRST_PASS + READY };
static const char *const LEARN[LEARN_WORDS] = {"auto", "on", "off", "scene", "sizes", "habits", "measure"};
static const char *const MOTION[] = {"on", "off"};
static const char *const CHANNEL[WHYS + 1] = {"all", "speed", "direction", "size", "place", "shape"};
static const char *const *const CHANNELS_BY_NAME = CHANNEL + 1;
static const char *const WHY[WHYS] = {"too fast", "wrong way", "unusual size", "unusual place", "unusual shape"};

typedef struct settings {
    int32_t with_motion, channel; /* channel -1: all */
    int32_t pass;                 /* the stage that a pass of `learn` is in, -1: none */
    int32_t goes_on, fixed;       /* learning, whatever the state says */
    float alarm;
    int64_t occasion_us;
    int32_t occasion;
} settings;

static settings set;
static state_head found;
static learned now;
static sight seen;
static lessons study; /* without a lesson: nothing is learned */
static routine daily;
static verdict judged;
static int64_t last_us, first_us, unfit_us;
static int32_t frames, unfit, stored;

static int32_t learns_daily(void) { return study.now && set.pass < 0; }

static int32_t same_text(const char *text, int32_t len, const char *other) {
    if (len != (int32_t)text_length(other)) return 0;
    for (int32_t i = 0; i < len; i++)
        if (text[i] != other[i]) return 0;
    return 1;
}

/* Which of the words a parameter is, the first where it is not set; -1, and the words are logged: none of them. */
static int32_t choice(const char *name, const char *const *words, int32_t count) {
    char given[16], said[160];
    int32_t len = camera_edge_param_text(name, text_length(name), given, sizeof given);
    if (len == CAMERA_EDGE_NOT_FOUND) return 0;
    for (int32_t k = 0; k < count; k++)
        if (same_text(given, len, words[k])) return k;
    text to = {said, sizeof said, 0};
    text_say(&to, name);
    text_say(&to, " must be one of ");
    for (int32_t k = 0; k < count; k++) {
        if (k) text_say(&to, ", ");
        text_say(&to, words[k]);
    }
    camera_edge_log(CAMERA_EDGE_ERROR, to.bytes, to.len);
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

/* A state that somebody gave must be right; one that the host kept of this camera by itself is else forgotten. */
static int32_t forget(const char *reason) {
    char text[8];
    int32_t len = camera_edge_param_text(CAMERA_EDGE_TEXT("camera.state"), text, sizeof text);
    if (!same_text(text, len, "kept")) return refuse(reason);
    camera_edge_log(CAMERA_EDGE_WARNING, reason, text_length(reason));
    return stored = 0;
}

static int32_t look_at_state(void) {
    state_found what = state_look(&found);
    stored = what == STATE_GOOD;
    if (what == STATE_ALIEN)
        return forget("the state is no state of this analyzer: make one with `camera-edge learn normality`");
    if (what == STATE_OTHER_VERSION)
        return forget("the state is of another version: learn anew with `camera-edge learn normality`");
    if (what == STATE_DAMAGED) return forget("the state is damaged: learn anew with `camera-edge learn normality`");
    return 0;
}

int32_t camera_edge_open(void) {
    int32_t learn = choice("learn", LEARN, LEARN_WORDS), motion = choice("motion", MOTION, 2);
    int32_t channel = choice("channel", CHANNEL, WHYS + 1);
    if (learn < 0 || motion < 0 || channel < 0) return -1;
    set.pass = learn >= FIRST_PASS ? learn - FIRST_PASS : -1;
    set.goes_on = learn == ALWAYS, set.fixed = learn == NEVER;
    set.with_motion = motion == 0;
    set.channel = channel - 1;
    set.alarm = (float)number("alarm", 0.8, 0.05, 1000);
    daily.quiet = routine_quiet(set.alarm);
    daily.learn_us = (int64_t)(number("learn_s", 1800, 1, 1e6) * 1e6);
    daily.occasion_us = set.occasion_us = (int64_t)(number("occasion_s", 600, 1, 1e6) * 1e6);
    set.occasion = (int32_t)number("occasion", 0, 0, 60000);
    frames = unfit = 0;
    seen.size = (extent){0};
    if (look_at_state()) return -1;
    if (set.pass > LEARN_SCENE && !stored)
        return refuse("this pass needs what the one before it learned: `camera-edge learn normality` makes them all");
    return 0;
}

/* Silence is no answer to whoever expects reports. */
static void announce_learning(void) {
    char words[160];
    text to = {words, sizeof words, 0};
    int64_t left_us = daily.learn_us - now.learned_us;
    text_say(&to, stored ? "too little" : "nothing");
    text_say(&to, " is known of this camera yet: it learns for ");
    text_add_number(&to, left_us > 0 ? (double)left_us / 1e6 : 0, 0);
    text_say(&to, " s before it reports anything");
    camera_edge_log(CAMERA_EDGE_WARNING, to.bytes, to.len);
}

static int32_t start(extent e, int64_t media_us) {
    if (sight_start(&seen, e, set.with_motion)) return -1;
    __builtin_memset(&now, 0, sizeof now);
    judged = (verdict){0};
    first_us = last_us = media_us;
    now.seed = 20260101;
    if (stored && (found.width != e.width || found.height != e.height) &&
        forget("the state is of a view of another size: learn from this camera with `camera-edge learn normality`"))
        return -1;
    if (stored) state_read(&now, &seen.empty);
    /* by the weights of this version, whichever it was learned with */
    if (now.head.stage == READY) calibration_settle(&now.measured);
    study.now = NULL;
    if (set.pass >= 0 || set.goes_on || (!now.head.sealed && !set.fixed)) {
        if (lessons_start(&study, e)) return -1;
        if (stored && set.pass >= 0) state_read_lesson(study.now, e);
    }
    if (!study.now && now.head.stage != READY)
        return refuse("the state is unfinished and nothing is to be learned: leave `learn` out");
    routine_start(&daily, media_us);
    /* the samples of a scene that was not settled were in memory alone */
    if (set.pass < 0 && now.head.stage == LEARN_SCENE) now.learned_us = 0, now.head.samples = 0;
    if (set.pass < 0 && now.head.stage != READY) announce_learning();
    if (set.pass >= 0) now.head.stage = (uint16_t)set.pass;
    study.occasion = (uint16_t)set.occasion, study.rate = 0.002f, study.steps = 20, study.things = 3;
    return 0;
}

/* "unusual shape, looks like a cyclist": only where the model is sure of something else than people on foot. */
static void say_why(text *to, int32_t channel, const looks *like) {
    char words[64];
    text why = {words, sizeof words, 0};
    text_say(&why, WHY[channel]);
    if (like->remark && like->sure >= SURE) {
        text_say(&why, ", ");
        text_say(&why, like->remark);
    }
    text_add_quoted(to, words, why.len);
}

static void report(const answers *a, const frame *f, const float *smooth, float score) {
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
    place at = seen.places[a->windows[best]];
    float h = perspective_height(&now.sizes, at.y), w = (float)seen.size.width, t = (float)seen.size.height;
    looks like = looks_at(&seen, f, at, h);
    say_why(&to, best, &like);
    if (like.kind) {
        text_say(&to, ",\"looks\":");
        text_add_quoted(&to, like.kind, text_length(like.kind));
        text_say(&to, ",\"looks_sure\":");
        text_add_number(&to, like.sure, 3);
    }
    for (int32_t k = 0; k < WHYS; k++) {
        text_say(&to, ",\"");
        text_say(&to, CHANNELS_BY_NAME[k]);
        text_say(&to, "\":");
        text_add_number(&to, calibration_level(&now.measured, k, smooth[k]), 3);
    }
    text_say(&to, "}");
    float left = within((at.x - 0.65f * h) / w, 0, 1), right = within((at.x + 0.65f * h) / w, 0, 1);
    float top = within((at.y - 1.1f * h) / t, 0, 1), bottom = within((at.y + 0.06f * h) / t, 0, 1);
    camera_edge_observation o = {CAMERA_EDGE_TEXT("unusual"), within(1 - 0.5f * set.alarm / score, 0, 1), -1, left, top, 0, 0,
                                 attributes, to.len};
    o.w = right - left, o.h = bottom - top;
    camera_edge_emit(&o);
}

static float score_of(const float *smooth) {
    if (set.channel >= 0) return calibration_level(&now.measured, set.channel, smooth[set.channel]);
    return calibration_combine(&now.measured, smooth, !set.with_motion);
}

/* The camera looks at another scene than the one that was learned: nothing that it says would mean anything. One that
 * learns while it runs begins anew after a while. */
static int32_t fits(int64_t elapsed_us) {
    int32_t alike = seen.empty.likeness >= UNLIKE;
    unfit_us = alike ? 0 : unfit_us + elapsed_us;
    if (alike) unfit = 0;
    if (unfit_us >= UNFIT_US && !unfit) {
        static const char words[] = "what the camera shows is not the scene that was learned: nothing is reported; "
                                    "learn anew if it was moved";
        unfit = 1;
        camera_edge_log(CAMERA_EDGE_WARNING, CAMERA_EDGE_TEXT(words));
    }
    return alike;
}

static int32_t learn_anew(int64_t media_us) {
    static const char words[] = "the camera shows another scene for a minute: it is learned anew";
    extent e = seen.size;
    camera_edge_log(CAMERA_EDGE_WARNING, CAMERA_EDGE_TEXT(words));
    stored = 0, unfit_us = 0;
    return start(e, media_us);
}

static void judge(const frame *f) {
    answers a;
    float smooth[WHYS], revised[WHYS];
    sight_judge(&seen, &now, 3, &a);
    verdict_see(&judged, f->media_us, a.values, smooth);
    for (int32_t k = 0; k < WHYS; k++)
        camera_edge_metric(CHANNELS_BY_NAME[k], text_length(CHANNELS_BY_NAME[k]),
                           calibration_level(&now.measured, k, smooth[k]));
    float score = score_of(smooth);
    camera_edge_score(score);
    if (score >= set.alarm) report(&a, f, smooth, score);
    opinion said = {f->media_us, score, smooth};
    if (learns_daily()) routine_follow(&daily, &now, &seen, &study, &said);
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

/* A frame of a stage in which something is still to be learned; nothing is reported. */
static void learn(const frame *f) {
    camera_edge_score(0);
    if (now.head.stage == LEARN_SIZES) lessons_sizes(&now, &seen);
    if (now.head.stage < LEARN_HABITS) return;
    sight_describe(&seen, f, &now.sizes);
    if (now.head.stage == LEARN_HABITS) lessons_habits(&study, &now, &seen);
    if (now.head.stage == MEASURE) measure(f);
}

static int32_t work(const frame *f) {
    if (learns_daily()) routine_stage(&daily, &now, &seen, &study, f->elapsed_us);
    if (now.head.stage == LEARN_SCENE) {
        lessons_scene(&study, &now, f, seen.size);
        return camera_edge_score(0);
    }
    sight_compare(&seen, f);
    if (!fits(f->elapsed_us)) {
        camera_edge_score(0);
        if (learns_daily() && unfit_us >= MOVED_US) return learn_anew(f->media_us);
        /* the light of another scene is not followed */
        return 0;
    }
    if (now.head.stage == READY) {
        sight_describe(&seen, f, &now.sizes);
        judge(f);
    } else {
        learn(f);
    }
    scene_follow(&seen.empty, f->pixels, f->stride, seen.front.mask, f->elapsed_us);
    if (learns_daily() && routine_is_due(&daily, f->media_us)) {
        scene_age(&seen.empty);
        state_write(&now, &seen.empty, NULL);
    }
    return 0;
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
    return work(&f);
}

/* Ends a pass: what the next one needs is worked out. */
static void finish_pass(void) {
    if (set.pass == LEARN_SCENE) scene_settle(&seen.empty, study.now->modes, (int32_t)now.head.samples);
    if (set.pass == LEARN_SIZES) perspective_fit(&now.sizes, seen.size);
    if (set.pass == MEASURE && now.usual.all[0].windows + now.usual.all[1].windows >= FEW_WINDOWS) {
        calibration_settle(&now.measured);
        now.head.stage = READY, now.head.sealed = 1;
    }
}

void camera_edge_close(void) {
    if (!frames || seen.size.width == 0 || !study.now) return;
    if (set.pass >= 0) finish_pass();
    /* a recording's own light is not that of the next one */
    if (set.pass > LEARN_SCENE) state_read_scene(&seen.empty);
    state_write(&now, &seen.empty, set.pass >= 0 ? study.now : NULL);
}
