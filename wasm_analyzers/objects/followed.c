/* Tracking by detection in two rounds, first what is sure, then what is doubtful (ByteTrack: Zhang et al., ECCV 2022), with
 * a Kalman filter of constant velocity for each axis (SORT: Bewley et al., ICIP 2016), whose noise is given per second and
 * by the height of the thing, so that neither the frame rate nor the resolution plays a part.
 *
 * Beside it: a thing gets its number only once it is trusted. What is doubtful and never moves is furniture. */
#include "followed.h"

enum { NONE = -1 };

static const float SEEN_NOISE = 0.08f;     /* of a sighting's centre, in heights of the thing */
static const float CHANGE = 0.4f;          /* of the velocity, in heights of the thing per second, in one second */
static const float FIRST_SPEED = 1.0f;     /* as much is possible where nothing is known: heights per second */
static const float SIZE_GAIN = 0.3f;
static const float SCORE_GAIN = 0.3f;
static const float LEAST_OVERLAP = 0.3f;   /* of a sure sighting with where the thing should be */
static const float DOUBT_OVERLAP = 0.45f;  /* of a doubtful one */
static const float LEAST_LIKENESS = 0.6f;  /* the lower of two heights by the higher one, where they do not overlap enough */
static const float FARTHEST = 9.0f;        /* squared distance of what does not overlap enough, in standard deviations */
static const float DISTANCE_WEIGHT = 0.7f;
static const float MOVED = 0.5f;           /* widths from where it began, and it is no furniture */
static const float STILLNESS_S = 1.0f;     /* in which a thing that is not seen loses its speed */

static inline float smaller(float a, float b) { return a < b ? a : b; }
static inline float larger(float a, float b) { return a > b ? a : b; }

static motion_estimate begin_at(float at, float height) {
    float noise = SEEN_NOISE * height, speed = FIRST_SPEED * height;
    return (motion_estimate){.at = at, .at_variance = noise * noise, .speed_variance = speed * speed};
}

/* The covariance after t seconds of F P F' + Q, where the velocity walks at random. */
static void pass(motion_estimate *m, float t, float height) {
    float q = CHANGE * height * CHANGE * height;
    m->at += m->speed * t;
    m->at_variance += 2 * t * m->covariance + t * t * m->speed_variance + q * t * t * t / 3;
    m->covariance += t * m->speed_variance + q * t * t / 2;
    m->speed_variance += q * t;
}

static void see(motion_estimate *m, float at, float height) {
    float noise = SEEN_NOISE * height, sum = m->at_variance + noise * noise;
    float gain = m->at_variance / sum, speed_gain = m->covariance / sum, miss = at - m->at;
    m->at += gain * miss;
    m->speed += speed_gain * miss;
    m->speed_variance -= speed_gain * m->covariance;
    m->covariance -= gain * m->covariance;
    m->at_variance -= gain * m->at_variance;
}

static box square_box(const followed *one) { return (box){one->x.at - one->w / 2, one->y.at - one->h / 2, one->w, one->h}; }

box followed_box(const followed_all *all, const followed *one) {
    box at = square_box(one);
    at.x /= all->aspect;
    at.w /= all->aspect;
    return at;
}

void followed_reset(followed_all *all, float aspect) {
    all->count = all->next_id = 0;
    all->now_us = 0;
    all->aspect = aspect;
}

static void predict(followed_all *all, int64_t media_us) {
    float t = larger((float)(media_us - all->now_us) * 1e-6f, 0);
    for (int32_t i = 0; i < all->count; i++) {
        followed *one = &all->list[i];
        if (one->seen == NONE) {
            float rest = 1 / (1 + t / STILLNESS_S);
            one->x.speed *= rest;
            one->y.speed *= rest;
        }
        pass(&one->x, t, one->h);
        pass(&one->y, t, one->h);
        one->seen = NONE;
    }
    all->now_us = media_us;
}

/* 0 for the same place, negative where the two cannot be one thing. */
static float cost_of(const followed *one, const box *at, float least_overlap) {
    float overlap = smaller(box_overlap(square_box(one), *at), 1);
    float dx = at->x + at->w / 2 - one->x.at, dy = at->y + at->h / 2 - one->y.at;
    float noise = SEEN_NOISE * one->h * SEEN_NOISE * one->h;
    float distance = dx * dx / (one->x.at_variance + noise) + dy * dy / (one->y.at_variance + noise);
    if (overlap >= least_overlap) return 1 - overlap + DISTANCE_WEIGHT * smaller(distance / FARTHEST, 1);
    if (least_overlap > LEAST_OVERLAP) return NONE;
    if (distance > FARTHEST || smaller(one->h, at->h) < LEAST_LIKENESS * larger(one->h, at->h)) return NONE;
    return 1 + distance;
}

/* Which sightings and things a round is about. */
typedef struct matching {
    float least_score, most_score, least_overlap;
    int64_t longest_us; /* things unseen for longer are left out */
    int32_t named;      /* only things that have a number */
} matching;

