#include "routine.h"

enum { QUIET_US = 10000000, WRITE_US = 300000000, LONGEST_FRAME_US = 2000000, REFILLED = 4000 };
/* where the stages end, as parts of the time for learning */
static const float ENDS[READY] = {0.15f, 0.25f, 0.75f, 1};
static const float QUIET = 0.7f;         /* of an alarm: what comes near to one is not learned from */
static const float OCCASION_PART = 0.02f; /* of all that was counted may be counted on one occasion */
static const float COUNTED_MOST = 4e6f;  /* windows; then all counts are halved */
static const float SLOW_RATE = 1e-4f;

void routine_start(routine *r, int64_t media_us) {
    r->occasion = -1, r->room = 0;
    r->loud_us = -1;
    r->settled_us = media_us;
}

static void end_stage(learned *to, sight *s, lessons *l) {
    switch (to->head.stage) {
        case LEARN_SCENE: scene_settle(&s->empty, l->now->modes, (int32_t)to->head.samples); break;
        case LEARN_SIZES: perspective_fit(&to->sizes, s->size); break;
        case MEASURE: calibration_settle(&to->measured); break;
        default: break;
    }
    to->head.stage++;
}

void routine_stage(const routine *r, learned *to, sight *s, lessons *l, int64_t elapsed_us) {
    if (to->head.stage >= READY) return;
    to->learned_us += elapsed_us < LONGEST_FRAME_US ? elapsed_us : LONGEST_FRAME_US;
    if ((float)to->learned_us >= ENDS[to->head.stage] * (float)r->learn_us) end_stage(to, s, l);
}

static void halve(usual_here *u) {
    u->windows /= 2;
    for (int32_t k = 0; k < WAYS; k++) u->ways[k] /= 2;
    for (int32_t k = 0; k < SPEEDS; k++) u->speeds[k] /= 2;
}

static void halve_all(habits *h) {
    for (int32_t k = 0; k < FOLDS; k++) {
        halve(&h->all[k]);
        for (int32_t y = 0; y < PLACES_Y; y++)
            for (int32_t x = 0; x < PLACES_X; x++) halve(&h->at[k][y][x]);
    }
}

static void begin_occasion(routine *r, learned *to, int64_t occasion) {
    r->occasion = occasion;
    float counted = to->usual.all[0].windows + to->usual.all[1].windows;
    r->room = OCCASION_PART * counted;
    if (counted > COUNTED_MOST) halve_all(&to->usual);
    calibration_settle(&to->measured);
}

void routine_follow(routine *r, learned *to, const sight *s, lessons *l, const opinion *said) {
    int64_t media_us = said->media_us;
    if (said->score >= QUIET) r->loud_us = media_us;
    if (r->loud_us >= 0 && media_us - r->loud_us < QUIET_US) return;
    if (media_us / r->occasion_us != r->occasion) begin_occasion(r, to, media_us / r->occasion_us);
    calibration_see(&to->measured, said->smooth, &to->seed);
    int32_t fold = (int32_t)(r->occasion % FOLDS);
    for (int32_t k = 0; k < s->count && r->room > 0; k++) {
        if (!s->places[k].sparse) continue;
        movement_learn(&to->usual, s->moves + k, fold, 1, s->moving.before >= 0);
        r->room--;
    }
    l->occasion = (uint16_t)fold, l->steps = 0, l->things = 1, l->rate = SLOW_RATE;
    /* of a memory that was just begun anew the nets would learn by heart */
    if (l->now->banks[fold].usual >= REFILLED && l->now->banks[fold].drawn >= REFILLED / 2) l->steps = 1;
    lessons_looks(l, to, s);
}

int32_t routine_is_due(routine *r, int64_t media_us) {
    if (media_us - r->settled_us < WRITE_US) return 0;
    r->settled_us = media_us;
    return 1;
}
