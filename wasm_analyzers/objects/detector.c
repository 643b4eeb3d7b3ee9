/* Decoders of YOLOX (Ge et al., "YOLOX: Exceeding YOLO Series in 2021", arXiv:2107.08430; outputs as its ONNX export gives
 * them without decoding), of FastestDet (github.com/dog-qiuqiu/FastestDet) and of heads that decode their boxes themselves:
 * of the kind of YOLOv5 (rows with an object's score), of YOLOv8 (columns without one) and of YOLOv10 (suppressed already;
 * Wang et al., arXiv:2405.14458). And non-maximum suppression by class. */
#include "detector.h"

#include <stddef.h>

#include "maths.h"
#include "simd.h"

enum { BOX = 4, BOX_AND_OBJECT = 5, CORNERS_SCORE_CLASS = 6 };

/* Which of so many numbers is the largest, the first of several. What is no number is none of them, but at the first place,
 * where it stays. */
static int32_t largest(const float *of, int32_t count) {
    f32x4 most = splat4(of[0]);
    i32x4 at = {0}, here = {0, 1, 2, 3};
    int32_t k = 0;
    /* COCO's 80 classes are 4 turns */
#pragma clang loop unroll_count(5)
    for (; k + 4 <= count; k += 4, here += 4) {
        f32x4 next = load4(of + k);
        i32x4 more = next > most;
        most = choose4(more, next, most);
        at = (more & here) | (~more & at);
    }
    int32_t best = at[0];
    for (int32_t lane = 1; lane < 4; lane++)
        if (most[lane] > of[best] || (most[lane] == of[best] && at[lane] < best)) best = at[lane];
    for (; k < count; k++)
        if (of[k] > of[best]) best = k;
    return best;
}

static void put(detections *into, int32_t place, detection one) {
    into->list[place] = one;
    into->lack[place] = -one.score;
}

/* Where there is no room left the worst one goes. */
static void add(detections *into, detection one) {
    if (into->count < MAX_CANDIDATES) {
        put(into, into->count++, one);
        if (into->count == MAX_CANDIDATES) into->worst = largest(into->lack, MAX_CANDIDATES);
        return;
    }
    into->overflow++;
    if (into->list[into->worst].score >= one.score) return;
    put(into, into->worst, one);
    into->worst = largest(into->lack, MAX_CANDIDATES);
}

static int32_t fastestdet_cells(const detector *d) {
    return (d->width / d->strides[0]) * (d->height / d->strides[0]);
}

int32_t detector_numbers(const detector *d) {
    int32_t cells = 0;
    if (d->kind == DECODER_YOLOV5) return d->rows * (BOX_AND_OBJECT + d->classes);
    if (d->kind == DECODER_YOLOV8) return d->rows * (BOX + d->classes);
    if (d->kind == DECODER_YOLOV10) return d->rows * CORNERS_SCORE_CLASS;
    if (d->kind == DECODER_FASTESTDET)
        cells = fastestdet_cells(d);
    else
        for (int32_t i = 0; i < d->stride_count; i++) cells += (d->width / d->strides[i]) * (d->height / d->strides[i]);
    return cells * (BOX_AND_OBJECT + d->classes);
}

int32_t all_finite(const float *numbers, int32_t count) {
    i32x4 good = {-1, -1, -1, -1};
    int32_t k = 0;
    /* the difference of what is infinite or no number and itself is no number, and that is not 0; a turn of the loop costs fuel */
    for (; k + 64 <= count; k += 64)
#pragma clang loop unroll(full)
        for (int32_t i = 0; i < 64; i += 4) {
            f32x4 four = load4(numbers + k + i);
            good &= four - four == 0;
        }
    i32x4 bad = ~good;
    for (; k < count; k++) bad[0] |= !(numbers[k] - numbers[k] == 0);
    return !any4(bad);
}

/* How the numbers of a model become boxes of a frame, and where those go. */
typedef struct decoding {
    const detector *net;
    float least_score, scale_x, scale_y, offset_x, offset_y;
    detections *into;
} decoding;

