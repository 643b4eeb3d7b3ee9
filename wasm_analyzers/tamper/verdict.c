#include "verdict.h"

#include "shift.h"

enum {
    BLACK = 16,
    WHITE = 180, /* luma of a picture that is white, where all of it is brighter */
    WATCHED = 25, /* glances until the noise of a scene that never rests is known */
    RESTED = 5,   /* glances at rest until it is known how still this camera is then */
};
static const float DRIFTED = 0.08f;    /* of the view */
static const float LINES = 5;          /* grey levels */
static const float MOST_CALM = 8;
static const float NOISY = 0.25f;      /* grey levels from frame to frame of which an encoder cannot have left out any */
static const float DEAD = 0.35f;       /* of the pixels that change at least while nothing moves */
static const float RESTLESS = 0.5f;    /* of which it is noise for sure, and not what somebody leaves behind who goes out */
static const float CALM = 2.5f;        /* grey levels of the block that changes most, where nothing moves */
static const float ASTIR = 8;          /* grey levels of the block that changes most, where something goes on all the time */
static const float HALTED = 0.12f;     /* of that, where it stopped in the middle of it */
static const float STRUCTURED = 0.06f; /* blocks with structure, of all, without which nothing can be lost */

static const char *const NAMES[KINDS] = {"", "covered", "moved", "defocused", "blinded", "blackout", "frozen", "noise"};
static const char *const REASONS[KINDS] = {
    "",
    "something covers the view",
    "the view moved",
    "the picture lost its focus",
    "strong light blinds the camera",
    "the picture went black",
    "the picture stands still",
    "the picture is full of noise",
};

const char *name_of(enum what what) { return NAMES[what]; }
const char *reason_for(enum what what) { return REASONS[what]; }

static int is_grainy(const measures *m, const habits *h) {
    float limit = 0.6f * h->noise + 4.5f;
    return m->noise * m->noise - h->noise * h->noise > limit * limit && m->rough > 1.12f * h->rough;
}

/* A room whose lights are out keeps some of its structure; behind a lid or at the end of a cut cable there is none. */
static int is_black(const measures *m) {
    if (m->lit < BLACK + 13) return 1;
    return m->light < BLACK + 24 && m->lit < BLACK + 48 && m->alike < 0.2f;
}

static float of_black(float light) { return light > BLACK + 1 ? light - BLACK : 1; }

/* Glare lies like a veil on the picture: what was dark is bright too, as no lamp and no exposure would have it. */
static int is_veiled(const measures *m) {
    if (m->light < m->usual_light + 50 || m->dim < m->usual_dim + 40) return 0;
    if (m->dim > WHITE) return 1;
    float gain = of_black(m->light) / of_black(m->usual_light);
    if (of_black(m->dim) < 1.25f * gain * of_black(m->usual_dim)) return 0;
    return m->bright - m->usual_bright > 0.2f || m->contrast < 0.5f * gain * gain;
}

static int is_blinded(const measures *m) {
    if (m->bright - m->usual_bright > 0.5f && m->lost > 0.4f) return 1;
    if (m->lost_bright > 0.35f && m->lost_bright > 0.6f * m->lost && m->bright - m->usual_bright > 0.25f) return 1;
    return m->light > m->usual_light + 60 && m->contrast < 0.15f;
}

/* Fine structure beyond what noise makes. */
static float detail(float rough, float noise) { return rough - 3.9f * noise; }

/* Blur takes the fine from what is still there, and adds nothing. Edges that lie beside where they were are as steep as they were. */
static int is_blurred(const measures *m, const habits *h) {
    if (m->sharp <= 0) return 0;
    int soft = m->edges < 0.62f * h->edges;
    if (soft && m->sharp < 0.5f * h->sharp) return 1;
    if (m->edges * m->sharp < 0.3f * h->edges * h->sharp) return 1;
    int known = (m->alike > 0.4f || m->lost < 0.3f) && m->contrast < 3;
    return known && m->sharp < (soft ? 0.9f : 0.7f) * h->sharp;
}

