// Packing: copies a piece of a strided operand into panels, in the order in which a tile reads it.
//
// A panel holds `width` rows of A (or columns of B). Element (i, k) is panel[k * width + i].
#pragma once
#include "gemm-tile.h"
#include "shuffle.h"

namespace heed {
namespace HEED_ISA {

typedef float v4 __attribute__((vector_size(16)));
typedef float v4_unaligned __attribute__((vector_size(16), aligned(4), may_alias));

HEED_INLINE v4 load4(const float* p) { return *(const v4_unaligned*)p; }
HEED_INLINE void store4(float* p, v4 v) { *(v4_unaligned*)p = v; }

// Copies `count` numbers as two overlapping pieces; LANES <= count <= 2 LANES.
template <int LANES> HEED_INLINE void copyTwice(const float* from, int64_t count, float* to) {
  struct Lanes {
    float lane[LANES];
  } head, tail;
  memcpy(&head, from, sizeof head);
  memcpy(&tail, from + count - LANES, sizeof tail);
  memcpy(to, &head, sizeof head);
  memcpy(to + count - LANES, &tail, sizeof tail);
}

// Transposes 4 x 4 numbers in 128-bit registers, which every instruction set has.
HEED_INLINE void transpose4x4(const float* from, int64_t fromStride, float* to, int64_t toStride) {
  const v4 a = load4(from), b = load4(from + fromStride);
  const v4 c = load4(from + 2 * fromStride), d = load4(from + 3 * fromStride);
  const v4 ab = __builtin_shufflevector(a, b, 0, 4, 1, 5),
           AB = __builtin_shufflevector(a, b, 2, 6, 3, 7);
  const v4 cd = __builtin_shufflevector(c, d, 0, 4, 1, 5),
           CD = __builtin_shufflevector(c, d, 2, 6, 3, 7);
  store4(to, __builtin_shufflevector(ab, cd, 0, 1, 4, 5));
  store4(to + toStride, __builtin_shufflevector(ab, cd, 2, 3, 6, 7));
  store4(to + 2 * toStride, __builtin_shufflevector(AB, CD, 0, 1, 4, 5));
  store4(to + 3 * toStride, __builtin_shufflevector(AB, CD, 2, 3, 6, 7));
}

// Prefetch distances of packing. Hardware prefetchers do not continue in the next row.
constexpr int64_t PREFETCH_ROWS = 8, PREFETCH_FLOATS = 32;

// A panel of `count` of the packed rows (or columns), starting at `from`. Lanes from count to width
// are 0. The panels before it hold `from` numbers for each k.
struct Panel {
  int64_t from, count, width;
};

// Packs one element at a time, for edges and unusual strides.
inline void packSlowly(Operand from, int64_t count, int64_t width, int64_t k0, int64_t k1,
                       float* panel) {
  for (int64_t k = k0; k < k1; k++) {
    for (int64_t i = 0; i < count; i++)
      panel[k * width + i] = from.data[i * from.across + k * from.along];
    for (int64_t i = count; i < width; i++) panel[k * width + i] = 0;
  }
}

// Copies whole vectors, then the rest with a vector that overlaps the last one, or with two smaller
// vectors.
HEED_INLINE void copyRun(const float* from, int64_t count, int64_t width, float* to) {
  int64_t i = 0;
  for (; i + VL <= count; i += VL) store(to + i, load(from + i));
  if (i == count) return;
  if (count > VL) store(to + count - VL, load(from + count - VL));
  else if (VL > 8 && count >= 8) copyTwice<8>(from, count, to);
  else if (VL > 4 && count >= 4) copyTwice<4>(from, count, to);
  else
    for (int64_t j = 0; j < count; j++) to[j] = from[j];
  for (i = count; i < width; i++) to[i] = 0;
}

// Packs a source that is adjacent across. All panels copy their part of a few rows before the next
// rows are read: rows may be a multiple of 4 KiB apart, and then only a few fit into the cache.
template <class PanelOf>
inline void packRuns(Operand from, int64_t panels, const PanelOf& panelOf, int64_t K, float* to) {
  constexpr int64_t AT_ONCE = 8;
  for (int64_t k0 = 0; k0 < K; k0 += AT_ONCE)
    for (int64_t i = 0; i < panels; i++) {
      const Panel p = panelOf(i);
      const float* run = from.data + k0 * from.along + p.from;
      float* row = to + p.from * K + k0 * p.width;
      for (int64_t k = k0; k < K && k < k0 + AT_ONCE; k++, run += from.along, row += p.width) {
        for (int64_t j = 0; j < p.count; j += 16)
          __builtin_prefetch(run + PREFETCH_ROWS * from.along + j);
        copyRun(run, p.count, p.width, row);
      }
    }
}

// The same for COUNT panels of width WIDTH. Each vector takes few instructions, so that many rows
// are loaded in parallel.
template <int COUNT, int WIDTH> inline void packRunsOf(Operand from, int64_t K, float* to) {
  const float* row = from.data;
  for (int64_t k = 0; k < K; k++, row += from.along, to += WIDTH) {
    HEED_UNROLL
    for (int i = 0; i < COUNT; i++) {
      HEED_UNROLL
      for (int j = 0; j < WIDTH; j += 16)
        __builtin_prefetch(row + PREFETCH_ROWS * from.along + i * WIDTH + j);
      HEED_UNROLL
      for (int j = 0; j < WIDTH; j += VL) store(to + i * WIDTH * K + j, load(row + i * WIDTH + j));
    }
  }
}

// Packs a source that is adjacent along k, in square blocks of whole vectors. The last block of
// rows overlaps the one before it. Returns the number of k that are packed.
HEED_INLINE int64_t packSquares(Operand from, int64_t count, int64_t width, int64_t K,
                                float* panel) {
  int64_t k = 0;
  for (; k + VL <= K; k += VL)
    for (int64_t i = 0; i < count; i += VL) {
      const int64_t row = i + VL <= count ? i : count - VL;
      const float* corner = from.data + row * from.across + k;
      vf block[VL];
      HEED_UNROLL
      for (int r = 0; r < VL; r++) {
        block[r] = load(corner + r * from.across);
        __builtin_prefetch(corner + r * from.across + PREFETCH_FLOATS);
      }
      transposeVectors(block);
      HEED_UNROLL
      for (int r = 0; r < VL; r++) store(panel + (k + r) * width + row, block[r]);
    }
  return k;
}

// The same in blocks of four, for few rows or k. Half of a cache line of each row is used before
// the next four rows are read, because rows may be a multiple of 4 KiB apart.
inline void packTransposed(Operand from, int64_t count, int64_t width, int64_t K, float* panel) {
  const int64_t whole = K / 4 * 4, stretch = 8;
  const int64_t done = VL > 4 && count >= VL ? packSquares(from, count, width, K, panel) : 0;
  for (int64_t k0 = done; k0 < whole; k0 += stretch) {
    const int64_t k1 = k0 + stretch < whole ? k0 + stretch : whole;
    for (int64_t i = 0; i < count; i += 4) {
      const int64_t row = i + 4 <= count ? i : count - 4;
      for (int r = 0; r < 4; r++)
        __builtin_prefetch(from.data + (row + r) * from.across + k0 + PREFETCH_FLOATS);
      for (int64_t k = k0; k < k1; k += 4)
        transpose4x4(from.data + row * from.across + k, from.across, panel + k * width + row,
                     width);
    }
  }
  for (int64_t i = count; i < width; i++)
    for (int64_t k = 0; k < whole; k++) panel[k * width + i] = 0;
  packSlowly(from, count, width, whole, K, panel);
}

template <class PanelOf>
inline void packPanels(Operand from, int64_t panels, const PanelOf& panelOf, int64_t K, float* to) {
  if (from.across == 1) return packRuns(from, panels, panelOf, K, to);
  for (int64_t i = 0; i < panels; i++) {
    const Panel p = panelOf(i);
    const Operand part{from.data + p.from * from.across, from.across, from.along};
    if (from.along == 1 && p.count >= 4) packTransposed(part, p.count, p.width, K, to + p.from * K);
    else packSlowly(part, p.count, p.width, 0, K, to + p.from * K);
  }
}

} // namespace HEED_ISA
} // namespace heed
