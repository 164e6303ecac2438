// Exact dot products of groups of 32 numbers: bytes u of weights with 16-bit numbers q of x.
// Processors have different instructions for this, so it is one of the few files with intrinsics
// and assembly. Most variants give eight integers, each the sum over four numbers of
//
//   (u - OFFSET) * q = u * q + correction
//
// with u - OFFSET in -128..127 and |q| <= LARGEST_SHORT, so it is less than 2^24. Lane i has
// numbers 4 i to 4 i + 3, or, for nibbles, numbers 2 i, 2 i + 1, 2 i + 16 and 2 i + 17. DotWords
// gives sixteen integers, each over two numbers.
#pragma once
#include "blocks.h"

namespace heed {
namespace HEED_ISA {

typedef int16_t EightShorts __attribute__((vector_size(16)));

// 127 * 257: the rounded upper byte still fits a signed byte.
constexpr int LARGEST_SHORT = 32639;

// A group of x. The meaning of the two halves depends on the variant. Its corrections are -OFFSET
// times the sums of q.
struct alignas(64) PackedGroup {
  Bytes first, second;
};

HEED_INLINE Bytes narrow(Lanes a, Lanes b) {
  return joined((HalfBytes) __builtin_convertvector(a, EightShorts),
                (HalfBytes) __builtin_convertvector(b, EightShorts));
}

HEED_INLINE Lanes evenLanes(Lanes a, Lanes b) {
  return __builtin_shufflevector(a, b, 0, 2, 4, 6, 8, 10, 12, 14);
}
HEED_INLINE Lanes oddLanes(Lanes a, Lanes b) {
  return __builtin_shufflevector(a, b, 1, 3, 5, 7, 9, 11, 13, 15);
}

// Sums of products of adjacent pairs: lane i = a[2 i] b[2 i] + a[2 i + 1] b[2 i + 1].
HEED_INLINE Lanes multiplyPairs(Shorts a, Shorts b) {
#if defined(__AVX2__)
  return (Lanes)_mm256_madd_epi16((__m256i)a, (__m256i)b);
#elif defined(__SSE2__)
  const Bytes x = (Bytes)a, y = (Bytes)b;
  const auto pairs = [](HalfBytes p, HalfBytes q) {
    return (HalfBytes)_mm_madd_epi16((__m128i)p, (__m128i)q);
  };
  return (Lanes)joined(pairs(lowHalf(x), lowHalf(y)), pairs(highHalf(x), highHalf(y)));
#elif defined(__wasm_simd128__)
  const Bytes x = (Bytes)a, y = (Bytes)b;
  const auto pairs = [](HalfBytes p, HalfBytes q) {
    return (HalfBytes)wasm_i32x4_dot_i16x8((v128_t)p, (v128_t)q);
  };
  return (Lanes)joined(pairs(lowHalf(x), lowHalf(y)), pairs(highHalf(x), highHalf(y)));
#else
  const Lanes x = (Lanes)a, y = (Lanes)b; // a lane is a pair
  return (x << 16 >> 16) * (y << 16 >> 16) + (x >> 16) * (y >> 16);
#endif
}

// Two vectors of 16-bit numbers: for nibbles the first and the last 16 numbers, otherwise those at
// even and at odd positions. Neither needs a shuffle.
struct DotShorts {
  static constexpr bool QUADS = false, SIGNED = false;
  typedef FloatLanes Floats;
  struct Weights {
    Shorts a, b;
  };

  template <class F> HEED_INLINE Weights weights(const uint8_t* block, int group) {
    if constexpr (plainNibbles<F>) {
      const Words both = (Words)asShorts(loadAs<HalfBytes>(block + sizeOfBlock<F>().bytes - 16));
      return {(Shorts)(both & 15), (Shorts)(both >> 4)};
    } else {
      const Words both = (Words)F::numbers(block, group);
      return {(Shorts)(both & 255), (Shorts)(both >> 8)};
    }
  }
  HEED_INLINE Weights ones() { return {Shorts{} + 1, Shorts{} + 1}; }

  HEED_INLINE Lanes dot(const Weights& w, const PackedGroup& x, Lanes correction) {
    const Shorts a = (Shorts)x.first, b = (Shorts)x.second;
#if defined(__aarch64__)
    const auto half = [](int16x8_t a, int16x8_t b, int16x8_t x, int16x8_t y) {
      const int32x4_t low = vmull_s16(vget_low_s16(a), vget_low_s16(x));
      const int32x4_t high = vmull_high_s16(a, x);
      return (HalfBytes)vpaddq_s32(vmlal_s16(low, vget_low_s16(b), vget_low_s16(y)),
                                   vmlal_high_s16(high, b, y));
    };
    const auto low = [](Shorts x) { return (int16x8_t)lowHalf((Bytes)x); };
    const auto high = [](Shorts x) { return (int16x8_t)highHalf((Bytes)x); };
    return correction + (Lanes)joined(half(low(w.a), low(w.b), low(a), low(b)),
                                      half(high(w.a), high(w.b), high(a), high(b)));
#else
    return multiplyPairs(w.a, a) + correction + multiplyPairs(w.b, b);
#endif
  }

