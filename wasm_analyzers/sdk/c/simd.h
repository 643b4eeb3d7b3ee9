/* Sixteen pixels at a time, in the compiler's vector extensions: simd128 in WebAssembly, SSE2 or NEON in a native build.
 *
 * A mask is a vector whose bytes are 0 or 255.
 */
#ifndef CAMERA_EDGE_SIMD_H
#define CAMERA_EDGE_SIMD_H

#include <stdint.h>

typedef uint8_t u8x16 __attribute__((vector_size(16)));
typedef int8_t i8x16 __attribute__((vector_size(16)));
typedef uint8_t u8x8 __attribute__((vector_size(8)));
typedef uint16_t u16x8 __attribute__((vector_size(16)));
typedef int16_t i16x8 __attribute__((vector_size(16)));
typedef uint32_t u32x4 __attribute__((vector_size(16)));
typedef int32_t i32x4 __attribute__((vector_size(16)));
typedef float f32x4 __attribute__((vector_size(16)));
typedef uint64_t u64x2 __attribute__((vector_size(16)));

static inline u8x16 load16(const uint8_t *from) {
    u8x16 v;
    __builtin_memcpy(&v, from, 16);
    return v;
}

static inline void store16(uint8_t *to, u8x16 v) { __builtin_memcpy(to, &v, 16); }

static inline u8x16 splat16(uint8_t v) { return (u8x16){v, v, v, v, v, v, v, v, v, v, v, v, v, v, v, v}; }

static inline u8x16 min16(u8x16 a, u8x16 b) { return __builtin_elementwise_min(a, b); }
static inline u8x16 max16(u8x16 a, u8x16 b) { return __builtin_elementwise_max(a, b); }
static inline u8x16 add_sat16(u8x16 a, u8x16 b) { return __builtin_elementwise_add_sat(a, b); }
static inline u8x16 sub_sat16(u8x16 a, u8x16 b) { return __builtin_elementwise_sub_sat(a, b); }
static inline u8x16 difference16(u8x16 a, u8x16 b) { return sub_sat16(a, b) | sub_sat16(b, a); }

/* Mask of a <= b; by minimum, because SSE2 has no unsigned comparison. */
static inline u8x16 at_most16(u8x16 a, u8x16 b) { return (u8x16)(min16(a, b) == a); }

static inline u8x16 choose16(u8x16 mask, u8x16 yes, u8x16 no) { return (mask & yes) | (~mask & no); }

static inline int any16(u8x16 mask) {
#if defined(__wasm_simd128__)
    return __builtin_wasm_any_true_v128((i8x16)mask);
#else
    u64x2 halves = (u64x2)mask;
    return (halves[0] | halves[1]) != 0;
#endif
}

/* Four numbers. A mask has lanes of 0 or -1, as comparisons give them. */
static inline f32x4 load4(const float *from) {
    f32x4 v;
    __builtin_memcpy(&v, from, 16);
    return v;
}

static inline f32x4 splat4(float v) { return (f32x4){v, v, v, v}; }
static inline f32x4 choose4(i32x4 mask, f32x4 yes, f32x4 no) { return (f32x4)((mask & (i32x4)yes) | (~mask & (i32x4)no)); }
static inline f32x4 min4(f32x4 a, f32x4 b) { return choose4(a < b, a, b); }
static inline f32x4 max4(f32x4 a, f32x4 b) { return choose4(a > b, a, b); }
static inline int any4(i32x4 mask) { return any16((u8x16)mask); }

/* Of a mask: bit k is lane k. */
static inline uint32_t bits16(u8x16 mask) {
#if defined(__wasm_simd128__)
    return (uint32_t)__builtin_wasm_bitmask_i8x16((i8x16)mask);
#else
    /* the product brings one bit of each byte to the top byte, in their order */
    u64x2 halves = (u64x2)(mask & 1) * 0x0102040810204080;
    return (uint32_t)(halves[0] >> 56 | halves[1] >> 56 << 8);
#endif
}

/* Mask of the first `count` lanes, of all of them where it is 16 or more. */
static inline u8x16 first16(int32_t count) {
    const u8x16 lanes = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16};
    return at_most16(lanes, splat16((uint8_t)(count < 0 ? 0 : count > 16 ? 16 : count)));
}

static inline u16x8 low16(u8x16 v) {
    return __builtin_convertvector(__builtin_shufflevector(v, v, 0, 1, 2, 3, 4, 5, 6, 7), u16x8);
}

static inline u16x8 high16(u8x16 v) {
    return __builtin_convertvector(__builtin_shufflevector(v, v, 8, 9, 10, 11, 12, 13, 14, 15), u16x8);
}

/* The low bytes of sixteen values that are below 256. */
static inline u8x16 narrow16(u16x8 low, u16x8 high) {
#if defined(__wasm_simd128__)
    return (u8x16)__builtin_wasm_narrow_u_i8x16_i16x8((i16x8)low, (i16x8)high);
#else
    return __builtin_shufflevector((u8x16)low, (u8x16)high, 0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30);
#endif
}

static inline void copy16(uint8_t *to, const uint8_t *from, int32_t count) {
    int32_t x = 0;
#pragma clang loop unroll_count(4)
    for (; x + 16 <= count; x += 16) store16(to + x, load16(from + x));
    for (; x < count; x++) to[x] = from[x];
}

/* For short runs: the engine's own fill costs more than it does. */
static inline void fill16(uint8_t *to, uint8_t value, int32_t count) {
    u8x16 all = splat16(value);
    if (count >= 16) {
        for (int32_t x = 0; x + 16 < count; x += 16) store16(to + x, all);
        store16(to + count - 16, all);
    } else if (count >= 4) {
        /* four times four bytes: at the beginning, at the end, and in between */
        uint32_t word = ((u32x4)all)[0];
        int32_t middle = count >= 8 ? 4 : 0;
        __builtin_memcpy(to, &word, 4);
        __builtin_memcpy(to + middle, &word, 4);
        __builtin_memcpy(to + count - 4 - middle, &word, 4);
        __builtin_memcpy(to + count - 4, &word, 4);
    } else {
        for (int32_t x = 0; x < count; x++) to[x] = value;
    }
}

/* A box of `w` x `h` bytes in rows that lie `pitch` apart. */
static inline void fill_box16(uint8_t *to, int32_t pitch, uint8_t value, int32_t w, int32_t h) {
    u8x16 all = splat16(value);
    if (w < 16) {
        for (int32_t y = 0; y < h; y++) fill16(to + y * pitch, value, w);
        return;
    }
    for (int32_t x = 0; x < w; x += 16) {
        /* the last column of blocks reaches back into the one before */
        uint8_t *column = to + (x + 16 < w ? x : w - 16);
#pragma clang loop unroll_count(4)
        for (int32_t y = 0; y < h; y++) store16(column + y * pitch, all);
    }
}

#endif
