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

enum { BUSY_BLOCKS = 3 }; /* in which something moves, from which on all of it does not stop at once by chance */

/* Whether a frame stands still as no frame of this camera did before. MAYBE: it may be one in which an encoder began anew.
 * STILLER: more so than any before, and not yet plainly. */
enum stillness { LIVE, MAYBE, STILLER, STILL_PICTURE };

/* Nothing moves in it. */
int is_calm(const measures *m);

enum stillness stands_still(const measures *m, const habits *h);

const char *name_of(enum what what);
const char *reason_for(enum what what);

#endif
