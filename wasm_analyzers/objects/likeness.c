/* Embeddings are compared by the cosine of their angle (as OSNet's are made to be: Zhou et al., ICCV 2019), each with the
 * running mean of those that are known of a number. */
#include "likeness.h"

#include <stddef.h>

#include "camera_edge.h"
#include "simd.h"

enum { MAX_KNOWN = 64, MOST_NUMBERS = 2048, LOOKS_A_FRAME = 4, NOBODY = -1 };

static const float SAME = 0.75f;          /* cosine from which one who appears is one who was away */
static const float LIKE = 0.7f;           /* cosine that two who exchange their numbers must reach, each with the other's */
static const float CLEARER = 0.1f;        /* and by so much it must be above the one with their own */
static const float EDGE = 0.02f;          /* of the frame: who appears or was seen last there came in or went out */
static const float MEAN_GAIN = 0.3f;
static const float TOUCHING = 0.05f;      /* of the smaller of two boxes */
static const float WALKED = 2.0f;         /* heights per second, and one height besides */
static const int64_t AWAY_US = 30000000;  /* for so long somebody is remembered */
static const int64_t AGAIN_US = 1000000;  /* so often somebody's looks are brought up to date */

/* What is known of one number. */
typedef struct known {
    int32_t id; /* NOBODY: the place is free */
    int32_t looks;
    int32_t met; /* the number of whom they touched last and have not been told from since, or NOBODY */
    int32_t inside; /* they were last seen away from the edges of the frame */
    int64_t looked_us, seen_us;
    float x, y, h; /* where they were seen last, in heights of the frame */
} known;

static known everybody[MAX_KNOWN];
static float *means;
static int32_t numbers, room, looks_left;
static look_at looking;

const char *likeness_open(int32_t size) {
    for (int32_t i = 0; i < MAX_KNOWN; i++) everybody[i].id = NOBODY;
    numbers = 0;
    if (size == 0) return 0;
    if (size < 8 || size > MOST_NUMBERS) return "the re-identification model puts out too few numbers, or too many";
    if (size > room) means = camera_edge_pages((size_t)size * MAX_KNOWN * sizeof(float));
    room = means ? (size > room ? size : room) : 0;
    numbers = size;
    return means ? 0 : "no memory for what persons look like";
}

static float *mean_of(const known *one) { return means + (one - everybody) * numbers; }

static float sum_of_products(const float *a, const float *b) {
    f32x4 sums = {0};
    int32_t k = 0;
    for (; k + 4 <= numbers; k += 4) sums += load4(a + k) * load4(b + k);
    float sum = sums[0] + sums[1] + sums[2] + sums[3];
    for (; k < numbers; k++) sum += a[k] * b[k];
    return sum;
}

static float cosine(const float *a, const float *b) {
    float lengths = __builtin_sqrtf(sum_of_products(a, a)) * __builtin_sqrtf(sum_of_products(b, b));
    return lengths > 0 ? sum_of_products(a, b) / lengths : 0;
}

static known *find(int32_t id) {
    for (int32_t i = 0; i < MAX_KNOWN; i++)
        if (everybody[i].id == id) return &everybody[i];
    return NULL;
}

/* A free place, or that of who was seen longest ago. */
static known *place_for(int32_t id) {
    known *best = &everybody[0];
    for (int32_t i = 0; i < MAX_KNOWN && best->id != NOBODY; i++)
        if (everybody[i].id == NOBODY || everybody[i].seen_us < best->seen_us) best = &everybody[i];
    *best = (known){.id = id, .met = NOBODY};
    return best;
}

static box square_box(const followed *one) { return (box){one->x.at - one->w / 2, one->y.at - one->h / 2, one->w, one->h}; }

static int32_t touch(box a, box b) {
    float right = a.x + a.w < b.x + b.w ? a.x + a.w : b.x + b.w, bottom = a.y + a.h < b.y + b.h ? a.y + a.h : b.y + b.h;
    float w = right - (a.x > b.x ? a.x : b.x), h = bottom - (a.y > b.y ? a.y : b.y);
    float smaller = a.w * a.h < b.w * b.h ? a.w * a.h : b.w * b.h;
    return w > 0 && h > 0 && w * h > TOUCHING * smaller;
}

static int32_t counts(const followed *one, int32_t group) { return one->group == group && one->id >= 0 && one->seen >= 0 && one->trusted; }

/* Whom a person touches, of those that are followed and may be hidden too; NULL: nobody. */
static const followed *touched_by(const followed_all *all, const followed *one) {
    for (int32_t i = 0; i < all->count; i++)
        if (&all->list[i] != one && all->list[i].group == one->group && touch(square_box(one), square_box(&all->list[i])))
            return &all->list[i];
    return NULL;
}

static const float *look(const followed_all *all, const followed *one) {
    looks_left--;
    box at = box_clip(followed_box(all, one));
    return at.w > 0 && at.h > 0 ? looking(at) : NULL;
}

static void learn(known *one, const float *seen, int64_t now_us) {
    float *mean = mean_of(one), length = __builtin_sqrtf(sum_of_products(seen, seen));
    float gain = one->looks == 0 ? 1 : MEAN_GAIN;
    for (int32_t k = 0; k < numbers && length > 0; k++) mean[k] = (one->looks ? mean[k] : 0) + gain * (seen[k] / length - (one->looks ? mean[k] : 0));
    one->looks++;
    one->looked_us = now_us;
}

