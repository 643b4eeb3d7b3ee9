/* The analyzer `tamper`: says when the camera itself is covered, turned, out of focus, blinded, dark, frozen or noisy. */
#include "camera_edge.h"
#include "scene.h"
#include "text.h"
#include "verdict.h"

enum { LEAST_FRAMES = 4, LONGEST_STEP_US = 1000000, GLANCE_US = 150000, PAUSES = 2, STILL_GLANCES = 4, MORE_DOUBTFUL = 3 };
static const float FULL = 1.3f;      /* evidence that no more is added to */
static const float HALF = 0.6f;      /* the same of what is so doubtful that it raises no alarm alone */
static const float DOUBTFUL = 0.35f;
static const float MOST_STEP = 0.35f; /* evidence of one frame: no alarm rests on fewer than three */

typedef struct settings {
    int64_t learn_us, frozen_us, moved_us, accept_us;
    float confirm_s;
} settings;

static settings set;
static uint8_t *room;
static uint32_t room_bytes;
static int32_t width, height, learned; /* frames, while the view is being learned */
static int64_t first_us, last_us, glanced_us, alarm_us;
static measures seen;
static habits usual;
static float evidence, votes[KINDS];
static enum what alarm;
/* A picture that does not change: since when, for how long, for how long at most before; in how many glances that is
 * plain, and in how many it is doubtful. */
static int64_t moved_us, pause_us, longest_pause_us;
static int32_t still_glances, doubtful_glances;
static int frozen;
static habits before_pause;
static measures calmest;

static double number(const char *name, double fallback, double least, double most) {
    double value = camera_edge_param_number(name, text_length(name), fallback);
    return value < least ? least : value > most ? most : value;
}

int32_t camera_edge_open(void) {
    set.learn_us = (int64_t)(number("learn_s", 0.9, 0.2, 600) * 1e6);
    set.confirm_s = (float)number("confirm_s", 1.2, 0.1, 60);
    set.frozen_us = (int64_t)(number("frozen_s", 2, 0.5, 3600) * 1e6);
    set.moved_us = (int64_t)(number("moved_s", 30, 1, 86400) * 1e6);
    set.accept_us = (int64_t)(number("accept_s", 600, 1, 86400) * 1e6);
    width = height = 0;
    return 0;
}

static void begin(int64_t media_us) {
    scene_forget();
    learned = 0;
    first_us = last_us = glanced_us = moved_us = media_us;
    frozen = 0;
    pause_us = longest_pause_us = 0;
    still_glances = doubtful_glances = 0;
    evidence = 0;
    alarm = NOTHING;
    usual = (habits){0};
    __builtin_memset(votes, 0, sizeof votes);
}

static int32_t start(const camera_edge_slot *slot) {
    int32_t wide = (int32_t)slot->width, high = (int32_t)slot->height;
    uint32_t bytes = scene_bytes(wide, high);
    if (bytes > room_bytes) {
        room = camera_edge_pages(bytes);
        room_bytes = room ? bytes : 0;
    }
    if (!room) {
        camera_edge_log(CAMERA_EDGE_ERROR, CAMERA_EDGE_TEXT("no memory for a view of this size: ask for a smaller one"));
        return -1;
    }
    width = wide, height = high;
    scene_open(wide, high, room);
    begin(slot->media_us);
    return 0;
}

static void follow(float *habit, float value, float rate) { *habit += (value - *habit) * rate; }

/* What is always there at least: down at once, up slowly. */
static void follow_least(float *habit, float value, float rate) {
    follow(habit, value, value < *habit ? 0.5f : rate / 3);
}

static void learn_habits(float rate) {
    if (seen.sharp > 0) follow(&usual.sharp, seen.sharp, usual.sharp > 0 ? rate : 1);
    if (seen.edges > 0) follow(&usual.edges, seen.edges, usual.edges > 0 ? rate : 1);
    follow(&usual.noise, seen.noise, rate);
    follow(&usual.lines, seen.lines, rate);
    follow(&usual.rough, seen.rough, rate);
}

