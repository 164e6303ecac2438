// Rows of x rounded to bytes, in groups of 32 with a scale each.
#pragma once
#include "dot-bytes.h"
#include "integers.h"
#include "math.h"

namespace heed {
namespace HEED_ISA {

// Four groups for dot-quads.h. Places 4 g to 4 g + 3 belong to group g.
struct alignas(64) Quad {
  uint8_t low[64], high[64]; // the groups' first halves, and their second ones
  int32_t correction[16];    // of a group as a whole
  float scale[16], sum[16];  // sum: in one place of each group
};

// A row of x in groups of 32:  x = scale * q,  sum = scale * (sum of q),  corrections as
// dot-bytes.h wants them.
struct ByteRow {
  int8_t* q;
  float *scale, *sum;
  Lanes* correction;
  Quad* quads; // the same again, four groups each, for dot-quads.h

  static size_t bytes(int64_t groups) {
    return (size_t)(groups / 4) * sizeof(Quad) + (size_t)groups * (sizeof(Lanes) + GROUP) +
           2 * roundUp(groups, 16) * 4;
  }
  ByteRow() = default;
  ByteRow(char* memory, int64_t groups) { // 64-byte aligned
    quads = (Quad*)memory;
    correction = (Lanes*)(quads + groups / 4);
    q = (int8_t*)(correction + groups);
    scale = (float*)(q + groups * GROUP);
    sum = scale + roundUp(groups, 16);
  }
};

template <int... L> HEED_INLINE Lanes larger(Lanes a) {
  const Lanes b = __builtin_shufflevector(a, a, L...);
  return a > b ? a : b;
}

// The largest magnitude of 32 numbers: as bits, so that NaN is larger than anything.
HEED_INLINE float largest(const float* x) {
  Lanes top = {};
  HEED_UNROLL
  for (int i = 0; i < GROUP; i += 8) {
    const Lanes magnitude = loadAs<Lanes>(x + i) & INT32_MAX;
    top = magnitude > top ? magnitude : top;
  }
  top = larger<4, 5, 6, 7, 0, 1, 2, 3>(top);
  top = larger<2, 3, 0, 1, 6, 7, 4, 5>(top);
  top = larger<1, 0, 3, 2, 5, 4, 7, 6>(top);
  return ((FloatLanes)top)[0];
}

// The nearest whole numbers to x * scale, as bytes.
HEED_INLINE void roundGroup(const float* x, float scale, int8_t* to) {
  typedef int8_t Eight __attribute__((vector_size(8)));
  HEED_UNROLL
  for (int i = 0; i < GROUP; i += 8) {
    const Lanes rounded = (Lanes)(loadAs<FloatLanes>(x + i) * scale + ROUNDER) - ROUNDER_BITS;
    const Eight bytes = __builtin_convertvector(rounded, Eight);
    memcpy(to + i, &bytes, sizeof bytes);
  }
}

// Numbers that are not finite make a scale that is not, and with it the products.
inline void roundToBytes(const float* x, int64_t groups, int offset, const ByteRow& to) {
  for (int64_t g = 0; g < groups; g++) {
    const float top = largest(x + g * GROUP);
    to.scale[g] = top / 127;
    roundGroup(x + g * GROUP, top > 0 ? 127 / top : 0, to.q + g * GROUP);
  }
  for (int64_t g = 0; g < groups; g++) {
    const Lanes sums = DotBytes::dot<0>(everyByte(1), loadAs<Bytes>(to.q + g * GROUP), Lanes{});
    int32_t all = 0;
    for (int i = 0; i < 8; i++) all += sums[i];
    to.sum[g] = to.scale[g] * (float)all;
    to.correction[g] = -offset * sums;
  }
}

inline void fillQuads(const ByteRow& x, int64_t groups) {
  for (int64_t i = 0; i < groups / 4 * 4; i++) {
    Quad& quad = x.quads[i / 4];
    const int64_t g = i % 4;
    memcpy(quad.low + 16 * g, x.q + i * GROUP, 16);
    memcpy(quad.high + 16 * g, x.q + i * GROUP + 16, 16);
    for (int j = 0; j < 4; j++) {
      quad.correction[4 * g + j] = x.correction[i][j] + x.correction[i][j + 4];
      quad.scale[4 * g + j] = x.scale[i];
      quad.sum[4 * g + j] = j == 0 ? x.sum[i] : 0;
    }
  }
}

} // namespace HEED_ISA
} // namespace heed
