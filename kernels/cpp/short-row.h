// Rows of x, rounded to 16 bits:  x = scale * q.
#pragma once
#include "dot-shorts.h"
#include "integers.h"

namespace heed {
namespace HEED_ISA {

// Four groups for dot-quads.h: the first halves, then the second halves. A format has either an
// offset (correction) or shifts (sum).
struct alignas(64) Quad {
  uint8_t upper[2][64], lower[2][64];
  union {
    int32_t correction[16];
    float sum[4];
  };
};

struct ShortRow {
  float scale;
  PackedGroup* q;    // one for each group
  float* sum;        // sum of q for each group
  Lanes* correction; // one for each group (see dot-shorts.h)
  Quad* quads;       // in place of groups, if there are at least four

  static int64_t quadsOf(int64_t groups) { return groups < 4 ? 0 : ceilDiv(groups, 4); }
  static size_t bytes(int64_t groups) {
    return quadsOf(groups) * sizeof(Quad) + groups * (sizeof(PackedGroup) + sizeof(Lanes)) +
           roundUp(groups, 16) * sizeof(float);
  }
  ShortRow() = default;
  ShortRow(char* memory, int64_t groups) { // 64-byte aligned
    quads = (Quad*)memory;
    q = (PackedGroup*)(quads + quadsOf(groups));
    correction = (Lanes*)(q + groups);
    sum = (float*)(correction + groups);
  }
};

template <int... L> HEED_INLINE Lanes larger(Lanes a) {
  const Lanes b = __builtin_shufflevector(a, a, L...);
  return a > b ? a : b;
}

// The largest magnitude. Compares the bits, so that NaN is larger than all numbers.
inline float largestOf(const float* x, int64_t count) {
  Lanes top[4] = {};
  for (int64_t i = 0; i < count; i += GROUP) HEED_UNROLL
  for (int j = 0; j < 4; j++) {
    const Lanes magnitude = loadAs<Lanes>(x + i + 8 * j) & INT32_MAX;
    top[j] = magnitude > top[j] ? magnitude : top[j];
  }
  for (int j = 1; j < 4; j++) top[0] = top[j] > top[0] ? top[j] : top[0];
  top[0] = larger<4, 5, 6, 7, 0, 1, 2, 3>(top[0]);
  top[0] = larger<2, 3, 0, 1, 6, 7, 4, 5>(top[0]);
  top[0] = larger<1, 0, 3, 2, 5, 4, 7, 6>(top[0]);
  return ((FloatLanes)top[0])[0];
}

HEED_INLINE int32_t sumOfLanes(Lanes x) {
  return ((x[0] + x[4]) + (x[1] + x[5])) + ((x[2] + x[6]) + (x[3] + x[7]));
}

// A group of x times `scale`, rounded to integers.
template <class F, class Dot> struct RoundedGroup {
  PackedGroup packed;

  RoundedGroup(const float* x, float scale) {
    Lanes q[4];
    HEED_UNROLL
    for (int i = 0; i < 4; i++)
      q[i] = (Lanes)(loadAs<FloatLanes>(x + 8 * i) * scale + ROUNDER) - ROUNDER_BITS;
    packed = Dot::template pack<F>(q);
  }
  Lanes sums() const { return Dot::dot(Dot::ones(), packed, Lanes{}); } // one for each lane
};

template <class F>
static void fillQuads(const float* x, int64_t groups, float inverse, Quad* quads); // dot-quads.h

// If x contains inf or NaN, the scale is not finite either, and so are the products.
template <class F, class Dot>
static void roundToShorts(const float* x, int64_t groups, ShortRow& to) {
  const float top = largestOf(x, groups * GROUP), inverse = top > 0 ? LARGEST_SHORT / top : 0;
  to.scale = top / LARGEST_SHORT;
  if constexpr (Dot::QUADS && F::NIBBLES)
    if (groups >= 4) return fillQuads<F>(x, groups, inverse, to.quads);
  for (int64_t i = 0; i < groups; i++) {
    const RoundedGroup<F, Dot> group(x + i * GROUP, inverse);
    to.q[i] = group.packed;
    if constexpr (F::SHIFTED) to.sum[i] = (float)sumOfLanes(group.sums());
    else if constexpr (!Dot::SIGNED) to.correction[i] = -F::OFFSET * group.sums();
  }
}

} // namespace HEED_ISA
} // namespace heed