/* At once down: an encoder's stillest frame may come again. */
static void learn_rest(float rate) {
    if (!usual.calm || seen.alive < usual.alive) usual.alive = seen.alive;
    else follow(&usual.alive, seen.alive, rate / 10);
    usual.calm += usual.calm < 1000;
}

/* Of the changes from one glance to the next. */
static void learn_changes(float rate) {
    if (usual.frames++) {
        follow_least(&usual.changed, seen.changed, rate);
        follow_least(&usual.changed_mean, seen.changed_mean, rate);
    } else {
        usual.changed = seen.changed;
        usual.changed_mean = seen.changed_mean;
    }
    if (is_calm(&seen)) learn_rest(rate);
}

static void follow_changes(float elapsed_s) {
    float second = elapsed_s < 1 ? elapsed_s : 1;
    follow(&usual.busy, seen.busy, seen.busy < usual.busy ? 1 : second);
    follow(&usual.changed_most, seen.changed_most, seen.changed_most < usual.changed_most ? 1 : second);
    follow(&usual.light, seen.light, elapsed_s < 0.5f ? elapsed_s * 2 : 1);
    follow(&usual.stirred, seen.stirred, elapsed_s / 3);
}

static void learn(int64_t media_us, int glance) {
    learn_habits(1.0f / (float)(learned + 1));
    if (glance && learned) {
        if (usual.frames == 0) {
            usual.busy = seen.busy;
            usual.changed_most = seen.changed_most;
            usual.light = seen.light;
            usual.stirred = seen.stirred;
        }
        learn_changes(0.1f);
        follow_changes(0.2f);
    }
    scene_learn(++learned, media_us);
    moved_us = media_us;
    before_pause = usual;
}

/* Evidence grows with what is wrong and falls where nothing is; what it is the frames vote for. */
static void weigh(opinion said, float elapsed_s) {
    float step = elapsed_s / set.confirm_s < MOST_STEP ? elapsed_s / set.confirm_s : MOST_STEP;
    if (said.sure == 0) {
        evidence -= step;
        if (evidence <= 0) {
            evidence = 0;
            __builtin_memset(votes, 0, sizeof votes);
        }
        return;
    }
    float most = said.sure < DOUBTFUL ? HALF : FULL;
    float grown = evidence + step * said.sure;
    if (evidence < most) evidence = grown < most ? grown : most;
    /* what it was a second ago it need not be now */
    for (int32_t i = 0; i < KINDS; i++) votes[i] *= elapsed_s < 1 ? 1 - elapsed_s : 0;
    votes[said.what] += step * said.sure;
}

static enum what elected(void) {
    enum what best = NOTHING;
    for (int32_t i = 1; i < KINDS; i++)
        if (votes[i] > votes[best]) best = (enum what)i;
    return best;
}

static void emit(void) {
    char bytes[128];
    text attributes = {.bytes = bytes, .capacity = sizeof bytes};
    text_say(&attributes, "{\"what\":\"");
    text_say(&attributes, name_of(alarm));
    text_say(&attributes, "\",\"why\":\"");
    text_say(&attributes, reason_for(alarm));
    text_say(&attributes, "\"}");
    float sure = alarm == FROZEN || evidence > 1 ? 1 : evidence;
    camera_edge_observation told = {
        .kind = "tamper",
        .kind_len = 6,
        .score = 0.5f + 0.5f * sure,
        .track = -1,
        .w = 1,
        .h = 1,
        .attributes = bytes,
        .attributes_len = attributes.len,
    };
    if (alarm == COVERED) scene_lost_box(&told.x, &told.y, &told.w, &told.h);
    camera_edge_emit(&told);
}

/* It went on: so still may the picture be, and for so long. */
static void learn_pause(void) {
    if (pause_us > longest_pause_us) longest_pause_us = pause_us;
    follow_least(&usual.changed, calmest.changed, 0);
    follow_least(&usual.changed_mean, calmest.changed_mean, 0);
}

