/* Learns from frames: the scene, then how high things are, then what they look like and how they move, then how much
 * that varies. */
#ifndef NORMALITY_LEARNING_H
#define NORMALITY_LEARNING_H

#include "sight.h"

typedef struct lessons {
    lesson *now;          /* NULL: nothing is learned */
    int64_t sampled_us;   /* when the scene was sampled last */
    uint16_t occasion;
    float rate;           /* of the nets' steps */
    int32_t steps, things;
} lessons;

/* Memory for what learning needs; zeroed. Returns 0, or -1 where there is none. */
int32_t lessons_start(lessons *l, extent e);
void lessons_scene(lessons *l, learned *to, const frame *f, extent e);
void lessons_sizes(learned *to, const sight *s);
void lessons_habits(lessons *l, learned *to, const sight *s);
/* The part of lessons_habits that is about what windows look like. */
void lessons_looks(lessons *l, learned *to, const sight *s);

#endif
