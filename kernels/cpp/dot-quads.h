// Dot products of four blocks of 32 nibbles at a time, in vectors of 512 bits. With one block at a
// time (dot-shorts.h), arithmetic is the bottleneck rather than memory. For processors with
// vpdpbusd.
#pragma once
#include "short-row.h"
#include <utility>

namespace heed {
namespace HEED_ISA {

#if defined(__AVX512BW__)

HEED_INLINE HalfLanes multiplyAdd(HalfLanes a, HalfLanes b, HalfLanes c) {
  return (HalfLanes)_mm_fmadd_ps((__m128)a, (__m128)b, (__m128)c);
}

template <class F> HEED_INLINE void fillRest(Quad& quad, int g, Lanes sums) {
  if (F::SHIFTED) {
    quad.sum[g] = (float)sumOfLanes(sums);
  } else {
    typedef int32_t HalfInts __attribute__((vector_size(16)));
    const HalfInts both =
        -F::OFFSET * ((HalfInts)lowHalf((Bytes)sums) + (HalfInts)highHalf((Bytes)sums));
    memcpy(quad.correction + 4 * g, &both, sizeof both);
  }
}

// The last four blocks of a row may overlap the four before them; the repeated ones are set to 0.
template <class F>
static void fillQuads(const float* x, int64_t groups, float inverse, Quad* quads) {
  for (int64_t i = 0; i < ceilDiv(groups, 4); i++) {
    const int64_t first = least(4 * i, groups - 4);
    Quad& quad = quads[i];
    for (int g = 0; g < 4; g++) {
      const bool fresh = first + g >= 4 * i;
      const RoundedGroup<F, DotBytes> group(x + (first + g) * GROUP, fresh ? inverse : 0);
      const Bytes upper = group.packed.first, lower = group.packed.second;
      const HalfBytes pieces[] = {lowHalf(upper), highHalf(upper), lowHalf(lower), highHalf(lower)};
      for (int h = 0; h < 2; h++) {
        memcpy(quad.upper[h] + 16 * g, &pieces[h], 16);
        memcpy(quad.lower[h] + 16 * g, &pieces[2 + h], 16);
      }
      fillRest<F>(quad, g, group.sums());
    }
  }
}

// Index of a 16-bit word of four blocks, WORDS each, in two vectors: 32 words in one, the last 16
// in the other.
template <int WORDS> constexpr int wordAt(int word) {
  return word < 32 ? word : word - (4 * WORDS - 16) + 32;
}

// Selects the numbers, which are the last 8 words of each block.
template <int WORDS, int... I>
HEED_INLINE QuadWords pickNumbers(QuadWords first, QuadWords last,
                                  std::integer_sequence<int, I...>) {
  return __builtin_shufflevector(first, last, wordAt<WORDS>(I / 8 * WORDS + WORDS - 8 + I % 8)...);
}

// Selects the scales: the first word of each block, repeated four times, as floats.
template <int WORDS, int... I>
HEED_INLINE QuadFloats pickScales(QuadWords first, QuadWords last,
                                  std::integer_sequence<int, I...>) {
  const auto halves = __builtin_shufflevector(first, last, wordAt<WORDS>(I / 4 * WORDS)...);
  return (QuadFloats)_mm512_maskz_cvtph_ps(0xffff, (__m256i)halves);
}

// Selects the shifts: the second word of each block.
template <int WORDS, int... I>
HEED_INLINE HalfLanes pickShifts(QuadWords first, QuadWords last,
                                 std::integer_sequence<int, I...>) {
  const auto halves = __builtin_shufflevector(first, last, wordAt<WORDS>(I % 4 * WORDS + 1)...);
  return (HalfLanes)_mm_maskz_cvtph_ps(0xff, (__m128i)halves);
}

// Adds 16 where the fifth bit of a number is set. Each block has 16 of these bits, starting at
// `at`.
template <int BYTES> HEED_INLINE QuadWords withFifth(QuadWords four, const uint8_t* at) {
  uint64_t mask = 0;
  for (int b = 0; b < 4; b++) mask |= (uint64_t)loadAs<uint16_t>(at + b * BYTES) << 16 * b;
  const __m512i x = (__m512i)four;
  return (QuadWords)_mm512_mask_add_epi8(x, mask, x, _mm512_maskz_set1_epi8(~0ull, 16));
}

// Four blocks of a row of weights: the first and the second halves of their numbers.
struct QuadWeights {
  QuadWords low, high;
  QuadFloats scale;
  HalfLanes shift;
};

template <class F> HEED_INLINE QuadWeights readQuad(const uint8_t* blocks) {
  constexpr int BYTES = sizeOfBlock<F>().bytes, WORDS = BYTES / 2;
  QuadWords first = loadAs<QuadWords>(blocks);
  asm("" : "+v"(first)); // prevents a second load: loads across cache lines are the slowest part
  const auto last =
      (QuadWords)_mm512_maskz_broadcast_i64x4(0xff, loadAs<__m256i>(blocks + 4 * BYTES - 32));
  const QuadWords numbers = pickNumbers<WORDS>(first, last, std::make_integer_sequence<int, 32>{});
  QuadWeights to;
  to.low = F::levels(numbers & 0x0f0f), to.high = F::levels(numbers >> 4 & 0x0f0f);
  if constexpr (F::FIFTH > 0) {
    to.low = withFifth<BYTES>(to.low, blocks + F::FIFTH);
    to.high = withFifth<BYTES>(to.high, blocks + F::FIFTH + 2);
  }
  to.scale = pickScales<WORDS>(first, last, std::make_integer_sequence<int, 16>{});
  if constexpr (F::SHIFTED)
    to.shift = pickShifts<WORDS>(first, last, std::make_integer_sequence<int, 8>{});
  else to.shift = HalfLanes{};
  return to;
}

HEED_INLINE void addDots(QuadLanes& sum, QuadWords u, const uint8_t* q) {
  asm("vpdpbusd %2, %1, %0" : "+v"(sum) : "v"(u), "v"(loadAs<QuadWords>(q)));
}

struct QuadSums {
  QuadFloats sum = {};
  HalfLanes shift = {};
};

// sums[r][m] += four blocks of R rows of weights, `stride` bytes apart, times groups 4 i to 4 i + 3
// of x[m], without its scale. Each step is done for all rows before the next, because processors do
// not look far enough ahead to overlap the rows otherwise.
template <class F, int M, int R>
HEED_INLINE void addQuad(const uint8_t* blocks, int64_t stride, const ShortRow* x, int64_t i,
                         QuadSums (*sums)[M]) {
  QuadWeights w[R];
  HEED_UNROLL
  for (int r = 0; r < R; r++) w[r] = readQuad<F>(blocks + r * stride);
  HEED_UNROLL
  for (int m = 0; m < M; m++) {
    const Quad& quad = x[m].quads[i];
    QuadLanes upper[R], lower[R];
    HEED_UNROLL
    for (int r = 0; r < R; r++) {
      upper[r] = QuadLanes{};
      addDots(upper[r], w[r].low, quad.upper[0]);
    }
    HEED_UNROLL
    for (int r = 0; r < R; r++) {
      lower[r] = F::OFFSET > 0 ? loadAs<QuadLanes>(quad.correction) : QuadLanes{};
      addDots(lower[r], w[r].low, quad.lower[0]);
    }
    HEED_UNROLL
    for (int r = 0; r < R; r++) addDots(upper[r], w[r].high, quad.upper[1]);
    HEED_UNROLL
    for (int r = 0; r < R; r++) addDots(lower[r], w[r].high, quad.lower[1]);
    HEED_UNROLL
    for (int r = 0; r < R; r++) {
      QuadSums& to = sums[r][m];
      const QuadLanes dot = (upper[r] << 8) + lower[r];
      to.sum = multiplyAdd(__builtin_convertvector(dot, QuadFloats), w[r].scale, to.sum);
      if constexpr (F::SHIFTED)
        to.shift = multiplyAdd(w[r].shift, loadAs<HalfLanes>(quad.sum), to.shift);
    }
  }
}

#endif

} // namespace HEED_ISA
} // namespace heed