static followed *follower_of(followed_all *all, int32_t id) {
    for (int32_t i = 0; i < all->count; i++)
        if (all->list[i].id == id) return &all->list[i];
    return NULL;
}

static int32_t is_inside(const followed_all *all, const followed *one) {
    box at = followed_box(all, one);
    return at.x > EDGE && at.y > EDGE && at.x + at.w < 1 - EDGE && at.y + at.h < 1 - EDGE;
}

/* Whether someone can have walked from where they were seen last to where somebody appears. */
static int32_t can_be(const known *away, const followed *one, int64_t now_us) {
    float gone_s = (float)(now_us - away->seen_us) * 1e-6f, reach = (WALKED * gone_s + 1) * one->h;
    float dx = one->x.at - away->x, dy = one->y.at - away->y;
    return away->inside && now_us - away->seen_us <= AWAY_US && dx * dx + dy * dy <= reach * reach && one->h < 2 * away->h && away->h < 2 * one->h;
}

/* Who of those that are not seen looks most like this one; NULL: nobody enough. */
static known *recognise(followed_all *all, const followed *one, const float *seen) {
    known *best = NULL;
    float most = SAME;
    for (int32_t i = 0; i < MAX_KNOWN; i++) {
        known *other = &everybody[i];
        if (other->id == NOBODY || other->looks == 0 || !can_be(other, one, all->now_us)) continue;
        const followed *present = follower_of(all, other->id);
        if (present && present->seen >= 0) continue;
        float like = cosine(seen, mean_of(other));
        if (like > most) most = like, best = other;
    }
    return best;
}

static void forget_follower(followed_all *all, int32_t id) {
    followed *old = follower_of(all, id);
    if (old) *old = all->list[--all->count];
}

/* One who has just got a number may be somebody who was away. */
static int32_t welcome(followed_all *all, int32_t at) {
    followed *one = &all->list[at];
    const float *seen = look(all, one);
    if (!seen) return -1;
    known *back = is_inside(all, one) ? recognise(all, one, seen) : NULL;
    if (!back) back = place_for(one->id);
    int32_t id = back->id, fresh = one->id;
    if (id != fresh) forget_follower(all, id);
    one = follower_of(all, fresh);
    if (one) one->id = id;
    learn(back, seen, all->now_us);
    return 0;
}

/* Whether these are the looks of one, and clearly not of the other. */
static int32_t rather(const float *seen, const known *one, const known *other) {
    float like = cosine(seen, mean_of(one));
    return like >= LIKE && like >= cosine(seen, mean_of(other)) + CLEARER;
}

/* Two who touched and do not any more: are they still who they were? */
static int32_t tell_apart(followed_all *all, followed *one, followed *other) {
    static float first[MOST_NUMBERS];
    known *mine = find(one->id), *theirs = find(other->id);
    mine->met = theirs->met = NOBODY;
    if (mine->looks == 0 || theirs->looks == 0) return 0;
    const float *seen = look(all, one);
    if (!seen) return -1;
    __builtin_memcpy(first, seen, (size_t)numbers * sizeof(float));
    const float *second = look(all, other);
    if (!second) return -1;
    if (!rather(first, theirs, mine) || !rather(second, mine, theirs)) return 0;
    int32_t id = one->id;
    one->id = other->id;
    other->id = id;
    return 0;
}

static void note(const followed_all *all, const followed *one) {
    known *mine = find(one->id);
    if (!mine) return;
    mine->seen_us = all->now_us;
    mine->inside = is_inside(all, one);
    mine->x = one->x.at;
    mine->y = one->y.at;
    mine->h = one->h;
    const followed *other = touched_by(all, one);
    if (other && other->id >= 0) mine->met = other->id;
}

/* What there is to see of one person now that nobody touches. */
static int32_t attend(followed_all *all, followed *one) {
    known *mine = find(one->id);
    if (mine->met != NOBODY) {
        followed *other = follower_of(all, mine->met);
        if (!other || !find(other->id)) {
            mine->met = NOBODY;
        } else if (looks_left >= 2 && other->seen >= 0 && !touched_by(all, other)) {
            return tell_apart(all, one, other);
        }
        return 0;
    }
    if (all->now_us - mine->looked_us < AGAIN_US) return 0;
    const float *seen = look(all, one);
    if (!seen) return -1;
    learn(mine, seen, all->now_us);
    return 0;
}

int32_t likeness_correct(followed_all *all, int32_t group, look_at at) {
    if (numbers == 0) return 0;
    looks_left = LOOKS_A_FRAME;
    looking = at;
    for (int32_t i = 0; i < all->count && looks_left > 0; i++)
        if (counts(&all->list[i], group) && !find(all->list[i].id) && !touched_by(all, &all->list[i]) && welcome(all, i)) return -1;
    for (int32_t i = 0; i < all->count; i++)
        if (counts(&all->list[i], group)) note(all, &all->list[i]);
    for (int32_t i = 0; i < all->count && looks_left > 0; i++) {
        followed *one = &all->list[i];
        if (counts(one, group) && find(one->id) && !touched_by(all, one) && attend(all, one)) return -1;
    }
    return 0;
}
