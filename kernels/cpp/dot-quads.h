// Four blocks of 32 numbers at a time, in vectors of 512 bits: with one block at a time
// (dot-shorts.h) arithmetic, not memory, sets the speed. For processors with vpdpbusd.
#pragma once
#include "short-row.h"
#include <utility>

namespace heed {
namespace HEED_ISA {

typedef float QuadFloats __attribute__((vector_size(64)));

#if defined(__AVX512BW__)

typedef int32_t QuadLanes __attribute__((vector_size(64)));

HEED_INLINE FloatLanes halvesAdded(QuadFloats x) {
  return __builtin_shufflevector(x, x, 0, 1, 2, 3, 4, 5, 6, 7) +
         __builtin_shufflevector(x, x, 8, 9, 10, 11, 12, 13, 14, 15);
}
HEED_INLINE QuadFloats sideBySide(FloatLanes a, FloatLanes b) {
  return __builtin_shufflevector(a, b, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
}
HEED_INLINE HalfLanes multiplyAdd(HalfLanes a, HalfLanes b, HalfLanes c) {
  return (HalfLanes)_mm_fmadd_ps((__m128)a, (__m128)b, (__m128)c);
}
HEED_INLINE QuadFloats multiplyAdd(QuadFloats a, QuadFloats b, QuadFloats c) {
  return (QuadFloats)_mm512_fmadd_ps((__m512)a, (__m512)b, (__m512)c);
}

template <class F> HEED_INLINE void fillRest(Quad& quad, int g, Lanes sums) {
  if (F::SHIFTED) {
    quad.sum[g] = (float)sumOfLanes(sums);
  } else if (F::NIBBLES) {
    typedef int32_t HalfInts __attribute__((vector_size(16)));
    const HalfInts both =
        -F::OFFSET * ((HalfInts)lowHalf((Bytes)sums) + (HalfInts)highHalf((Bytes)sums));
    memcpy((int32_t*)quad.correction + 4 * g, &both, sizeof both);
  } else quad.correction[g / 2][g % 2] = -F::OFFSET * sums;
}

struct QuadSums {
  QuadFloats sum = {};
  HalfLanes shift = {};
};

// The last four blocks of a row may overlap with those before, which then count as 0.
template <class F>
static void fillQuads(const float* x, int64_t groups, float inverse, Quad* quads) {
  for (int64_t i = 0; i < ceilDiv(groups, 4); i++) {
    const int64_t first = least(4 * i, groups - 4);
    Quad& quad = quads[i];
    for (int g = 0; g < 4; g++) {
      const bool fresh = first + g >= 4 * i;
      const RoundedGroup<F, DotBytes> group(x + (first + g) * GROUP, fresh ? inverse : 0);
      const Bytes upper = group.packed.first, lower = group.packed.second;
      if (F::NIBBLES) {
        const HalfBytes pieces[] = {lowHalf(upper), highHalf(upper), lowHalf(lower),
                                    highHalf(lower)};
        for (int h = 0; h < 2; h++) {
          memcpy((char*)quad.upper[h] + 16 * g, &pieces[h], 16);
          memcpy((char*)quad.lower[h] + 16 * g, &pieces[2 + h], 16);
        }
      } else {
        quad.upper[g / 2][g % 2] = upper;
        quad.lower[g / 2][g % 2] = lower;
      }
      fillRest<F>(quad, g, group.sums);
    }
  }
}

HEED_INLINE void addDots(QuadLanes& sum, QuadWords u, const Bytes* q) {
  asm("vpdpbusd %2, %1, %0" : "+v"(sum) : "v"(u), "v"(loadAs<QuadWords>(q)));
}

// ---- Numbers in nibbles: four blocks to a vector of first halves, and one of second halves.

// The 16-bit words of four blocks, WORDS each: 32 in a vector, the last 16 in another.
template <int WORDS> constexpr int wordAt(int word) {
  return word < 32 ? word : word - (4 * WORDS - 16) + 32;
}

// The numbers, which are the last 8 words of each block.
template <int WORDS, int... I>
HEED_INLINE QuadWords pickNumbers(QuadWords first, QuadWords last,
                                  std::integer_sequence<int, I...>) {
  return __builtin_shufflevector(first, last, wordAt<WORDS>(I / 8 * WORDS + WORDS - 8 + I % 8)...);
}

// The first two words of each head as floats: scales, then shifts.
template <int WORDS, int... I>
HEED_INLINE FloatLanes pickHalves(QuadWords first, QuadWords last,
                                  std::integer_sequence<int, I...>) {
  const auto halves = __builtin_shufflevector(first, last, wordAt<WORDS>(I % 4 * WORDS + I / 4)...);
  return (FloatLanes)_mm256_maskz_cvtph_ps(0xff, (__m128i)halves);
}

// Adds 16 where the fifth bit of a number is set: 16 bits of each block, from `at` on.
template <int BYTES> HEED_INLINE QuadWords withFifth(QuadWords four, const uint8_t* at) {
  uint64_t mask = 0;
  for (int b = 0; b < 4; b++) mask |= (uint64_t)loadAs<uint16_t>(at + b * BYTES) << 16 * b;
  const __m512i x = (__m512i)four;
  return (QuadWords)_mm512_mask_add_epi8(x, mask, x, _mm512_maskz_set1_epi8(~0ull, 16));
}

// sums[m] += four blocks of a row of weights times the i-th four groups of x[m], but for its scale.
template <class F, int M>
HEED_INLINE void addNibbles(const uint8_t* blocks, const ShortRow* x, int64_t i, QuadSums* sums) {
  constexpr int BYTES = sizeOfBlock<F>().bytes, WORDS = BYTES / 2;
  QuadWords first = loadAs<QuadWords>(blocks);
  asm("" : "+v"(first)); // read once: reads across cache lines take longest here
  const auto last =
      (QuadWords)_mm512_maskz_broadcast_i64x4(0xff, loadAs<__m256i>(blocks + 4 * BYTES - 32));
  const QuadWords numbers = pickNumbers<WORDS>(first, last, std::make_integer_sequence<int, 32>{});
  QuadWords low = F::levels(numbers & 0x0f0f), high = F::levels(numbers >> 4 & 0x0f0f);
  if constexpr (F::FIFTH > 0) {
    low = withFifth<BYTES>(low, blocks + F::FIFTH);
    high = withFifth<BYTES>(high, blocks + F::FIFTH + 2);
  }
  const FloatLanes halves = pickHalves<WORDS>(first, last, std::make_integer_sequence<int, 8>{});
  const QuadFloats scale =
      __builtin_shufflevector(halves, halves, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3);
  const HalfLanes shift = __builtin_shufflevector(halves, halves, 4, 5, 6, 7);
  HEED_UNROLL
  for (int m = 0; m < M; m++) {
    const Quad& quad = x[m].quads[i];
    QuadLanes dot = {};
    addDots(dot, low, quad.upper[0]);
    addDots(dot, high, quad.upper[1]);
    dot <<= 8;
    if (F::OFFSET > 0) dot += loadAs<QuadLanes>(quad.correction[0]);
    addDots(dot, low, quad.lower[0]);
    addDots(dot, high, quad.lower[1]);
    sums[m].sum = multiplyAdd(__builtin_convertvector(dot, QuadFloats), scale, sums[m].sum);
    if constexpr (F::SHIFTED)
      sums[m].shift = multiplyAdd(shift, loadAs<HalfLanes>(quad.sum), sums[m].shift);
  }
}

// ---- Numbers in bytes: two blocks to a vector.

template <class F, int M>
HEED_INLINE void addBytes(const float* halves, const uint8_t* blocks, const ShortRow* x, int64_t i,
                          QuadSums* sums) {
  constexpr int BYTES = sizeOfBlock<F>().bytes;
  HEED_UNROLL
  for (int h = 0; h < 2; h++) {
    const uint8_t *a = blocks + 2 * h * BYTES, *b = a + BYTES;
    const auto u =
        (QuadWords)sideBySide((FloatLanes)F::numbers(a, 0), (FloatLanes)F::numbers(b, 0));
    const QuadFloats scale = sideBySide(splat8(half(halves, a)), splat8(half(halves, b)));
    HEED_UNROLL
    for (int m = 0; m < M; m++) {
      const Quad& quad = x[m].quads[i];
      QuadLanes dot = {};
      addDots(dot, u, quad.upper[h]);
      dot = (dot << 8) + loadAs<QuadLanes>(quad.correction[h]);
      addDots(dot, u, quad.lower[h]);
      sums[m].sum = multiplyAdd(__builtin_convertvector(dot, QuadFloats), scale, sums[m].sum);
    }
  }
}

template <class F, int M>
HEED_INLINE void addQuad(const float* halves, const uint8_t* blocks, const ShortRow* x, int64_t i,
                         QuadSums* sums) {
  if constexpr (F::NIBBLES) addNibbles<F, M>(blocks, x, i, sums);
  else addBytes<F, M>(halves, blocks, x, i, sums);
}

#endif

} // namespace HEED_ISA
} // namespace heed
