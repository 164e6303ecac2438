// Dot products of bytes, exact: what a processor has for them differs, so this is one of the few
// files with instructions of its own. All ways give the same integers in the same lanes.
#pragma once
#include "blocks.h"

#if defined(__AVX2__)
#include <immintrin.h>
#endif

namespace heed {
namespace HEED_ISA {

// dot<OFFSET>(u, q, correction)[i] = sum over the bytes of lane i of (u - OFFSET) * q, where u -
// OFFSET fits a signed byte, |q| <= 127, and correction[i] = -OFFSET * (sum over the lane of q).

#if defined(__AVX2__)
struct DotBytes {
  template <class> static constexpr bool QUADS = false;
  template <int OFFSET> HEED_INLINE Lanes dot(Bytes u, Bytes q, Lanes correction) {
    const __m256i ones = _mm256_set1_epi16(1), y = (__m256i)q;
    if (OFFSET < 128) { // pairs of u * q fit 16 bits
      const __m256i pairs = _mm256_maddubs_epi16((__m256i)u, y);
      return correction + (Lanes)_mm256_madd_epi16(pairs, ones);
    }
    const __m256i x = (__m256i)(u ^ everyByte(128)); // = u - 128; now |x| * (q with x's sign)
    const __m256i pairs = _mm256_maddubs_epi16(_mm256_abs_epi8(x), _mm256_sign_epi8(y, x));
    return (Lanes)_mm256_madd_epi16(pairs, ones);
  }
};
#else
// Even and odd bytes as 16-bit lanes, then those as 32-bit lanes: shifts only, so sums stay beside
// one another.
struct DotBytes {
  template <class> static constexpr bool QUADS = false;
  typedef int16_t Shorts __attribute__((vector_size(32)));
  HEED_INLINE Shorts even(Bytes x) { return (Shorts)x << 8 >> 8; }
  HEED_INLINE Shorts odd(Bytes x) { return (Shorts)x >> 8; }

  template <int OFFSET> HEED_INLINE Lanes dot(Bytes u, Bytes q, Lanes) {
    const Bytes x = OFFSET == 128 ? u ^ everyByte(128) : u - everyByte(OFFSET);
    const Lanes pairs =
        (Lanes)(even(x) * even(q) + odd(x) * odd(q)); // at most 2 * 128 * 127 < 2^15
    return (pairs << 16 >> 16) + (pairs >> 16);
  }
};
#endif

#if defined(__AVX512F__)
// Not all processors with AVX-512 have this instruction: as assembly it needs no compiler flag, and
// who calls it asks first.
struct DotBytesVnni {
  template <class F> static constexpr bool QUADS = F::NIBBLES; // see dot-quads.h
  template <int OFFSET> HEED_INLINE Lanes dot(Bytes u, Bytes q, Lanes sum) {
    asm("vpdpbusd %2, %1, %0" : "+v"(sum) : "v"(u), "v"(q));
    return sum;
  }
};
#endif

inline bool hasVnni() {
#if defined(__AVX512F__)
  static const bool has = __builtin_cpu_supports("avx512vnni");
  return has;
#else
  return false;
#endif
}

} // namespace HEED_ISA
} // namespace heed
