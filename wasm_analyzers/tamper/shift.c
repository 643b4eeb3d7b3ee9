/* Matching of gradients at all shifts, at half the coarse scale; normalised over the part of the view that overlaps, so
 * that light and contrast do not count. */
#include "shift.h"

#include "simd.h"

enum { SIDE = MOST_SIDE / 2, CELLS = SIDE * SIDE, NEAR = 3, TURNS = 6 };
static const float ENOUGH = 0.6f;      /* a fit that no turn is needed to explain */
static const float OVERLAP = 0.35f;    /* of the cells */
static const float SINES[TURNS] = {0.1045f, -0.1045f, 0.2079f, -0.2079f, 0.3090f, -0.3090f};
static const float COSINES[TURNS] = {0.9945f, 0.9945f, 0.9781f, 0.9781f, 0.9511f, 0.9511f};
static const float DEGREES[TURNS] = {6, -6, 12, -12, 18, -18};

typedef struct field {
    int32_t across, down;
    float x[CELLS], y[CELLS], energy[CELLS];
} field;

static field here, there;
static float small_now[CELLS], small_usual[CELLS], turned[CELLS];

static void halve(const layout *l, const float *cells, float *small, int32_t across, int32_t down) {
    for (int32_t y = 0; y < down; y++)
        for (int32_t x = 0; x < across; x++) {
            const float *at = cells + 2 * y * l->across + 2 * x;
            small[y * across + x] = (at[0] + at[1] + at[l->across] + at[l->across + 1]) / 4;
        }
}

/* NaN-free by construction: cells of which nothing is known (-1) have no gradient. */
static void field_of(field *f, const float *cells, int32_t across, int32_t down) {
    f->across = across;
    f->down = down;
    __builtin_memset(f->x, 0, sizeof f->x);
    __builtin_memset(f->y, 0, sizeof f->y);
    __builtin_memset(f->energy, 0, sizeof f->energy);
    for (int32_t y = 1; y < down - 1; y++)
        for (int32_t x = 1; x < across - 1; x++) {
            const float *at = cells + y * across + x;
            if (at[1] < 0 || at[-1] < 0 || at[across] < 0 || at[-across] < 0) continue;
            int32_t i = y * across + x;
            f->x[i] = at[1] - at[-1];
            f->y[i] = at[across] - at[-across];
            f->energy[i] = f->x[i] * f->x[i] + f->y[i] * f->y[i];
        }
}

static float sum4(f32x4 v) { return v[0] + v[1] + v[2] + v[3]; }

/* The fit where what was at (x, y) is now at (x + dx, y + dy). */
static float fit_at(int32_t dx, int32_t dy) {
    int32_t across = here.across, down = here.down;
    int32_t left = dx > 0 ? dx : 0, right = dx < 0 ? across + dx : across;
    int32_t top = dy > 0 ? dy : 0, bottom = dy < 0 ? down + dy : down;
    f32x4 both = {0}, mine = {0}, its = {0};
    float both_rest = 0, mine_rest = 0, its_rest = 0;
    for (int32_t y = top; y < bottom; y++) {
        int32_t a = y * across + left, b = (y - dy) * across + left - dx, end = y * across + right;
        for (; a + 4 <= end; a += 4, b += 4) {
            both += load4(here.x + a) * load4(there.x + b) + load4(here.y + a) * load4(there.y + b);
            mine += load4(here.energy + a);
            its += load4(there.energy + b);
        }
        for (; a < end; a++, b++) {
            both_rest += here.x[a] * there.x[b] + here.y[a] * there.y[b];
            mine_rest += here.energy[a];
            its_rest += there.energy[b];
        }
    }
    float energies = (sum4(mine) + mine_rest) * (sum4(its) + its_rest);
    return energies > 1 ? (sum4(both) + both_rest) / __builtin_sqrtf(energies) : 0;
}

static shift best_within(int32_t reach_x, int32_t reach_y, float degrees) {
    shift best = {.fit = -1};
    int32_t across = here.across, down = here.down;
    for (int32_t dy = -reach_y; dy <= reach_y; dy++)
        for (int32_t dx = -reach_x; dx <= reach_x; dx++) {
            int32_t overlap = (across - (dx < 0 ? -dx : dx)) * (down - (dy < 0 ? -dy : dy));
            if ((float)overlap < OVERLAP * (float)(across * down)) continue;
            float fit = fit_at(dx, dy);
            if (fit > best.fit) best = (shift){fit, (float)dx / (float)across, (float)dy / (float)down, degrees};
        }
    return best;
}

/* `small_usual` about its middle into `turned`, nearest cell; -1 where nothing is known. */
static void turn(int32_t across, int32_t down, float sine, float cosine) {
    float middle_x = (float)(across - 1) / 2, middle_y = (float)(down - 1) / 2;
    for (int32_t y = 0; y < down; y++)
        for (int32_t x = 0; x < across; x++) {
            float away_x = (float)x - middle_x, away_y = (float)y - middle_y;
            float from_x = middle_x + cosine * away_x - sine * away_y + 0.5f;
            float from_y = middle_y + sine * away_x + cosine * away_y + 0.5f;
            int inside = from_x >= 0 && from_y >= 0 && from_x < (float)across && from_y < (float)down;
            turned[y * across + x] = inside ? small_usual[(int32_t)from_y * across + (int32_t)from_x] : -1;
        }
}

shift shift_find(const layout *l, const float *now, const float *usual) {
    int32_t across = l->across / 2, down = l->down / 2;
    if (across < 4 || down < 4) return (shift){0};
    halve(l, now, small_now, across, down);
    halve(l, usual, small_usual, across, down);
    field_of(&here, small_now, across, down);
    field_of(&there, small_usual, across, down);
    shift best = best_within(across * 2 / 3, down * 2 / 3, 0);
    for (int32_t i = 0; i < TURNS && best.fit < ENOUGH; i++) {
        turn(across, down, SINES[i], COSINES[i]);
        field_of(&there, turned, across, down);
        shift other = best_within(NEAR, NEAR, DEGREES[i]);
        if (other.fit > best.fit) best = other;
    }
    return best;
}
