// Convolutions with many outputs: a matrix product whose rows are the windows of the positions, and
// whose columns are the outputs. Weights are packed once. Adjacent positions read adjacent numbers
// of a sheet, so the product reads the windows in place, and the matrix of windows is never built.
#pragma once
#include "correlation.h"
#include "window-tile.h"

namespace heed {
namespace HEED_ISA {

// Packs the weights of the outputs into panels of TILE_COLUMNS outputs, each over the whole window.
// The last panel is padded to whole vectors.
inline void packOutputs(const Correlation& c, int64_t group, Range outputs, float* to) {
  const int64_t width = roundUp(outputs.size(), VL);
  List<const float*> from((size_t)outputs.size());
  for (int64_t m = outputs.from; m < outputs.to; m++)
    from[m - outputs.from] = c.weightsOf(group, m);
  for (int64_t channel = 0; channel < c.channels; channel++)
    for (const Tap& tap : c.taps) {
      const int64_t at = channel * c.weightChannel + tap.weight;
      for (int64_t j = 0; j < outputs.size(); j++) to[j] = from[j][at];
      for (int64_t j = outputs.size(); j < width; j++) to[j] = 0;
      to += width;
    }
}

// Copies some outputs of the positions of a task from `from` (positions, width) to the output.
inline void scatterOutputs(const Correlation& c, int64_t group, Places at, Range outputs,
                           const float* from, int64_t width) {
  const bool adjacent = isAdjacent(c.out);
  const int64_t runs = adjacent ? 1 : at.rows.size(), length = at.rows.size() * c.out.width / runs;
  const int64_t step = adjacent ? 1 : c.out.column, count = outputs.size();
  const int64_t whole = step == 1 && c.phases.size() == 1 ? length / 4 * 4 : 0;
  const int64_t wholeOutputs = whole ? count / 4 * 4 : 0;
  for (int64_t b = at.images.from; b < at.images.to; b++)
    for (int64_t r = 0; r < runs; r++, from += length * width) {
      const int64_t place = b * c.out.image + (at.rows.from + r) * c.out.row;
      for (int64_t m = 0; m < wholeOutputs; m += 4) {
        float* to = c.outOf(group, outputs.from + m) + place;
        for (int64_t p = 0; p < whole; p += 4)
          transpose4x4(from + p * width + m, width, to + p, c.out.channel);
      }
      for (int64_t m = 0; m < count; m++) {
        float* to = c.outOf(group, outputs.from + m) + place;
        for (int64_t p = m < wholeOutputs ? whole : 0; p < length; p++)
          to[p * step] = from[p * width + m];
      }
    }
}

inline void correlateRowsOf(const Correlation& c, Pool& pool, int thread, int64_t group, Places at,
                            const float* weights) {
  const int64_t rows = at.rows.size(), images = at.images.size(), K = c.field();
  const Sheet sheet(c.in, c.taps, c.stepY, c.stepX, c.channels, rows, c.out.width);
  float* sheets = (float*)pool.scratch(thread, 0, sizeof(float) * (images * sheet.image() + SPARE));
  for (int64_t b = 0; b < images; b++)
    sheet.fill(at.images.from + b, group * c.channels, at.rows.from, sheets + b * sheet.image());
  const List<int64_t> fieldAt = fieldsOf(c, sheet);
  const Cut ks = kBlocks(K), pieces = rowPanels(c.out.width);
  float* sums =
      (float*)pool.scratch(thread, 1, sizeof(float) * images * rows * c.out.width * TILE_COLUMNS);
  for (int64_t m = 0; m < c.rows(); m += TILE_COLUMNS) {
    const Range outputs{m, least(c.rows(), m + TILE_COLUMNS)};
    const int64_t width = roundUp(outputs.size(), VL);
    for (int64_t kb = 0; kb < ks.parts; kb++) {
      const Range k = part(ks, kb);
      const float* panel = weights + m * K + k.from * width;
      float* to = sums;
      for (int64_t b = 0; b < images; b++)
        for (int64_t y = 0; y < rows; y++)
          for (int64_t i = 0; i < pieces.parts; i++) {
            const Range r = part(pieces, i);
            windowTiles<true>.at(r.size(), width)(
                k.size(), sheets + b * sheet.image() + y * sheet.columns + r.from,
                fieldAt.begin() + k.from, panel, {to, width}, width, kb > 0);
            to += r.size() * width;
          }
    }
    scatterOutputs(c, group, at, outputs, sums, width);
  }
}

inline void correlateByRows(const Correlation& c, Pool& pool) {
  const int64_t K = c.field(), ofGroup = roundUp(c.rows(), VL) * K,
                panels = ceilDiv(c.rows(), TILE_COLUMNS);
  float* weights = (float*)pool.scratch(0, 3, sizeof(float) * c.groups * ofGroup);
  parallel(pool, c.groups * panels, [&](int64_t task, int) {
    const int64_t group = task / panels, m = task % panels * TILE_COLUMNS;
    packOutputs(c, group, {m, least(c.rows(), m + TILE_COLUMNS)},
                weights + group * ofGroup + m * K);
  });
  eachTask(c, pool, [&](int64_t group, Places at, int thread) {
    correlateRowsOf(c, pool, thread, group, at, weights + group * ofGroup);
  });
}

} // namespace HEED_ISA
} // namespace heed
