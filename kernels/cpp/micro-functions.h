// One function for each micro-op, over n lanes (a multiple of VL). d may be a, b or c.
#pragma once
#include "math.h"
#include "micro-ops.h"

namespace heed {
namespace HEED_ISA {

using MicroFunction = void (*)(uint32_t* d, const uint32_t* a, const uint32_t* b, const uint32_t* c,
                               int64_t n);

#define HEED_MICRO(name, type, expression)                                                         \
  static void run_##name(uint32_t* d_, const uint32_t* a_, const uint32_t* b_, const uint32_t* c_, \
                         int64_t n_) {                                                             \
    for (int64_t i_ = 0; i_ < n_; i_ += VL) {                                                      \
      type a = (type)load((const int32_t*)a_ + i_), b = (type)load((const int32_t*)b_ + i_);       \
      (void)b, (void)c_;                                                                           \
      store((int32_t*)d_ + i_, (vi)(expression));                                                  \
    }                                                                                              \
  }
// For operations without a vector form.
#define HEED_MICRO_SCALAR(name, type, expression)                                               \
  static void run_##name(uint32_t* d_, const uint32_t* a_, const uint32_t* b_, const uint32_t*, \
                         int64_t n_) {                                                          \
    for (int64_t i_ = 0; i_ < n_; i_++) {                                                       \
      type a, b;                                                                                \
      memcpy(&a, a_ + i_, 4), memcpy(&b, b_ + i_, 4);                                           \
      type r_ = (expression);                                                                   \
      memcpy(d_ + i_, &r_, 4);                                                                  \
    }                                                                                           \
  }

// ---- f32 ----

HEED_MICRO(add_f32, vf, a + b)
HEED_MICRO(sub_f32, vf, a - b)
HEED_MICRO(mul_f32, vf, a* b)
HEED_MICRO(div_f32, vf, a / b)
HEED_MICRO(pow_f32, vf, vpow(a, b))
HEED_MICRO(max_f32, vf, select((a > b) | (a != a), a, b))
HEED_MICRO(min_f32, vf, select((a < b) | (a != a), a, b))
HEED_MICRO(eq_f32, vf, (a == b) & 1)
HEED_MICRO(ne_f32, vf, (a != b) & 1)
HEED_MICRO(lt_f32, vf, (a < b) & 1)
HEED_MICRO(le_f32, vf, (a <= b) & 1)
HEED_MICRO(neg_f32, vf, bits(a) ^ SIGN)
HEED_MICRO(abs_f32, vf, vabs(a))
// 0 for NaN, as in PyTorch.
HEED_MICRO(sign_f32, vf, select((a < 0.0f) | (a > 0.0f), copySign(splat(1.0f), a), splat(0.0f)))
HEED_MICRO(exp_f32, vf, vexp(a))
HEED_MICRO(log_f32, vf, vlog(a))
HEED_MICRO(log1p_f32, vf, vlog1p(a))
HEED_MICRO(expm1_f32, vf, vexpm1(a))
HEED_MICRO(sqrt_f32, vf, vsqrt(a))
HEED_MICRO(rsqrt_f32, vf, 1.0f / vsqrt(a))
HEED_MICRO(recip_f32, vf, 1.0f / a)
HEED_MICRO(sin_f32, vf, vsin(a))
HEED_MICRO(cos_f32, vf, vcos(a))
HEED_MICRO(tanh_f32, vf, vtanh(a))
HEED_MICRO(erf_f32, vf, verf(a))
HEED_MICRO(sigmoid_f32, vf, vsigmoid(a))
HEED_MICRO(floor_f32, vf, vfloor(a))
HEED_MICRO(ceil_f32, vf, vceil(a))
HEED_MICRO(round_f32, vf, vround(a))
HEED_MICRO(trunc_f32, vf, vtrunc(a))
HEED_MICRO(gelu_f32, vf, vgelu(a))
HEED_MICRO(geluTanh_f32, vf, vgeluTanh(a))
HEED_MICRO(silu_f32, vf, vsilu(a))
HEED_MICRO(geluBackward_f32, vf, vgeluBackward(a, b))
HEED_MICRO(geluTanhBackward_f32, vf, vgeluTanhBackward(a, b))
HEED_MICRO(siluBackward_f32, vf, vsiluBackward(a, b))

// Below 2^28, the integer part of the double quotient is correct, and its product with b is exact.
static inline float flooredMod(float a, float b) {
  const double quotient = (double)a / b;
  float r;
  if (quotient > -268435456.0 && quotient < 268435456.0 && b - b == 0.0f)
    r = (float)(a - (double)(int64_t)quotient * b);
  else r = (float)std::fmod((double)a, (double)b);
  return r != 0 && (r < 0) != (b < 0) ? r + b : r;
}
HEED_MICRO_SCALAR(mod_f32, float, flooredMod(a, b))

// Powers with a constant exponent, which are exact and much cheaper.
HEED_MICRO(square, vf, a* a)
HEED_MICRO(cube, vf, a* a* a)

