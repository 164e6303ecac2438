// Numbers as unsigned keys of the same order, for sort, topk and the arg-reductions.
#pragma once
#include "program.h"
#include "simd.h"

namespace heed {
namespace HEED_ISA {

enum class KeyType { f32, i32, u32 };

HEED_INLINE KeyType keyTypeOf(DType t) {
  return t == DType::f32 ? KeyType::f32 : t == DType::i32 ? KeyType::i32 : KeyType::u32;
}

// Floats: -0 equals 0; every NaN is the greatest key.
HEED_INLINE uint32_t orderKey(uint32_t bits, KeyType type) {
  if (type == KeyType::u32) return bits;
  if (type == KeyType::i32) return bits ^ 0x80000000u;
  if ((bits & 0x7FFFFFFFu) > 0x7F800000u) return UINT32_MAX;
  if (bits == 0x80000000u) bits = 0;
  return bits & 0x80000000u ? ~bits : bits | 0x80000000u;
}

// Keys of a whole block; written so that compilers vectorise it. With `least`, a smaller number has the
// greater key, and NaN has the greatest still.
static void orderKeys(const uint32_t* from, uint32_t* to, int64_t n, KeyType type, bool least) {
  if (type == KeyType::f32) {
    const uint32_t flip = least ? UINT32_MAX : 0;
    for (int64_t i = 0; i < n; i++) {
      const uint32_t b = from[i] == 0x80000000u ? 0 : from[i];
      const uint32_t key = (b ^ ((uint32_t)((int32_t)b >> 31) | 0x80000000u)) ^ flip;
      to[i] = (b & 0x7FFFFFFFu) > 0x7F800000u ? UINT32_MAX : key;
    }
  } else {
    const uint32_t flip = (type == KeyType::i32 ? 0x80000000u : 0) ^ (least ? UINT32_MAX : 0);
    for (int64_t i = 0; i < n; i++) to[i] = from[i] ^ flip;
  }
}

} // namespace HEED_ISA
} // namespace heed
