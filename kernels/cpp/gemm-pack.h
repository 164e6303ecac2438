// Packing: copies a piece of a strided operand into panels, in exactly the order that a tile reads it.
//
// A panel holds `width` rows of A (or columns of B); its element (i, k) lies at panel[k * width + i].
#pragma once
#include "gemm-tile.h"

namespace heed {
namespace HEED_ISA {

typedef float v4 __attribute__((vector_size(16)));
typedef float v4_unaligned __attribute__((vector_size(16), aligned(4), may_alias));

HEED_INLINE v4 load4(const float* p) { return *(const v4_unaligned*)p; }
HEED_INLINE void store4(float* p, v4 v) { *(v4_unaligned*)p = v; }

// Four rows of four become four columns: works in 128-bit registers, so it is the same code everywhere.
HEED_INLINE void transpose4x4(const float* from, int64_t fromStride, float* to, int64_t toStride) {
  const v4 a = load4(from), b = load4(from + fromStride);
  const v4 c = load4(from + 2 * fromStride), d = load4(from + 3 * fromStride);
  const v4 ab = __builtin_shufflevector(a, b, 0, 4, 1, 5), AB = __builtin_shufflevector(a, b, 2, 6, 3, 7);
  const v4 cd = __builtin_shufflevector(c, d, 0, 4, 1, 5), CD = __builtin_shufflevector(c, d, 2, 6, 3, 7);
  store4(to, __builtin_shufflevector(ab, cd, 0, 1, 4, 5));
  store4(to + toStride, __builtin_shufflevector(ab, cd, 2, 3, 6, 7));
  store4(to + 2 * toStride, __builtin_shufflevector(AB, CD, 0, 1, 4, 5));
  store4(to + 3 * toStride, __builtin_shufflevector(AB, CD, 2, 3, 6, 7));
}

// One element at a time: odd strides and edges. Lanes from count to width become 0.
inline void packSlowly(Operand from, int64_t count, int64_t width, int64_t k0, int64_t k1, float* panel) {
  for (int64_t k = k0; k < k1; k++) {
    for (int64_t i = 0; i < count; i++) panel[k * width + i] = from.data[i * from.across + k * from.along];
    for (int64_t i = count; i < width; i++) panel[k * width + i] = 0;
  }
}

// Source adjacent across: copy runs of `count`.
inline void packRuns(Operand from, int64_t count, int64_t width, int64_t K, float* panel) {
  for (int64_t k = 0; k < K; k++) {
    const float* p = from.data + k * from.along;
    float* to = panel + k * width;
    int64_t i = 0;
    for (; i + VL <= count; i += VL) store(to + i, load(p + i));
    for (; i + 4 <= count; i += 4) store4(to + i, load4(p + i));
    for (; i < count; i++) to[i] = p[i];
    for (; i < width; i++) to[i] = 0;
  }
}

// Source adjacent along k: transpose in blocks of four; the last block overlaps the one before it.
inline void packTransposed(Operand from, int64_t count, int64_t width, int64_t K, float* panel) {
  const int64_t whole = K / 4 * 4;
  for (int64_t k = 0; k < whole; k += 4) {
    for (int64_t i = 0; i < count; i += 4) {
      const int64_t row = i + 4 <= count ? i : count - 4;
      transpose4x4(from.data + row * from.across + k, from.across, panel + k * width + row, width);
    }
    for (int64_t i = count; i < width; i++)
      for (int64_t kk = k; kk < k + 4; kk++) panel[kk * width + i] = 0;
  }
  packSlowly(from, count, width, whole, K, panel);
}

inline void packPanel(Operand from, int64_t count, int64_t width, int64_t K, float* panel) {
  if (from.across == 1) packRuns(from, count, width, K, panel);
  else if (from.along == 1 && count >= 4) packTransposed(from, count, width, K, panel);
  else packSlowly(from, count, width, 0, K, panel);
}

} // namespace HEED_ISA
} // namespace heed
