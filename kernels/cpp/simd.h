// Vector types, as wide as the instruction set for which this file is compiled. Kernels are written
// in the vector extensions of GCC and Clang. Only a few files use intrinsics.
#pragma once
#include <cstdint>
#include <cstring>

#if defined(__AVX512F__)
#define HEED_VL 16
#elif defined(__AVX2__)
#define HEED_VL 8
#else
#define HEED_VL 4 // SSE2, NEON, WebAssembly SIMD128
#endif

namespace heed {
namespace HEED_ISA { // a separate namespace for each instruction set, so that all link into one
                     // addon

constexpr int VL = HEED_VL; // float lanes in a vector

typedef float vf __attribute__((vector_size(4 * HEED_VL)));
typedef int32_t vi __attribute__((vector_size(4 * HEED_VL)));
typedef uint32_t vu __attribute__((vector_size(4 * HEED_VL)));

// Unaligned variants, only for loads and stores.
typedef float vf_unaligned __attribute__((vector_size(4 * HEED_VL), aligned(4), may_alias));
typedef int32_t vi_unaligned __attribute__((vector_size(4 * HEED_VL), aligned(4), may_alias));

#define HEED_INLINE __attribute__((always_inline)) static inline

HEED_INLINE vf load(const float* p) { return *(const vf_unaligned*)p; }
HEED_INLINE vi load(const int32_t* p) { return *(const vi_unaligned*)p; }
HEED_INLINE void store(float* p, vf v) { *(vf_unaligned*)p = v; }
HEED_INLINE void store(int32_t* p, vi v) { *(vi_unaligned*)p = v; }

// `x - vf{}` rather than `vf{} + x`: GCC 12 does not remove the addition, which halves the speed of
// a GEMM.
HEED_INLINE vf splat(float x) { return x - vf{}; }
HEED_INLINE vi splat(int32_t x) { return x - vi{}; }

// The same for a constant in a loop. V8 would build the vector of a known constant at each use, in
// three instructions; of an unknown number it builds the vector once before the loop.
template <class Number> HEED_INLINE auto constant(Number x) {
#if defined(__wasm__)
  asm("" : "+r"(x));
#endif
  return splat(x);
}

// With -ffp-contract=fast this compiles to one fused multiply-add, if the instruction set has it.
#if defined(__wasm_relaxed_simd__)
HEED_INLINE vf fma(vf a, vf b, vf c) { return (vf)__builtin_wasm_relaxed_madd_f32x4(a, b, c); }
#else
HEED_INLINE vf fma(vf a, vf b, vf c) { return a * b + c; }
#endif

HEED_INLINE vi bits(vf x) { return (vi)x; }
HEED_INLINE vf floats(vi x) { return (vf)x; }

// Lane-wise selection. The lanes of the mask are 0 or -1, like the results of comparisons.
HEED_INLINE vf select(vi mask, vf yes, vf no) { return mask ? yes : no; }

HEED_INLINE vf vmax(vf a, vf b) { return a > b ? a : b; }
HEED_INLINE vf vmin(vf a, vf b) { return a < b ? a : b; }

} // namespace HEED_ISA
} // namespace heed
