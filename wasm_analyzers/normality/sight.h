/* What one frame shows against the scene: differences, regions, windows, how they move; and what the channels say of it. */
#ifndef NORMALITY_SIGHT_H
#define NORMALITY_SIGHT_H

#include "bank.h"
#include "calibration.h"
#include "flow.h"
#include "foreground.h"
#include "movement.h"
#include "scene.h"
#include "state.h"
#include "windows.h"

typedef struct frame {
    const uint8_t *pixels;
    int32_t stride;
    int64_t media_us, elapsed_us;
} frame;

typedef struct sight {
    extent size;
    scene empty;
    float *difference;
    foreground front;
    integrals sums;
    flow moving;
    int32_t with_motion;
    int32_t count; /* of places */
    place places[MOST_WINDOWS];
    float looks[MOST_WINDOWS][FEATURES];
    movement moves[MOST_WINDOWS];
} sight;

/* What the channels say of a frame, and the window that said it. */
typedef struct answers {
    float values[WHYS];
    int32_t windows[WHYS]; /* -1: none */
} answers;

/* Memory for a view of this size. Returns 0, or -1 where there is none. */
int32_t sight_start(sight *s, extent e, int32_t with_motion);
/* Difference and regions. */
void sight_compare(sight *s, const frame *f);
/* After it: the windows, what they look like and how they move. */
void sight_describe(sight *s, const frame *f, const perspective *p);
/* After it: how unusual it is by what the sets in `folds` (bits) hold. */
void sight_judge(const sight *s, const learned *l, uint32_t folds, answers *a);

#endif
