// Chooses the algorithm for a correlation. Groups of one channel are summed tap by tap without a
// matrix product.
#pragma once
#include "correlate-columns.h"
#include "correlate-rows.h"

namespace heed {
namespace HEED_ISA {

// Sums all taps for some vectors of positions of one channel, in registers.
template <int VECTORS>
HEED_INLINE void sumTaps(const float* from, int64_t T, const int64_t* at, const float* weights,
                         float* to) {
  vf sum[VECTORS];
  HEED_UNROLL
  for (int i = 0; i < VECTORS; i++) sum[i] = vf{};
  for (int64_t t = 0; t < T; t++) {
    const vf w = splat(weights[t]);
    HEED_UNROLL
    for (int i = 0; i < VECTORS; i++) sum[i] = fma(w, load(from + at[t] + i * VL), sum[i]);
  }
  HEED_UNROLL
  for (int i = 0; i < VECTORS; i++) store(to + i * VL, sum[i]);
}

inline void correlateChannel(const Correlation& c, const Sheet& sheet, const float* plane,
                             const int64_t* at, const float* weights, float* to) {
  constexpr int WIDE = 4;
  const int64_t T = (int64_t)c.taps.size(), width = c.out.width;
  for (int64_t y = 0; y < c.out.height; y++, plane += sheet.columns, to += width) {
    int64_t x = 0;
    // The last vector of a row extends into the next row, which is written later.
    for (; x + (WIDE - 1) * VL < width; x += WIDE * VL)
      sumTaps<WIDE>(plane + x, T, at, weights, to + x);
    for (; x < width; x += VL) sumTaps<1>(plane + x, T, at, weights, to + x);
  }
}

inline void correlateByTaps(const Correlation& c, Pool& pool) {
  const int64_t T = (int64_t)c.taps.size(), P = c.places(), channels = c.images * c.groups;
  const int64_t atOnce = most(1, least(32, 16384 / P));
  parallel(pool, ceilDiv(channels, atOnce), [&](int64_t task, int thread) {
    const Sheet sheet(c.in, c.taps, c.stepY, c.stepX, 1, c.out.height, c.out.width);
    float* plane = (float*)pool.scratch(thread, 0, sizeof(float) * (sheet.image() + SPARE));
    float* result = (float*)pool.scratch(thread, 1, sizeof(float) * (P + SPARE));
    List<int64_t> at((size_t)T);
    List<float> weights((size_t)T);
    for (int64_t t = 0; t < T; t++) at[t] = sheet.at(c.taps[t]);
    for (int64_t i = task * atOnce; i < least(channels, (task + 1) * atOnce); i++) {
      const int64_t image = i / c.groups, group = i % c.groups;
      sheet.fill(image, group, 0, plane);
      for (int64_t m = 0; m < c.rows(); m++) {
        const float* w = c.weightsOf(group, m);
        for (int64_t t = 0; t < T; t++) weights[t] = w[c.taps[t].weight];
        correlateChannel(c, sheet, plane, at.begin(), weights.begin(), result);
        const float* from = result;
        for (int64_t y = 0; y < c.out.height; y++, from += c.out.width) {
          float* to = c.outOf(group, m) + image * c.out.image + y * c.out.row;
          for (int64_t x = 0; x < c.out.width; x++) to[x * c.out.column] = from[x];
        }
      }
    }
  });
}

// Windows of one position are the image itself: one plain product for each image.
inline void correlateImages(const Correlation& c, Pool& pool) {
  gemm(pool, c.images * c.groups, [&](int64_t i) {
    const int64_t image = i / c.groups, group = i % c.groups;
    const float* weights = c.weights + group * c.weightGroup + c.taps[0].weight;
    const float* in = c.in.data + image * c.in.image + group * c.channels * c.in.channel;
    float* out = c.out.data + image * c.out.image + group * c.outputs * c.out.channel;
    return Product{c.outputs,
                   c.places(),
                   c.channels,
                   {weights, c.weightOutput, c.weightChannel},
                   {in, 1, c.in.channel},
                   {out, c.out.channel},
                   false};
  });
}

HEED_INLINE bool readsInPlace(const Correlation& c) {
  return c.taps.size() == 1 && c.phases.size() == 1 && c.taps[0].y == 0 && c.taps[0].x == 0 &&
         c.stepY == 1 && c.stepX == 1 && c.in.height == c.out.height && c.in.width == c.out.width &&
         isAdjacent(c.in) && isAdjacent(c.out);
}

// With outputs as rows, results must be transposed. This pays if the product is much more work, or
// if results must be rearranged in any case.
HEED_INLINE bool suitsRows(const Correlation& c) {
  return c.rows() >= VL && (c.field() >= 2 * c.rows() || c.phases.size() > 1);
}

inline void correlate(const Correlation& c, Pool& pool) {
  if (c.images * c.groups * c.rows() * c.places() == 0) return;
  if (c.channels == 1 && c.groups > 1 && c.rows() <= 4) correlateByTaps(c, pool);
  else if (readsInPlace(c)) correlateImages(c, pool);
  else if (suitsRows(c)) correlateByRows(c, pool);
  else correlateByColumns(c, pool);
}

} // namespace HEED_ISA
} // namespace heed
