#include "things.h"

typedef struct brush {
    canvas *on;
    uint64_t *seed;
    float mirror;  /* 1 or -1 */
    float opaque;  /* 0 to 1 */
    float scale;   /* pixels of one unit: the height of a person */
} brush;

typedef struct spot {
    float x, y; /* in heights from the feet, y upwards */
} spot;

static float between(brush *b, float low, float high) { return random_between(b->seed, low, high); }
static int32_t chance(brush *b, float part) { return random_part(b->seed) < part; }
static float any_grey(brush *b) { return chance(b, 0.67f) ? between(b, 20, 80) : between(b, 80, 220); }

/* Covers a pixel by how far inside the shape its middle lies: half a pixel of soft edge. */
static void cover(const brush *b, float *pixel, float inside, float grey) {
    float part = within(inside + 0.5f, 0, 1) * b->opaque;
    *pixel += (grey - *pixel) * part;
}

typedef struct reach {
    int32_t x0, y0, x1, y1;
} reach;

static reach reach_of(const brush *b, float x0, float y0, float x1, float y1) {
    extent e = b->on->size;
    return (reach){clipped((int32_t)least(x0, x1) - 2, 0, e.width), clipped((int32_t)least(y0, y1) - 2, 0, e.height),
                   clipped((int32_t)most(x0, x1) + 3, 0, e.width), clipped((int32_t)most(y0, y1) + 3, 0, e.height)};
}

static float screen_x(const brush *b, spot s) { return b->on->feet_x + b->mirror * s.x * b->scale; }
static float screen_y(const brush *b, spot s) { return b->on->feet_y - s.y * b->scale; }

/* A stroke with round ends; `thick` in heights. */
static void stroke(const brush *b, spot from, spot to, float thick, float grey) {
    float ax = screen_x(b, from), ay = screen_y(b, from), bx = screen_x(b, to), by = screen_y(b, to);
    float half = most(thick * b->scale / 2, 0.5f), dx = bx - ax, dy = by - ay, length = most(dx * dx + dy * dy, 1e-6f);
    reach r = reach_of(b, least(ax, bx) - half, least(ay, by) - half, most(ax, bx) + half, most(ay, by) + half);
    for (int32_t y = r.y0; y < r.y1; y++)
        for (int32_t x = r.x0; x < r.x1; x++) {
            float px = (float)x - ax, py = (float)y - ay, t = within((px * dx + py * dy) / length, 0, 1);
            float ox = px - t * dx, oy = py - t * dy;
            cover(b, b->on->grey + y * b->on->size.width + x, half - root(ox * ox + oy * oy), grey);
        }
}

/* An ellipse with half axes in heights; `rim` > 0: only a rim so thick. */
static void ellipse(const brush *b, spot middle, spot axes, float rim, float grey) {
    float cx = screen_x(b, middle), cy = screen_y(b, middle);
    float rx = most(axes.x * b->scale, 0.7f), ry = most(axes.y * b->scale, 0.7f), half = most(rim * b->scale / 2, 0.5f);
    reach r = reach_of(b, cx - rx - half, cy - ry - half, cx + rx + half, cy + ry + half);
    for (int32_t y = r.y0; y < r.y1; y++)
        for (int32_t x = r.x0; x < r.x1; x++) {
            float px = ((float)x - cx) / rx, py = ((float)y - cy) / ry;
            float inside = (1 - root(px * px + py * py)) * least(rx, ry);
            if (rim > 0) inside = half - magnitude(inside);
            cover(b, b->on->grey + y * b->on->size.width + x, inside, grey);
        }
}

/* A quadrilateral, upright at the left, slanted at the right: `low` and `high` are its corners, `slant` is cut from the top. */
static void box(const brush *b, spot low, spot high, float slant, float grey) {
    spot lean = {high.x - slant, high.y};
    float left = screen_x(b, low), right = screen_x(b, high), bottom = screen_y(b, low), top = screen_y(b, high);
    float shift = (screen_x(b, lean) - right) / most(bottom - top, 1);
    reach r = reach_of(b, least(left, most(right, right)), top, most(left, right), bottom);
    for (int32_t y = r.y0; y < r.y1; y++)
        for (int32_t x = r.x0; x < r.x1; x++) {
            float end = right + shift * (bottom - (float)y);
            float across = least((float)x - least(left, end), most(left, end) - (float)x);
            float along = least((float)y - top, bottom - (float)y);
            cover(b, b->on->grey + y * b->on->size.width + x, least(across, along), grey);
        }
}

