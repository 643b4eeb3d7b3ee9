#include "background.h"
#include "camera_edge.h"

int background_open(background *b, int32_t width, int32_t height) {
    b->width = width; b->height = height;
    b->pitch = (width + 15) / 16 * 16 + 16;
    size_t plane = (size_t)b->pitch * (size_t)(height + 2) + 64;
    size_t total = plane * (SAMPLES + 12) + 4096;
    uint8_t *at = camera_edge_pages(total);
    if (!at) return -1;
    at += b->pitch * SAMPLES + 64;
    at = (uint8_t *)(((uintptr_t)at + 15) & ~(uintptr_t)15);
    b->sample = at; at += (size_t)b->pitch * (height + 2) * SAMPLES + 64;
    uint8_t **planes[] = {&b->image, &b->raw, &b->fore, &b->noise, &b->blink, &b->cand, &b->age, &b->tmp};
    for (int i = 0; i < 8; i++) { *planes[i] = at + b->pitch; at += plane; }
    b->mean = (uint16_t *)at;
    b->random = (u32x4){0x9E3779B9, 0x243F6A88, 0xB7E15162, 0x6A09E667};
    b->seed = 12345;
    b->learned = 0;
    return 0;
}
static inline u8x16 rnd(background *b) {
    u32x4 x = b->random; x ^= x << 13; x ^= x >> 17; x ^= x << 5; b->random = x; return (u8x16)x;
}
void background_feed(background *b, const uint8_t *pixels, int32_t stride, int64_t media_us) {
    int w = b->width, h = b->height, pitch = b->pitch;
    for (int y = 0; y < h; y++) {
        __builtin_memcpy(b->image + y * pitch, pixels + y * stride, (size_t)w);
        for (int x = w; x < pitch; x++) b->image[y * pitch + x] = pixels[y * stride + w - 1];
    }
    if (b->learned < SAMPLES) {
        int k = b->learned++;
        for (int y = 0; y < h; y++)
            for (int x = 0; x < pitch; x += 16)
                for (int j = k; j < SAMPLES; j++) store16(b->sample + (y * SAMPLES + j) * pitch + x, load16(b->image + y * pitch + x));
        b->last_us = media_us;
        return;
    }
    u8x16 radius = splat16((uint8_t)b->base_radius), need = splat16((uint8_t)b->min_match), rate = splat16((uint8_t)b->p256);
    for (int y = 0; y < h; y++) {
        for (int x = 0; x < pitch - 16; x += 16) {
            uint8_t *s = b->sample + y * SAMPLES * pitch + x;
            u8x16 p = load16(b->image + y * pitch + x), count = splat16(0);
#pragma clang loop unroll(full)
            for (int k = 0; k < SAMPLES; k++) {
                u8x16 d = difference16(p, load16(s + k * pitch));
                count -= at_most16(d, radius);
            }
            u8x16 bg = at_most16(need, count);
            store16(b->raw + y * pitch + x, ~bg);
            u8x16 r = rnd(b);
            u8x16 own = bg & at_most16(r, rate);
            u8x16 nb = bg & at_most16(~r, rate);
            b->seed = b->seed * 1664525u + 1013904223u;
            uint32_t c = b->seed >> 8;
            if (any16(own)) {
                uint8_t *t = s + (c % SAMPLES) * pitch;
                store16(t, choose16(own, p, load16(t)));
            }
            if (any16(nb)) {
                int dx = (int)(c / 32 % 3) - 1, dy = (int)(c / 128 % 3) - 1;
                int yy = y + dy < 0 ? 0 : y + dy >= h ? h - 1 : y + dy;
                uint8_t *t = b->sample + (yy * SAMPLES + (int)(c / 512 % SAMPLES)) * pitch + x + dx;
                u8x16 ok = nb & ~load16(b->fore + yy * pitch + x + dx);
                store16(t, choose16(ok, p, load16(t)));
            }
        }
    }
    b->last_us = media_us;
}
