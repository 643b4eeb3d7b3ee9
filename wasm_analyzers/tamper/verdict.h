/* What is wrong with the view, judged from measures of frame after frame. */
#ifndef TAMPER_VERDICT_H
#define TAMPER_VERDICT_H

#include "scene.h"

enum what { NOTHING, COVERED, MOVED, DEFOCUSED, BLINDED, BLACKOUT, FROZEN, NOISE, KINDS };

/* What one frame says alone. `sure`: 1 plainly, 0.5 doubtful. */
typedef struct opinion {
    enum what what;
    float sure;
} opinion;

/* Pure but for shift_find, which is asked where the view is lost and nothing simpler explains it. */
opinion judge(const measures *m, const habits *h);

/* Whether nothing moves and the noise is gone that was always there. */
int stands_still(const measures *m, const habits *h);

const char *name_of(enum what what);
const char *reason_for(enum what what);

#endif