  template <class F> HEED_INLINE PackedGroup pack(const Lanes* q) {
    if constexpr (plainNibbles<F>) return {narrow(q[0], q[1]), narrow(q[2], q[3])};
    else
      return {narrow(evenLanes(q[0], q[1]), evenLanes(q[2], q[3])),
              narrow(oddLanes(q[0], q[1]), oddLanes(q[2], q[3]))};
  }
};

#if defined(__AVX512F__)
HEED_INLINE void addByteProducts(Lanes& sum, Bytes u, Bytes q) {
  asm("vpdpbusd %2, %1, %0" : "+v"(sum) : "v"(u), "v"(q));
}

// Multiplies u by the upper and the lower bytes of q. Not all processors with AVX-512 have this
// instruction. In assembly it needs no compiler flag; the caller checks that the processor has it.
struct DotBytes {
  static constexpr bool QUADS = true, SIGNED = false; // see dot-quads.h
  typedef FloatLanes Floats;
  typedef Bytes Weights;

  template <class F> HEED_INLINE Bytes weights(const uint8_t* block, int group) {
    return F::numbers(block, group);
  }
  HEED_INLINE Bytes ones() { return everyByte(1); }

  HEED_INLINE Lanes dot(Bytes u, const PackedGroup& x, Lanes correction) {
    Lanes upper = {};
    addByteProducts(upper, u, x.first);
    Lanes sum = (upper << 8) + correction;
    addByteProducts(sum, u, x.second);
    return sum;
  }

  template <class F> HEED_INLINE PackedGroup pack(const Lanes* q) {
    Lanes upper[4], lower[4];
    for (int i = 0; i < 4; i++) {
      upper[i] = (q[i] + 128) >> 8;
      lower[i] = q[i] - (upper[i] << 8);
    }
    return {narrow(upper), narrow(lower)};
  }

private:
  HEED_INLINE Bytes narrow(const Lanes* x) {
    SignedEight bytes[4];
    for (int i = 0; i < 4; i++) bytes[i] = __builtin_convertvector(x[i], SignedEight);
    return joined((HalfBytes)joined(bytes[0], bytes[1]), (HalfBytes)joined(bytes[2], bytes[3]));
  }
  HEED_INLINE HalfBytes joined(SignedEight a, SignedEight b) {
    return (HalfBytes)__builtin_shufflevector(a, b, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13,
                                              14, 15);
  }
  HEED_INLINE Bytes joined(HalfBytes a, HalfBytes b) { return HEED_ISA::joined(a, b); }
};

typedef int32_t QuadLanes __attribute__((vector_size(64)));
typedef float QuadFloats __attribute__((vector_size(64)));

HEED_INLINE FloatLanes halvesAdded(QuadFloats x) {
  return __builtin_shufflevector(x, x, 0, 1, 2, 3, 4, 5, 6, 7) +
         __builtin_shufflevector(x, x, 8, 9, 10, 11, 12, 13, 14, 15);
}
HEED_INLINE QuadFloats multiplyAdd(QuadFloats a, QuadFloats b, QuadFloats c) {
  return (QuadFloats)_mm512_fmadd_ps((__m512)a, (__m512)b, (__m512)c);
}

// Signed bytes (the offset of 128 is removed), widened to 16 bits in vectors of 64 bytes. This
// takes the fewest instructions for a block of bytes. The caller checks the processor here, too.
struct DotWords {
  static constexpr bool QUADS = false, SIGNED = true;
  typedef QuadFloats Floats;
  typedef QuadLanes Weights;

  template <class F> HEED_INLINE QuadLanes weights(const uint8_t* block, int group) {
    static_assert(F::OFFSET == 128, "");
    const Bytes numbers = F::numbers(block, group) ^ everyByte(128);
    return (QuadLanes)_mm512_maskz_cvtepi8_epi16(~0u, (__m256i)numbers);
  }

  HEED_INLINE QuadLanes dot(QuadLanes w, const PackedGroup& x, Lanes) {
    QuadLanes sum = {};
    asm("vpdpwssd %2, %1, %0" : "+v"(sum) : "v"(w), "v"(loadAs<QuadLanes>(&x)));
    return sum;
  }

  template <class F> HEED_INLINE PackedGroup pack(const Lanes* q) {
    return {narrow(q[0], q[1]), narrow(q[2], q[3])};
  }
};
#endif

// The variant for a format on processors with vpdpbusd and vpdpwssd.
template <class F, class Dot> struct WayOf {
  typedef Dot Way;
};
#if defined(__AVX512F__)
template <> struct WayOf<Q8_0, DotBytes> {
  typedef DotWords Way;
};
#endif

} // namespace HEED_ISA
} // namespace heed
