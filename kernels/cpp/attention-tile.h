// Attention computes on tiles of 64 x 64 floats: 64 query rows by 64 keys, or either by 64
// dimensions of a head. With one fixed size, all strides are constants. Tiles marked "^T" have
// queries as lanes, so that softmax needs no horizontal operations.
#pragma once
#include "exponential.h"
#include "lanes.h"
#include "shuffle.h"

namespace heed {
namespace HEED_ISA {

constexpr int TILE = 64;
constexpr int TILE_FLOATS = TILE * TILE;
constexpr int LANE_VECTORS = TILE / VL;

HEED_INLINE int64_t tilesFor(int64_t n) { return ceilDiv(n, TILE); }
HEED_INLINE int wholeVectors(int64_t n) { return (int)padded(n); }

// ---- Products ----

// Rows of the register block: ROWS x 2 sums, two vectors of B and one of A fill the registers.
#if defined(__AVX512F__)
constexpr int BLOCK_ROWS = 14; // 32 registers
#elif defined(__aarch64__)
constexpr int BLOCK_ROWS = 12; // 32 registers
#elif defined(__wasm__) && !defined(__wasm_relaxed_simd__)
constexpr int BLOCK_ROWS = 4; // products need separate registers before they are added
#else
constexpr int BLOCK_ROWS = 6; // 16 registers
#endif

// C (ROWS x VECTORS vectors) = or += A (ROWS x depth) B (depth x VECTORS vectors). Element (i, k)
// of A is a[i * TILE + k], or a[k * TILE + i] if TRANSPOSED.
template <int ROWS, int VECTORS, bool TRANSPOSED>
__attribute__((noinline)) static void registerBlock(int depth, const float* a, const float* b,
                                                    float* c, bool accumulate) {
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

// Computes columns [from, to), whole vectors, of `rows` rows of C.
template <bool TRANSPOSED>
HEED_INLINE void rowBlock(int rows, int from, int to, int depth, const float* a, const float* b,
                          float* c, bool accumulate) {
  constexpr std::make_integer_sequence<int, BLOCK_ROWS> sizes{};
  int j = from;
  if ((to - from) / VL % 2 == 1) {
    pickBlock<1, TRANSPOSED>(rows, sizes)(depth, a, b + j, c + j, accumulate);
    j += VL;
  }
  for (; j < to; j += 2 * VL)
    pickBlock<2, TRANSPOSED>(rows, sizes)(depth, a, b + j, c + j, accumulate);
}

// Calls body(first row, rows) for the minimum number of blocks, of nearly equal height.
template <class F> HEED_INLINE void eachRowBlock(int rows, F&& body) {
  const int blocks = (rows + BLOCK_ROWS - 1) / BLOCK_ROWS;
  for (int i = 0; i < blocks; i++) {
    const int start = rows * i / blocks;
    body(start, rows * (i + 1) / blocks - start);
  }
}

// ---- Transposition ----

// to = factor * from^T, for the upper left rows x columns of a tile, rounded up to whole vectors.
static void transposeTile(const float* from, float* to, int rows, int columns, float factor = 1) {
  for (int i = 0; i < rows; i += VL)
    for (int j = 0; j < columns; j += VL) {
      vf block[VL];
#pragma GCC unroll 16
      for (int k = 0; k < VL; k++) block[k] = load(from + (i + k) * TILE + j) * factor;
      transposeVectors(block);
#pragma GCC unroll 16
      for (int k = 0; k < VL; k++) store(to + (j + k) * TILE + i, block[k]);
    }
}

} // namespace HEED_ISA
} // namespace heed