/* Whether the view is found again somewhere else. */
static int is_elsewhere(const measures *m) {
    shift found = shift_find(scene_layout(), scene_now(), scene_usual());
    if (found.fit < 0.5f || found.fit < m->alike + 0.15f) return 0;
    return found.x > 0.03f || found.x < -0.03f || found.y > 0.03f || found.y < -0.03f || found.turned != 0;
}

static opinion judge_lost(const measures *m, const habits *h) {
    if (m->structured < STRUCTURED || m->too_soon) return (opinion){NOTHING, 0};
    /* what is held before the lens is out of focus; another place is not */
    float now = detail(m->rough, m->noise), usual = detail(h->rough, h->noise);
    int another = m->lost > 0.85f && m->contrast > 0.3f && now > 0.7f * usual;
    enum what what = another ? MOVED : COVERED;
    if (m->lost_still > 0.45f) return (opinion){what, 1};
    /* it moves: what is out of focus is near the lens, what has detail is a truck or a crowd that passes */
    if (now < 0.6f * usual && m->lost > 0.65f) return (opinion){what, m->lost > 0.85f ? 0.55f : 0.4f};
    return (opinion){what, m->lost > 0.5f ? 0.25f : 0};
}

opinion judge(const measures *m, const habits *h) {
    if (is_black(m)) return (opinion){BLACKOUT, 1};
    if (is_grainy(m, h)) return (opinion){NOISE, 1};
    if (is_blinded(m)) return (opinion){BLINDED, 1};
    if (is_veiled(m)) return (opinion){BLINDED, 0.6f};
    if (m->drift > DRIFTED || (m->lost > 0.35f && is_elsewhere(m))) return (opinion){MOVED, 1};
    if (m->lines > 1.5f * h->lines + LINES) return (opinion){NOISE, 1};
    if (is_blurred(m, h)) return (opinion){DEFOCUSED, 1};
    if (m->lost > 0.35f) return judge_lost(m, h);
    return (opinion){NOTHING, 0};
}

int is_calm(const measures *m) { return m->busy == 0 && m->changed_most < CALM; }

/* Stopped without what noise and encoder leave of a scene at rest. */
static enum stillness judge_rest(const measures *m, const habits *h) {
    if (m->alive < DEAD * h->alive) return STILL_PICTURE;
    if (!is_calm(m)) return LIVE;
    return m->alive < h->alive ? STILLER : MAYBE;
}

enum stillness stands_still(const measures *m, const habits *h) {
    /* in poor light there is less noise, and an encoder leaves out more of it */
    if (of_black(m->light) < 0.6f * of_black(m->usual_light)) return LIVE;
    /* an empty room on a strongly compressed stream stands still by right: there must have been noise all over, or more
     * than what one leaves behind who goes out */
    if (m->same) return h->changed > 0.02f || h->stirred > 0.2f ? STILL_PICTURE : LIVE;
    float dimmed = m->light - h->light;
    /* an encoder needs a moment until it gives a still picture as it is */
    float calm = h->changed_most / 4 < CALM ? CALM : h->changed_most / 4 > MOST_CALM ? MOST_CALM : h->changed_most / 4;
    if (m->changed_most > calm || dimmed > 8 || dimmed < -8) return LIVE;
    /* much went on and is still there, halted: who stops sways, and an encoder that settles adds less than that */
    if (h->busy >= BUSY_BLOCKS && m->things > 0.2f && h->changed_most > ASTIR && m->changed_most < HALTED * h->changed_most)
        return STILL_PICTURE;
    if (h->calm >= RESTED || (h->calm && m->alive >= DEAD * h->alive)) return judge_rest(m, h);
    /* much moved, and all of it stopped at once where it was, with the noise; where very much did, noise does not count */
    if (h->busy >= BUSY_BLOCKS && m->things > 0.2f) {
        float noise = h->busy >= 2 * BUSY_BLOCKS ? h->changed + 0.2f : 0.5f * h->changed;
        return m->changed < 0.1f || m->changed < noise ? STILL_PICTURE : MAYBE;
    }
    if (h->frames < (h->changed > RESTLESS ? WATCHED / 2 : WATCHED) || h->changed < 0.1f) return LIVE;
    if (m->changed < 0.3f * h->changed && m->changed_mean < 0.3f * h->changed_mean) return STILL_PICTURE;
    return h->changed > NOISY ? MAYBE : LIVE;
}
