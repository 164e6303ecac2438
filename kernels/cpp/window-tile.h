// Register tiles of products with windows, which are read in place from a sheet: number k of the
// first window is at at[k].
#pragma once
#include "sheet.h"

namespace heed {
namespace HEED_ISA {

// c[0..MR, 0..columns) (+)= sum over k of a[i, k] * b[k, j], with (NV-1)*VL < columns <= NV*VL.
// If AS_ROWS, a is the windows of adjacent positions and b is packed. Otherwise a is packed, and b
// is the adjacent numbers of a window.
template <int MR, int NV, bool AS_ROWS>
static __attribute__((noinline)) void windowTile(int64_t k, const float* windows, const int64_t* at,
                                                 const float* packed, Block c, int64_t columns,
                                                 bool accumulate) {
  vf sum[MR][NV];
  HEED_UNROLL
  for (int i = 0; i < MR; i++) {
    HEED_UNROLL
    for (int j = 0; j < NV; j++) sum[i][j] = vf{};
  }
  for (int64_t n = 0; n < k; n++, packed += AS_ROWS ? NV * VL : MR) {
    const float* window = windows + at[n];
    addProducts<MR, NV>(AS_ROWS ? window : packed, 1, AS_ROWS ? packed : window, sum);
  }
  finishTile<MR, NV>(sum, c, columns, accumulate);
}

using WindowTile = void (*)(int64_t k, const float* windows, const int64_t* at, const float* packed,
                            Block c, int64_t columns, bool accumulate);

template <bool AS_ROWS> struct WindowTiles {
  WindowTile table[TILE_ROWS][TILE_VECTORS] = {};
  constexpr WindowTiles() { fill<TILE_ROWS, TILE_VECTORS>(); }
  WindowTile at(int64_t rows, int64_t columns) const {
    return table[rows - 1][(columns + VL - 1) / VL - 1];
  }

private:
  template <int MR, int NV> constexpr void fill() {
    table[MR - 1][NV - 1] = windowTile<MR, NV, AS_ROWS>;
    if constexpr (NV > 1) fill<MR, NV - 1>();
    else if constexpr (MR > 1) fill<MR - 1, TILE_VECTORS>();
  }
};

template <bool AS_ROWS> constexpr WindowTiles<AS_ROWS> windowTiles{};

} // namespace HEED_ISA
} // namespace heed
