// Transposes a tile of a matrix from column-major to row-major order.
#pragma once
#include "integers.h"

namespace heed {
namespace HEED_ISA {

typedef float v4 __attribute__((vector_size(16)));
typedef float v4_unaligned __attribute__((vector_size(16), aligned(4), may_alias));

// Four floats of each of VL/4 columns, which are four columns apart, in one vector. (Without an
// array in memory: the vector load would stall on the narrow stores.)
HEED_INLINE vf columnsOf4(const float* from, int64_t stride) {
  const auto column = [&](int64_t i) -> v4 { return *(const v4_unaligned*)(from + i * stride); };
#if HEED_VL == 4
  return column(0);
#else
  const auto low = __builtin_shufflevector(column(0), column(4), 0, 1, 2, 3, 4, 5, 6, 7);
#if HEED_VL == 8
  return low;
#else
  const auto high = __builtin_shufflevector(column(8), column(12), 0, 1, 2, 3, 4, 5, 6, 7);
  return __builtin_shufflevector(low, high, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
#endif
#endif
}

// Within each group of four lanes of x and y: x0 y0 x1 y1, x2 y2 x3 y3, x0 x1 y0 y1, x2 x3 y2 y3.
#if HEED_VL == 16
#define HEED_SHUFFLE(x, y, a, b, c, d)                                                       \
  __builtin_shufflevector(x, y, a, b, c, d, a + 4, b + 4, c + 4, d + 4, a + 8, b + 8, c + 8, \
                          d + 8, a + 12, b + 12, c + 12, d + 12)
#elif HEED_VL == 8
#define HEED_SHUFFLE(x, y, a, b, c, d) \
  __builtin_shufflevector(x, y, a, b, c, d, a + 4, b + 4, c + 4, d + 4)
#else
#define HEED_SHUFFLE(x, y, a, b, c, d) __builtin_shufflevector(x, y, a, b, c, d)
#endif

// to[r * pitch + c] = from[r + c * stride] for r < 4, c < VL
HEED_INLINE void transpose4(const float* from, int64_t stride, float* to, int64_t pitch) {
  vf a = columnsOf4(from, stride), b = columnsOf4(from + stride, stride);
  vf c = columnsOf4(from + 2 * stride, stride), d = columnsOf4(from + 3 * stride, stride);
  vf abLow = HEED_SHUFFLE(a, b, 0, VL, 1, VL + 1),
     abHigh = HEED_SHUFFLE(a, b, 2, VL + 2, 3, VL + 3);
  vf cdLow = HEED_SHUFFLE(c, d, 0, VL, 1, VL + 1),
     cdHigh = HEED_SHUFFLE(c, d, 2, VL + 2, 3, VL + 3);
  store(to, HEED_SHUFFLE(abLow, cdLow, 0, 1, VL, VL + 1));
  store(to + pitch, HEED_SHUFFLE(abLow, cdLow, 2, 3, VL + 2, VL + 3));
  store(to + 2 * pitch, HEED_SHUFFLE(abHigh, cdHigh, 0, 1, VL, VL + 1));
  store(to + 3 * pitch, HEED_SHUFFLE(abHigh, cdHigh, 2, 3, VL + 2, VL + 3));
}
#undef HEED_SHUFFLE

// to[r * pitch + c] = from[r + c * stride] for r < R, c < C. Each row of `to` is written in one go,
// so that a cache line is complete before it is evicted.
static void transposeTile(const float* from, int64_t stride, int64_t R, int64_t C, float* to,
                          int64_t pitch) {
  const int64_t wholeR = R / 4 * 4, wholeC = C / VL * VL;
  for (int64_t r = 0; r < wholeR; r += 4) {
    for (int64_t c = 0; c < wholeC; c += VL)
      transpose4(from + r + c * stride, stride, to + r * pitch + c, pitch);
    for (int64_t c = wholeC; c < C; c++)
      for (int64_t i = r; i < r + 4; i++) to[i * pitch + c] = from[i + c * stride];
  }
  for (int64_t r = wholeR; r < R; r++)
    for (int64_t c = 0; c < C; c++) to[r * pitch + c] = from[r + c * stride];
}

} // namespace HEED_ISA
} // namespace heed
