#include "movement.h"

#include "simd.h"

static const float HALF = 0.3f;           /* half the width of a body, in heights */
static const float FILL_WEIGHT = 0.6f;    /* against a speed of one height a second */
static const float RADIUS = 0.02f, GROWTH = 1.3f;
static const float WALKS = 0.25f;         /* heights a second, from which on it has a way */
static const float WAY_PRIOR = 4;

movement movement_of(const flow *f, const integrals *i, place at, float height) {
    movement m = {.place_x = clipped((int32_t)(at.x * PLACES_X / (float)i->size.width), 0, PLACES_X - 1),
                  .place_y = clipped((int32_t)(at.y * PLACES_Y / (float)i->size.height), 0, PLACES_Y - 1)};
    float left = at.x - HALF * height, right = at.x + HALF * height, top = at.y - height;
    for (int32_t k = 0; k < BANDS; k++) {
        float from = top + height * (float)k / BANDS, to = top + height * (float)(k + 1) / BANDS;
        m.moves[2 * k] = FILL_WEIGHT * integrals_fill_of(i, left, from, right, to);
        m.moves[2 * k + 1] = flow_in(f, left, from, right, to).speed / height;
    }
    moved all = flow_in(f, left, top, right, at.y);
    m.vx = all.vx / height, m.vy = all.vy / height, m.speed = all.speed / height;
    return m;
}

static float distance(const float *a, const float *b) {
    f32x4 low = load4(a) - load4(b), high = load4(a + 4) - load4(b + 4), sum = low * low + high * high;
    return sum[0] + sum[1] + sum[2] + sum[3];
}

/* The nearest exemplar and the square of its distance; of the usual ones alone, or of all. */
static int32_t find_nearest(const exemplars *e, const float *moves, int32_t all, float *square) {
    int32_t at = -1;
    *square = 1e6f;
    for (int32_t k = 0; k < e->count; k++) {
        if (!all && !e->usual[k]) continue;
        float d = distance(e->moves[k], moves);
        if (d < *square) *square = d, at = k;
    }
    return at;
}

/* Room for more: the radius grows, and of those that lie within it one stays. */
static void thin_out(exemplars *e) {
    while (e->count == MOST_EXEMPLARS) {
        e->radius *= GROWTH;
        int32_t kept = 0;
        for (int32_t k = 0; k < e->count; k++) {
            int32_t same = -1;
            for (int32_t j = 0; j < kept && same < 0; j++)
                if (distance(e->moves[j], e->moves[k]) < e->radius * e->radius) same = j;
            if (same >= 0) {
                e->usual[same] |= e->usual[k];
                continue;
            }
            __builtin_memcpy(e->moves[kept], e->moves[k], sizeof e->moves[k]);
            e->first[kept] = e->first[k], e->usual[kept] = e->usual[k], kept++;
        }
        e->count = kept;
    }
}

static int32_t learn_speed(exemplars *e, const float *moves, const intake *how) {
    float square;
    if (e->radius <= 0) e->radius = RADIUS;
    int32_t at = find_nearest(e, moves, 1, &square);
    if (at >= 0 && square < e->radius * e->radius) {
        if (e->first[at] != how->occasion) e->usual[at] = 1;
        return 0;
    }
    if (how->room <= 0) return 0;
    thin_out(e);
    __builtin_memcpy(e->moves[e->count], moves, sizeof e->moves[0]);
    e->first[e->count] = how->occasion, e->usual[e->count] = !how->probation;
    e->count++;
    return 1;
}

static float turn_of(const movement *m) {
    /* the angle in eighths of a turn, by an approximation of the arc tangent that is good to a hundredth */
    float ax = magnitude(m->vx), ay = magnitude(m->vy), low = least(ax, ay), high = most(ax, ay);
    float ratio = high > 0 ? low / high : 0, eighth = ratio * (1.2732f - 0.2732f * ratio);
    float turn = ay > ax ? 2 - eighth : eighth;
    if (m->vx < 0) turn = 4 - turn;
    if (m->vy < 0) turn = 8 - turn;
    return turn >= 8 ? 0 : turn;
}

int32_t movement_learn(habits *h, const movement *m, const intake *how, int32_t moving) {
    h->places[how->fold][m->place_y][m->place_x]++;
    h->windows[how->fold]++;
    if (!moving) return 0;
    if (m->speed >= WALKS) {
        float turn = turn_of(m), part = turn - (float)(int32_t)turn;
        float *ways = h->ways[how->fold][m->place_y][m->place_x];
        ways[(int32_t)turn % WAYS] += 1 - part, ways[((int32_t)turn + 1) % WAYS] += part;
    }
    return learn_speed(&h->speeds[how->fold], m->moves, how);
}

float movement_speed(const habits *h, const movement *m, uint32_t folds) {
    float best = 1e6f;
    for (int32_t k = 0; k < FOLDS; k++) {
        float square;
        if (folds >> k & 1 && find_nearest(&h->speeds[k], m->moves, 0, &square) >= 0) best = least(best, square);
    }
    return best < 1e6f ? root(best) : 0;
}

/* A measure of information: the logarithm of how many times rarer than usual, by its series; 0 for what is common. */
static float rarity(float part) {
    if (part >= 1) return 0;
    float bits = 0;
    while (part < 0.5f && bits < 20) part *= 2, bits += 1;
    return bits + 2 * (1 - part);
}

float movement_way(const habits *h, const movement *m, uint32_t folds) {
    if (m->speed < WALKS) return 0;
    float turn = turn_of(m), total = 0, same = 0;
    int32_t first = (int32_t)turn % WAYS;
    for (int32_t k = 0; k < FOLDS; k++)
        for (int32_t y = m->place_y - 1; y <= m->place_y + 1; y++)
            for (int32_t x = m->place_x - 1; x <= m->place_x + 1; x++) {
                if (!(folds >> k & 1) || x < 0 || y < 0 || x >= PLACES_X || y >= PLACES_Y) continue;
                const float *ways = h->ways[k][y][x];
                for (int32_t w = 0; w < WAYS; w++) total += ways[w];
                same += ways[first] + ways[(first + 1) % WAYS];
            }
    float part = (same + WAY_PRIOR / 4) / (total + WAY_PRIOR);
    /* what drifts slowly has a vague way */
    return rarity(part * 4) * least(m->speed / (4 * WALKS), 1);
}

float movement_place(const habits *h, const movement *m, uint32_t folds) {
    float here = 0, all = 0;
    for (int32_t k = 0; k < FOLDS; k++) {
        if (!(folds >> k & 1)) continue;
        all += h->windows[k];
        for (int32_t y = m->place_y - 1; y <= m->place_y + 1; y++)
            for (int32_t x = m->place_x - 1; x <= m->place_x + 1; x++)
                if (x >= 0 && y >= 0 && x < PLACES_X && y < PLACES_Y) here += h->places[k][y][x];
    }
    float even = all * 9 / (PLACES_X * PLACES_Y);
    return all > 0 ? rarity((here + 1) / (even + 1)) : 0;
}
