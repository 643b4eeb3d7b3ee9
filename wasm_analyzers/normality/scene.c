#include "scene.h"

enum {
    SAME = 8,            /* grey levels within which two samples are one value */
    AGREED_TENTHS = 4,   /* of the samples must agree */
    EIGHTH_US = 125000, EIGHTHS_MOST = 8,
    TAKEN_IN = 64,       /* eighths of a second after which what does not move is scenery */
    TAKEN_IN_UNKNOWN = 12,
    STEADY = 6,          /* grey levels */
    TAKEN = 2,           /* a pixel that was taken in just now */
    AGED = 14,           /* and one that was an hour ago: it has lived through twelve states */
    RATIOS = 512,
    BLOCKS = 10,         /* in each direction */
    FEW_BLOCKS = 6,
};
static const float FOLLOW_S = 8;      /* time constant of the slow changes of light */
static const float TEXTURE = 4; /* standard deviation of a block that can be recognised */
static const float ALIKE = 0.5f; /* correlation */

void scene_sample(scene_modes *modes, extent e, const uint8_t *pixels, int32_t stride) {
    for (int32_t y = 0; y < e.height; y++)
        for (int32_t x = 0; x < e.width; x++) {
            scene_modes *m = modes + y * e.width + x;
            int32_t grey = pixels[y * stride + x], at = -1, rarest = 0;
            for (int32_t k = 0; k < SCENE_MODES; k++) {
                int32_t off = grey - m->value[k];
                if (m->count[k] && off <= SAME && off >= -SAME && (at < 0 || m->count[k] > m->count[at])) at = k;
                if (m->count[k] < m->count[rarest]) rarest = k;
            }
            if (at < 0) {
                m->value[rarest] = (uint8_t)grey, m->fraction[rarest] = 128, m->count[rarest] = 1;
                continue;
            }
            /* a running mean of at most 32 samples */
            int32_t now = m->value[at] * 256 + m->fraction[at], share = m->count[at] < 32 ? m->count[at] + 1 : 32;
            now += (grey * 256 + 128 - now) / share;
            m->value[at] = (uint8_t)(now >> 8), m->fraction[at] = (uint8_t)now;
            if (m->count[at] < 65535) m->count[at]++;
        }
}

float scene_settle(scene *s, const scene_modes *modes, int32_t samples) {
    int32_t known = 0;
    for (int32_t i = 0; i < pixels_of(s->size); i++) {
        int32_t best = 0;
        for (int32_t k = 1; k < SCENE_MODES; k++)
            if (modes[i].count[k] > modes[i].count[best]) best = k;
        s->known[i] = samples > 0 && modes[i].count[best] * 10 >= samples * AGREED_TENTHS;
        s->usual[i] = s->known[i] ? (float)modes[i].value[best] + ((float)modes[i].fraction[best] - 128) / 256 : 0;
        known += s->known[i];
    }
    return (float)known / (float)pixels_of(s->size);
}

/* What of a frame and of the scene is compared in one block. */
typedef struct sums {
    float n, x, y, xx, yy, xy;
} sums;

/* Whether a block has texture in the scene, and whether the frame has the same: by correlation, whatever the light. */
static void compare_block(const sums *b, int32_t *textured, int32_t *alike) {
    if (b->n < 12) return;
    float sx = b->xx / b->n - b->x / b->n * (b->x / b->n), sy = b->yy / b->n - b->y / b->n * (b->y / b->n);
    if (sx < TEXTURE * TEXTURE) return;
    ++*textured;
    *alike += sy > 1 && b->xy / b->n - b->x / b->n * (b->y / b->n) > ALIKE * root(sx * sy);
}

/* The median ratio of scene to frame. */
static float gain_of(const uint32_t *ratios) {
    uint32_t total = 0, sum = 0;
    for (int32_t i = 0; i < RATIOS; i++) total += ratios[i];
    for (int32_t i = 0; i < RATIOS && total > 16; i++) {
        uint32_t next = sum + ratios[i];
        if (next * 2 >= total) {
            float part = ratios[i] ? ((float)total / 2 - (float)sum) / (float)ratios[i] : 0.5f;
            float gain = within(((float)i + part) / 128, 0.4f, 2.5f);
            /* but for rounding it is 1: the frame is left alone */
            return magnitude(gain - 1) < 0.012f ? 1 : gain;
        }
        sum = next;
    }
    return 1;
}

