// Attention computes on tiles of 64 x 64 floats: 64 query rows against 64 keys, or either of them
// against 64 of a head's dimensions. One fixed size makes every stride a constant.
// A tile whose lanes are queries ("^T") needs no horizontal step in softmax.
#pragma once
#include <utility>
#include "lanes.h"
#include "math.h"

namespace heed {
namespace HEED_ISA {

constexpr int TILE = 64;
constexpr int TILE_FLOATS = TILE * TILE;
constexpr int LANE_VECTORS = TILE / VL;

HEED_INLINE int64_t tilesFor(int64_t n) { return ceilDiv(n, TILE); }
HEED_INLINE int wholeVectors(int64_t n) { return (int)padded(n); }

// ---- Products ----

// Rows of the register block: its ROWS x 2 sums, two vectors of B and one of A fill the registers.
#if defined(__AVX512F__)
constexpr int BLOCK_ROWS = 14; // 32 registers
#elif defined(__aarch64__)
constexpr int BLOCK_ROWS = 12; // 32 registers
#else
constexpr int BLOCK_ROWS = 6; // 16 registers
#endif

// C (ROWS x VECTORS vectors) = or += A (ROWS x depth) B (depth x VECTORS vectors). Element (i, k) of A is
// a[i * TILE + k], or a[k * TILE + i] if TRANSPOSED.
template <int ROWS, int VECTORS, bool TRANSPOSED>
__attribute__((noinline)) static void registerBlock(int depth, const float* a, const float* b, float* c,
                                                    bool accumulate) {
  vf sum[ROWS][VECTORS];
#pragma GCC unroll 16
  for (int i = 0; i < ROWS; i++)
#pragma GCC unroll 2
    for (int j = 0; j < VECTORS; j++) sum[i][j] = accumulate ? load(c + i * TILE + j * VL) : vf{};
  for (int k = 0; k < depth; k++) {
    vf right[VECTORS];
#pragma GCC unroll 2
    for (int j = 0; j < VECTORS; j++) right[j] = load(b + j * VL);
#pragma GCC unroll 16
    for (int i = 0; i < ROWS; i++) {
      const vf left = splat(TRANSPOSED ? a[i] : a[i * TILE]);
#pragma GCC unroll 2
      for (int j = 0; j < VECTORS; j++) sum[i][j] = fma(left, right[j], sum[i][j]);
    }
    a += TRANSPOSED ? TILE : 1;
    b += TILE;
  }
#pragma GCC unroll 16
  for (int i = 0; i < ROWS; i++)
#pragma GCC unroll 2
    for (int j = 0; j < VECTORS; j++) store(c + i * TILE + j * VL, sum[i][j]);
}

using BlockProduct = void (*)(int depth, const float* a, const float* b, float* c, bool accumulate);

template <int VECTORS, bool TRANSPOSED, int... I>
HEED_INLINE BlockProduct pickBlock(int rows, std::integer_sequence<int, I...>) {
  static constexpr BlockProduct table[] = {registerBlock<I + 1, VECTORS, TRANSPOSED>...};
  return table[rows - 1];
}

// Columns [from, to), whole vectors, of `rows` rows of C.
template <bool TRANSPOSED>
HEED_INLINE void rowBlock(int rows, int from, int to, int depth, const float* a, const float* b, float* c,
                          bool accumulate) {
  constexpr std::make_integer_sequence<int, BLOCK_ROWS> sizes{};
  int j = from;
  if ((to - from) / VL % 2 == 1) {
    pickBlock<1, TRANSPOSED>(rows, sizes)(depth, a, b + j, c + j, accumulate);
    j += VL;
  }
  for (; j < to; j += 2 * VL) pickBlock<2, TRANSPOSED>(rows, sizes)(depth, a, b + j, c + j, accumulate);
}

// Calls body(first row, rows) for the least number of blocks of nearly equal height.
template <class F> HEED_INLINE void eachRowBlock(int rows, F&& body) {
  const int blocks = (rows + BLOCK_ROWS - 1) / BLOCK_ROWS;
  for (int i = 0; i < blocks; i++) {
    const int start = rows * i / blocks;
    body(start, rows * (i + 1) / blocks - start);
  }
}

// ---- Transposition ----

// Lanes whose index has bit STEP come from (SECOND ? b : a shifted) in one step of a butterfly.
template <int STEP, int... L> HEED_INLINE void exchange(vf& a, vf& b, std::integer_sequence<int, L...>) {
  const vf upper = __builtin_shufflevector(a, b, (L & STEP ? VL + L - STEP : L)...);
  const vf lower = __builtin_shufflevector(a, b, (L & STEP ? VL + L : L + STEP)...);
  a = upper;
  b = lower;
}

template <int STEP> HEED_INLINE void transposeSteps(vf* row) {
#pragma GCC unroll 16
  for (int i = 0; i < VL; i++)
    if (!(i & STEP)) exchange<STEP>(row[i], row[i + STEP], std::make_integer_sequence<int, VL>{});
  if constexpr (STEP > 1) transposeSteps<STEP / 2>(row);
}

// to = factor * from^T, for the upper left rows x columns of a tile (rounded up to whole vectors).
static void transposeTile(const float* from, float* to, int rows, int columns, float factor = 1) {
  for (int i = 0; i < rows; i += VL)
    for (int j = 0; j < columns; j += VL) {
      vf block[VL];
#pragma GCC unroll 16
      for (int k = 0; k < VL; k++) block[k] = load(from + (i + k) * TILE + j) * factor;
      transposeSteps<VL / 2>(block);
#pragma GCC unroll 16
      for (int k = 0; k < VL; k++) store(to + (j + k) * TILE + i, block[k]);
    }
}

// ---- Exponential ----

// 2^x for x <= 127, relative error 2e-7; below 2^-126 it gives 0. A NaN passes. Attention scales its scores
// by log2(e), which saves the range reduction of vexp: 11 operations.
HEED_INLINE vf vexp2(vf x) {
  constexpr float BIASED_ROUNDER = ROUNDER + 127; // leaves the biased exponent in the low mantissa bits
  const vf lowest = splat(-127.0f);
  x = lowest > x ? lowest : x; // one instruction, as it is written here
  const vf shifted = x + BIASED_ROUNDER;
  const vf r = x - (shifted - BIASED_ROUNDER);
  vf p = fma(splat(0.0013264726943236775f), r, splat(0.009671512701548413f));
  p = fma(p, r, splat(0.055507337445033424f));
  p = fma(p, r, splat(0.24022242084294895f));
  p = fma(p, r, splat(0.6931469775981091f));
  p = fma(p, r, splat(1.0f));
  return p * floats(bits(shifted) << 23);
}

constexpr float LOG2_E = 1.44269504088896341f;
constexpr float LN_2 = 0.69314718055994531f;

} // namespace HEED_ISA
} // namespace heed
