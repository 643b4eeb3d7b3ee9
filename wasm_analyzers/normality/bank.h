/* Windows that the nets learn from, in a bounded memory: the site's own, at random and the hardest, and drawn ones.
 *
 * They lie in memory alone while it learns; no state file that is kept holds them. */
#ifndef NORMALITY_BANK_H
#define NORMALITY_BANK_H

#include "common.h"
#include "net.h"
#include "windows.h"

enum { BANK_USUAL = 9000, BANK_HARD = 4000, BANK_DRAWN = 6000 };

typedef struct bank {
    uint32_t usual_seen, usual, hard, drawn, drawn_seen, hard_seen;
    uint8_t windows[BANK_USUAL + BANK_HARD + BANK_DRAWN][FEATURES];
} bank;

void bank_keep_usual(bank *b, const float *features, uint64_t *seed);
void bank_keep_hard(bank *b, const float *features, uint64_t *seed);
void bank_keep_drawn(bank *b, const float *features);
/* So many steps of a net on what the bank holds. */
void bank_teach(const bank *b, net *n, int32_t steps, float rate, uint64_t *seed);

#endif
