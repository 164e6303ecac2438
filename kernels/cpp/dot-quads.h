// Four blocks of 32 four-bit numbers at a time, in vectors of 512 bits: with one block at a time
// (dot-bytes.h) arithmetic, not memory, sets the speed. For processors with vpdpbusd.
#pragma once
#include "byte-row.h"
#include <utility>

namespace heed {
namespace HEED_ISA {

typedef int32_t QuadLanes __attribute__((vector_size(64)));
typedef float QuadFloats __attribute__((vector_size(64)));

HEED_INLINE FloatLanes halvesAdded(QuadFloats x) {
  return __builtin_shufflevector(x, x, 0, 1, 2, 3, 4, 5, 6, 7) +
         __builtin_shufflevector(x, x, 8, 9, 10, 11, 12, 13, 14, 15);
}

#if defined(__AVX512BW__)

// The 16-bit words of four blocks, WORDS each: 32 in a vector, the last 8 in another.
typedef uint16_t QuadWords __attribute__((vector_size(64)));

// The numbers, which follow a head of one or two words.
template <int WORDS, int... I>
HEED_INLINE QuadWords pickNumbers(QuadWords first, QuadWords last,
                                  std::integer_sequence<int, I...>) {
  constexpr auto place = [](int i) {
    const int word = i / 8 * WORDS + WORDS - 8 + i % 8;
    return word < 32 ? word : word - (4 * WORDS - 8) + 32;
  };
  return __builtin_shufflevector(first, last, place(I)...);
}

// A word of each head, four times, as floats.
template <int WORDS, int WORD, int... I>
HEED_INLINE QuadFloats pickHalves(QuadWords first, std::integer_sequence<int, I...>) {
  const auto halves = __builtin_shufflevector(first, first, (I / 4 * WORDS + WORD)...);
  return (QuadFloats)_mm512_maskz_cvtph_ps(0xffff, (__m256i)halves);
}

HEED_INLINE void addDots(QuadLanes& sum, QuadWords u, const uint8_t* q) {
  asm("vpdpbusd %2, %1, %0" : "+v"(sum) : "v"(u), "v"(loadAs<QuadWords>(q)));
}

// sum[m] += four blocks of a row of weights times the i-th four groups of x[m].
template <class F, int M>
HEED_INLINE void addQuad(const uint8_t* blocks, const ByteRow* x, int64_t i, QuadFloats* sum) {
  constexpr int BYTES = sizeOfBlock<F>().bytes, WORDS = BYTES / 2;
  using Sixteen = std::make_integer_sequence<int, 16>;
  QuadWords first = loadAs<QuadWords>(blocks);
  asm("" : "+v"(first)); // read once: reads across cache lines take longest here
  const auto last = (QuadWords)_mm512_zextsi128_si512(loadAs<__m128i>(blocks + 4 * BYTES - 16));
  const QuadWords numbers = pickNumbers<WORDS>(first, last, std::make_integer_sequence<int, 32>{});
  const QuadWords low = numbers & 0x0f0f, high = numbers >> 4 & 0x0f0f;
  const QuadFloats scale = pickHalves<WORDS, 0>(first, Sixteen{});
  HEED_UNROLL
  for (int m = 0; m < M; m++) {
    const Quad& own = x[m].quads[i];
    QuadLanes dot = loadAs<QuadLanes>(own.correction);
    addDots(dot, low, own.low);
    addDots(dot, high, own.high);
    sum[m] += __builtin_convertvector(dot, QuadFloats) * (scale * loadAs<QuadFloats>(own.scale));
    if (F::SHIFTED) sum[m] += pickHalves<WORDS, 1>(first, Sixteen{}) * loadAs<QuadFloats>(own.sum);
  }
}

#else

template <class F, int M>
HEED_INLINE void addQuad(const uint8_t*, const ByteRow*, int64_t, QuadFloats*) {}

#endif

} // namespace HEED_ISA
} // namespace heed
