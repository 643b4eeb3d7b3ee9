#include "sight.h"

#include "camera_edge.h"

static size_t aligned(size_t bytes) { return (bytes + 31) / 16 * 16; }

static uint8_t *room;
static size_t room_bytes;

int32_t sight_start(sight *s, extent e, int32_t with_motion) {
    size_t pixels = (size_t)pixels_of(e), fine = aligned(flow_fine_bytes(e)), coarse = aligned(flow_coarse_bytes(e));
    size_t bytes = 2 * aligned((pixels + 16) * sizeof(float)) + 4 * aligned(pixels) + aligned(pixels * 2) +
                   aligned(integrals_bytes(e)) + FLOW_KEPT * (fine + coarse) + 64;
    if (bytes > room_bytes) {
        room = camera_edge_pages(bytes);
        room_bytes = room ? bytes : 0;
    }
    if (!room) return -1;
    __builtin_memset(room, 0, bytes);
    uint8_t *at = room;
    s->size = s->empty.size = s->sums.size = s->moving.size = e;
    s->empty.usual = (float *)at, at += aligned((pixels + 16) * sizeof(float));
    s->difference = (float *)at, at += aligned((pixels + 16) * sizeof(float));
    s->sums.sums = (uint32_t *)at, at += aligned(integrals_bytes(e));
    for (int32_t k = 0; k < FLOW_KEPT; k++) {
        s->moving.fine[k] = at, at += fine;
        s->moving.coarse[k] = at, at += coarse;
    }
    s->front.labels = (uint16_t *)at, at += aligned(pixels * 2);
    s->front.mask = at, at += aligned(pixels);
    s->empty.known = at, at += aligned(pixels);
    s->empty.before = at, at += aligned(pixels);
    s->empty.steady = at;
    s->empty.gain = 1, s->empty.likeness = 1, s->empty.steady_us = 0;
    s->moving.count = 0, s->moving.before = -1;
    s->with_motion = with_motion;
    return 0;
}

void sight_compare(sight *s, const frame *f) {
    scene_difference(&s->empty, f->pixels, f->stride, s->difference);
    foreground_find(&s->front, s->size, s->difference);
}

void sight_describe(sight *s, const frame *f, const perspective *p) {
    integrals_fill(&s->sums, s->difference, s->front.mask);
    s->count = windows_find(&s->sums, p, s->places);
    if (s->with_motion) flow_see(&s->moving, s->difference, s->front.mask, f->media_us);
    for (int32_t k = 0; k < s->count; k++) {
        float height = perspective_height(p, s->places[k].y);
        windows_describe(&s->sums, s->places[k], height, s->looks[k]);
        s->moves[k] = movement_of(&s->moving, s->size, s->places[k], height);
    }
}

static void raise(answers *a, int32_t channel, int32_t window, float value) {
    if (a->windows[channel] >= 0 && value <= a->values[channel]) return;
    a->values[channel] = value, a->windows[channel] = window;
}

/* How much of a large box is filled: people beside each other leave gaps, a cart does not. */
static float bulk(const sight *s, place at, float height) {
    float near = 0.45f * height, far = 0.7f * height;
    return integrals_fill_of(&s->sums, at.x - near, at.y - 0.9f * height, at.x + near, at.y - 0.1f * height) +
           integrals_fill_of(&s->sums, at.x - far, at.y - 1.2f * height, at.x + far, at.y - 0.1f * height);
}

static float looks_drawn(const learned *l, const float *features, uint32_t folds) {
    float sum = 0, count = 0;
    for (int32_t k = 0; k < FOLDS; k++)
        if (folds >> k & 1 && l->nets[k].steps) sum += net_answer(&l->nets[k], features), count++;
    return count > 0 ? sum / count : -20;
}

/* A smooth ramp near ln(1 + e^x): what is certainly nothing drawn is all the same. */
static float softened(float logit) {
    if (logit > 8) return logit;
    if (logit < -8) return 0;
    return logit > 0 ? logit + 0.7f / (1 + logit) : 0.7f / (1 - logit * (1 - logit * 0.5f));
}

void sight_judge(const sight *s, const learned *l, uint32_t folds, answers *a) {
    for (int32_t k = 0; k < WHYS; k++) a->values[k] = 0, a->windows[k] = -1;
    for (int32_t k = 0; k < s->count; k++) {
        const movement *m = s->moves + k;
        float height = perspective_height(&l->sizes, s->places[k].y);
        if (s->with_motion) {
            raise(a, SPEED, k, movement_speed(&l->usual, m, folds));
            raise(a, DIRECTION, k, movement_way(&l->usual, m, folds));
        }
        if (s->places[k].sparse) raise(a, PLACE, k, movement_place(&l->usual, m, folds));
        raise(a, SIZE, k, bulk(s, s->places[k], height));
        raise(a, SHAPE, k, softened(looks_drawn(l, s->looks[k], folds)));
    }
}
