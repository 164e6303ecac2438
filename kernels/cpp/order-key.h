// Converts numbers to unsigned keys with the same order, for sort, topk and the arg-reductions.
#pragma once
#include "program.h"
#include "simd.h"

namespace heed {
namespace HEED_ISA {

enum class KeyType { f32, i32, u32 };

HEED_INLINE KeyType keyTypeOf(DType t) {
  return t == DType::f32 ? KeyType::f32 : t == DType::i32 ? KeyType::i32 : KeyType::u32;
}

// Computes the keys of a block of words. For floats, -0 equals 0, and every NaN has the largest
// key. `flip` (0 or all ones) reverses the order; with `nanFirst`, NaN still has the largest key.
static void orderKeys(const uint32_t* from, uint32_t* to, int64_t n, KeyType type, uint32_t flip,
                      bool nanFirst) {
  if (type == KeyType::f32) {
    const uint32_t nan = nanFirst ? UINT32_MAX : UINT32_MAX ^ flip;
    for (int64_t i = 0; i < n; i++) { // written in a form that compilers vectorise
      const uint32_t b = from[i] == 0x80000000u ? 0 : from[i];
      const uint32_t key = b ^ ((uint32_t)((int32_t)b >> 31) | 0x80000000u) ^ flip;
      to[i] = (b & 0x7FFFFFFFu) > 0x7F800000u ? nan : key;
    }
  } else {
    const uint32_t mask = (type == KeyType::i32 ? 0x80000000u : 0) ^ flip;
    for (int64_t i = 0; i < n; i++) to[i] = from[i] ^ mask;
  }
}

} // namespace HEED_ISA
} // namespace heed
