/* Learning while it runs, on a camera that nobody has recordings of.
 *
 * First all stages one after the other, each for its part of `learn_us`; nothing is reported meanwhile. After that it
 * goes on, slowly: only from frames that were quiet, and so for a while, and of one occasion so little that no hour can
 * make usual what is not. A frame is judged before it is learned from, so what is said of it is about something new.
 *
 * What is unusual never becomes usual by itself, however long it lasts: the operator says so, by learning anew. */
#ifndef NORMALITY_ROUTINE_H
#define NORMALITY_ROUTINE_H

#include "learning.h"

/* What was said of a frame. */
typedef struct opinion {
    int64_t media_us;
    float score;
    const float *smooth; /* the channels' means */
} opinion;

typedef struct routine {
    int64_t learn_us, occasion_us;
    int64_t occasion;   /* the present one */
    float room;         /* how many windows may still be counted on it */
    int64_t loud_us;    /* when something was last unusual; below 0: never */
    int64_t settled_us; /* when the state was last written */
} routine;

void routine_start(routine *r, int64_t media_us);
/* Before a frame that is learned from in the first stages: the stage it belongs to. */
void routine_stage(const routine *r, learned *to, sight *s, lessons *l, int64_t elapsed_us);
/* After a frame was judged: learn from it where it was quiet. */
void routine_follow(routine *r, learned *to, const sight *s, lessons *l, const opinion *said);
/* Whether it is time to write down what was learned. */
int32_t routine_is_due(routine *r, int64_t media_us);

#endif
