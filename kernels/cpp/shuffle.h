// Constant permutations of the lanes of vectors.
#pragma once
#include <utility>
#include "simd.h"

namespace heed {
namespace HEED_ISA {

using LaneIndices = std::make_integer_sequence<int, VL>;

// One butterfly step: a gets the lanes of a and b whose index has bit STEP clear; b gets the
// others.
template <int STEP, int... L>
HEED_INLINE void exchange(vf& a, vf& b, std::integer_sequence<int, L...>) {
  const vf without = __builtin_shufflevector(a, b, (L & STEP ? VL + L - STEP : L)...);
  const vf with = __builtin_shufflevector(a, b, (L & STEP ? VL + L : L + STEP)...);
  a = without;
  b = with;
}

// Transposes VL vectors.
template <int STEP = VL / 2> HEED_INLINE void transposeVectors(vf* row) {
#pragma GCC unroll 16
  for (int i = 0; i < VL; i++)
    if (!(i & STEP)) exchange<STEP>(row[i], row[i + STEP], LaneIndices{});
  if constexpr (STEP > 1) transposeVectors<STEP / 2>(row);
}

// Lane l of row[0] becomes the sum of the lanes of row[l].
template <int STEP = VL / 2> HEED_INLINE void sumEachVector(vf* row) {
#pragma GCC unroll 8
  for (int i = 0; i < STEP; i++) {
    exchange<STEP>(row[i], row[i + STEP], LaneIndices{});
    row[i] += row[i + STEP];
  }
  if constexpr (STEP > 1) sumEachVector<STEP / 2>(row);
}

template <int STEP, int... L> HEED_INLINE vf swapped(vf v, std::integer_sequence<int, L...>) {
  return __builtin_shufflevector(v, v, (L ^ STEP)...);
}

// Reduces the lanes of a vector in a binary tree, so that the order depends on VL alone.
template <int STEP = VL / 2> HEED_INLINE float sumOfLanes(vf v) {
  v += swapped<STEP>(v, LaneIndices{});
  if constexpr (STEP > 1) return sumOfLanes<STEP / 2>(v);
  return v[0];
}
template <int STEP = VL / 2> HEED_INLINE float maxOfLanes(vf v) {
  const vf other = swapped<STEP>(v, LaneIndices{});
  v = v > other ? v : other;
  if constexpr (STEP > 1) return maxOfLanes<STEP / 2>(v);
  return v[0];
}

} // namespace HEED_ISA
} // namespace heed
