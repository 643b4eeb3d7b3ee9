/* A change of exposure multiplies nearly every pixel by one number: the mode of the ratios is that number, even where
 * an object covers a large part of the view. A switched light changes the ratios, but leaves the edges where they are. */
#include "exposure.h"

enum { STEP = 5, BINS = 512, PER_OCTAVE = 24, DARK = 24, BRIGHT = 236, EDGE = 24 };

void exposure_open(exposure *light) {
    light->gain = 1;
    light->tolerance = 0.04f;
    /* by repeated multiplication: the same everywhere, and no need of a logarithm */
    int32_t steps = 0;
    double power = 1;
    for (int32_t value = 0; value < 256; value++) {
        for (; power * 1.0147 < value; power *= 1.0293022366434921) steps++;
        light->logarithm[value] = (uint8_t)steps;
    }
}

void exposure_measure(exposure *light, extent e, const uint8_t *pixels, int32_t stride, const uint8_t *usual,
                      const uint8_t *foreground) {
    static int32_t count[BINS], now[BINS], then[BINS];
    __builtin_memset(count, 0, sizeof count);
    __builtin_memset(now, 0, sizeof now);
    __builtin_memset(then, 0, sizeof then);
    int32_t seen = 0;
    for (int32_t y = 1; y < e.height; y += STEP) {
#pragma clang loop unroll_count(4)
        for (int32_t x = 1; x < e.width; x += STEP) {
            int32_t is = pixels[y * stride + x], was = usual[y * e.pitch + x];
            if (foreground[y * e.pitch + x] || was < DARK || was > BRIGHT || is < DARK / 3 || is > BRIGHT) continue;
            int32_t bin = BINS / 2 + light->logarithm[is] - light->logarithm[was];
            count[bin]++;
            now[bin] += is;
            then[bin] += was;
            seen++;
        }
    }
    int32_t best = BINS / 2, most = 0;
#pragma clang loop unroll_count(4)
    for (int32_t i = 2; i < BINS - 2; i++) {
        int32_t mass = count[i - 1] + count[i] + count[i + 1];
        if (mass > most) most = mass, best = i;
    }
    /* a mode that few share says nothing about the light */
    int32_t area = e.width * e.height / (STEP * STEP);
    if (seen < 16 || seen < area / 16 || most * 3 < seen) return;
    float gain = (float)(now[best - 1] + now[best] + now[best + 1]) / (float)(then[best - 1] + then[best] + then[best + 1]);
    light->gain = gain > 1 - light->tolerance && gain < 1 + light->tolerance ? 1 : gain;
}

static void translate_row(const uint8_t *from, uint8_t *to, int32_t width, const uint8_t *table) {
#pragma clang loop unroll_count(8)
    for (int32_t x = 0; x < width; x++) to[x] = table[from[x]];
}

void exposure_correct(const exposure *light, extent e, const uint8_t *pixels, int32_t stride, uint8_t *image) {
    uint8_t table[256];
    int same = light->gain == 1.0f;
    for (int32_t value = 0; value < 256 && !same; value++) {
        float corrected = (float)value / light->gain + 0.5f;
        table[value] = corrected > 255.0f ? 255 : (uint8_t)corrected;
    }
    for (int32_t y = 0; y < e.height; y++) {
        const uint8_t *from = pixels + y * stride;
        uint8_t *to = image + y * e.pitch;
        if (same)
            copy16(to, from, e.width);
        else
            translate_row(from, to, e.width, table);
        for (int32_t x = e.width; x < e.padded; x++) to[x] = to[e.width - 1];
    }
}

float exposure_same_edges(extent e, const uint8_t *image, const uint8_t *usual) {
    int32_t edges = 0, same = 0;
    for (int32_t y = 1; y < e.height - 1; y += 2) {
#pragma clang loop unroll_count(4)
        for (int32_t x = 1; x < e.width - 1; x += 2) {
            const uint8_t *is = image + y * e.pitch + x, *was = usual + y * e.pitch + x;
            int32_t was_x = was[1] - was[-1], was_y = was[e.pitch] - was[-e.pitch];
            if (was_x * was_x + was_y * was_y < EDGE * EDGE) continue;
            int32_t is_x = is[1] - is[-1], is_y = is[e.pitch] - is[-e.pitch];
            int32_t along = is_x * was_x + is_y * was_y, across = is_x * was_y - is_y * was_x;
            edges++;
            same += along > 0 && along > (across < 0 ? -across : across) && is_x * is_x + is_y * is_y > 16;
        }
    }
    return edges > 32 ? (float)same / (float)edges : 0.0f;
}
