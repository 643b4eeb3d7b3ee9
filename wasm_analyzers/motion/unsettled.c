#include "unsettled.h"

#include "background.h"

enum {
    QUIET_US = 10000000, /* a place that was quiet for so long is settled */
    RESTLESS_SPREAD = 16, /* grey levels: above what sensors and compression do */
    RESTLESS_STEP = 10,   /* the same, from one frame to the next */
};

size_t unsettled_bytes(extent e) { return 2 * plane_bytes(e); }

void unsettled_open(unsettled *places, extent e, uint8_t *space) {
    places->e = e;
    places->left = plane_take(&space, e);
    places->previous = plane_take(&space, e);
    places->any = 0;
}

void unsettled_start(unsettled *places, const uint8_t *spread, int64_t until_us) {
    extent e = places->e;
    for (int32_t y = 0; y < e.height; y++) {
        for (int32_t x = 0; x < e.padded; x += 16) {
            int32_t at = y * e.pitch + x;
            store16(places->left + at, ~at_most16(load16(spread + at), splat16(RESTLESS_SPREAD)));
        }
        plane_zero_tail(places->left + y * e.pitch, e);
    }
    places->until_us = until_us;
    places->owed_us = 0;
    places->any = 1;
}

void unsettled_follow(unsettled *places, const uint8_t *image, const uint8_t *explained, int64_t media_us,
                      int64_t elapsed_us) {
    if (!places->any) return;
    extent e = places->e;
    places->owed_us += elapsed_us;
    int64_t due = places->owed_us * 255 / QUIET_US;
    places->owed_us -= due * QUIET_US / 255;
    u8x16 off = splat16((uint8_t)(due > 255 || media_us > places->until_us ? 255 : due)), some = splat16(0);
    for (int32_t y = 0; y < e.height; y++) {
#pragma clang loop unroll_count(4)
        for (int32_t x = 0; x < e.padded; x += 16) {
            int32_t at = y * e.pitch + x;
            u8x16 left = load16(places->left + at), pixel = load16(image + at);
            u8x16 quiet = at_most16(difference16(pixel, load16(places->previous + at)), splat16(RESTLESS_STEP));
            u8x16 moves = ~quiet & ~load16(explained + at) & ~at_most16(left, splat16(0));
            left = sub_sat16(left, off);
            if (media_us <= places->until_us) left |= moves;
            some |= left;
            store16(places->left + at, left);
            store16(places->previous + at, pixel);
        }
    }
    places->any = any16(some);
}

void unsettled_mark(const unsettled *places, uint8_t *evidence) {
    extent e = places->e;
    for (int32_t y = 0; y < e.height; y++) {
        for (int32_t x = 0; x < e.padded; x += 16) {
            int32_t at = y * e.pitch + x;
            store16(evidence + at, ~at_most16(load16(places->left + at), splat16(0)) & splat16(EVIDENCE_MOST));
        }
    }
}
