// The innermost loop of every matrix product: one register tile of C.
//
// A tile has MR rows and NV vectors of columns. All MR*NV accumulators stay in registers. Each step
// of k loads NV vectors of B and broadcasts MR numbers of A, each used NV times.
#pragma once
#include "simd.h"

#if defined(__clang__)
#define HEED_UNROLL _Pragma("clang loop unroll(full)")
#else
#define HEED_UNROLL _Pragma("GCC unroll 16")
#endif

namespace heed {
namespace HEED_ISA {

// The largest tiles that fit the registers (accumulators, NV of B, one of A).
// DIRECT: if A is read in place, fewer rows at a time, because a cache holds few lines that are 4
// KiB apart.
#if HEED_VL == 16
constexpr int TILE_ROWS = 14, TILE_VECTORS = 2, DIRECT_ROWS = 6, DIRECT_VECTORS = 4;
#elif HEED_VL == 8
constexpr int TILE_ROWS = 6, TILE_VECTORS = 2, DIRECT_ROWS = 6, DIRECT_VECTORS = 2;
#elif defined(__aarch64__)
constexpr int TILE_ROWS = 7, TILE_VECTORS = 3, DIRECT_ROWS = 5,
              DIRECT_VECTORS = 4; // with one more row, registers spill
#elif defined(__wasm_relaxed_simd__)
constexpr int TILE_ROWS = 6, TILE_VECTORS = 2, DIRECT_ROWS = 6, DIRECT_VECTORS = 2;
#else
constexpr int TILE_ROWS = 4, TILE_VECTORS = 2, DIRECT_ROWS = 4, DIRECT_VECTORS = 2;
#endif
constexpr int64_t TILE_COLUMNS = TILE_VECTORS * VL, DIRECT_COLUMNS = DIRECT_VECTORS * VL;

// An operand of a tile: element (i of M or N, k) is data[i * across + k * along].
struct Operand {
  const float* data;
  int64_t across, along;
};

// A block of C. Rows are `stride` apart and columns adjacent. `bias` is added to each row unless it
// is null.
struct Block {
  float* data;
  int64_t stride;
  const float* bias = nullptr;
};

HEED_INLINE vf loadLanes(const float* from, int64_t lanes) {
  float lane[VL] = {};
  for (int64_t i = 0; i < lanes; i++) lane[i] = from[i];
  return load(lane);
}

HEED_INLINE void storeLanes(float* to, vf v, int64_t lanes, bool accumulate) {
  float lane[VL];
  store(lane, v); // memcpy would take the address of v, and GCC then keeps v in memory
  for (int64_t i = 0; i < lanes; i++) to[i] = accumulate ? to[i] + lane[i] : lane[i];
}

// One step of k.
template <int MR, int NV>
HEED_INLINE void addProducts(const float* a, int64_t across, const float* b, vf (&sum)[MR][NV]) {
  vf bv[NV];
  HEED_UNROLL
  for (int j = 0; j < NV; j++) bv[j] = load(b + j * VL);
  HEED_UNROLL
  for (int i = 0; i < MR; i++) {
#if defined(__wasm__)
    asm volatile("" ::
                     : "memory"); // keeps LLVM from loading the numbers of all rows first, for
                                  // which there are too few registers
#endif
    const vf av = splat(a[i * across]);
    HEED_UNROLL
    for (int j = 0; j < NV; j++) sum[i][j] = fma(av, bv[j], sum[i][j]);
  }
}

// Adds the bias and stores the sums in c, or adds them to c; (NV-1)*VL < columns <= NV*VL.
template <int MR, int NV>
HEED_INLINE void finishTile(vf (&sum)[MR][NV], Block c, int64_t columns, bool accumulate) {
  const int64_t lanes = columns - (NV - 1) * VL; // in the last vector
  if (c.bias) {
    HEED_UNROLL
    for (int j = 0; j < NV; j++) {
      const vf bias =
          j < NV - 1 || lanes == VL ? load(c.bias + j * VL) : loadLanes(c.bias + j * VL, lanes);
      HEED_UNROLL
      for (int i = 0; i < MR; i++) sum[i][j] = sum[i][j] + bias;
    }
  }
  HEED_UNROLL
  for (int i = 0; i < MR; i++) {
    float* to = c.data + i * c.stride;
    HEED_UNROLL
    for (int j = 0; j < NV; j++) {
      if (j < NV - 1 || lanes == VL)
        store(to + j * VL, accumulate ? load(to + j * VL) + sum[i][j] : sum[i][j]);
      else storeLanes(to + j * VL, sum[i][j], lanes, accumulate);
    }
  }
}

// c[0..MR, 0..columns) (+)= bias[j] + sum over k of a[i, k] * b[k, j], with (NV-1)*VL < columns <=
// NV*VL. b is adjacent across and readable up to NV*VL. a is adjacent across too, or along k if
// DIRECT. In WebAssembly both are packed: a.along = MR, b.along = NV*VL.
template <int MR, int NV, bool DIRECT>
static __attribute__((noinline)) void tile(int64_t k, Operand a, Operand b, Block c,
                                           int64_t columns, bool accumulate) {
  vf sum[MR][NV];
  HEED_UNROLL
  for (int i = 0; i < MR; i++) {
    HEED_UNROLL
    for (int j = 0; j < NV; j++) {
      __builtin_prefetch(c.data + i * c.stride + j * VL, 1);
      sum[i][j] = vf{};
    }
    __builtin_prefetch(c.data + i * c.stride + columns - 1, 1);
  }
  const float *pa = a.data, *pb = b.data;
#if defined(__wasm__)
  // V8 checks for interrupts at the head of each loop, and in Node 20 it moves the loads of a basic
  // block to its start, where they occupy registers. So an iteration has several steps, each a
  // basic block that may be the last. B is read at constant offsets from one address. The address
  // of A is advanced in each step, because V8 adds each offset to it with a separate instruction.
  const auto isLast = [&](int step) {
    addProducts<MR, NV>(pa, 1, pb + step * NV * VL, sum);
    pa += MR;
    asm volatile("" : "+r"(pa));
    return --k == 0;
  };
  for (; k > 0; pb += 4 * NV * VL)
    if (isLast(0) || isLast(1) || isLast(2) || isLast(3)) break;
#else
  for (; k > 0; k--) {
    addProducts<MR, NV>(pa, DIRECT ? a.across : 1, pb, sum);
    pa += DIRECT ? 1 : a.along;
    pb += b.along;
  }
#endif
  finishTile<MR, NV>(sum, c, columns, accumulate);
}

// Tiles of all sizes, for edges.
using Tile = void (*)(int64_t k, Operand a, Operand b, Block c, int64_t columns, bool accumulate);

template <int ROWS, int VECTORS, bool DIRECT = false> struct Tiles {
  Tile table[ROWS][VECTORS] = {};
  constexpr Tiles() { fill<ROWS, VECTORS>(); }
  template <int MR, int NV> constexpr void fill() {
    table[MR - 1][NV - 1] = tile<MR, NV, DIRECT>;
    if constexpr (NV > 1) fill<MR, NV - 1>();
    else if constexpr (MR > 1) fill<MR - 1, VECTORS>();
  }
  Tile at(int64_t rows, int64_t columns) const {
    return table[rows - 1][(columns + VL - 1) / VL - 1];
  }
};

constexpr Tiles<TILE_ROWS, TILE_VECTORS> tiles{};
constexpr Tiles<DIRECT_ROWS, DIRECT_VECTORS, true> directTiles{};

} // namespace HEED_ISA
} // namespace heed
