/* What differs from the scene: a mask without specks, and its connected regions. */
#ifndef NORMALITY_FOREGROUND_H
#define NORMALITY_FOREGROUND_H

#include "common.h"
#include "perspective.h"

enum { MOST_REGIONS = 512 };

typedef struct foreground {
    uint8_t *mask;    /* 1 where something is */
    uint16_t *labels; /* scratch */
    int32_t count;
    standing regions[MOST_REGIONS];
} foreground;

/* `difference` holds e.width x e.height grey levels. Regions beyond the first MOST_REGIONS are in the mask alone. */
void foreground_find(foreground *f, extent e, const float *difference);

#endif
