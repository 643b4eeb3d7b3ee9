/* Text without a C library: what guests need to write attributes and logs. */
#ifndef CAMERA_EDGE_TEXT_H
#define CAMERA_EDGE_TEXT_H

#include <stdint.h>

typedef struct text {
    char *bytes;
    uint32_t capacity;
    uint32_t len; /* never above capacity: what does not fit is left out */
} text;

static inline void text_add(text *to, const char *from, uint32_t len) {
    for (uint32_t i = 0; i < len && to->len < to->capacity; i++) to->bytes[to->len++] = from[i];
}

static inline uint32_t text_length(const char *from) {
    uint32_t len = 0;
    while (from[len]) len++;
    return len;
}

static inline void text_say(text *to, const char *from) { text_add(to, from, text_length(from)); }

/* As a JSON string. */
static inline void text_add_quoted(text *to, const char *from, uint32_t len) {
    text_say(to, "\"");
    for (uint32_t i = 0; i < len; i++) {
        if (from[i] == '"' || from[i] == '\\') text_say(to, "\\");
        text_add(to, (uint8_t)from[i] < 32 ? " " : from + i, 1);
    }
    text_say(to, "\"");
}

/* A number of at least 0, with so many decimals. */
static inline void text_add_number(text *to, double value, int32_t decimals) {
    char digits[24];
    int32_t at = (int32_t)sizeof digits;
    double scale = 1;
    for (int32_t i = 0; i < decimals; i++) scale *= 10;
    uint64_t whole = (uint64_t)(value * scale + 0.5);
    for (int32_t place = 0; place <= decimals || whole > 0; place++) {
        if (place == decimals && decimals > 0) digits[--at] = '.';
        digits[--at] = (char)('0' + whole % 10);
        whole /= 10;
    }
    text_add(to, digits + at, (uint32_t)sizeof digits - (uint32_t)at);
}

#endif