/* Gain and likeness, on a grid of every other pixel. */
static void measure(scene *s, const uint8_t *pixels, int32_t stride) {
    static uint32_t ratios[RATIOS];
    static sums blocks[BLOCKS][BLOCKS];
    for (int32_t i = 0; i < RATIOS; i++) ratios[i] = 0;
    for (int32_t i = 0; i < BLOCKS * BLOCKS; i++) blocks[i / BLOCKS][i % BLOCKS] = (sums){0};
    for (int32_t r = 0; r < s->size.height; r += 2)
        for (int32_t c = 0; c < s->size.width; c += 2) {
            if (!s->known[r * s->size.width + c]) continue;
            /* about the middle of the scale, so that squares stay small */
            float usual = s->usual[r * s->size.width + c], grey = pixels[r * stride + c], x = usual - 128, y = grey - 128;
            sums *b = &blocks[r * BLOCKS / s->size.height][c * BLOCKS / s->size.width];
            b->n++, b->x += x, b->y += y, b->xx += x * x, b->yy += y * y, b->xy += x * y;
            if (grey >= 8 && grey < 250) ratios[whole(usual / grey * 128, 0, RATIOS - 1)]++;
        }
    int32_t textured = 0, alike = 0;
    for (int32_t i = 0; i < BLOCKS * BLOCKS; i++) compare_block(&blocks[i / BLOCKS][i % BLOCKS], &textured, &alike);
    s->likeness = textured >= FEW_BLOCKS ? (float)alike / (float)textured : 1;
    s->gain = gain_of(ratios);
}

void scene_difference(scene *s, const uint8_t *pixels, int32_t stride, float *difference) {
    measure(s, pixels, stride);
    for (int32_t y = 0; y < s->size.height; y++) {
        const uint8_t *row = pixels + y * stride;
        const float *usual = s->usual + y * s->size.width;
        const uint8_t *known = s->known + y * s->size.width;
        float *to = difference + y * s->size.width;
        for (int32_t x = 0; x < s->size.width; x++) to[x] = known[x] ? (float)row[x] * s->gain - usual[x] : 0;
    }
}

void scene_follow(scene *s, const uint8_t *pixels, int32_t stride, const uint8_t *mask, int64_t elapsed_us) {
    float share = least((float)elapsed_us * 1e-6f / FOLLOW_S, 0.25f);
    s->steady_us += elapsed_us;
    int32_t eighths = (int32_t)(s->steady_us / EIGHTH_US);
    s->steady_us -= (int64_t)eighths * EIGHTH_US;
    /* of a slow camera some frames must agree, too */
    if (eighths > EIGHTHS_MOST) eighths = EIGHTHS_MOST;
    for (int32_t y = 0; y < s->size.height; y++)
        for (int32_t x = 0; x < s->size.width; x++) {
            int32_t i = y * s->size.width + x, grey = pixels[y * stride + x], off = grey - s->before[i];
            s->before[i] = (uint8_t)grey;
            float seen = (float)grey * s->gain;
            if (s->known[i] && !mask[i]) {
                s->usual[i] += (seen - s->usual[i]) * share;
                s->steady[i] = 0;
                continue;
            }
            s->steady[i] = off > STEADY || off < -STEADY ? 0 : (uint8_t)clipped(s->steady[i] + eighths, 0, 255);
            if (s->steady[i] < (s->known[i] ? TAKEN_IN : TAKEN_IN_UNKNOWN)) continue;
            s->usual[i] = seen, s->known[i] = TAKEN, s->steady[i] = 0;
        }
}

void scene_age(scene *s) {
    for (int32_t i = 0; i < pixels_of(s->size); i++)
        if (s->known[i] >= TAKEN && ++s->known[i] >= AGED) s->known[i] = 1;
}
