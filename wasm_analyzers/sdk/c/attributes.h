/* Reads the attributes of an observation: a flat JSON object of texts, numbers and booleans.
 *
 * The host hands over valid JSON; whatever is in it, nothing beyond `len` is read.
 */
#ifndef CAMERA_EDGE_ATTRIBUTES_H
#define CAMERA_EDGE_ATTRIBUTES_H

#include <stdint.h>

#include "text.h"

/* Where the JSON string that starts at `at` ends: the place after its closing quote. */
static inline uint32_t attributes_string_end(const char *json, uint32_t len, uint32_t at) {
    for (at++; at < len && json[at] != '"'; at++)
        if (json[at] == '\\') at++;
    return at + 1 < len ? at + 1 : len;
}

static inline int32_t attributes_same(const char *json, uint32_t len, const char *other) {
    if (len != text_length(other)) return 0;
    for (uint32_t i = 0; i < len; i++)
        if (json[i] != other[i]) return 0;
    return 1;
}

/* Whether the attribute `name` is the text `value`. Neither may need an escape in JSON. */
static inline int32_t attributes_say(const char *json, uint32_t len, const char *name, const char *value) {
    int32_t named = 0, after_colon = 0;
    for (uint32_t at = 0; at < len;) {
        if (json[at] == '"') {
            uint32_t end = attributes_string_end(json, len, at);
            uint32_t inner = end > at + 2 ? end - at - 2 : 0;
            if (!after_colon)
                named = attributes_same(json + at + 1, inner, name);
            else if (named && attributes_same(json + at + 1, inner, value))
                return 1;
            at = end;
            continue;
        }
        if (json[at] == ':') after_colon = 1;
        if (json[at] == ',') after_colon = 0;
        at++;
    }
    return 0;
}

#endif
