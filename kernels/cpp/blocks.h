// Numbers in GGUF's blocks, seen as groups of 32 that are  scale * (u - OFFSET) + shift  with u a
// byte each. Half of a group may have a scale of its own. Everything is 32 bytes wide, whatever the
// instruction set.
#pragma once
#include "block-sizes.h"
#include "gemm-tile.h"

#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic ignored \
    "-Wpsabi" // vectors never pass between functions that are not inlined
#endif

namespace heed {
namespace HEED_ISA {

typedef uint8_t Bytes __attribute__((vector_size(32)));
typedef int32_t Lanes __attribute__((vector_size(32)));
typedef float FloatLanes __attribute__((vector_size(32)));
constexpr int64_t GROUP = 32;

template <class V> HEED_INLINE V loadAs(const void* from) {
  V v;
  memcpy(&v, from, sizeof v);
  return v;
}
HEED_INLINE FloatLanes splat8(float x) { return x - FloatLanes{}; }
HEED_INLINE Bytes everyByte(uint8_t x) { return x - Bytes{}; }

HEED_INLINE float half(const float* table, const uint8_t* at) {
  return table[loadAs<uint16_t>(at)];
}

// 32 numbers in 16 bytes: the first half in the low bits.
HEED_INLINE Bytes nibbles(const uint8_t* at) {
  typedef uint64_t Pair __attribute__((vector_size(16)));
  typedef uint64_t Words __attribute__((vector_size(32)));
  const Pair pair = loadAs<Pair>(at);
  const Words twice = __builtin_shufflevector(pair, pair, 0, 1, 0, 1);
  return (Bytes)(twice >> Words{0, 0, 4, 4}) & everyByte(15);
}

struct Q8_0 {
  static constexpr BlockFormat FORMAT = BlockFormat::q8_0;
  static constexpr int OFFSET = 128;
  static constexpr bool SHIFTED = false, NIBBLES = false;
  HEED_INLINE Bytes numbers(const uint8_t* block, int) {
    return loadAs<Bytes>(block + 2) ^ everyByte(128);
  }
  HEED_INLINE FloatLanes scale(const float* table, const uint8_t* block, int) {
    return splat8(half(table, block));
  }
  HEED_INLINE float shift(const float*, const uint8_t*, int) { return 0; }
};

struct Q4_0 {
  static constexpr BlockFormat FORMAT = BlockFormat::q4_0;
  static constexpr int OFFSET = 8;
  static constexpr bool SHIFTED = false, NIBBLES = true;
  HEED_INLINE Bytes numbers(const uint8_t* block, int) { return nibbles(block + 2); }
  HEED_INLINE FloatLanes scale(const float* table, const uint8_t* block, int) {
    return splat8(half(table, block));
  }
  HEED_INLINE float shift(const float*, const uint8_t*, int) { return 0; }
};

struct Q4_1 {
  static constexpr BlockFormat FORMAT = BlockFormat::q4_1;
  static constexpr int OFFSET = 0;
  static constexpr bool SHIFTED = true, NIBBLES = true;
  HEED_INLINE Bytes numbers(const uint8_t* block, int) { return nibbles(block + 4); }
  HEED_INLINE FloatLanes scale(const float* table, const uint8_t* block, int) {
    return splat8(half(table, block));
  }
  HEED_INLINE float shift(const float* table, const uint8_t* block, int) {
    return half(table, block + 2);
  }
};

// Eight groups with scales and shifts of 6 bits: 12 bytes hold those of the first four groups
// whole; of the others four bits there, and two above the first ones'.
struct Q4_K {
  static constexpr BlockFormat FORMAT = BlockFormat::q4_k;
  static constexpr int OFFSET = 0;
  static constexpr bool SHIFTED = true, NIBBLES = false;
  HEED_INLINE Bytes numbers(const uint8_t* block, int group) {
    const Bytes both = loadAs<Bytes>(block + 16 + group / 2 * 32);
    return group % 2 ? both >> 4 : both & everyByte(15);
  }
  HEED_INLINE FloatLanes scale(const float* table, const uint8_t* block, int group) {
    const uint8_t* six = block + 4;
    const int s = group < 4 ? six[group] & 63 : (six[group + 4] & 15) | six[group - 4] >> 6 << 4;
    return splat8(half(table, block) * (float)s);
  }
  HEED_INLINE float shift(const float* table, const uint8_t* block, int group) {
    const uint8_t* six = block + 4;
    const int s = group < 4 ? six[group + 4] & 63 : six[group + 4] >> 4 | six[group] >> 6 << 4;
    return -half(table, block + 2) * (float)s;
  }
};

// Eight groups: of each half of the block, 64 bytes of four low bits and 32 of two high bits.
struct Q6_K {
  static constexpr BlockFormat FORMAT = BlockFormat::q6_k;
  static constexpr int OFFSET = 32;
  static constexpr bool SHIFTED = false, NIBBLES = false;
  HEED_INLINE Bytes numbers(const uint8_t* block, int group) {
    const int first = group / 4, quarter = group % 4;
    const Bytes low = loadAs<Bytes>(block + first * 64 + quarter % 2 * 32);
    const Bytes high = loadAs<Bytes>(block + 128 + first * 32);
    const Bytes four = quarter < 2 ? low & everyByte(15) : low >> 4;
    return four | (high >> everyByte((uint8_t)(2 * quarter)) & everyByte(3)) << 4;
  }
  HEED_INLINE FloatLanes scale(const float* table, const uint8_t* block, int group) {
    const float d = half(table, block + 208);
    const int8_t* s = (const int8_t*)block + 192 + 2 * group;
    const float a = d * (float)s[0], b = d * (float)s[1];
    return FloatLanes{a, a, a, a, b, b, b, b};
  }
  HEED_INLINE float shift(const float*, const uint8_t*, int) { return 0; }
};

template <class F> constexpr BlockSize sizeOfBlock() { return blockSizes[(int)F::FORMAT]; }

// A row of `blocks` blocks as floats.
template <class F>
static void dequantizeRow(const float* table, const uint8_t* block, int64_t blocks, float* to) {
  constexpr BlockSize size = sizeOfBlock<F>();
  typedef uint8_t Eight __attribute__((vector_size(8)));
  for (int64_t b = 0; b < blocks; b++, block += size.bytes) {
    for (int g = 0; g < size.numbers / GROUP; g++, to += GROUP) {
      uint8_t u[GROUP];
      const Bytes numbers = F::numbers(block, g);
      memcpy(u, &numbers, sizeof u);
      const FloatLanes scale = F::scale(table, block, g);
      const float shift = F::shift(table, block, g);
      HEED_UNROLL
      for (int i = 0; i < 4; i++) {
        // The first 16 numbers have the first half's scale.
        const FloatLanes own = splat8(scale[i < 2 ? 0 : 4]);
        const Lanes level = __builtin_convertvector(loadAs<Eight>(u + 8 * i), Lanes) - F::OFFSET;
        const FloatLanes value = __builtin_convertvector(level, FloatLanes) * own + shift;
        memcpy(to + 8 * i, &value, sizeof value);
      }
    }
  }
}

} // namespace HEED_ISA
} // namespace heed
