/* Shadows: places that are darker by one factor, with the texture of the background kept. */
#ifndef MOTION_SHADOW_H
#define MOTION_SHADOW_H

#include "regions.h"

typedef struct shadow_planes {
    const uint8_t *image, *usual;
    hit_plane hits;
    uint8_t *candidates, *core; /* to work in */
} shadow_planes;

/* solid = hits without what is a shadow. Returns 0 where nothing was taken away. */
int shadow_remove(extent e, const shadow_planes *planes, uint8_t *solid);

#endif
