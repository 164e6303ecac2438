// Blocks of GGUF as groups of 32 numbers  scale * (u - OFFSET) + shift  with one byte u each. If
// HALVES is 2, each half of a group has a separate scale.
#pragma once
#include "block-sizes.h"
#include "byte-vectors.h"
#include "gemm-tile.h"

namespace heed {
namespace HEED_ISA {

constexpr int64_t GROUP = 32;

HEED_INLINE float half(const float* table, const uint8_t* at) {
  return table[loadAs<uint16_t>(at)];
}

// Unpacks 32 numbers from 16 bytes. The low bits hold the first half.
HEED_INLINE Bytes nibbles(const uint8_t* at) {
  const HalfBytes both = loadAs<HalfBytes>(at);
  return joined(both & 15, both >> 4);
}

// Expands 32 bits to bytes that are 16 or 0.
HEED_INLINE Bytes sixteens(const uint8_t* at) {
#if defined(__AVX512BW__)
  return (Bytes)_mm256_maskz_set1_epi8(loadAs<uint32_t>(at), 16);
#else
  const Bytes four = (Bytes)(loadAs<int32_t>(at) - Lanes{});
  const Bytes spread =
      __builtin_shufflevector(four, four, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1, 18, 18,
                              18, 18, 18, 18, 18, 18, 19, 19, 19, 19, 19, 19, 19, 19);
  typedef uint64_t Words __attribute__((vector_size(32)));
  const Bytes bits = (Bytes)(0x8040201008040201 - Words{});
  return (Bytes)((spread & bits) == bits) & everyByte(16);
#endif
}

// ---- Blocks of one group. They start with a scale; in some formats a shift follows.
// FIFTH is the position of the fifth bits of the numbers; 0 if there are none.

struct Q8_0 {
  static constexpr BlockFormat FORMAT = BlockFormat::q8_0;
  static constexpr int OFFSET = 128, HALVES = 1, FIFTH = 0;
  static constexpr bool SHIFTED = false, NIBBLES = false;
  HEED_INLINE Bytes numbers(const uint8_t* block, int) {
    return loadAs<Bytes>(block + 2) ^ everyByte(128);
  }
};

template <BlockFormat FORMAT_, int OFFSET_, bool SHIFTED_, int FIFTH_> struct Nibbles {
  static constexpr BlockFormat FORMAT = FORMAT_;
  static constexpr int OFFSET = OFFSET_, HALVES = 1, FIFTH = FIFTH_;
  static constexpr bool SHIFTED = SHIFTED_, NIBBLES = true;
  // The values that the bits stand for, in vectors of any width.
  template <class V> HEED_INLINE V levels(V bits) { return bits; }
  HEED_INLINE Bytes numbers(const uint8_t* block, int) {
    const Bytes four = nibbles(block + blockSizes[(int)FORMAT].bytes - 16);
    return FIFTH > 0 ? four | sixteens(block + FIFTH) : four;
  }
};
using Q4_0 = Nibbles<BlockFormat::q4_0, 8, false, 0>;
using Q4_1 = Nibbles<BlockFormat::q4_1, 0, true, 0>;
using Q5_0 = Nibbles<BlockFormat::q5_0, 16, false, 2>;
using Q5_1 = Nibbles<BlockFormat::q5_1, 0, true, 4>;

// 16 levels, which are denser near 0.
struct IQ4_NL : Nibbles<BlockFormat::iq4_nl, 128, false, 0> {
  static constexpr HalfBytes LEVELS = {1,   24,  45,  63,  79,  93,  106, 118,
                                       129, 141, 153, 166, 181, 197, 217, 241}; // + OFFSET
  template <class V> HEED_INLINE V levels(V bits) { return lookUp(LEVELS, bits); }
  HEED_INLINE Bytes numbers(const uint8_t* block, int) { return levels(nibbles(block + 2)); }
};

// Formats whose numbers are plain nibbles.
template <class F> constexpr bool plainNibbles = false;
template <> constexpr bool plainNibbles<Q4_0> = true;
template <> constexpr bool plainNibbles<Q4_1> = true;

template <class F> constexpr BlockSize sizeOfBlock() { return blockSizes[(int)F::FORMAT]; }
template <class F> constexpr int groupsOfBlock() { return (int)(sizeOfBlock<F>().numbers / GROUP); }

// Scales and shifts of the groups of a block.
template <class F> struct Factors {
  float scale[groupsOfBlock<F>() * F::HALVES];
  float shift[groupsOfBlock<F>()];
};

// ---- Blocks of eight groups.

typedef uint8_t Eight __attribute__((vector_size(8)));
typedef int8_t SignedEight __attribute__((vector_size(8)));

template <class V> HEED_INLINE FloatLanes asFloats(V bytes) {
  return __builtin_convertvector(__builtin_convertvector(bytes, Lanes), FloatLanes);
}
HEED_INLINE void storeFloats(float* to, FloatLanes x) { memcpy(to, &x, sizeof x); }

// Reads scales and shifts of 6 bits from 12 bytes. Those of the first four groups are stored in one
// piece. Of the other four groups, four bits are stored in the last four bytes, and two bits above
// the values of the first groups.
template <class F>
HEED_INLINE void sixBitFactors(const float* table, const uint8_t* block, Factors<F>& to) {
  constexpr uint32_t FOUR = 0x0f0f0f0f, SIX = 0x3f3f3f3f, TWO = 0x30303030;
  const uint32_t a = loadAs<uint32_t>(block + 4), b = loadAs<uint32_t>(block + 8),
                 c = loadAs<uint32_t>(block + 12);
  const uint32_t scales[] = {a & SIX, (c & FOUR) | (a >> 2 & TWO)};
  const uint32_t shifts[] = {b & SIX, (c >> 4 & FOUR) | (b >> 2 & TWO)};
  storeFloats(to.scale, half(table, block) * asFloats(loadAs<Eight>(scales)));
  storeFloats(to.shift, -half(table, block + 2) * asFloats(loadAs<Eight>(shifts)));
}

// Groups 2 i and 2 i + 1 in the low and high bits of 32 bytes.
HEED_INLINE Bytes nibblesOfGroup(const uint8_t* at, int group) {
  const Bytes both = loadAs<Bytes>(at + group / 2 * 32);
  return group % 2 ? both >> 4 : both & everyByte(15);
}

struct Q4_K {
  static constexpr BlockFormat FORMAT = BlockFormat::q4_k;
  static constexpr int OFFSET = 0, HALVES = 1;
  static constexpr bool SHIFTED = true, NIBBLES = false;
  HEED_INLINE Bytes numbers(const uint8_t* block, int group) {
    return nibblesOfGroup(block + 16, group);
  }
  HEED_INLINE void factors(const float* table, const uint8_t* block, Factors<Q4_K>& to) {
    sixBitFactors(table, block, to);
  }
};

// Each of 32 bytes holds the fifth bit of one number of every group.
struct Q5_K {
  static constexpr BlockFormat FORMAT = BlockFormat::q5_k;
  static constexpr int OFFSET = 0, HALVES = 1;
  static constexpr bool SHIFTED = true, NIBBLES = false;
  HEED_INLINE Bytes numbers(const uint8_t* block, int group) {
    const Bytes fifth = loadAs<Bytes>(block + 16) >> everyByte((uint8_t)group) & everyByte(1);
    return nibblesOfGroup(block + 48, group) | fifth << 4;
  }
  HEED_INLINE void factors(const float* table, const uint8_t* block, Factors<Q5_K>& to) {
    sixBitFactors(table, block, to);
  }
};

// Each of 32 bytes holds the high bit of one number of every group. 12 bytes hold the four low bits
// of 16 scales, then their two high bits.
struct Q3_K {
  static constexpr BlockFormat FORMAT = BlockFormat::q3_k;
  static constexpr int OFFSET = 4, HALVES = 2;
  static constexpr bool SHIFTED = false, NIBBLES = false;
  HEED_INLINE Bytes numbers(const uint8_t* block, int group) {
    const Bytes high = loadAs<Bytes>(block) >> everyByte((uint8_t)group) & everyByte(1);
    const Bytes low = loadAs<Bytes>(block + 32 + group / 4 * 32);
    return (low >> everyByte((uint8_t)(group % 4 * 2)) & everyByte(3)) | high << 2;
  }
  HEED_INLINE void factors(const float* table, const uint8_t* block, Factors<Q3_K>& to) {
    constexpr uint32_t FOUR = 0x0f0f0f0f, TWO = 0x30303030;
    const uint32_t a = loadAs<uint32_t>(block + 96), b = loadAs<uint32_t>(block + 100),
                   c = loadAs<uint32_t>(block + 104);
    const uint32_t scales[] = {(a & FOUR) | (c << 4 & TWO), (b & FOUR) | (c << 2 & TWO),
                               (a >> 4 & FOUR) | (c & TWO), (b >> 4 & FOUR) | (c >> 2 & TWO)};
    const float d = half(table, block + 108);
    for (int i = 0; i < 2; i++)
      storeFloats(to.scale + 8 * i, d * (asFloats(loadAs<Eight>(scales + 2 * i)) - 32.0f));
  }
};

// Each half of the block has 64 bytes with the four low bits and 32 bytes with the two high bits.
struct Q6_K {
  static constexpr BlockFormat FORMAT = BlockFormat::q6_k;
  static constexpr int OFFSET = 32, HALVES = 2;
  static constexpr bool SHIFTED = false, NIBBLES = false;
  HEED_INLINE Bytes numbers(const uint8_t* block, int group) {
    const int first = group / 4, quarter = group % 4;
    const Bytes low = loadAs<Bytes>(block + first * 64 + quarter % 2 * 32);
    const Bytes high = loadAs<Bytes>(block + 128 + first * 32);
    const Bytes four = quarter < 2 ? low & everyByte(15) : low >> 4;
    return four | (high >> everyByte((uint8_t)(2 * quarter)) & everyByte(3)) << 4;
  }
  HEED_INLINE void factors(const float* table, const uint8_t* block, Factors<Q6_K>& to) {
    const float d = half(table, block + 208);
    for (int i = 0; i < 2; i++)
      storeFloats(to.scale + 8 * i, d * asFloats(loadAs<SignedEight>(block + 192 + 8 * i)));
  }
};

// ---- Blocks of any number of groups.

template <class F>
HEED_INLINE void readFactors(const float* table, const uint8_t* block, Factors<F>& to) {
  if constexpr (groupsOfBlock<F>() > 1) F::factors(table, block, to);
  else {
    to.scale[0] = half(table, block);
    if (F::SHIFTED) to.shift[0] = half(table, block + 2);
  }
}

// The scale of each lane V of a dot product (dot-shorts.h).
template <class V, class F> HEED_INLINE V scaleOf(const Factors<F>& f, int group) {
  if constexpr (F::HALVES == 1) return f.scale[group] - V{};
  else {
    const float a = f.scale[2 * group], b = f.scale[2 * group + 1];
    return V{a, a, a, a, b, b, b, b};
  }
}

// Converts a row of `blocks` blocks to floats.
template <class F>
static void dequantizeRow(const float* table, const uint8_t* block, int64_t blocks, float* to) {
  for (int64_t b = 0; b < blocks; b++, block += sizeOfBlock<F>().bytes) {
    Factors<F> factors;
    readFactors(table, block, factors);
    for (int g = 0; g < groupsOfBlock<F>(); g++, to += GROUP) {
      uint8_t u[GROUP];
      const Bytes numbers = F::numbers(block, g);
      memcpy(u, &numbers, sizeof u);
      HEED_UNROLL
      for (int i = 0; i < 4; i++) {
        const FloatLanes scale = splat8(factors.scale[g * F::HALVES + (F::HALVES == 2 && i >= 2)]);
        const Lanes level = __builtin_convertvector(loadAs<Eight>(u + 8 * i), Lanes) - F::OFFSET;
        FloatLanes value = __builtin_convertvector(level, FloatLanes) * scale;
        if (F::SHIFTED) value += factors.shift[g];
        storeFloats(to + 8 * i, value);
      }
    }
  }
}

} // namespace HEED_ISA
} // namespace heed
