/* What kind of thing an alarm is about, in the words of the shipped model `blobs`: it says more to whoever is called than
 * "unusual shape" does. It has no part in scores: those are the site's own. */
#ifndef NORMALITY_LOOKS_H
#define NORMALITY_LOOKS_H

#include "sight.h"

typedef struct looks {
    const char *kind;   /* NULL: the model gave no answer */
    const char *remark; /* what is to be said of it; NULL: people on foot, or nothing in particular */
    float sure;         /* 0 to 1 */
} looks;

/* `height`: of a person at this place, in pixels. Asks the model once. */
looks looks_at(const sight *s, const frame *f, place at, float height);

#endif
