#ifndef BACKGROUND_H
#define BACKGROUND_H
#include <stdint.h>
#include "simd.h"
enum { SAMPLES = 20 };
typedef struct background {
    int32_t width, height, pitch;
    int32_t learned;
    uint8_t *image, *raw, *fore, *sample, *noise, *blink, *cand, *age, *tmp;
    uint16_t *mean;
    u32x4 random;
    uint32_t seed;
    int64_t start_us, last_us;
    int32_t base_radius, min_match;
    int32_t p256;
} background;
int background_open(background *b, int32_t width, int32_t height);
void background_feed(background *b, const uint8_t *pixels, int32_t stride, int64_t media_us);
#endif
