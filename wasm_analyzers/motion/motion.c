#include "camera_edge.h"
#include "background.h"
static background bg;
static uint8_t out[1024 * 1024];
int32_t camera_edge_open(void) {
    bg.width = 0;
    bg.base_radius = (int32_t)camera_edge_param_number(CAMERA_EDGE_TEXT("radius"), 16);
    bg.min_match = (int32_t)camera_edge_param_number(CAMERA_EDGE_TEXT("match"), 2);
    bg.p256 = (int32_t)camera_edge_param_number(CAMERA_EDGE_TEXT("rate"), 16);
    return 0;
}
int32_t camera_edge_analyze(const camera_edge_slot *slot) {
    int w = (int)slot->width, h = (int)slot->height;
    if (bg.width != w || bg.height != h) if (background_open(&bg, w, h)) return -1;
    background_feed(&bg, camera_edge_pixels(slot), (int)slot->stride, slot->media_us);
    if (bg.learned < SAMPLES) __builtin_memset(out, 255, (size_t)(w * h));
    else for (int y = 0; y < h; y++) __builtin_memcpy(out + y * w, bg.raw + y * bg.pitch, (size_t)w);
    camera_edge_mask(out, (uint32_t)(w * h), (uint32_t)w, (uint32_t)h);
    return 0;
}
void camera_edge_close(void) {}
