// Elementary functions on vectors, accurate to 1 to 3 ulp over their whole range and correct at 0,
// inf and NaN. Polynomials without branches, after Moshier's Cephes unless another source is named.
#pragma once
#include <cmath>
#include "simd.h"

#if defined(__SSE2__)
#include <immintrin.h>
#elif defined(__aarch64__)
#include <arm_neon.h>
#elif defined(__wasm_simd128__)
#include <wasm_simd128.h>
#endif

namespace heed {
namespace HEED_ISA {

constexpr float INFINITY_F = __builtin_inff();
constexpr float NAN_F = __builtin_nanf("");
// Adding it to |x| < 2^22 rounds x to an integer (half to even), which is in the low mantissa bits.
constexpr float ROUNDER = 12582912.0f; // 1.5 * 2^23
constexpr int32_t ROUNDER_BITS = 0x4B400000;
constexpr int32_t SIGN = INT32_MIN;

// ---- Sign, roots, rounding ----

HEED_INLINE vf vabs(vf x) { return floats(bits(x) & INT32_MAX); }
HEED_INLINE vf copySign(vf magnitude, vf sign) {
  return floats((bits(magnitude) & INT32_MAX) | (bits(sign) & SIGN));
}
HEED_INLINE vf convert(vi x) { return __builtin_convertvector(x, vf); }
HEED_INLINE vi truncate(vf x) { return __builtin_convertvector(x, vi); } // |x| < 2^31 only

HEED_INLINE bool any(vi mask) {
  uint64_t words[VL / 2], all = 0;
  memcpy(words, &mask, sizeof mask);
  for (int i = 0; i < VL / 2; i++) all |= words[i];
  return all != 0;
}

HEED_INLINE vf vsqrt(vf x) {
#if defined(__AVX512F__)
  return (vf)_mm512_maskz_sqrt_ps(0xFFFF, (__m512)x); // the plain form makes GCC 12 warn
#elif defined(__AVX2__)
  return (vf)_mm256_sqrt_ps((__m256)x);
#elif defined(__SSE2__)
  return (vf)_mm_sqrt_ps((__m128)x);
#elif defined(__aarch64__)
  return (vf)vsqrtq_f32((float32x4_t)x);
#elif defined(__wasm_simd128__)
  return (vf)wasm_f32x4_sqrt((v128_t)x);
#else
  for (int i = 0; i < VL; i++) x[i] = __builtin_sqrtf(x[i]);
  return x;
#endif
}

// From 2^23 on, every float is an integer, inf or NaN, and is returned unchanged.
HEED_INLINE vf whereFractional(vf x, vf rounded) {
  return select(vabs(x) < 8388608.0f, copySign(rounded, x), x);
}
HEED_INLINE vf inTruncatable(vf x) { return select(vabs(x) < 8388608.0f, x, vf{}); }
HEED_INLINE vf vtrunc(vf x) { return whereFractional(x, convert(truncate(inTruncatable(x)))); }
// Without copySign, as the sum is not negative: in it, zig 0.17.1 computes the wrong sign with
// AVX-512.
HEED_INLINE vf vround(vf x) {
  vf rounded = (vabs(x) + 8388608.0f) - 8388608.0f;
  return select(vabs(x) < 8388608.0f, floats(bits(rounded) | (bits(x) & SIGN)), x);
}
HEED_INLINE vf vfloor(vf x) {
  vf t = convert(truncate(inTruncatable(x)));
  return whereFractional(x, t + convert(t > x)); // a true comparison is -1
}
HEED_INLINE vf vceil(vf x) {
  vf t = convert(truncate(inTruncatable(x)));
  return whereFractional(x, t - convert(t < x));
}

// ---- Exponential and logarithm ----

HEED_INLINE vf powerOfTwo(vi n) { return floats((n + constant(127)) << 23); } // -127 < n < 128

// p * 2^n in two steps, so that n may exceed the range of one exponent (denormals, overflow).
HEED_INLINE vf scale(vf p, vi n) {
  vi half = n >> 1;
  return p * powerOfTwo(half) * powerOfTwo(n - half);
}

// Returns e^r - 1 for x = n ln 2 + r, |r| <= ln 2 / 2. ln 2 is split in two parts, so that n times
// the first one is exact.
HEED_INLINE vf expReduced(vf x, vf& n, vi& integer) {
  vf shifted = fma(x, constant(1.44269504088896341f), constant(ROUNDER));
  integer = bits(shifted) - constant(ROUNDER_BITS);
  n = shifted - constant(ROUNDER);
  vf r = fma(n, constant(-0.693359375f), x);
  r = fma(n, constant(2.12194440e-4f), r);
  vf p = fma(constant(1.9875691500e-4f), r, constant(1.3981999507e-3f));
  p = fma(p, r, constant(8.3334519073e-3f));
  p = fma(p, r, constant(4.1665795894e-2f));
  p = fma(p, r, constant(1.6666665459e-1f));
  p = fma(p, r, constant(5.0000001201e-1f));
  return fma(p, r * r, r);
}

// The comparisons are written in a form that propagates NaN.
HEED_INLINE vf clampKeepingNan(vf x, float least, float most) {
  const vf low = constant(least), high = constant(most);
  x = select(x < low, low, x);
  return select(x > high, high, x);
}

HEED_INLINE vf vexp(vf x) {
  vf n;
  vi integer;
  vf p = expReduced(clampKeepingNan(x, -104.0f, 89.0f), n, integer);
  return scale(p + constant(1.0f), integer);
}

// e^x for x <= 0. Results below 2^-126 become 0, which saves a fifth of the work.
HEED_INLINE vf vexpNegative(vf x) {
  vf n;
  vi integer;
  vf p = expReduced(select(x < constant(-87.3f), constant(-87.3f), x), n, integer);
  vf y = (p + constant(1.0f)) * powerOfTwo(integer);
  return select(x < constant(-87.3f), vf{}, y);
}

HEED_INLINE vf vexpm1(vf x) {
  vf n;
  vi integer;
  vf p = expReduced(clampKeepingNan(x, -25.0f, 89.0f), n, integer);
  vf half = powerOfTwo(integer - 1); // 2^n / 2, as 2^128 would overflow
  vf y = 2.0f * fma(half, p, half - 0.5f);
  return select(vabs(x) < 1e-4f, fma(x, x * 0.5f, x), y);
}

HEED_INLINE vf vlog(vf x) {
  vi tiny = x < 1.17549435e-38f; // denormal, 0 or negative
  vf scaled = select(tiny, x * 8388608.0f, x);
  vi shifted =
      bits(scaled) - 0x3F3504F3; // the bits of sqrt(1/2): mantissas fall into [sqrt(1/2), sqrt(2))
  vf e = convert((shifted >> 23) - (tiny & 23));
  vf m = floats((shifted & 0x7FFFFF) + 0x3F3504F3) - 1.0f;
  vf p = fma(constant(7.0376836292e-2f), m, constant(-1.1514610310e-1f));
  p = fma(p, m, constant(1.1676998740e-1f));
  p = fma(p, m, constant(-1.2420140846e-1f));
  p = fma(p, m, constant(1.4249322787e-1f));
  p = fma(p, m, constant(-1.6668057665e-1f));
  p = fma(p, m, constant(2.0000714765e-1f));
  p = fma(p, m, constant(-2.4999993993e-1f));
  p = fma(p, m, constant(3.3333331174e-1f));
  vf square = m * m;
  vf y = fma(e, constant(-2.12194440e-4f), p * m * square);
  y = m + (y - 0.5f * square);
  y = fma(e, constant(0.693359375f), y);
  y = select(x == INFINITY_F, x, y);
  y = select(x == 0.0f, splat(-INFINITY_F), y);
  return select((x < 0.0f) | (x != x), splat(NAN_F), y);
}

// log(1 + x) = log(u) + (rounding error of u = 1 + x) / u
HEED_INLINE vf vlog1p(vf x) {
  vf u = 1.0f + x;
  vf lost = x - (u - 1.0f);
  vf y = vlog(u);
  return select((u > 0.0f) & (u < INFINITY_F), y + lost / u, y);
}

// ---- Sigmoid family ----

HEED_INLINE vf vsigmoid(vf x) { return constant(1.0f) / (constant(1.0f) + vexp(-x)); }

// With t = e^(-2|x|) - 1: tanh |x| = -t / (2 + t), which neither cancels nor overflows.
HEED_INLINE vf vtanh(vf x) {
  vf n;
  vi integer;
  vf a = constant(-2.0f) * vabs(x);
  vf p = expReduced(select(a < constant(-25.0f), constant(-25.0f), a), n, integer);
  vf s = powerOfTwo(integer);
  vf t = fma(s, p, s - constant(1.0f));
  return copySign(-t / (constant(2.0f) + t), x);
}

// Rational approximation on [-3.92, 3.92] (Eigen's coefficients). Outside, erf rounds to ±1.
HEED_INLINE vf verf(vf x) {
  vf c = clampKeepingNan(x, -3.9192059f, 3.9192059f);
  vf s = c * c;
  vf p = fma(constant(-2.72614225801306e-10f), s, constant(2.77068142495902e-08f));
  p = fma(p, s, constant(-2.10102402082508e-06f));
  p = fma(p, s, constant(-5.69250639462346e-05f));
  p = fma(p, s, constant(-7.34990630326855e-04f));
  p = fma(p, s, constant(-2.95459980854025e-03f));
  p = fma(p, s, constant(-1.60960333262415e-02f));
  vf q = fma(constant(-1.45660718464996e-05f), s, constant(-2.13374055278905e-04f));
  q = fma(q, s, constant(-1.68282697438203e-03f));
  q = fma(q, s, constant(-7.37332916720468e-03f));
  q = fma(q, s, constant(-1.42647390514189e-02f));
  return select(vabs(x) >= constant(3.9192059f), copySign(constant(1.0f), x), c * p / q);
}

HEED_INLINE vf vsilu(vf x) { return x / (constant(1.0f) + vexp(-x)); }

// s + z s (1 - s) with s = sigmoid(x): the derivative of f sigmoid(x) for f' = 1 and z = f x'. 1 -
// s is computed as e^-x s, because the subtraction would cancel. |x| <= 80, so that z e^-x is
// finite.
HEED_INLINE vf sigmoidSlope(vf x, vf z) {
  vf e = vexp(-x);
  vf s = constant(1.0f) / (constant(1.0f) + e);
  return s * fma(z * e, s, constant(1.0f));
}

HEED_INLINE vf vsiluBackward(vf x, vf dy) {
  vf c = clampKeepingNan(x, -80.0f, 80.0f);
  return dy * sigmoidSlope(c, c);
}

HEED_INLINE vf vgelu(vf x) {
  return constant(0.5f) * x * (constant(1.0f) + verf(x * constant(0.70710678118654752f)));
}

// d gelu = Phi(x) + x phi(x)
HEED_INLINE vf vgeluBackward(vf x, vf dy) {
  vf cumulative = fma(verf(x * constant(0.70710678118654752f)), constant(0.5f), constant(0.5f));
  vf a = vabs(x);
  a = select(a > constant(14.0f), constant(14.0f),
             a); // above 14 the density is 0 in float; avoids inf * 0
  vf density = vexpNegative(constant(-0.5f) * a * a) * constant(0.39894228040143268f);
  return dy * fma(copySign(a, x), density, cumulative);
}

// gelu ~ x sigmoid(2u) = x (1 + tanh u) / 2, u = sqrt(2/pi) (x + 0.044715 x^3)
HEED_INLINE vf vgeluTanh(vf x) {
  vf twice = x * fma(x * x, constant(2 * 0.79788456080286536f * 0.044715f),
                     constant(2 * 0.79788456080286536f));
  return x / (constant(1.0f) + vexp(-twice));
}

HEED_INLINE vf vgeluTanhBackward(vf x, vf dy) {
  vf c = clampKeepingNan(x, -9.5f, 9.5f); // where 2u = ±76; outside, the derivative is 0 or 1
  vf square = c * c;
  vf twice = c * fma(square, constant(2 * 0.79788456080286536f * 0.044715f),
                     constant(2 * 0.79788456080286536f));
  vf slope = fma(square, constant(6 * 0.79788456080286536f * 0.044715f),
                 constant(2 * 0.79788456080286536f));
  return dy * sigmoidSlope(twice, c * slope);
}

// ---- Sine and cosine ----

constexpr float LARGEST_REDUCED = 1e5f;

// x = k pi/2 + r. The first three parts of pi/2 have 8 bits, so k times each is exact for k < 2^16.
HEED_INLINE vf sinQuadrant(vf x, int32_t shift) {
  vf shifted = x * 0.63661977236758134f + ROUNDER;
  vi quadrant = bits(shifted) + shift;
  vf k = shifted - ROUNDER;
  vf r = x - k * 1.5703125f;
  r = r - k * 4.825592041015625e-4f;
  r = r - k * 1.2665987014770508e-06f;
  r = r - k * 9.92093629470503e-10f;
  vf s = r * r;
  vf sine =
      fma(fma(splat(-1.9515295891e-4f), s, splat(8.3321608736e-3f)), s, splat(-1.6666654611e-1f));
  sine = fma(sine * s, r, r);
  vf cosine = fma(fma(splat(2.443315711809948e-5f), s, splat(-1.388731625493765e-3f)), s,
                  splat(4.166664568298827e-2f));
  cosine = fma(cosine, s * s, fma(s, splat(-0.5f), splat(1.0f)));
  vf y = select((quadrant & 1) != 0, cosine, sine);
  return floats(bits(y) ^ ((quadrant & 2) << 30));
}

template <class Exact> HEED_INLINE vf sinOrCos(vf x, int32_t shift, Exact exact) {
  vf y = sinQuadrant(x, shift);
  vi beyond = ~(vabs(x) <= LARGEST_REDUCED); // inf and NaN too
  if (__builtin_expect(any(beyond), 0))
    for (int i = 0; i < VL; i++)
      if (beyond[i]) y[i] = (float)exact((double)x[i]);
  return y;
}
HEED_INLINE vf vsin(vf x) {
  return sinOrCos(x, 0, [](double v) { return std::sin(v); });
}
HEED_INLINE vf vcos(vf x) {
  return sinOrCos(x, 1, [](double v) { return std::cos(v); });
}

// ---- Power ----

typedef double vd __attribute__((vector_size(4 * VL))); // half as many lanes
typedef float vHalf __attribute__((vector_size(2 * VL)));

// m^y 2^(e y) = 2^n p. log2 and the fraction are computed in double: |y log2 x| reaches 150, where
// float has too few digits.
static inline void powHalf(vHalf m, vHalf e, vHalf y, vHalf& p, vHalf& n) {
  vd x = __builtin_convertvector(m, vd);
  vd s = (x - 1.0) / (x + 1.0), q = s * s; // log2 x = 2/ln2 (s + s^3/3 + s^5/5 + ...), |s| < 0.172
  vd sum =
      (((((q / 13 + 1.0 / 11) * q + 1.0 / 9) * q + 1.0 / 7) * q + 1.0 / 5) * q + 1.0 / 3) * q + 1;
  vd log2 = __builtin_convertvector(e, vd) + s * sum * 2.8853900817779268;
  vd t = __builtin_convertvector(y, vd) * log2;
  t = t < -200.0 ? vd{} - 200.0 : t;
  t = t > 200.0 ? vd{} + 200.0 : t;
  vd whole = (t + 6755399441055744.0) - 6755399441055744.0; // 1.5 * 2^52 rounds to an integer
  vd r = (t - whole) * 0.69314718055994531;
  vd f = (r / 5040 + 1.0 / 720) * r + 1.0 / 120;
  f = (((f * r + 1.0 / 24) * r + 1.0 / 6) * r + 0.5) * r * r + r + 1.0;
  p = __builtin_convertvector(f, vHalf);
  n = __builtin_convertvector(whole, vHalf);
}

// Like pow in C: for x < 0 the result is NaN unless y is an integer; pow(x, 0) = pow(1, y) = 1 even
// for NaN.
HEED_INLINE vf vpow(vf x, vf y) {
  vf a = vabs(x);
  vi tiny = a < 1.17549435e-38f;
  vi shifted = bits(select(tiny, a * 8388608.0f, a)) - 0x3F3504F3;
  vf e = convert((shifted >> 23) - (tiny & 23));
  vf m = floats((shifted & 0x7FFFFF) + 0x3F3504F3), p, n;
  vHalf mh[2], eh[2], yh[2], ph[2], nh[2];
  memcpy(mh, &m, sizeof m), memcpy(eh, &e, sizeof e), memcpy(yh, &y, sizeof y);
  for (int h = 0; h < 2; h++) powHalf(mh[h], eh[h], yh[h], ph[h], nh[h]);
  memcpy(&p, ph, sizeof p), memcpy(&n, nh, sizeof n);
  vf r = scale(p, truncate(select(n == n, n, vf{})));

  vi grows = (a > 1.0f) ^ (y < 0.0f); // where |x| or |y| is infinite, or x is 0
  vi extreme = (a == 0.0f) | (a == INFINITY_F) | (vabs(y) == INFINITY_F);
  r = select(extreme, select(grows, splat(INFINITY_F), vf{}), r);
  vi whole = vtrunc(y) == y;
  vi odd = whole & (vtrunc(y * 0.5f) != y * 0.5f);
  r = select((x < 0.0f) & ~whole & (a < INFINITY_F), splat(NAN_F), r);
  r = floats(bits(r) ^ (odd & bits(x) & SIGN));
  r = select((x != x) | (y != y), splat(NAN_F), r);
  vi one = (y == 0.0f) | (x == 1.0f) | ((x == -1.0f) & (vabs(y) == INFINITY_F));
  return select(one, splat(1.0f), r);
}

} // namespace HEED_ISA
} // namespace heed
