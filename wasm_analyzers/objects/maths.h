/* exp, log and what follows from them, without a C library: the same bits on every machine. */
#ifndef OBJECTS_MATHS_H
#define OBJECTS_MATHS_H

#include <stdint.h>

/* e^x by 2^k * e^r with |r| <= ln(2) / 2 and the Taylor series of e^r; relative error below 1e-14. */
static inline double maths_exp(double x) {
    if (x > 700) x = 700;
    if (x < -700) x = -700;
    double scaled = x * 1.4426950408889634;
    int32_t k = (int32_t)(scaled < 0 ? scaled - 0.5 : scaled + 0.5);
    double r = x - k * 0.6931471805599453;
    double sum = 1;
    for (int32_t n = 13; n > 0; n--) sum = 1 + sum * r / n;
    union {
        uint64_t bits;
        double value;
    } power = {.bits = (uint64_t)(k + 1023) << 52};
    return sum * power.value;
}

/* ln(x) for x > 0, by its exponent and the series of artanh for the rest. */
static inline double maths_log(double x) {
    union {
        double value;
        uint64_t bits;
    } split = {.value = x};
    int32_t exponent = (int32_t)(split.bits >> 52 & 2047) - 1023;
    split.bits = (split.bits & 0x000FFFFFFFFFFFFF) | 0x3FF0000000000000;
    double m = split.value;
    if (m > 1.4142135623730951) m /= 2, exponent++;
    double s = (m - 1) / (m + 1), square = s * s, sum = 0;
    for (int32_t n = 21; n > 0; n -= 2) sum = sum * square + 1.0 / n;
    return 2 * s * sum + exponent * 0.6931471805599453;
}

static inline double maths_power(double x, double y) { return x > 1e-300 ? maths_exp(y * maths_log(x)) : 0; }
static inline double maths_sigmoid(double x) { return 1 / (1 + maths_exp(-x)); }
static inline double maths_tanh(double x) { return 2 / (1 + maths_exp(-2 * x)) - 1; }

#endif
