#include "movement.h"

static const float HALF = 0.3f, HALFWAY = 0.45f; /* half the width of a body, and where its legs begin, in heights */
static const float FOUND = 0.35f, LOST = 0.45f;  /* part of it that is not found again, from all right to useless */
static const float SPEED_STEP = 0.1f;            /* heights a second */
static const float OFTEN = 0.9f;                 /* a speed is measured by the one that so many stay below */
static const float SLOWEST = 0.1f;               /* heights a second, below which nothing is fast */
static const float SEEN_ENOUGH = 100;            /* windows at a place that say as much as all others together */
static const float WALKS = 0.12f;                /* heights a second, from which on it has a way */
static const float WAY_PRIOR = 8;

static float length_of(moved m) { return root(m.vx * m.vx + m.vy * m.vy); }

movement movement_of(const flow *f, extent e, place at, float height) {
    movement m = {.place_x = clipped((int32_t)(at.x * PLACES_X / (float)e.width), 0, PLACES_X - 1),
                  .place_y = clipped((int32_t)(at.y * PLACES_Y / (float)e.height), 0, PLACES_Y - 1)};
    float left = at.x - HALF * height, right = at.x + HALF * height, middle = at.y - HALFWAY * height;
    moved parts[PARTS];
    flow_of(f, (body){left, at.y - height, middle, right, at.y}, parts);
    float off = most(most(parts[UPPER].off, parts[LOWER].off), parts[WHOLE].off);
    float slowest = least(least(length_of(parts[UPPER]), length_of(parts[LOWER])), length_of(parts[WHOLE]));
    m.speed = slowest / height * within((LOST - off) / (LOST - FOUND), 0, 1);
    m.vx = parts[WHOLE].vx / height, m.vy = parts[WHOLE].vy / height;
    return m;
}

/* The angle in eighths of a turn, by an approximation of the arc tangent that is good to a hundredth. */
static float turn_of(const movement *m) {
    float ax = magnitude(m->vx), ay = magnitude(m->vy), low = least(ax, ay), high = most(ax, ay);
    float ratio = high > 0 ? low / high : 0, eighth = ratio * (1.2732f - 0.2732f * ratio);
    float turn = ay > ax ? 2 - eighth : eighth;
    if (m->vx < 0) turn = 4 - turn;
    if (m->vy < 0) turn = 8 - turn;
    return turn >= 8 ? 0 : turn;
}

static void count(usual_here *u, const movement *m, float weight, int32_t moving) {
    u->windows += weight;
    if (!moving || m->speed <= 0) return;
    u->speeds[whole(m->speed / SPEED_STEP, 0, SPEEDS - 1)] += weight;
    if (m->speed < WALKS) return;
    float turn = turn_of(m), part = turn - (float)(int32_t)turn;
    u->ways[(int32_t)turn % WAYS] += weight * (1 - part), u->ways[((int32_t)turn + 1) % WAYS] += weight * part;
}

void movement_learn(habits *h, const movement *m, int32_t fold, float weight, int32_t moving) {
    count(&h->at[fold][m->place_y][m->place_x], m, weight, moving);
    count(&h->all[fold], m, weight, moving);
}

static void add(usual_here *to, const usual_here *from, float weight) {
    to->windows += from->windows * weight;
    for (int32_t k = 0; k < WAYS; k++) to->ways[k] += from->ways[k] * weight;
    for (int32_t k = 0; k < SPEEDS; k++) to->speeds[k] += from->speeds[k] * weight;
}

/* What was seen at a place and around it. */
static usual_here around(const habits *h, const movement *m, uint32_t folds) {
    usual_here sum = {0};
    for (int32_t k = 0; k < FOLDS; k++)
        for (int32_t y = m->place_y - 1; folds >> k & 1 && y <= m->place_y + 1; y++)
            for (int32_t x = m->place_x - 1; x <= m->place_x + 1; x++)
                if (x >= 0 && y >= 0 && x < PLACES_X && y < PLACES_Y) add(&sum, &h->at[k][y][x], 1);
    return sum;
}

static usual_here everywhere(const habits *h, uint32_t folds) {
    usual_here sum = {0};
    for (int32_t k = 0; k < FOLDS; k++)
        if (folds >> k & 1) add(&sum, &h->all[k], 1);
    return sum;
}

static float total(const float *counts, int32_t count) {
    float sum = 0;
    for (int32_t k = 0; k < count; k++) sum += counts[k];
    return sum;
}

float movement_speed(const habits *h, const movement *m, uint32_t folds) {
    if (m->speed <= 0) return 0;
    usual_here sum = around(h, m, folds), all = everywhere(h, folds);
    float of_all = total(all.speeds, SPEEDS);
    if (of_all < 1) return 0;
    add(&sum, &all, SEEN_ENOUGH / of_all);
    float wanted = OFTEN * total(sum.speeds, SPEEDS), below = 0;
    int32_t k = 0;
    while (k < SPEEDS - 1 && below + sum.speeds[k] < wanted) below += sum.speeds[k++];
    float part = sum.speeds[k] > 0 ? within((wanted - below) / sum.speeds[k], 0, 1) : 0;
    return m->speed / most(((float)k + part) * SPEED_STEP, SLOWEST);
}

/* How many times rarer than usual, in bits; 0 for what is common. Between powers of two it is a straight line. */
static float rarity(float part) {
    float bits = 0;
    while (part < 0.5f && bits < 20) part *= 2, bits += 1;
    return part >= 1 ? 0 : bits + 2 * (1 - part);
}

float movement_way(const habits *h, const movement *m, uint32_t folds) {
    if (m->speed < WALKS) return 0;
    usual_here sum = around(h, m, folds);
    int32_t first = (int32_t)turn_of(m) % WAYS;
    float same = sum.ways[first] + sum.ways[(first + 1) % WAYS];
    float part = (same + WAY_PRIOR / 4) / (total(sum.ways, WAYS) + WAY_PRIOR);
    /* what drifts slowly has a vague way */
    return rarity(part * 4) * least(m->speed / (2 * WALKS), 1);
}

float movement_place(const habits *h, const movement *m, uint32_t folds) {
    float even = everywhere(h, folds).windows * 9 / (PLACES_X * PLACES_Y);
    return even > 0 ? rarity((around(h, m, folds).windows + 1) / (even + 1)) : 0;
}
