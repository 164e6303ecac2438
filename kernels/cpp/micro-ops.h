// The instructions of the register machine inside `elementwise` and `reduce` (see vm.h).
// An instruction is (op, dst, a, b, c). Registers hold 32-bit lanes; the suffix of the op is their
// type.
#pragma once
#include "program.h"

namespace heed {

// clang-format off
#define HEED_MICRO_OPS(O) \
  /* comparisons give 0 or 1 as i32; max and min propagate NaN; mod has the divisor's sign */ \
  O(add_f32) O(sub_f32) O(mul_f32) O(div_f32) O(pow_f32) O(mod_f32) O(max_f32) O(min_f32) \
  O(eq_f32) O(ne_f32) O(lt_f32) O(le_f32) \
  O(neg_f32) O(abs_f32) O(sign_f32) O(exp_f32) O(log_f32) O(log1p_f32) O(expm1_f32) O(sqrt_f32) \
  O(rsqrt_f32) O(recip_f32) O(sin_f32) O(cos_f32) O(tanh_f32) O(erf_f32) O(sigmoid_f32) \
  O(floor_f32) O(ceil_f32) O(round_f32) O(trunc_f32) \
  O(gelu_f32) O(geluTanh_f32) O(silu_f32) \
  /* a = x, b = the gradient of the result */ \
  O(geluBackward_f32) O(geluTanhBackward_f32) O(siluBackward_f32) \
  /* integers wrap; div rounds to -infinity; division by 0 gives 0; shift counts are */ \
  /* modulo 32 */ \
  O(add_i32) O(sub_i32) O(mul_i32) O(div_i32) O(mod_i32) O(max_i32) O(min_i32) \
  O(eq_i32) O(ne_i32) O(lt_i32) O(le_i32) O(neg_i32) O(abs_i32) O(sign_i32) \
  O(and_i32) O(or_i32) O(xor_i32) O(not_i32) O(shl_i32) O(shr_i32) \
  O(add_u32) O(sub_u32) O(mul_u32) O(div_u32) O(mod_u32) O(max_u32) O(min_u32) \
  O(eq_u32) O(ne_u32) O(lt_u32) O(le_u32) O(neg_u32) O(abs_u32) O(sign_u32) \
  O(and_u32) O(or_u32) O(xor_u32) O(not_u32) O(shl_u32) O(shr_u32) \
  O(not_bool) /* 1 - a */ \
  O(select)   /* a != 0 ? b : c, of any type */ \
  O(copy)     /* also a bit cast */ \
  O(cast_f32_i32) O(cast_f32_u32) /* truncate, saturate; NaN gives 0 */ \
  O(cast_i32_f32) O(cast_u32_f32) O(cast_f32_bool) O(cast_i32_bool) O(cast_i32_u8) \
  O(index)    /* the element's index along axis a (a number, not a register), i32 */ \
  O(linear)   /* its linear index in the iteration shape, low 32 bits, u32 */ \
  O(random)   /* Threefry bits of the linear index under the key words in a and b, u32 */
// clang-format on

#define HEED_MICRO_NUMBER(name) name,
enum class MicroOp : uint8_t { HEED_MICRO_OPS(HEED_MICRO_NUMBER) count };
#undef HEED_MICRO_NUMBER

} // namespace heed
