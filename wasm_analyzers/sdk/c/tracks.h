/* Stable numbers for boxes from frame to frame. Boxes are in 0..1 of the frame, from the top left corner. */
#ifndef CAMERA_EDGE_TRACKS_H
#define CAMERA_EDGE_TRACKS_H

#include <stdint.h>

enum { MAX_TRACKS = 128 };

typedef struct box {
    float x, y, w, h;
} box;

typedef struct track {
    int32_t id;    /* counts up from 0; -1 until the track is confirmed */
    int32_t group; /* only boxes of the same group are matched */
    int32_t hits;  /* frames in which it was seen */
    box at;        /* where it is: seen, or predicted while it is not */
    box start;     /* where it was first seen */
    float vx, vy;  /* of the centre, per second */
    int64_t first_us, seen_us;
    int32_t mark; /* the caller's own; 0 at first */
    int32_t seen; /* index of its box in this frame, -1: none */
} track;

typedef struct tracks {
    track list[MAX_TRACKS];
    int32_t count;
    int32_t next_id;
    int64_t now_us;
} tracks;

typedef struct track_rules {
    int64_t keep_us;       /* how long a track outlives its last box */
    int32_t confirm_hits;  /* frames until it gets its number */
    float reach;           /* how far a centre may lie from its prediction, in mean sides of the boxes */
} track_rules;

float box_overlap(box a, box b); /* intersection over union */
box box_clip(box b);             /* to 0..1 */

/* Take the boxes of a frame, the first MAX_TRACKS of them. Afterwards `list[i].seen` says which box is track i's; every box has one unless all are taken. */
void tracks_feed(tracks *all, const box *boxes, const int32_t *groups, int32_t count, int64_t media_us,
                 const track_rules *rules);

#endif
