/* What the channels usually say in a frame, by which their answers are made comparable.
 *
 * The samples are answers about frames by what was learned from other occasions, a bounded sample of all of them. */
#ifndef NORMALITY_CALIBRATION_H
#define NORMALITY_CALIBRATION_H

#include "common.h"

/* The channels alone, as the parameter `channel` names them. */
enum { SPEED, DIRECTION, SIZE, PLACE, SHAPE, WHYS, MOST_SAMPLES = 4096, STEPS = 20 };

/* What is usual of one number: its quantiles in steps of a twentieth, the last at 0.95, and how far it goes beyond that on
 * average. What lies beyond is taken to fall off exponentially (peaks over a threshold, Pickands, 1975). */
typedef struct usual_range {
    float steps[STEPS];
    float beyond;
} usual_range;

typedef struct calibration {
    uint32_t seen, kept;
    usual_range channels[WHYS], all, still; /* still: of the combination without speed and direction */
    uint32_t ready, reserved;
    float samples[MOST_SAMPLES][WHYS];
} calibration;

/* One frame's answers. */
void calibration_see(calibration *c, const float *values, uint64_t *seed);
/* Fit to the samples. Returns 0 where there are too few. */
int32_t calibration_settle(calibration *c);
/* A channel's answer: 0 is usual, 1 is so rare that it is worth an alarm where it stands alone. */
float calibration_level(const calibration *c, int32_t channel, float value);
/* All channels in one: 0 is usual, 1 is worth an alarm. `still`: without speed and direction. */
float calibration_combine(const calibration *c, const float *values, int32_t still);

#endif
