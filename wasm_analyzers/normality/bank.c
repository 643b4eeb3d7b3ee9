#include "bank.h"

enum { OF_USUAL = 22, OF_HARD = 22, OF_DRAWN = 22, BANK_LEAST = 64 };
static const float PACKED = 27; /* the largest feature is below 9.4 */

static void pack(uint8_t *to, const float *features) {
    for (int32_t i = 0; i < FEATURES; i++) to[i] = (uint8_t)whole(features[i] * PACKED + 0.5f, 0, 255);
}

/* A sample of all that was ever seen, each as likely as the other (Vitter's algorithm R, 1985). */
void bank_keep_usual(bank *b, const float *features, uint64_t *seed) {
    uint32_t at = b->usual;
    b->usual_seen++;
    if (at == BANK_USUAL) at = next_random(seed) % b->usual_seen;
    if (at >= BANK_USUAL) return;
    pack(b->windows[at], features);
    if (b->usual < BANK_USUAL) b->usual++;
}

/* What was hard long ago may be easy now: a newcomer takes any place. */
void bank_keep_hard(bank *b, const float *features, uint64_t *seed) {
    uint32_t at = b->hard < BANK_HARD ? b->hard++ : next_random(seed) % BANK_HARD;
    pack(b->windows[BANK_USUAL + at], features);
}

void bank_keep_drawn(bank *b, const float *features) {
    pack(b->windows[BANK_USUAL + BANK_HARD + b->drawn_seen++ % BANK_DRAWN], features);
    if (b->drawn < BANK_DRAWN) b->drawn++;
}

static void teach(const bank *b, net *n, uint32_t from, uint32_t count, float wanted, uint64_t *seed) {
    float features[FEATURES];
    const uint8_t *kept = b->windows[from + next_random(seed) % count];
    for (int32_t i = 0; i < FEATURES; i++) features[i] = (float)kept[i] / PACKED;
    net_learn(n, features, wanted);
}

void bank_teach(const bank *b, net *n, int32_t steps, float rate, uint64_t *seed) {
    if (b->usual < BANK_LEAST || b->hard < BANK_LEAST || b->drawn < BANK_LEAST) return;
    for (int32_t step = 0; step < steps; step++) {
        for (int32_t k = 0; k < OF_USUAL; k++) teach(b, n, 0, b->usual, 0, seed);
        for (int32_t k = 0; k < OF_HARD; k++) teach(b, n, BANK_USUAL, b->hard, 0, seed);
        for (int32_t k = 0; k < OF_DRAWN; k++) teach(b, n, BANK_USUAL + BANK_HARD, b->drawn, 1, seed);
        net_step(n, rate);
    }
}
