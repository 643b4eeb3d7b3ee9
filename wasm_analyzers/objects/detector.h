/* From the numbers that a detector puts out to boxes. */
#ifndef OBJECTS_DETECTOR_H
#define OBJECTS_DETECTOR_H

#include <stdint.h>

#include "tracks.h"

enum { MAX_CANDIDATES = 1024, MAX_STRIDES = 8 };

typedef enum decoder {
    DECODER_NONE,
    DECODER_YOLOX,
    DECODER_FASTESTDET,
    DECODER_YOLOV5,
    DECODER_YOLOV8,
    DECODER_YOLOV10
} decoder;

typedef enum fit { FIT_STRETCH, FIT_LETTERBOX, FIT_LETTERBOX_CENTRE } fit;

typedef struct detector {
    decoder kind;
    fit fitted;
    int32_t width, height; /* of the model's input, in pixels */
    int32_t classes;
    int32_t strides[MAX_STRIDES];
    int32_t stride_count;
    int32_t rows;    /* of the decoders without grids: how many things the model proposes */
    int32_t numbers; /* how many f32 the model puts out */
    float sure_score; /* from which score on a thing is more likely there than not */
} detector;

/* A part of the frame, in pixels, that the model was shown. */
typedef struct window {
    int32_t x, y, w, h;
    int32_t frame_width, frame_height;
} window;

typedef struct detection {
    box at; /* in 0..1 of the frame, not clipped */
    float score;
    int32_t class_index;
} detection;

typedef struct detections {
    detection list[MAX_CANDIDATES];
    float lack[MAX_CANDIDATES]; /* while decoding: their scores, negative, so that the worst is the largest */
    int32_t count;
    int32_t worst;    /* which of a full list has the lowest score */
    int32_t overflow; /* how many did not fit */
} detections;

/* How many numbers a model of this shape puts out. */
int32_t detector_numbers(const detector *d);

/* Whether none of so many numbers is infinite or no number. */
int32_t all_finite(const float *numbers, int32_t count);

/* Add all detections of at least least_score that the model made in this window. */
void detector_decode(const detector *d, const float *out, float least_score, window seen, detections *into);

/* Sort by score, best first, and drop what overlaps a better one of its class by more than iou. */
void detections_suppress(detections *all, float iou);

#endif
