/* Cuts the window that models/README.md describes under `blobs`, and asks the model about it. */
#include "looks.h"

#include "nn.h"
#include "camera_edge.h"

enum { ROWS = 48, COLUMNS = 32, PERSON_ROWS = 32, FOOT_ROWS = 8, KINDS = 8, SAMPLES_MOST = 8 };
static const float LEAST_DEVIATION = 4, MOST_DEVIATIONS = 3;
static const float WIDE = 3.0f, HIGH = 1.6f; /* persons' heights: a larger region is several things */
static const char *const KIND_NAMES[KINDS] = {"person", "group", "cyclist", "rider", "vehicle", "cart", "animal", "other"};
static const char *const REMARKS[KINDS] = {[2] = "looks like a cyclist", [3] = "looks like a rider", [4] = "looks like a vehicle",
                                           [5] = "looks like a cart", [6] = "looks like an animal"};

static float window[2][ROWS][COLUMNS];
static uint32_t context;
static int32_t asked, ready;

static int32_t model_is_ready(void) {
    uint32_t graph;
    if (asked) return ready;
    asked = 1;
    ready = !camera_edge_nn_load_by_name(CAMERA_EDGE_TEXT("blobs"), &graph) && !camera_edge_nn_context(graph, &context);
    return ready;
}

/* The region that the window shows most of; without one of a single thing's size the window's own foot. */
static place foot_of(const foreground *front, place at, float height) {
    float best = 0, left = at.x - height / 2, top = at.y - height;
    place foot = at;
    for (int32_t i = 0; i < front->count; i++) {
        const standing *r = &front->regions[i];
        float w = least((float)(r->left + r->width), left + height) - most((float)r->left, left);
        float h = least((float)(r->top + r->height), at.y) - most((float)r->top, top);
        if (w <= 0 || h <= 0 || w * h <= best) continue;
        if ((float)r->width > WIDE * height || (float)r->height > HIGH * height) continue;
        best = w * h;
        foot.x = (float)r->left + (float)r->width / 2, foot.y = (float)(r->top + r->height);
    }
    return foot;
}

typedef struct sample {
    float luma, share;
} sample;

/* Between four pixels; beyond the border its own pixels go on. */
static sample between(const sight *s, const frame *f, float x, float y) {
    float fx = __builtin_floorf(x), fy = __builtin_floorf(y), wx = x - fx, wy = y - fy;
    sample sum = {0, 0};
    for (int32_t k = 0; k < 4; k++) {
        int32_t px = clipped((int32_t)fx + (k & 1), 0, s->size.width - 1);
        int32_t py = clipped((int32_t)fy + (k >> 1), 0, s->size.height - 1);
        float weight = (k & 1 ? wx : 1 - wx) * (k >> 1 ? wy : 1 - wy);
        sum.luma += weight * (float)f->pixels[py * f->stride + px];
        sum.share += weight * (float)(s->front.mask[py * s->size.width + px] != 0);
    }
    return sum;
}

/* The mean of n x n samples of one pixel of the window, whose upper left corner is at (x, y) of the view. */
static sample mean_of(const sight *s, const frame *f, float x, float y, float step) {
    int32_t n = clipped((int32_t)__builtin_ceilf(step - 1e-6f), 1, SAMPLES_MOST);
    sample sum = {0, 0};
    for (int32_t i = 0; i < n * n; i++) {
        float dx = ((float)(i % n) + 0.5f) * step / (float)n, dy = ((float)(i / n) + 0.5f) * step / (float)n;
        sample one = between(s, f, x + dx - 0.5f, y + dy - 0.5f);
        sum.luma += one.luma, sum.share += one.share;
    }
    return (sample){sum.luma / (float)(n * n), sum.share / (float)(n * n)};
}

/* Returns how many pixels of the window lie in the view. */
static int32_t cut(const sight *s, const frame *f, place foot, float height) {
    float step = height / PERSON_ROWS, left = foot.x - step * COLUMNS / 2, top = foot.y - step * (ROWS - FOOT_ROWS);
    static uint8_t inside[ROWS][COLUMNS];
    double sum = 0, squares = 0;
    int32_t count = 0;
    __builtin_memset(window, 0, sizeof window);
    for (int32_t row = 0; row < ROWS; row++) {
        for (int32_t column = 0; column < COLUMNS; column++) {
            float x = left + step * (float)column, y = top + step * (float)row;
            float middle_x = x + step / 2, middle_y = y + step / 2;
            inside[row][column] = middle_x >= 0 && middle_y >= 0 && middle_x <= (float)s->size.width &&
                                  middle_y <= (float)s->size.height;
            if (!inside[row][column]) continue;
            sample one = mean_of(s, f, x, y, step);
            window[0][row][column] = one.luma, window[1][row][column] = one.share;
            sum += (double)one.luma, squares += (double)one.luma * (double)one.luma;
            count++;
        }
    }
    if (count == 0) return 0;
    float mean = (float)(sum / count), spread = root(most((float)(squares / count - (sum / count) * (sum / count)), 0));
    for (int32_t row = 0; row < ROWS; row++) {
        for (int32_t column = 0; column < COLUMNS; column++) {
            float scaled = (window[0][row][column] - mean) / most(spread, LEAST_DEVIATION);
            window[0][row][column] = inside[row][column] ? within(scaled, -MOST_DEVIATIONS, MOST_DEVIATIONS) : 0;
        }
    }
    return count;
}

looks looks_at(const sight *s, const frame *f, place at, float height) {
    static const uint32_t dimensions[] = {1, 2, ROWS, COLUMNS};
    looks none = {NULL, NULL, 0};
    float kinds[KINDS];
    uint32_t bytes = 0;
    if (height < 1 || !model_is_ready() || !cut(s, f, foot_of(&s->front, at, height), height)) return none;
    const camera_edge_tensor tensor = {dimensions, 4, CAMERA_EDGE_NN_F32, {0}, window, sizeof window};
    if (camera_edge_nn_set_input(context, 0, &tensor) || camera_edge_nn_compute(context)) return none;
    if (camera_edge_nn_get_output(context, 0, kinds, sizeof kinds, &bytes) || bytes != sizeof kinds) return none;
    int32_t best = 0;
    for (int32_t k = 1; k < KINDS; k++)
        if (kinds[k] > kinds[best]) best = k;
    return kinds[best] >= 0 && kinds[best] <= 1 ? (looks){KIND_NAMES[best], REMARKS[best], kinds[best]} : none;
}