static void end_pause(int64_t media_us) {
    /* a pause that was an alarm is no habit */
    if (pause_us && alarm != FROZEN) learn_pause();
    pause_us = 0;
    still_glances = doubtful_glances = 0;
    moved_us = media_us;
}

/* Whether it has stood still for too long. A picture that stood still before, for a pause of the network or between two
 * pictures of a slow encoder, may do so again. */
static int is_frozen(int64_t media_us, float elapsed_s) {
    enum stillness still = stands_still(&seen, &before_pause);
    int nothing_yet = !still_glances && !doubtful_glances;
    doubtful_glances += still == MAYBE || (still == STILLER && !still_glances);
    if (still == LIVE || doubtful_glances > still_glances + MORE_DOUBTFUL || (still == MAYBE && nothing_yet)) {
        end_pause(media_us);
    } else if (still == STILL_PICTURE) {
        if (!still_glances || seen.changed < calmest.changed) calmest = seen;
        still_glances++;
    }
    if (still_glances) pause_us = media_us - moved_us;
    follow_changes(elapsed_s);
    if (!still_glances && !doubtful_glances) before_pause = usual;
    /* an encoder that begins anew so often leaves out every other frame by itself */
    int mostly = still_glances > doubtful_glances;
    return mostly && still_glances >= STILL_GLANCES && pause_us > set.frozen_us && pause_us > PAUSES * longest_pause_us;
}

static enum what alarm_of(void) {
    if (alarm == FROZEN ? frozen : alarm != NOTHING && evidence > 0) return alarm;
    if (evidence >= 1) return elected();
    return frozen ? FROZEN : NOTHING;
}

static void decide(int64_t media_us, float elapsed_s, float glance_s) {
    weigh(judge(&seen, &usual), elapsed_s);
    if (glance_s > 0) frozen = is_frozen(media_us, glance_s);
    enum what now = alarm_of();
    if (now != alarm) alarm_us = media_us;
    alarm = now;
    if (alarm != NOTHING) {
        emit();
    } else if (evidence <= 0 && still_glances == 0) {
        learn_habits(elapsed_s / 10);
        if (glance_s > 0) learn_changes(glance_s / 10);
        scene_learn(0, media_us);
    }
}

static int64_t within(int64_t elapsed_us) {
    return elapsed_us < 0 ? 0 : elapsed_us > LONGEST_STEP_US ? LONGEST_STEP_US : elapsed_us;
}

int32_t camera_edge_analyze(const camera_edge_slot *slot) {
    int64_t media_us = slot->media_us;
    int changed_size = (int32_t)slot->width != width || (int32_t)slot->height != height;
    if (changed_size && start(slot)) return -1;
    float elapsed_s = (float)within(media_us - last_us) * 1e-6f;
    last_us = media_us;
    /* changes are judged at about the same pace whatever the camera's */
    int glance = media_us - glanced_us >= GLANCE_US;
    float glance_s = glance ? (float)within(media_us - glanced_us) * 1e-6f : 0;
    scene_look(camera_edge_pixels(slot), (int32_t)slot->stride, camera_edge_zones(slot), media_us, &seen);
    if (learned < LEAST_FRAMES || media_us - first_us < set.learn_us) {
        learn(media_us, glance);
    } else {
        if (seen.sharp > 0 && seen.sharp < 0.9f * usual.sharp && seen.lost < 0.6f) {
            float better = scene_tremble();
            scene_follow_drift(media_us, 0.85f * usual.sharp / (seen.sharp > 0.05f ? seen.sharp : 0.05f));
            seen.sharp *= better;
        }
        decide(media_us, elapsed_s, glance_s);
    }
    if (glance) {
        scene_keep();
        glanced_us = media_us;
    }
    int64_t patience_us = alarm == MOVED ? set.moved_us : set.accept_us;
    if (alarm != NOTHING && media_us - alarm_us > patience_us) begin(media_us);
    camera_edge_score(alarm != NOTHING ? 1 : evidence < 1 ? evidence : 1);
    return 0;
}

void camera_edge_close(void) {}