static void match(followed_all *all, const box *at, const sighting *seen, int32_t count, matching round, uint8_t *taken) {
    static float cost[MAX_FOLLOWED][MAX_FOLLOWED];
    for (int32_t i = 0; i < all->count; i++) {
        const followed *one = &all->list[i];
        int32_t out = one->seen != NONE || (round.named && one->id == NONE) || all->now_us - one->seen_us > round.longest_us;
        for (int32_t k = 0; k < count; k++) {
            int32_t other = taken[k] || seen[k].group != one->group || seen[k].score < round.least_score || seen[k].score >= round.most_score;
            cost[i][k] = out || other ? NONE : cost_of(one, &at[k], round.least_overlap);
        }
    }
    for (;;) {
        int32_t best = NONE, given = NONE;
        for (int32_t i = 0; i < all->count; i++)
            for (int32_t k = 0; k < count; k++)
                if (cost[i][k] >= 0 && (best == NONE || cost[i][k] < cost[best][given])) best = i, given = k;
        if (best == NONE) return;
        all->list[best].seen = given;
        taken[given] = 1;
        for (int32_t i = 0; i < all->count; i++) cost[i][given] = NONE;
        for (int32_t k = 0; k < count; k++) cost[best][k] = NONE;
    }
}

static void follow(followed *one, const box *at, const sighting *seen, int64_t media_us) {
    see(&one->x, at->x + at->w / 2, one->h);
    see(&one->y, at->y + at->h / 2, one->h);
    one->w += SIZE_GAIN * (at->w - one->w);
    one->h += SIZE_GAIN * (at->h - one->h);
    one->score += SCORE_GAIN * (seen->score - one->score);
    one->class_index = seen->class_index;
    one->hits++;
    one->seen_us = media_us;
    float dx = one->x.at - one->rest_x, dy = one->y.at - one->rest_y;
    if (dx * dx + dy * dy <= MOVED * MOVED * one->w * one->w) return;
    one->rest_x = one->x.at;
    one->rest_y = one->y.at;
    one->rest_us = media_us;
    one->moved = 1;
}

static int32_t is_trusted(const followed *one, const followed_rules *rules) {
    if (one->id == NONE && (one->hits < 2 || one->seen_us - one->first_us < rules->confirm_us)) return 0;
    return one->score >= rules->trust_score || (one->moved && one->seen_us - one->rest_us <= rules->still_us);
}

static void forget_old(followed_all *all, const followed_rules *rules) {
    int32_t kept = 0;
    for (int32_t i = 0; i < all->count; i++) {
        const followed *one = &all->list[i];
        int64_t unseen_us = all->now_us - one->seen_us;
        int64_t keep_us = one->id == NONE ? rules->keep_us / 4 : rules->keep_us;
        int32_t outside = one->x.at < 0 || one->x.at > all->aspect || one->y.at < 0 || one->y.at > 1;
        if (one->seen == NONE && (unseen_us > keep_us || outside)) continue;
        all->list[kept++] = *one;
    }
    all->count = kept;
}

static void begin(followed_all *all, const box *at, const sighting *seen, int32_t k) {
    if (all->count == MAX_FOLLOWED) return;
    float x = at[k].x + at[k].w / 2, y = at[k].y + at[k].h / 2;
    all->list[all->count++] = (followed){
        .id = NONE,
        .group = seen[k].group,
        .class_index = seen[k].class_index,
        .hits = 1,
        .x = begin_at(x, at[k].h),
        .y = begin_at(y, at[k].h),
        .w = at[k].w,
        .h = at[k].h,
        .rest_x = x,
        .rest_y = y,
        .rest_us = all->now_us,
        .score = seen[k].score,
        .first_us = all->now_us,
        .seen_us = all->now_us,
        .seen = k,
    };
}

void followed_feed(followed_all *all, const sighting *seen, int32_t count, int64_t media_us, const followed_rules *rules) {
    static box at[MAX_FOLLOWED];
    uint8_t taken[MAX_FOLLOWED] = {0};
    if (count > MAX_FOLLOWED) count = MAX_FOLLOWED;
    for (int32_t k = 0; k < count; k++) at[k] = (box){seen[k].at.x * all->aspect, seen[k].at.y, seen[k].at.w * all->aspect, seen[k].at.h};
    predict(all, media_us);
    const float highest = __builtin_inff();
    matching sure = {rules->sure_score, highest, LEAST_OVERLAP, rules->keep_us, 1}, unnamed = sure;
    matching doubtful = {rules->least_score, rules->sure_score, DOUBT_OVERLAP, rules->keep_us / 2, 1};
    unnamed.named = 0;
    match(all, at, seen, count, sure, taken);
    match(all, at, seen, count, doubtful, taken);
    match(all, at, seen, count, unnamed, taken);
    for (int32_t i = 0; i < all->count; i++)
        if (all->list[i].seen != NONE) follow(&all->list[i], &at[all->list[i].seen], &seen[all->list[i].seen], media_us);
    forget_old(all, rules);
    for (int32_t k = 0; k < count; k++)
        if (!taken[k] && seen[k].score >= rules->sure_score) begin(all, at, seen, k);
    for (int32_t i = 0; i < all->count; i++) {
        followed *one = &all->list[i];
        one->trusted = is_trusted(one, rules);
        if (one->trusted && one->id == NONE) one->id = all->next_id++;
    }
}
