/* From what the channels say about one frame to its score: means over the last moments, combined and calibrated. */
#ifndef NORMALITY_VERDICT_H
#define NORMALITY_VERDICT_H

#include "calibration.h"

enum { MOMENTS = 128 };

typedef struct verdict {
    int32_t count, at; /* of the moments that are kept, and where the last one is */
    int64_t times_us[MOMENTS];
    float values[MOMENTS][WHYS];
} verdict;

/* Take a frame's answers; `smooth` gets their means over each channel's own time, this frame the last. */
void verdict_see(verdict *v, int64_t media_us, const float *values, float *smooth);
/* The means over a second around the frame of about half a second ago; returns its lag, 0: there is none yet. */
int32_t verdict_revise(const verdict *v, float *smooth);

#endif
