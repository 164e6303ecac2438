// Vectors of 32 bytes for every instruction set, with the special instructions that processors have
// for them: byte look-ups and fused multiply-adds. One of the few files with intrinsics.
#pragma once
#include "math.h"

#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic ignored \
    "-Wpsabi" // vectors never pass between functions that are not inlined
#endif

namespace heed {
namespace HEED_ISA {

typedef uint8_t Bytes __attribute__((vector_size(32)));
typedef int32_t Lanes __attribute__((vector_size(32)));
typedef float FloatLanes __attribute__((vector_size(32)));
typedef int16_t Shorts __attribute__((vector_size(32)));
typedef uint16_t Words __attribute__((vector_size(32)));
typedef uint8_t HalfBytes __attribute__((vector_size(16)));
typedef float HalfLanes __attribute__((vector_size(16)));

template <class V> HEED_INLINE V loadAs(const void* from) {
  V v;
  memcpy(&v, from, sizeof v);
  return v;
}
HEED_INLINE FloatLanes splat8(float x) { return x - FloatLanes{}; }
HEED_INLINE Bytes everyByte(uint8_t x) { return x - Bytes{}; }

HEED_INLINE Bytes joined(HalfBytes a, HalfBytes b) {
  return __builtin_shufflevector(a, b, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17,
                                 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31);
}
HEED_INLINE HalfBytes lowHalf(Bytes x) {
  return __builtin_shufflevector(x, x, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
}
HEED_INLINE HalfBytes highHalf(Bytes x) {
  return __builtin_shufflevector(x, x, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30,
                                 31);
}

// table[index], 0 <= index < 16
HEED_INLINE HalfBytes lookUp(HalfBytes table, HalfBytes index) {
#if defined(__SSSE3__)
  return (HalfBytes)_mm_shuffle_epi8((__m128i)table, (__m128i)index);
#elif defined(__aarch64__)
  return (HalfBytes)vqtbl1q_u8((uint8x16_t)table, (uint8x16_t)index);
#elif defined(__wasm_simd128__)
  return (HalfBytes)wasm_i8x16_swizzle((v128_t)table, (v128_t)index);
#else
  uint8_t from[16], at[16];
  memcpy(from, &table, sizeof from), memcpy(at, &index, sizeof at);
  for (int i = 0; i < 16; i++) at[i] = from[at[i]];
  return loadAs<HalfBytes>(at);
#endif
}
HEED_INLINE Bytes lookUp(HalfBytes table, Bytes index) {
#if defined(__AVX2__)
  return (Bytes)_mm256_shuffle_epi8(_mm256_broadcastsi128_si256((__m128i)table), (__m256i)index);
#else
  return joined(lookUp(table, lowHalf(index)), lookUp(table, highHalf(index)));
#endif
}

#if defined(__AVX512BW__)
typedef uint16_t QuadWords __attribute__((vector_size(64)));

HEED_INLINE QuadWords lookUp(HalfBytes table, QuadWords index) {
  const __m512i wide = _mm512_maskz_broadcast_i32x4(0xffff, (__m128i)table);
  return (QuadWords)_mm512_maskz_shuffle_epi8(~0ull, wide, (__m512i)index);
}
#endif

// Converts bytes to 16-bit numbers. GCC 12 compiles a plain conversion to five instructions.
HEED_INLINE Shorts asShorts(HalfBytes u) {
#if defined(__AVX2__)
  return (Shorts)_mm256_cvtepu8_epi16((__m128i)u);
#else
  return __builtin_convertvector(u, Shorts);
#endif
}

// a b + c. Products of several rows must round like those of one row. Which sums a compiler
// contracts depends on the surrounding code, so fused operations are requested explicitly where
// they exist.
HEED_INLINE float multiplyAdd(float a, float b, float c) {
#if defined(__FMA__) || defined(__aarch64__)
  return __builtin_fmaf(a, b, c);
#else
  return a * b + c;
#endif
}
HEED_INLINE FloatLanes multiplyAdd(FloatLanes a, FloatLanes b, FloatLanes c) {
#if defined(__FMA__)
  return (FloatLanes)_mm256_fmadd_ps((__m256)a, (__m256)b, (__m256)c);
#elif defined(__aarch64__) || defined(__wasm_relaxed_simd__)
  HalfLanes x[2], y[2], z[2];
  memcpy(x, &a, sizeof a), memcpy(y, &b, sizeof b), memcpy(z, &c, sizeof c);
  for (int i = 0; i < 2; i++)
#if defined(__aarch64__)
    z[i] = (HalfLanes)vfmaq_f32((float32x4_t)z[i], (float32x4_t)x[i], (float32x4_t)y[i]);
#else
    z[i] = (HalfLanes)__builtin_wasm_relaxed_madd_f32x4(x[i], y[i], z[i]);
#endif
  return loadAs<FloatLanes>(z);
#else
  return a * b + c;
#endif
}

} // namespace HEED_ISA
} // namespace heed
