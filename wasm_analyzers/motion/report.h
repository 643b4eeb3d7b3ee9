/* What is told about a frame: what moves, and what rests. */
#ifndef MOTION_REPORT_H
#define MOTION_REPORT_H

#include "regions.h"
#include "still.h"
#include "tracks.h"

typedef struct sighting {
    extent view;
    const regions *found;
    tracks *all;
    still_layer *still;
    int64_t media_us;
} sighting;

/* Where a region lies, in 0..1 of the view. */
box report_box(extent view, const region *r);

/* Emit the tracks that were seen and are not untold, and the things at rest; these get numbers of `all`. */
void report_seen(const sighting *of);

#endif