static void rider(brush *b, spot seat, spot bar, float radius) {
    float legs = any_grey(b), coat = any_grey(b), thick = between(b, 0.07f, 0.12f);
    spot shoulder = {seat.x + between(b, 0.02f, 0.3f), seat.y + between(b, 0.25f, 0.38f)};
    for (int32_t k = 0; k < 2; k++) {
        spot knee = {between(b, 0, 0.2f), between(b, 0.3f, 0.45f)};
        spot foot = {between(b, -0.08f, 0.08f), radius + between(b, -0.08f, 0.08f)};
        stroke(b, seat, knee, thick, legs);
        stroke(b, knee, foot, thick * 0.8f, legs);
    }
    stroke(b, seat, shoulder, between(b, 0.13f, 0.2f), coat);
    stroke(b, shoulder, bar, between(b, 0.05f, 0.08f), coat);
    if (chance(b, 0.3f)) ellipse(b, (spot){shoulder.x - 0.12f, shoulder.y - 0.1f}, (spot){0.1f, 0.14f}, 0, any_grey(b));
    ellipse(b, (spot){shoulder.x + between(b, 0, 0.08f), shoulder.y + 0.1f}, (spot){0.07f, 0.085f}, 0, any_grey(b));
}

static void bicycle(brush *b) {
    float radius = between(b, 0.16f, 0.24f), base = between(b, 0.2f, 0.34f), squash = 1;
    if (chance(b, 0.25f)) squash = between(b, 0.3f, 0.9f); /* seen at an angle */
    base *= squash;
    float tyre = between(b, 20, 90), thin = between(b, 0.02f, 0.05f), frame = any_grey(b);
    spot rear = {-base, radius}, front = {base, radius}, crank = {0, radius}, wheel = {radius * squash, radius};
    spot seat = {-base * 0.35f, between(b, 0.45f, 0.55f)}, bar = {base * 0.7f, between(b, 0.5f, 0.6f)};
    ellipse(b, rear, wheel, thin, tyre);
    ellipse(b, front, wheel, thin, tyre);
    stroke(b, rear, crank, thin, frame);
    stroke(b, crank, seat, thin, frame);
    stroke(b, crank, bar, thin, frame);
    stroke(b, seat, bar, thin, frame);
    stroke(b, bar, front, thin, frame);
    rider(b, seat, bar, radius);
}

static void cart(brush *b) {
    float width = between(b, 0.5f, 1.6f), high = between(b, 0.5f, 1.5f), radius = between(b, 0.08f, 0.2f);
    float slant = within(between(b, -0.2f, 0.3f), 0, 1) * width, tyre = between(b, 20, 70);
    box(b, (spot){-width / 2, radius}, (spot){width / 2, high}, slant, any_grey(b));
    if (chance(b, 0.7f)) box(b, (spot){-width * 0.3f, high * 0.6f}, (spot){width * 0.25f, high * 0.9f}, 0, any_grey(b));
    if (chance(b, 0.5f)) box(b, (spot){-width / 2, radius}, (spot){width / 2, high / 2}, 0, any_grey(b));
    for (int32_t k = -1; k <= 1; k += 2)
        ellipse(b, (spot){(float)k * width * 0.35f, radius}, (spot){radius, radius}, 0, tyre);
}

static void seated(brush *b) {
    float radius = between(b, 0.18f, 0.28f), tyre = between(b, 20, 120), coat = any_grey(b), legs = any_grey(b);
    spot seat = {0, between(b, 0.35f, 0.45f)}, knee = {0.28f, seat.y - 0.02f};
    spot shoulder = {between(b, -0.08f, 0.05f), seat.y + between(b, 0.3f, 0.4f)};
    ellipse(b, (spot){0, radius}, (spot){radius, radius}, between(b, 0.02f, 0.06f), tyre);
    ellipse(b, (spot){radius * 1.3f, 0.07f}, (spot){0.06f, 0.06f}, 0, tyre);
    stroke(b, seat, knee, 0.11f, legs);
    stroke(b, knee, (spot){0.3f, 0.08f}, 0.09f, legs);
    stroke(b, seat, shoulder, between(b, 0.16f, 0.22f), coat);
    ellipse(b, (spot){shoulder.x, shoulder.y + 0.1f}, (spot){0.075f, 0.09f}, 0, any_grey(b));
    if (!chance(b, 0.3f)) return;
    /* someone who pushes */
    stroke(b, (spot){-0.18f, 0.05f}, (spot){-0.2f, 0.85f}, 0.2f, any_grey(b));
    ellipse(b, (spot){-0.2f, 0.93f}, (spot){0.08f, 0.09f}, 0, any_grey(b));
}

void things_draw(canvas *c, uint64_t *seed) {
    brush b = {c, seed, 1, 1, c->height};
    b.mirror = chance(&b, 0.5f) ? 1 : -1;
    b.opaque = between(&b, 0.75f, 1);
    b.scale *= between(&b, 0.9f, 1.12f);
    float kind = random_part(seed);
    if (kind < 0.5f)
        bicycle(&b);
    else if (kind < 0.75f)
        cart(&b);
    else
        seated(&b);
}
