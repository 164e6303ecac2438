// Convolutions with few outputs: a matrix product whose columns are the windows of the positions,
// and whose rows are the outputs.
//
// A task takes some images, or some rows of one. It copies them to sheets, packs columns
// (positions) of the matrix of windows directly from there, a few panels at a time, and multiplies.
// The whole matrix is never in memory.
#pragma once
#include "correlation.h"

namespace heed {
namespace HEED_ISA {

// Packs the weights of a group into the panels that tiles read: blocks of rows, stretch by stretch
// of K.
inline void packWeights(const Correlation& c, int64_t group, const Product& p, Range rows,
                        float* all) {
  const Cut ks = kBlocks(p.k), panels = rowPanels(rows.size());
  const int64_t T = (int64_t)c.taps.size();
  for (int64_t kb = 0; kb < ks.parts; kb++) {
    const Range k = part(ks, kb);
    float* block = blockOfA(all, p, k, rows);
    for (int64_t i = 0; i < panels.parts; i++) {
      const Range r = part(panels, i);
      const float* from[TILE_ROWS];
      for (int64_t j = 0; j < r.size(); j++) from[j] = c.weightsOf(group, rows.from + r.from + j);
      float* to = block + r.from * k.size();
      int64_t channel = k.from / T, t = k.from % T;
      for (int64_t n = 0; n < k.size(); n++) {
        const int64_t at = channel * c.weightChannel + c.taps[t].weight;
        for (int64_t j = 0; j < r.size(); j++) *to++ = from[j][at];
        if (++t == T) t = 0, channel++;
      }
    }
  }
}

// The copies that fill the columns of a panel from the sheets of a task.
inline RowCopy columnsFrom(const Sheet& sheet, int64_t rows, int64_t width, int64_t column,
                           int64_t count) {
  RowCopy copy;
  for (int64_t j = column; j < column + count;) {
    const int64_t x = j % width, y = j / width % rows, image = j / width / rows;
    const int64_t length = least(width - x, column + count - j);
    copy.add(image * sheet.image() + y * sheet.columns + x, j - column, length);
    j += length;
  }
  return copy;
}

// Copies the results of a task to the output.
inline void scatterPlaces(const Correlation& c, int64_t group, Places at, const float* from) {
  const int64_t width = c.out.width, step = c.out.column;
  for (int64_t m = 0; m < c.rows(); m++)
    for (int64_t b = at.images.from; b < at.images.to; b++)
      for (int64_t y = at.rows.from; y < at.rows.to; y++, from += width) {
        float* to = c.outOf(group, m) + b * c.out.image + y * c.out.row;
        if (step == 1)
          for (int64_t x = 0; x < width; x++) to[x] = from[x];
        else
          for (int64_t x = 0; x < width; x++) to[x * step] = from[x];
      }
}

constexpr int64_t PANELS_AT_ONCE = 6; // of the matrix of windows: with K_BLOCK rows they stay in L2

inline void correlateColumnsOf(const Correlation& c, Pool& pool, int thread, int64_t group,
                               Places at, const float* weights) {
  const int64_t rows = at.rows.size(), width = c.out.width,
                columns = at.images.size() * rows * width;
  const int64_t M = c.rows(), K = c.field();
  const Sheet sheet(c.in, c.taps, c.stepY, c.stepX, c.channels, rows, width);
  float* sheets =
      (float*)pool.scratch(thread, 0, sizeof(float) * (at.images.size() * sheet.image() + SPARE));
  for (int64_t b = at.images.from; b < at.images.to; b++)
    sheet.fill(b, group * c.channels, at.rows.from, sheets + (b - at.images.from) * sheet.image());

  const bool direct = at.images.size() == 1 && c.phases.size() == 1 && isAdjacent(c.out);
  Product p{M, columns, K, {}, {}, {nullptr, columns}, false};
  if (direct)
    p.c = {c.outOf(group, 0) + at.images.from * c.out.image + at.rows.from * width, c.out.channel};
  else p.c.data = (float*)pool.scratch(thread, 2, sizeof(float) * M * columns);

  const Cut ks = kBlocks(K), blocks{M, ceilDiv(M, ROW_BLOCK), TILE_ROWS};
  const List<int64_t> fieldAt = fieldsOf(c, sheet);

  const Cut stretches{columns, ceilDiv(columns, PANELS_AT_ONCE * TILE_COLUMNS), TILE_COLUMNS};
  float* packed = (float*)pool.scratch(
      thread, 1, sizeof(float) * (PANELS_AT_ONCE * TILE_COLUMNS * K_BLOCK + SPARE));
  for (int64_t s = 0; s < stretches.parts; s++) {
    const Range some = part(stretches, s);
    for (int64_t kb = 0; kb < ks.parts; kb++) {
      const Range k = part(ks, kb);
      const PackedB b{packed, some, k.from};
      for (int64_t j = some.from; j < some.to; j += TILE_COLUMNS) {
        const int64_t count = least(TILE_COLUMNS, some.to - j);
        const RowCopy copy = columnsFrom(sheet, rows, width, j, count);
        copy.run(k.size(), sheets, fieldAt.begin() + k.from, roundUp(count, VL), b.panel(k, j));
      }
      for (int64_t i = 0; i < blocks.parts; i++) {
        const Range r = part(blocks, i);
        multiplyPacked(p, k, r, blockOfA((float*)weights, p, k, r), some, b,
                       [](Block, int64_t, int64_t, int64_t, int64_t) {});
      }
    }
  }
  if (!direct) scatterPlaces(c, group, at, p.c.data);
}

inline void correlateByColumns(const Correlation& c, Pool& pool) {
  const int64_t M = c.rows(), K = c.field(), ofGroup = M * K;
  float* weights = (float*)pool.scratch(0, 3, sizeof(float) * c.groups * ofGroup);
  const Cut blocks{M, ceilDiv(M, ROW_BLOCK), TILE_ROWS};
  const Product p{M, 0, K, {}, {}, {nullptr, 0}, false};
  parallel(pool, c.groups * blocks.parts, [&](int64_t task, int) {
    const int64_t group = task / blocks.parts;
    packWeights(c, group, p, part(blocks, task % blocks.parts), weights + group * ofGroup);
  });
  eachTask(c, pool, [&](int64_t group, Places at, int thread) {
    correlateColumnsOf(c, pool, thread, group, at, weights + group * ofGroup);
  });
}

} // namespace HEED_ISA
} // namespace heed
