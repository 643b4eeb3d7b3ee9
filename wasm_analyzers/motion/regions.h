/* From evidence at pixels to connected regions. */
#ifndef MOTION_REGIONS_H
#define MOTION_REGIONS_H

#include "plane.h"

enum { MAX_RUNS = 8192, MAX_REGIONS = 1024, JOINED = 2 };

typedef struct run {
    int32_t y, from, to; /* columns from <= x < to */
    int32_t parent;      /* another run of the same region; itself at the root */
    int32_t region;      /* at the root: its region, -1 where it was too small */
} run;

typedef struct region {
    int32_t left, top, right, bottom; /* right and bottom are the first outside */
    int32_t area;                     /* pixels */
    int32_t strength;                 /* sum of the evidence */
    int32_t contour;                  /* pixels at the rim */
    int32_t edge_now, edge_usual;     /* sums of the gradient along the rim: in the frame, in the background */
    int32_t steady;                   /* sum of the ages of what stands still */
    int32_t unrest;                   /* sum of the unrest */
    int32_t travelled;                /* it is known to have come from elsewhere */
    int32_t untold;                   /* it may be a branch in the wind */
} region;

typedef struct regions {
    run runs[MAX_RUNS];
    int32_t run_count;
    region list[MAX_REGIONS];
    int32_t count;
    int32_t overflow; /* more runs or regions than there is room for: the list is incomplete */
} regions;

/* hits = 255 where the mean of the evidence over 5x5 pixels is above threshold; rows says where there are any. The border
 * of evidence is replicated; `columns` has room for a row and 16 bytes on both sides. */
void regions_smooth(extent e, uint8_t *evidence, uint8_t *hits, uint8_t *rows, uint8_t *columns, int32_t threshold);

/* A plane of hits, with the rows that may have any. */
typedef struct hit_plane {
    const uint8_t *pixels, *rows;
} hit_plane;

/* The planes that regions are measured in. */
typedef struct region_planes {
    hit_plane hits;
    int32_t reach; /* how many rows what is joined goes beyond the hits */
    const uint8_t *evidence, *image, *usual, *held_age, *unrest;
} region_planes;

/* joined = 255 where a hit lies within JOINED rows and columns: what is that near is one thing. */
void regions_join(extent e, hit_plane hits, uint8_t *joined, uint8_t *scratch);

/* wide = joined, and `margin` more on all sides; at most 5, because what is joined is 5 pixels wide or more. */
void regions_widen(extent e, hit_plane joined, uint8_t *wide, uint8_t *scratch, int32_t margin);

/* The connected regions of `joined` that hold at least least_area hits, measured by their hits alone. */
void regions_find(regions *found, extent e, const uint8_t *joined, const region_planes *planes, int32_t least_area);

/* foreground = the hits of the regions that were found; doubtful = those of regions that have not travelled. */
void regions_paint(const regions *found, extent e, hit_plane hits, uint8_t *foreground, uint8_t *doubtful);

/* told = the hits of the regions that are not untold. */
void regions_paint_told(const regions *found, extent e, hit_plane hits, uint8_t *told);

/* The region of a run, -1 where it was too small. */
int32_t regions_number(const regions *found, int32_t i);

/* Set mask to 255 from the first to the last pixel of each region in each row. */
void regions_fill_rows(const regions *found, extent e, uint8_t *mask);

/* Set mask to 255 in the box of each region. */
void regions_fill_boxes(const regions *found, extent e, uint8_t *mask);

/* mask = the hits of one region, within its box; the rest of the plane is left as it is. */
void regions_paint_one(const regions *found, extent e, hit_plane hits, int32_t number, uint8_t *mask);

#endif
