/* Which parts of a frame the detector is shown: the whole, or windows around what its waker saw and what is followed.
 *
 * A far-off thing is a few pixels of the whole frame at the model's size; in a window it is as large as it was taken. */
#ifndef OBJECTS_GLANCES_H
#define OBJECTS_GLANCES_H

#include <stdint.h>

#include "detector.h"

enum { MAX_PLACES = 256, MAX_WINDOWS = 4 };

typedef struct glances {
    window list[MAX_WINDOWS + 1]; /* where the whole is looked at it is the last */
    int32_t count;
    int64_t whole_us; /* when the whole was looked at last; negative: never */
} glances;

window window_whole(int32_t frame_width, int32_t frame_height);

/* Only the whole. */
void glances_whole(glances *at, window whole, int64_t media_us);

/* Windows around these places, with room about them, of the model's shape, MAX_WINDOWS at most; the whole besides, every
 * now and then, and instead where the windows would be much of it. `places` is overwritten. */
void glances_plan(glances *at, box *places, int32_t count, window whole, const detector *net, int64_t media_us);

/* Whether the edge of a window that is not the frame's cuts through the thing. */
int32_t window_cuts(window seen, box thing);

#endif
