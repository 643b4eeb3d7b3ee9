/* What makes a program for wasi-nn an analyzer: three exports, one import. */
#ifndef ANALYZER_H
#define ANALYZER_H

#include <stdint.h>

#define EXPORT(name) __attribute__((export_name(name)))

__attribute__((import_module("camera_edge"), import_name("score"))) int32_t score(double value);

EXPORT("camera_edge_abi") int32_t camera_edge_abi(void) { return 1; }
EXPORT("open") int32_t camera_edge_open(void);
EXPORT("analyze") int32_t camera_edge_analyze(int32_t slot);

#endif
