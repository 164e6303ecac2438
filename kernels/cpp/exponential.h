// The exponentials of softmax and attention, whose arguments are at most 0: no branch and no special case,
// relative error 2e-7. Below 2^-126 they give exactly 0; a NaN passes.
#pragma once
#include "math.h"

namespace heed {
namespace HEED_ISA {

constexpr float LOG2_E = 1.44269504088896341f;
constexpr float LN_2 = 0.69314718055994531f;
// Adding it rounds to an integer n, and leaves n + 127 in the low mantissa bits: the exponent of 2^n.
constexpr float BIASED_ROUNDER = ROUNDER + 127;

// Written so that it is one instruction, and that a NaN passes.
HEED_INLINE vf atLeast(float bound, vf x) {
  const vf lowest = splat(bound);
  return lowest > x ? lowest : x;
}

// 2^x for x < 127. Attention scales its scores by log2(e), which saves a range reduction.
HEED_INLINE vf vexp2(vf x) {
  x = atLeast(-127, x); // n = -127 gives the exponent 0, and so the factor 0
  const vf shifted = x + BIASED_ROUNDER;
  const vf r = x - (shifted - BIASED_ROUNDER);
  vf p = fma(splat(0.0013264726943236775f), r, splat(0.009671512701548413f));
  p = fma(p, r, splat(0.055507337445033424f));
  p = fma(p, r, splat(0.24022242084294895f));
  p = fma(p, r, splat(0.6931469775981091f));
  p = fma(p, r, splat(1.0f));
  return p * floats(bits(shifted) << 23);
}

// e^x for x < 88: x = n ln 2 + r, with ln 2 in two parts.
HEED_INLINE vf vexpSoftmax(vf x) {
  x = atLeast(-127 * LN_2, x);
  const vf shifted = x * LOG2_E + BIASED_ROUNDER;
  const vf n = shifted - BIASED_ROUNDER;
  const vf r = (x - n * 0.693359375f) - n * -2.12194440e-4f;
  vf p = fma(splat(0.0013814613115323436f), r, splat(0.00836870985190347f));
  p = fma(p, r, splat(0.041668387365798164f));
  p = fma(p, r, splat(0.16666520689584563f));
  p = fma(p, r, splat(0.4999999345168251f));
  p = fma(p, r, splat(1.0f));
  p = fma(p, r, splat(1.0f));
  return p * floats(bits(shifted) << 23);
}

} // namespace HEED_ISA
} // namespace heed
