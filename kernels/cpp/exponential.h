// The exponentials of softmax and attention, whose arguments are at most 0. They have no branches
// or special cases and a relative error of 2e-7. Results below 2^-126 are exactly 0; NaN
// propagates.
#pragma once
#include "math.h"

namespace heed {
namespace HEED_ISA {

constexpr float LOG2_E = 1.44269504088896341f;
constexpr float LN_2 = 0.69314718055994531f;
// Adding it rounds to an integer n and leaves n + 127, the exponent of 2^n, in the low mantissa
// bits.
constexpr float BIASED_ROUNDER = ROUNDER + 127;

// Written in a form that compiles to one instruction and propagates NaN.
HEED_INLINE vf atLeast(float bound, vf x) {
  const vf lowest = constant(bound);
  return lowest > x ? lowest : x;
}

// 2^x for x < 127. Attention scales its scores by log2(e), which saves a range reduction.
HEED_INLINE vf vexp2(vf x) {
  x = atLeast(-127, x); // n = -127 gives the exponent 0, and so the factor 0
  const vf shifted = x + constant(BIASED_ROUNDER);
  const vf r = x - (shifted - constant(BIASED_ROUNDER));
  vf p = fma(constant(0.0013264726943236775f), r, constant(0.009671512701548413f));
  p = fma(p, r, constant(0.055507337445033424f));
  p = fma(p, r, constant(0.24022242084294895f));
  p = fma(p, r, constant(0.6931469775981091f));
  p = fma(p, r, constant(1.0f));
  return p * floats(bits(shifted) << 23);
}

// e^x for x < 88. x = n ln 2 + r, with ln 2 split in two parts.
HEED_INLINE vf vexpSoftmax(vf x) {
  x = atLeast(-127 * LN_2, x);
  const vf shifted = fma(x, constant(LOG2_E), constant(BIASED_ROUNDER));
  const vf n = shifted - constant(BIASED_ROUNDER);
  const vf r = fma(n, constant(2.12194440e-4f), fma(n, constant(-0.693359375f), x));
  vf p = fma(constant(0.0013814613115323436f), r, constant(0.00836870985190347f));
  p = fma(p, r, constant(0.041668387365798164f));
  p = fma(p, r, constant(0.16666520689584563f));
  p = fma(p, r, constant(0.4999999345168251f));
  p = fma(p, r, constant(1.0f));
  p = fma(p, r, constant(1.0f));
  return p * floats(bits(shifted) << 23);
}

} // namespace HEED_ISA
} // namespace heed
