#include "learning.h"

#include "camera_edge.h"
#include "things.h"

enum {
    SAMPLE_US = 400000,
    RANDOM_WINDOWS = 12, HARD_WINDOWS = 8, /* kept of a frame */
    VIEWS = 3,                             /* windows on one drawn thing */
    PATCH_MOST = 512 * 512,
};
static const float PATCH_WIDE = 2.8f, PATCH_UP = 2, PATCH_DOWN = 0.6f; /* heights around the feet of a drawn thing */

static lesson *room;
static size_t room_bytes;
static float *patch;
static foreground patch_front;
static integrals patch_sums;

static size_t lesson_size(extent e) { return sizeof(lesson) + (size_t)pixels_of(e) * sizeof(scene_modes); }

static int32_t start_patch(void) {
    if (patch) return 0;
    extent e = {512, 512};
    patch = camera_edge_pages(2 * PATCH_MOST * sizeof(float) + 256);
    uint8_t *planes = camera_edge_pages(PATCH_MOST * 3 + 4096);
    patch_sums.sums = camera_edge_pages(integrals_bytes(e));
    if (!patch || !planes || !patch_sums.sums) return -1;
    patch += 8; /* gradients look a little beyond */
    patch_front.mask = planes + 1024, patch_front.labels = (uint16_t *)(planes + 2048 + PATCH_MOST);
    return 0;
}

int32_t lessons_start(lessons *l, extent e) {
    size_t bytes = lesson_size(e);
    if (bytes > room_bytes) {
        room = camera_edge_pages(bytes);
        room_bytes = room ? bytes : 0;
    }
    if (!room || start_patch()) return -1;
    __builtin_memset(room, 0, bytes);
    l->now = room;
    l->sampled_us = -SAMPLE_US;
    return 0;
}

void lessons_scene(lessons *l, learned *to, const frame *f, extent e) {
    if (f->media_us - l->sampled_us < SAMPLE_US) return;
    l->sampled_us = f->media_us;
    scene_sample(l->now->modes, e, f->pixels, f->stride);
    to->head.samples++;
}

void lessons_sizes(learned *to, const sight *s) {
    for (int32_t k = 0; k < s->front.count; k++) perspective_see(&to->sizes, s->size, &s->front.regions[k]);
}

/* The windows that the fold's net takes for drawn things most, without those right beside them. */
static void keep_hard(bank *b, const net *n, const sight *s, uint64_t *seed) {
    static float logits[MOST_WINDOWS];
    for (int32_t k = 0; k < s->count; k++) logits[k] = net_answer(n, s->looks[k]);
    for (int32_t i = 0; i < HARD_WINDOWS && s->count; i++) {
        int32_t best = 0;
        for (int32_t k = 1; k < s->count; k++)
            if (logits[k] > logits[best]) best = k;
        if (logits[best] < -6) return;
        bank_keep_hard(b, s->looks[best], seed);
        logits[best] = -100;
    }
}

/* Draw a thing at a place into a copy of the picture around it, and keep what windows on it look like. */
static void keep_drawn(bank *b, const sight *s, const perspective *p, place at, uint64_t *seed) {
    float height = perspective_height(p, at.y);
    int32_t left = clipped((int32_t)(at.x - height * PATCH_WIDE / 2), 0, s->size.width - 1);
    int32_t right = clipped((int32_t)(at.x + height * PATCH_WIDE / 2), left + 1, s->size.width);
    int32_t top = clipped((int32_t)(at.y - height * PATCH_UP), 0, s->size.height - 1);
    int32_t bottom = clipped((int32_t)(at.y + height * PATCH_DOWN), top + 1, s->size.height);
    extent e = {right - left, bottom - top};
    if (e.width < 8 || e.height < 8 || e.width > 512 || e.height > 512) return;
    for (int32_t y = 0; y < e.height; y++)
        for (int32_t x = 0; x < e.width; x++) {
            int32_t i = (top + y) * s->size.width + left + x;
            patch[y * e.width + x] = s->difference[i] + s->empty.usual[i];
        }
    canvas c = {e, patch, at.x - (float)left, at.y - (float)top, height};
    things_draw(&c, seed);
    for (int32_t y = 0; y < e.height; y++)
        for (int32_t x = 0; x < e.width; x++) {
            int32_t i = (top + y) * s->size.width + left + x;
            float *to = patch + y * e.width + x;
            *to = s->empty.known[i] ? *to - s->empty.usual[i] : 0;
        }
    foreground_find(&patch_front, e, patch);
    patch_sums.size = e;
    integrals_fill(&patch_sums, patch, patch_front.mask);
    for (int32_t k = 0; k < VIEWS; k++) {
        float features[FEATURES];
        place view = {c.feet_x, c.feet_y, 0};
        view.x += height * random_between(seed, -0.12f, 0.12f);
        view.y += height * random_between(seed, -0.06f, 0.1f);
        windows_describe(&patch_sums, view, height, features);
        bank_keep_drawn(b, features);
    }
}

static void learn_movement(const lessons *l, learned *to, const sight *s) {
    for (int32_t k = 0; k < s->count; k++)
        if (s->places[k].sparse) movement_learn(&to->usual, s->moves + k, l->occasion % FOLDS, 1, s->moving.before >= 0);
}

void lessons_looks(lessons *l, learned *to, const sight *s) {
    int32_t fold = l->occasion % FOLDS;
    bank *b = &l->now->banks[fold];
    net *n = &to->nets[fold];
    if (!n->steps && !b->drawn) net_start(n, &to->seed);
    if (s->count) {
        for (int32_t k = 0; k < RANDOM_WINDOWS; k++)
            bank_keep_usual(b, s->looks[random_index(&to->seed, s->count)], &to->seed);
        keep_hard(b, n, s, &to->seed);
        for (int32_t k = 0; k < l->things; k++) {
            place at = s->places[random_index(&to->seed, s->count)];
            at.x += random_between(&to->seed, -0.5f, 0.5f) * perspective_height(&to->sizes, at.y);
            at.y += random_between(&to->seed, -0.1f, 0.1f) * perspective_height(&to->sizes, at.y);
            keep_drawn(b, s, &to->sizes, at, &to->seed);
        }
    }
    bank_teach(b, n, l->steps, l->rate, &to->seed);
}

void lessons_habits(lessons *l, learned *to, const sight *s) {
    learn_movement(l, to, s);
    lessons_looks(l, to, s);
}