/* A box in pixels of the model's input, by its centre. */
static void add_box(const decoding *how, float x, float y, float w, float h, float score, int32_t class_index) {
    float left = (x - w / 2) * how->scale_x + how->offset_x, top = (y - h / 2) * how->scale_y + how->offset_y;
    add(how->into, (detection){{left, top, w * how->scale_x, h * how->scale_y}, score, class_index});
}

static void decode_yolox_cell(const decoding *how, const float *out, int32_t column, int32_t row, int32_t stride) {
    int32_t best = largest(out + BOX_AND_OBJECT, how->net->classes);
    float score = out[4] * out[BOX_AND_OBJECT + best];
    if (!(score >= how->least_score)) return;
    float x = (out[0] + (float)column) * (float)stride, y = (out[1] + (float)row) * (float)stride;
    float w = (float)maths_exp(out[2]) * (float)stride, h = (float)maths_exp(out[3]) * (float)stride;
    add_box(how, x, y, w, h, score, best);
}

/* A cell: x, y, w, h (logarithm), object, then the classes; offsets and sizes in strides. The grids follow one another. */
static void decode_yolox(const decoding *how, const float *out) {
    const detector *d = how->net;
    const int32_t numbers = BOX_AND_OBJECT + d->classes;
    for (int32_t i = 0; i < d->stride_count; i++) {
        int32_t stride = d->strides[i], columns = d->width / stride, cells = columns * (d->height / stride);
        for (int32_t cell = 0; cell < cells;) {
            /* no class can lift it above this, and hardly any cell has a thing: eight are passed over at once */
            const float *object = out + 4;
            if (cell + 8 <= cells) {
                f32x4 four = {object[0], object[numbers], object[2 * numbers], object[3 * numbers]};
                const float *fifth = object + 4 * numbers;
                f32x4 more = {fifth[0], fifth[numbers], fifth[2 * numbers], fifth[3 * numbers]};
                if (!any4((four >= how->least_score) | (more >= how->least_score))) {
                    cell += 8;
                    out += 8 * numbers;
                    continue;
                }
            }
            int32_t end = cell + 8 < cells ? cell + 8 : cells;
            for (; cell < end; cell++, out += numbers)
                if (out[4] >= how->least_score) decode_yolox_cell(how, out, cell % columns, cell / columns, stride);
        }
    }
}

/* One plane each of object, x, y, w, h and the classes; w and h in parts of the picture. */
static void decode_fastestdet_cell(const decoding *how, const float *at, int32_t cell, int32_t class_index) {
    const detector *d = how->net;
    int32_t columns = d->width / d->strides[0], rows = d->height / d->strides[0], plane = columns * rows;
    float score = (float)(maths_power(at[0], 0.6) * maths_power(at[(BOX_AND_OBJECT + class_index) * plane], 0.4));
    if (!(score >= how->least_score)) return;
    float x = (float)(maths_tanh(at[plane]) + cell % columns) / (float)columns * (float)d->width;
    float y = (float)(maths_tanh(at[2 * plane]) + cell / columns) / (float)rows * (float)d->height;
    float w = (float)maths_sigmoid(at[3 * plane]) * (float)d->width, h = (float)maths_sigmoid(at[4 * plane]) * (float)d->height;
    add_box(how, x, y, w, h, score, class_index);
}

/* Whether a cell may have the score: a weighted geometric mean is at most the arithmetic one. */
static int may_reach(float object, float most, float least_score) {
    float bound = 0.6f * (object > 0 ? object : 0) + 0.4f * (most > 0 ? most : 0);
    return bound * 1.001f >= least_score;
}

/* The highest of four neighbouring columns in so many rows that lie `pitch` apart, and which rows hold them. */
static inline f32x4 highest4(const float *at, int32_t rows, int32_t pitch, i32x4 *which) {
    f32x4 most = load4(at);
    i32x4 best = {0};
#pragma clang loop unroll_count(4)
    for (int32_t k = 1; k < rows; k++) {
        f32x4 next = load4(at + k * pitch);
        i32x4 more = next > most;
        most = choose4(more, next, most);
        best = (more & k) | (~more & best);
    }
    *which = best;
    return most;
}

