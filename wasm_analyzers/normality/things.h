/* Draws things that no site has to have seen: on wheels, boxes, people who sit.
 *
 * What a site's own pictures look like with such a thing in them is what the nets learn to tell from what they look like
 * without (after CutPaste, Li et al., 2021, and DRAEM, Zavrtanik et al., 2021, which make anomalies out of normal
 * pictures). Nothing of this is footage: shapes are circles, strokes and polygons with random measures. */
#ifndef NORMALITY_THINGS_H
#define NORMALITY_THINGS_H

#include "common.h"

typedef struct canvas {
    extent size;
    float *grey;          /* the picture in the light of the scene, drawn over */
    float feet_x, feet_y; /* where the thing stands, in pixels of the canvas */
    float height;         /* of a person there */
} canvas;

void things_draw(canvas *c, uint64_t *seed);

#endif
