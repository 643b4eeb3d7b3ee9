/* What the host says of the detector: parameters `model.*`, which come from its contract. */
#ifndef OBJECTS_NETWORK_H
#define OBJECTS_NETWORK_H

#include "detector.h"

typedef enum kind { PERSON, VEHICLE, OBJECT } kind;

typedef struct class_name {
    const char *name;
    uint32_t len;
    kind kind;
} class_name;

/* NULL, or why the model is of no use. `classes` is valid until the next call. */
const char *network_read(detector *net, const class_name **classes);

/* How many numbers a model puts out, by the parameter that says its outputs' shapes; 0 where it is not one vector. */
int32_t network_vector(const char *outputs);

/* A parameter that is a text, cut to what fits; its length, 0 where there is none. */
uint32_t ask_text(const char *name, char *into, uint32_t capacity);

double ask_number(const char *name, double fallback);

#endif
