/* Tracking by detection: a constant-velocity prediction, greedy assignment by overlap and distance (as in SORT, Bewley et
 * al., ICIP 2016, with the Kalman filter reduced to fixed gains and the Hungarian method to a greedy one). */
#include "tracks.h"

enum { NONE = -1 };
static const float POSITION_GAIN = 0.8f, VELOCITY_GAIN = 0.5f, SIZE_GAIN = 0.5f;

static inline float smaller(float a, float b) { return a < b ? a : b; }
static inline float larger(float a, float b) { return a > b ? a : b; }

float box_overlap(box a, box b) {
    float w = smaller(a.x + a.w, b.x + b.w) - larger(a.x, b.x), h = smaller(a.y + a.h, b.y + b.h) - larger(a.y, b.y);
    if (w <= 0 || h <= 0) return 0;
    return w * h / (a.w * a.h + b.w * b.h - w * h);
}

box box_clip(box b) {
    float right = smaller(b.x + b.w, 1), bottom = smaller(b.y + b.h, 1);
    b.x = smaller(larger(b.x, 0), 1);
    b.y = smaller(larger(b.y, 0), 1);
    b.w = larger(right - b.x, 0);
    b.h = larger(bottom - b.y, 0);
    return b;
}

/* 0 for the same place and size, negative where the two cannot be one thing. */
static float cost_of(const track *t, box seen, int32_t group, float reach) {
    if (t->group != group) return NONE;
    float dx = t->at.x + t->at.w / 2 - seen.x - seen.w / 2, dy = t->at.y + t->at.h / 2 - seen.y - seen.h / 2;
    float side = (t->at.w + t->at.h + seen.w + seen.h) / 4;
    float distance = (dx * dx + dy * dy) / (side * side + 1e-9f);
    float overlap = box_overlap(t->at, seen);
    float larger_area = larger(t->at.w * t->at.h, seen.w * seen.h), area = smaller(t->at.w * t->at.h, seen.w * seen.h);
    /* without overlap it must be near, and of a like size */
    if (overlap < 0.1f && (distance > reach * reach || area < 0.25f * larger_area)) return NONE;
    /* rounding may lift an overlap above 1 */
    return larger(1 - overlap, 0) + smaller(distance, 4);
}

static void predict(tracks *all, int64_t media_us) {
    float elapsed_s = (float)(media_us - all->now_us) * 1e-6f;
    for (int32_t i = 0; i < all->count; i++) {
        track *t = &all->list[i];
        t->at.x += t->vx * elapsed_s;
        t->at.y += t->vy * elapsed_s;
        t->seen = NONE;
    }
}

static void correct(track *t, box seen, int64_t media_us) {
    float elapsed_s = larger((float)(media_us - t->seen_us) * 1e-6f, 0.001f);
    float dx = seen.x + seen.w / 2 - t->at.x - t->at.w / 2, dy = seen.y + seen.h / 2 - t->at.y - t->at.h / 2;
    /* the second box gives the velocity, later ones smooth it */
    float gain = t->hits == 1 ? 1 : VELOCITY_GAIN;
    t->vx += gain * dx / elapsed_s;
    t->vy += gain * dy / elapsed_s;
    float x = t->at.x + t->at.w / 2 + POSITION_GAIN * dx, y = t->at.y + t->at.h / 2 + POSITION_GAIN * dy;
    t->at.w += SIZE_GAIN * (seen.w - t->at.w);
    t->at.h += SIZE_GAIN * (seen.h - t->at.h);
    t->at.x = x - t->at.w / 2;
    t->at.y = y - t->at.h / 2;
    t->hits++;
    t->seen_us = media_us;
}

/* The cheapest of a track's boxes, the first of several; NONE where it can have none. */
static int32_t cheapest(const float *cost, int32_t count) {
    int32_t best = NONE;
    float least = __builtin_inff();
#pragma clang loop unroll_count(4)
    for (int32_t k = 0; k < count; k++)
        if (cost[k] >= 0 && cost[k] < least) least = cost[k], best = k;
    return best;
}

/* Give each track the best box that is left, cheapest pairs first. */
static void assign(tracks *all, const box *boxes, const int32_t *groups, int32_t count, float reach, uint8_t *taken) {
    static float cost[MAX_TRACKS][MAX_TRACKS];
    int32_t wish[MAX_TRACKS];
    for (int32_t i = 0; i < all->count; i++) {
        for (int32_t k = 0; k < count; k++) cost[i][k] = cost_of(&all->list[i], boxes[k], groups[k], reach);
        wish[i] = cheapest(cost[i], count);
    }
    for (;;) {
        int32_t best = NONE;
        for (int32_t i = 0; i < all->count; i++)
            if (wish[i] != NONE && (best == NONE || cost[i][wish[i]] < cost[best][wish[best]])) best = i;
        if (best == NONE) return;
        int32_t given = wish[best];
        all->list[best].seen = given;
        taken[given] = 1;
        wish[best] = NONE;
        /* only those that wanted it too must look again */
        for (int32_t i = 0; i < all->count; i++) {
            cost[i][given] = NONE;
            if (wish[i] == given) wish[i] = cheapest(cost[i], count);
        }
    }
}

static void forget_old(tracks *all, int64_t media_us, const track_rules *rules) {
    int32_t kept = 0;
    for (int32_t i = 0; i < all->count; i++) {
        const track *t = &all->list[i];
        /* one that was never confirmed is not worth waiting for */
        int64_t keep_us = t->id == NONE ? rules->keep_us / 4 : rules->keep_us;
        if (t->seen == NONE && media_us - t->seen_us > keep_us) continue;
        all->list[kept++] = *t;
    }
    all->count = kept;
}

void tracks_feed(tracks *all, const box *boxes, const int32_t *groups, int32_t count, int64_t media_us,
                 const track_rules *rules) {
    uint8_t taken[MAX_TRACKS] = {0};
    if (count > MAX_TRACKS) count = MAX_TRACKS;
    predict(all, media_us);
    all->now_us = media_us;
    assign(all, boxes, groups, count, rules->reach, taken);
    for (int32_t i = 0; i < all->count; i++)
        if (all->list[i].seen != NONE) correct(&all->list[i], boxes[all->list[i].seen], media_us);
    forget_old(all, media_us, rules);
    for (int32_t k = 0; k < count && all->count < MAX_TRACKS; k++) {
        if (taken[k]) continue;
        all->list[all->count++] = (track){.id = NONE, .group = groups[k], .hits = 1, .at = boxes[k], .start = boxes[k], .first_us = media_us,
                                          .seen_us = media_us, .seen = k};
    }
    for (int32_t i = 0; i < all->count; i++)
        if (all->list[i].id == NONE && all->list[i].hits >= rules->confirm_hits) all->list[i].id = all->next_id++;
}

