/* Whether the learned view is still there, but somewhere else in the picture. */
#ifndef TAMPER_SHIFT_H
#define TAMPER_SHIFT_H

#include "coarse.h"

typedef struct shift {
    float fit;    /* correlation of gradients there, -1 to 1 */
    float x, y;   /* of the width and of the height of the view */
    float turned; /* degrees */
} shift;

/* The best of all shifts that leave a third of the view in the picture, and of some turns of the camera. */
shift shift_find(const layout *l, const float *now, const float *usual);

#endif