/* Four columns beside one another; where fewer are left, the last four, of which `from` on are new. */
typedef struct four_columns {
    int32_t first, from, until;
} four_columns;

static inline four_columns columns_at(int32_t column, int32_t columns) {
    int32_t until = column + 4 < columns ? column + 4 : columns;
    int32_t first = until - column < 4 && columns >= 4 ? columns - 4 : column;
    return (four_columns){first, column, until};
}

static void decode_fastestdet(const decoding *how, const float *out) {
    int32_t plane = fastestdet_cells(how->net);
    for (int32_t cell = 0; cell < plane; cell += 4) {
        /* of a grid of fewer than four cells more is read than it has, and not used */
        four_columns at = columns_at(cell, plane);
        i32x4 best;
        f32x4 most = highest4(out + BOX_AND_OBJECT * plane + at.first, how->net->classes, plane, &best);
        for (int32_t i = at.from; i < at.until; i++)
            if (may_reach(out[i], most[i - at.first], how->least_score)) decode_fastestdet_cell(how, out + i, i, best[i - at.first]);
    }
}

/* A row: centre and size in pixels of the input, object, classes. */
static void decode_yolov5(const decoding *how, const float *out) {
    const int32_t numbers = BOX_AND_OBJECT + how->net->classes;
    for (int32_t row = 0; row < how->net->rows; row++, out += numbers) {
        if (!(out[4] >= how->least_score)) continue;
        int32_t best = largest(out + BOX_AND_OBJECT, how->net->classes);
        float score = out[4] * out[BOX_AND_OBJECT + best];
        if (score >= how->least_score) add_box(how, out[0], out[1], out[2], out[3], score, best);
    }
}

/* A column: centre and size in pixels of the input, classes. */
static void decode_yolov8(const decoding *how, const float *out) {
    int32_t columns = how->net->rows;
    for (int32_t column = 0; column < columns; column += 4) {
        four_columns at = columns_at(column, columns);
        i32x4 best;
        f32x4 most = highest4(out + BOX * columns + at.first, how->net->classes, columns, &best);
        if (!any4(most >= how->least_score)) continue;
        for (int32_t i = at.from; i < at.until; i++) {
            const float *box = out + i;
            float score = most[i - at.first];
            if (score >= how->least_score)
                add_box(how, box[0], box[columns], box[2 * columns], box[3 * columns], score, best[i - at.first]);
        }
    }
}

/* A row: left, top, right, bottom in pixels of the input, score, class. */
static void decode_yolov10(const decoding *how, const float *out) {
    for (int32_t row = 0; row < how->net->rows; row++, out += CORNERS_SCORE_CLASS) {
        if (!(out[4] >= how->least_score && out[5] >= 0 && out[5] < (float)how->net->classes)) continue;
        add_box(how, (out[0] + out[2]) / 2, (out[1] + out[3]) / 2, out[2] - out[0], out[3] - out[1], out[4], (int32_t)out[5]);
    }
}

/* From pixels of the model's input to parts of the frame, as inference/fitting.py fits a window. */
static void undo_fit(const detector *d, window seen, decoding *how) {
    double pixel_x = 1.0 / seen.frame_width, pixel_y = 1.0 / seen.frame_height;
    double ratio_x = (double)d->width / seen.w, ratio_y = (double)d->height / seen.h, left = 0, top = 0;
    if (d->fitted != FIT_STRETCH) ratio_x = ratio_y = ratio_x < ratio_y ? ratio_x : ratio_y;
    if (d->fitted == FIT_LETTERBOX_CENTRE) {
        left = (d->width - (int32_t)(seen.w * ratio_x)) / 2;
        top = (d->height - (int32_t)(seen.h * ratio_y)) / 2;
    }
    how->scale_x = (float)(pixel_x / ratio_x);
    how->scale_y = (float)(pixel_y / ratio_y);
    how->offset_x = (float)((seen.x - left / ratio_x) * pixel_x);
    how->offset_y = (float)((seen.y - top / ratio_y) * pixel_y);
}