// ---- integers: arithmetic on unsigned lanes, so that it wraps ----

// clang-format off
#define HEED_MICRO_BITS(type, v) \
  HEED_MICRO(add_##type, vu, a + b) \
  HEED_MICRO(sub_##type, vu, a - b) \
  HEED_MICRO(mul_##type, vu, a * b) \
  HEED_MICRO(neg_##type, vu, vu{} - a) \
  HEED_MICRO(and_##type, vu, a & b) \
  HEED_MICRO(or_##type, vu, a | b) \
  HEED_MICRO(xor_##type, vu, a ^ b) \
  HEED_MICRO(not_##type, vu, ~a) \
  HEED_MICRO(shl_##type, vu, a << (b & 31)) \
  HEED_MICRO(shr_##type, v, a >> (b & 31)) \
  HEED_MICRO(eq_##type, vu, (vi)(a == b) & 1) \
  HEED_MICRO(ne_##type, vu, (vi)(a != b) & 1) \
  HEED_MICRO(lt_##type, v, (vi)(a < b) & 1) \
  HEED_MICRO(le_##type, v, (vi)(a <= b) & 1) \
  HEED_MICRO(max_##type, v, select((vi)(a > b), (vf)a, (vf)b)) \
  HEED_MICRO(min_##type, v, select((vi)(a < b), (vf)a, (vf)b))
// clang-format on
HEED_MICRO_BITS(i32, vi)
HEED_MICRO_BITS(u32, vu)

HEED_MICRO(abs_i32, vu, select((vi)a < 0, (vf)(vu{} - a), (vf)a))
HEED_MICRO(sign_i32, vi, (a >> 31) | (vi)((a > 0) & 1))
HEED_MICRO(abs_u32, vu, a)
HEED_MICRO(sign_u32, vu, (vi)(a != 0) & 1)
HEED_MICRO(not_bool, vu, 1 - a)

static inline int32_t floorDiv(int32_t a, int32_t b) {
  if (b == 0) return 0;
  if (b == -1)
    return (int32_t)(0u - (uint32_t)a); // the only divisor for which a quotient overflows
  return a / b - (a % b != 0 && (a < 0) != (b < 0));
}
static inline int32_t floorMod(int32_t a, int32_t b) {
  if (b == 0 || b == -1) return 0;
  const int32_t r = a % b;
  return r != 0 && (r < 0) != (b < 0) ? r + b : r;
}
HEED_MICRO_SCALAR(div_i32, int32_t, floorDiv(a, b))
HEED_MICRO_SCALAR(mod_i32, int32_t, floorMod(a, b))
HEED_MICRO_SCALAR(div_u32, uint32_t, b ? a / b : 0)
HEED_MICRO_SCALAR(mod_u32, uint32_t, b ? a % b : 0)

// ---- casts, select ----

HEED_INLINE vi toI32(vf x) {
  vi inside = (x >= -2147483648.0f) & (x < 2147483648.0f);
  vi n = truncate(select(inside, x, vf{}));
  n = (vi)select(x >= 2147483648.0f, (vf)splat(INT32_MAX), (vf)n);
  return (vi)select(x < -2147483648.0f, (vf)splat(INT32_MIN), (vf)n);
}
HEED_INLINE vi toU32(vf x) {
  vi upper = x >= 2147483648.0f;
  vi n = toI32(select(upper, x - 2147483648.0f, x)) ^ (upper & INT32_MIN);
  n = (vi)select(x >= 4294967296.0f, (vf)splat(-1), (vf)n);
  return n & (x > 0.0f);
}
// Both halves are exact, so only the sum is rounded.
HEED_INLINE vf fromU32(vu x) {
  return convert((vi)(x >> 16)) * 65536.0f + convert((vi)(x & 0xFFFF));
}

HEED_MICRO(cast_f32_i32, vf, toI32(a))
HEED_MICRO(cast_f32_u32, vf, toU32(a))
HEED_MICRO(cast_i32_f32, vi, convert(a))
HEED_MICRO(cast_u32_f32, vu, fromU32(a))
HEED_MICRO(cast_f32_bool, vf, (a != 0.0f) & 1)
HEED_MICRO(cast_i32_bool, vi, (a != 0) & 1)
HEED_MICRO(cast_i32_u8, vi, a & 255)
HEED_MICRO(copy, vi, a)
HEED_MICRO(select, vi, select(a != 0, (vf)b, (vf)load((const int32_t*)c_ + i_)))

// These depend on the position of the block: see Machine.
constexpr MicroFunction run_index = nullptr, run_linear = nullptr, run_random = nullptr;

#define HEED_MICRO_ENTRY(name) run_##name,
constexpr MicroFunction microFunctions[] = {HEED_MICRO_OPS(HEED_MICRO_ENTRY)};
#undef HEED_MICRO_ENTRY
#undef HEED_MICRO
#undef HEED_MICRO_BITS
#undef HEED_MICRO_SCALAR

} // namespace HEED_ISA
} // namespace heed
