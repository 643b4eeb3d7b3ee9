/* Decoders of YOLOX (Ge et al., "YOLOX: Exceeding YOLO Series in 2021", arXiv:2107.08430; outputs as its ONNX export gives
 * them without decoding) and of FastestDet (github.com/dog-qiuqiu/FastestDet), and non-maximum suppression by class. */
#include "detector.h"

#include "maths.h"

enum { BOX_AND_OBJECT = 5 };

static int32_t worst_of(const detections *all) {
    int32_t worst = 0;
    for (int32_t i = 1; i < all->count; i++)
        if (all->list[i].score < all->list[worst].score) worst = i;
    return worst;
}

/* Where there is no room left the worst one goes. */
static void add(detections *into, detection one) {
    if (into->count < MAX_CANDIDATES) {
        into->list[into->count++] = one;
        if (into->count == MAX_CANDIDATES) into->worst = worst_of(into);
        return;
    }
    into->overflow++;
    if (into->list[into->worst].score >= one.score) return;
    into->list[into->worst] = one;
    into->worst = worst_of(into);
}

static int32_t fastestdet_cells(const detector *d) {
    return (d->width / d->strides[0]) * (d->height / d->strides[0]);
}

int32_t detector_numbers(const detector *d) {
    int32_t cells = 0;
    if (d->kind == DECODER_FASTESTDET)
        cells = fastestdet_cells(d);
    else
        for (int32_t i = 0; i < d->stride_count; i++) cells += (d->width / d->strides[i]) * (d->height / d->strides[i]);
    return cells * (BOX_AND_OBJECT + d->classes);
}

/* A cell: x, y, w, h (logarithm), object, then the classes; offsets and sizes in strides. The grids follow one another. */
static void decode_yolox(const detector *d, const float *out, float least_score, float scale_x, float scale_y,
                         detections *into) {
    const int32_t numbers = BOX_AND_OBJECT + d->classes;
    for (int32_t i = 0; i < d->stride_count; i++) {
        int32_t stride = d->strides[i], columns = d->width / stride, rows = d->height / stride;
        for (int32_t cell = 0; cell < columns * rows; cell++, out += numbers) {
            /* no class can lift it above this */
            if (!(out[4] >= least_score)) continue;
            int32_t best = 0;
            for (int32_t k = 1; k < d->classes; k++)
                if (out[BOX_AND_OBJECT + k] > out[BOX_AND_OBJECT + best]) best = k;
            float score = out[4] * out[BOX_AND_OBJECT + best];
            if (!(score >= least_score)) continue;
            float x = (out[0] + (float)(cell % columns)) * (float)stride, y = (out[1] + (float)(cell / columns)) * (float)stride;
            float w = (float)maths_exp(out[2]) * (float)stride, h = (float)maths_exp(out[3]) * (float)stride;
            add(into, (detection){{(x - w / 2) * scale_x, (y - h / 2) * scale_y, w * scale_x, h * scale_y}, score, best});
        }
    }
}

/* One plane each of object, x, y, w, h and the classes; w and h in parts of the picture. */
static void decode_fastestdet(const detector *d, const float *out, float least_score, float scale_x, float scale_y,
                              detections *into) {
    int32_t columns = d->width / d->strides[0], rows = d->height / d->strides[0], plane = columns * rows;
    for (int32_t cell = 0; cell < plane; cell++) {
        const float *at = out + cell, *classes = at + BOX_AND_OBJECT * plane;
        int32_t best = 0;
        for (int32_t k = 1; k < d->classes; k++)
            if (classes[k * plane] > classes[best * plane]) best = k;
        float score = (float)(maths_power(at[0], 0.6) * maths_power(classes[best * plane], 0.4));
        if (!(score >= least_score)) continue;
        float x = (float)(maths_tanh(at[plane]) + cell % columns) / (float)columns * (float)d->width;
        float y = (float)(maths_tanh(at[2 * plane]) + cell / columns) / (float)rows * (float)d->height;
        float w = (float)maths_sigmoid(at[3 * plane]) * (float)d->width, h = (float)maths_sigmoid(at[4 * plane]) * (float)d->height;
        add(into, (detection){{(x - w / 2) * scale_x, (y - h / 2) * scale_y, w * scale_x, h * scale_y}, score, best});
    }
}

void detector_decode(const detector *d, const float *out, float least_score, float frame_width, float frame_height,
                     detections *into) {
    into->count = into->overflow = 0;
    /* from pixels of the model's input to parts of the frame */
    float scale_x = 1 / (float)d->width, scale_y = 1 / (float)d->height;
    if (d->letterbox) {
        float fit_x = (float)d->width / frame_width, fit_y = (float)d->height / frame_height;
        float ratio = fit_x < fit_y ? fit_x : fit_y;
        scale_x = 1 / (ratio * frame_width);
        scale_y = 1 / (ratio * frame_height);
    }
    if (d->kind == DECODER_FASTESTDET)
        decode_fastestdet(d, out, least_score, scale_x, scale_y, into);
    else
        decode_yolox(d, out, least_score, scale_x, scale_y, into);
}

static void sort_by_score(detections *all) {
    for (int32_t i = 1; i < all->count; i++) {
        detection one = all->list[i];
        int32_t k = i;
        for (; k > 0 && all->list[k - 1].score < one.score; k--) all->list[k] = all->list[k - 1];
        all->list[k] = one;
    }
}

void detections_suppress(detections *all, float iou) {
    sort_by_score(all);
    int32_t kept = 0;
    for (int32_t i = 0; i < all->count; i++) {
        int32_t alone = 1;
        for (int32_t k = 0; k < kept && alone; k++)
            alone = all->list[k].class_index != all->list[i].class_index || box_overlap(all->list[k].at, all->list[i].at) <= iou;
        if (alone) all->list[kept++] = all->list[i];
    }
    all->count = kept;
}