void detector_decode(const detector *d, const float *out, float least_score, window seen, detections *into) {
    decoding how = {.net = d, .least_score = least_score, .into = into};
    undo_fit(d, seen, &how);
    if (d->kind == DECODER_YOLOX) decode_yolox(&how, out);
    if (d->kind == DECODER_FASTESTDET) decode_fastestdet(&how, out);
    if (d->kind == DECODER_YOLOV5) decode_yolov5(&how, out);
    if (d->kind == DECODER_YOLOV8) decode_yolov8(&how, out);
    if (d->kind == DECODER_YOLOV10) decode_yolov10(&how, out);
}

/* Four detections. The score of one that is done with, or of none, is below all others. */
typedef struct four {
    f32x4 left, top, right, bottom, area, score;
    i32x4 class_index;
} four;

static const float DONE = -__builtin_inff();

static void lay_out(const detections *all, four *fours) {
    for (int32_t i = 0; i < all->count; i++) {
        const detection *one = &all->list[i];
        four *to = &fours[i / 4];
        int32_t lane = i % 4;
        if (lane == 0) to->score = splat4(DONE);
        to->left[lane] = one->at.x;
        to->top[lane] = one->at.y;
        to->right[lane] = one->at.x + one->at.w;
        to->bottom[lane] = one->at.y + one->at.h;
        to->area[lane] = one->at.w * one->at.h;
        to->score[lane] = one->score;
        to->class_index[lane] = one->class_index;
    }
}

/* Mask of those of a box's class that it overlaps by more than iou (see box_overlap). */
static inline i32x4 hidden_by(const four *these, const detection *one, float iou) {
    box at = one->at;
    f32x4 w = min4(these->right, splat4(at.x + at.w)) - max4(these->left, splat4(at.x));
    f32x4 h = min4(these->bottom, splat4(at.y + at.h)) - max4(these->top, splat4(at.y));
    i32x4 apart = (w <= 0) | (h <= 0);
    f32x4 both = w * h, overlap = choose4(apart, splat4(0), both / (these->area + at.w * at.h - both));
    return (these->class_index == one->class_index) & ~(overlap <= iou);
}

/* Drop what `one` hides, and find the best of what is left, the first of several; -1 where nothing is. */
static int32_t best_beside(four *fours, int32_t count, const detection *one, float iou) {
    f32x4 most = splat4(DONE);
    i32x4 at = {-1, -1, -1, -1}, here = {0, 1, 2, 3};
    for (int32_t k = 0; k < count; k += 4, here += 4) {
        four *these = &fours[k / 4];
        f32x4 score = choose4(hidden_by(these, one, iou), splat4(DONE), these->score);
        i32x4 more = score > most;
        these->score = score;
        most = choose4(more, score, most);
        at = (more & here) | (~more & at);
    }
    int32_t best = 0;
    for (int32_t lane = 1; lane < 4; lane++)
        if (most[lane] > most[best] || (most[lane] == most[best] && at[lane] < at[best])) best = lane;
    return at[best];
}

void detections_suppress(detections *all, float iou) {
    static four fours[MAX_CANDIDATES / 4];
    static detection kept[MAX_CANDIDATES];
    const detection nothing = {.class_index = -1};
    int32_t count = 0;
    lay_out(all, fours);
    int32_t best = best_beside(fours, all->count, &nothing, iou);
    while (best >= 0) {
        kept[count] = all->list[best];
        fours[best / 4].score[best % 4] = DONE;
        best = best_beside(fours, all->count, &kept[count++], iou);
    }
    __builtin_memcpy(all->list, kept, (size_t)count * sizeof *kept);
    all->count = count;
}
