/* What all parts share: the size of the view, small mathematics, numbers from a fixed sequence. */
#ifndef NORMALITY_COMMON_H
#define NORMALITY_COMMON_H

#include <stddef.h>
#include <stdint.h>

typedef struct extent {
    int32_t width, height;
} extent;

static inline int32_t pixels_of(extent e) { return e.width * e.height; }
static inline float root(float x) { return __builtin_sqrtf(x); }
static inline float least(float a, float b) { return a < b ? a : b; }
static inline float most(float a, float b) { return a > b ? a : b; }
static inline float within(float x, float low, float high) { return x < low ? low : x > high ? high : x; }
static inline float magnitude(float x) { return x < 0 ? -x : x; }
static inline int32_t whole(float x, int32_t low, int32_t high) {
    return x < (float)low ? low : x > (float)high ? high : (int32_t)x;
}
static inline int32_t nearest(float x) { return (int32_t)__builtin_floorf(x + 0.5f); }
static inline int32_t clipped(int32_t x, int32_t low, int32_t high) { return x < low ? low : x > high ? high : x; }

/* A linear congruential sequence (Knuth's constants); the high bits are used. */
static inline uint32_t next_random(uint64_t *seed) {
    *seed = *seed * 6364136223846793005ULL + 1442695040888963407ULL;
    return (uint32_t)(*seed >> 33);
}

/* 0 to 1, without 1. */
static inline float random_part(uint64_t *seed) { return (float)(next_random(seed) >> 7) * (1.0f / 16777216.0f); }
static inline float random_between(uint64_t *seed, float low, float high) { return low + (high - low) * random_part(seed); }
static inline int32_t random_index(uint64_t *seed, int32_t count) { return (int32_t)(next_random(seed) % (uint32_t)count); }

/* e^x for |x| <= 30: by powers of two and a series; the same bits on every machine. */
static inline float exponential(float x) {
    double scaled = (double)within(x, -30, 30) * 1.4426950408889634;
    int32_t k = (int32_t)(scaled < 0 ? scaled - 0.5 : scaled + 0.5);
    double r = (scaled - k) * 0.6931471805599453, sum = 1;
    for (int32_t n = 8; n > 0; n--) sum = 1 + sum * r / n;
    union {
        uint64_t bits;
        double value;
    } power = {.bits = (uint64_t)(k + 1023) << 52};
    return (float)(sum * power.value);
}

static inline float sigmoid(float x) { return 1 / (1 + exponential(-x)); }

#endif
