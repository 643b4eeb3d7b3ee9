/* Who looks like whom: the embeddings of persons by a re-identification model, so that one who was away comes back under
 * the old number, and two who met leave with their own. */
#ifndef OBJECTS_LIKENESS_H
#define OBJECTS_LIKENESS_H

#include <stdint.h>

#include "followed.h"

/* Runs the model on a place in the frame, in 0..1, and gives its numbers; NULL where it failed. */
typedef const float *(*look_at)(box at);

/* NULL, or why the model is of no use. `size`: how many numbers it puts out; 0: there is no model. */
const char *likeness_open(int32_t size);

/* Correct the numbers of persons, those of `group`, by their looks. A few are looked at in a frame; -1: the model failed. */
int32_t likeness_correct(followed_all *all, int32_t group, look_at look);

#endif
