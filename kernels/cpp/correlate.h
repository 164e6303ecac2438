// out[b, m, y, x] = sum over channels c and taps t of weights[m, c, t] · in[b, c, y·step + t.y, x·step + t.x], with
// zeros around `in`: a convolution, and the gradient of its input too.
//
// A task takes some images, or some rows of one. It lays them out as sheets, packs columns (places) of the matrix of
// windows straight from there, a few panels at a time, and multiplies: that matrix is never whole in memory. Groups
// of one channel are summed tap by tap without a product.
#pragma once
#include "sheet.h"

namespace heed {
namespace HEED_ISA {

struct Correlation {
  int64_t images, groups;
  int64_t outputs, channels; // of a group
  Images in, out;
  const float* weights;
  int64_t weightGroup, weightOutput, weightChannel; // strides
  const List<Tap>& taps;
  int64_t stepY, stepX;
  int64_t places() const { return out.height * out.width; }
  int64_t field() const { return channels * (int64_t)taps.size(); }
};

// Which places a task takes: images, and rows of each.
struct Places {
  Range images, rows;
};

// Cut by shape alone: about `columns` places, fewer where that leaves less than TASKS tasks.
struct PlaceCut {
  Cut images, rows;
  int64_t parts() const { return images.parts * rows.parts; }
  Places at(int64_t i) const { return {part(images, i / rows.parts), part(rows, i % rows.parts)}; }
};

inline PlaceCut cutPlaces(const Correlation& c, int64_t columns) {
  const int64_t P = c.places(), width = c.out.width;
  const double work = (double)c.outputs * (double)c.field();
  while (columns > 2 * TILE_COLUMNS && c.images * c.groups * ceilDiv(P, columns) < TASKS &&
         work * (double)columns > MIN_TASK)
    columns /= 2;
  if (2 * P <= columns) return {{c.images, ceilDiv(c.images, columns / P), 1}, {c.out.height, 1, 1}};
  // Whole vectors of places where a few rows make them.
  int64_t unit = 1;
  while (unit < 8 && unit * width % VL != 0) unit++;
  if (unit == 8) unit = 1;
  const int64_t parts = most(1, (P + columns / 2) / columns);
  return {{c.images, c.images, 1}, {c.out.height, least(parts, ceilDiv(c.out.height, unit)), unit}};
}

// The weights of a group, in the panels that tiles read: blocks of rows, one stretch of K after the other.
inline void packWeights(const Correlation& c, int64_t group, const Product& p, Range rows, float* all) {
  const Cut ks = kBlocks(p.k), panels = rowPanels(rows.size());
  const int64_t T = (int64_t)c.taps.size();
  for (int64_t kb = 0; kb < ks.parts; kb++) {
    const Range k = part(ks, kb);
    float* block = blockOfA(all, p, k, rows);
    for (int64_t i = 0; i < panels.parts; i++) {
      const Range r = part(panels, i);
      const float* from = c.weights + group * c.weightGroup + (rows.from + r.from) * c.weightOutput;
      float* to = block + r.from * k.size();
      int64_t channel = k.from / T, t = k.from % T;
      for (int64_t n = 0; n < k.size(); n++) {
        const float* w = from + channel * c.weightChannel + c.taps[t].weight;
        for (int64_t j = 0; j < r.size(); j++) *to++ = w[j * c.weightOutput];
        if (++t == T) t = 0, channel++;
      }
    }
  }
}

// How the columns of a panel are copied from the sheets of a task.
inline RowCopy columnsFrom(const Sheet& sheet, int64_t rows, int64_t width, int64_t column, int64_t count) {
  RowCopy copy;
  for (int64_t j = column; j < column + count;) {
    const int64_t x = j % width, y = j / width % rows, image = j / width / rows;
    const int64_t length = least(width - x, column + count - j);
    copy.add(image * sheet.image() + y * sheet.columns + x, j - column, length);
    j += length;
  }
  return copy;
}

// Copies a task's results to where they belong.
inline void scatterPlaces(const Correlation& c, int64_t group, Places at, const float* from) {
  const int64_t width = c.out.width, step = c.out.column;
  for (int64_t m = 0; m < c.outputs; m++)
    for (int64_t b = at.images.from; b < at.images.to; b++)
      for (int64_t y = at.rows.from; y < at.rows.to; y++, from += width) {
        float* to = c.out.data + b * c.out.image + (group * c.outputs + m) * c.out.channel + y * c.out.row;
        if (step == 1)
          for (int64_t x = 0; x < width; x++) to[x] = from[x];
        else
          for (int64_t x = 0; x < width; x++) to[x * step] = from[x];
      }
}

HEED_INLINE bool isAdjacent(const Images& i) {
  return (i.column == 1 || i.width == 1) && (i.row == i.width || i.height == 1);
}

constexpr int64_t PANELS_AT_ONCE = 6; // of the windows' matrix: with K_BLOCK rows they stay in the L2

inline void correlatePlaces(const Correlation& c, Pool& pool, int thread, int64_t group, Places at, const float* weights) {
  const int64_t rows = at.rows.size(), width = c.out.width, columns = at.images.size() * rows * width, K = c.field();
  const Sheet sheet(c.in, c.taps, c.stepY, c.stepX, c.channels, rows, width);
  float* sheets = (float*)pool.scratch(thread, 0, sizeof(float) * (at.images.size() * sheet.image() + SPARE));
  for (int64_t b = at.images.from; b < at.images.to; b++)
    sheet.fill(b, group * c.channels, at.rows.from, sheets + (b - at.images.from) * sheet.image());

  const bool direct = at.images.size() == 1 && isAdjacent(c.out);
  Product p{c.outputs, columns, K, {}, {}, {nullptr, columns}, false};
  if (direct)
    p.c = {c.out.data + at.images.from * c.out.image + group * c.outputs * c.out.channel + at.rows.from * width, c.out.channel};
  else p.c.data = (float*)pool.scratch(thread, 2, sizeof(float) * c.outputs * columns);

  const Cut ks = kBlocks(K), blocks{c.outputs, ceilDiv(c.outputs, ROW_BLOCK), TILE_ROWS};
  List<int64_t> fieldAt((size_t)K); // of each number that a place sees
  for (int64_t channel = 0, k = 0; channel < c.channels; channel++)
    for (const Tap& tap : c.taps) fieldAt[k++] = channel * sheet.channel() + sheet.at(tap);

  const Cut stretches{columns, ceilDiv(columns, PANELS_AT_ONCE * TILE_COLUMNS), TILE_COLUMNS};
  float* packed = (float*)pool.scratch(thread, 1, sizeof(float) * (PANELS_AT_ONCE * TILE_COLUMNS * K_BLOCK + SPARE));
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

inline void correlateByProducts(const Correlation& c, Pool& pool) {
  const int64_t K = c.field(), ofGroup = c.outputs * K;
  float* weights = (float*)pool.scratch(0, 3, sizeof(float) * c.groups * ofGroup);
  const Cut blocks{c.outputs, ceilDiv(c.outputs, ROW_BLOCK), TILE_ROWS};
  const Product p{c.outputs, 0, K, {}, {}, {nullptr, 0}, false};
  parallel(pool, c.groups * blocks.parts, [&](int64_t task, int) {
    const int64_t group = task / blocks.parts;
    packWeights(c, group, p, part(blocks, task % blocks.parts), weights + group * ofGroup);
  });
  const PlaceCut cut = cutPlaces(c, 16 * TILE_COLUMNS);
  parallel(pool, c.groups * cut.parts(), [&](int64_t task, int thread) {
    const int64_t group = task % c.groups;
    correlatePlaces(c, pool, thread, group, cut.at(task / c.groups), weights + group * ofGroup);
  });
}

// One channel of one image: vectors of places, tap by tap, in registers.
template <int VECTORS>
HEED_INLINE void sumTaps(const float* from, int64_t T, const int64_t* at, const float* weights, float* to) {
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

inline void correlateChannel(const Correlation& c, const Sheet& sheet, const float* plane, const int64_t* at,
                             const float* weights, float* to) {
  constexpr int WIDE = 4;
  const int64_t T = (int64_t)c.taps.size(), width = c.out.width;
  for (int64_t y = 0; y < c.out.height; y++, plane += sheet.columns, to += width) {
    int64_t x = 0;
    // Each row's last vector reaches into the next row, which is written later.
    for (; x + (WIDE - 1) * VL < width; x += WIDE * VL) sumTaps<WIDE>(plane + x, T, at, weights, to + x);
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
      for (int64_t m = 0; m < c.outputs; m++) {
        const float* w = c.weights + group * c.weightGroup + m * c.weightOutput;
        for (int64_t t = 0; t < T; t++) weights[t] = w[c.taps[t].weight];
        correlateChannel(c, sheet, plane, at.begin(), weights.begin(), result);
        const float* from = result;
        for (int64_t y = 0; y < c.out.height; y++, from += c.out.width) {
          float* to = c.out.data + image * c.out.image + (group * c.outputs + m) * c.out.channel + y * c.out.row;
          for (int64_t x = 0; x < c.out.width; x++) to[x * c.out.column] = from[x];
        }
      }
    }
  });
}

// Windows of one place are the image itself: a plain product for each image.
inline void correlateImages(const Correlation& c, Pool& pool) {
  gemm(pool, c.images * c.groups, [&](int64_t i) {
    const int64_t image = i / c.groups, group = i % c.groups;
    const float* weights = c.weights + group * c.weightGroup + c.taps[0].weight;
    const float* in = c.in.data + image * c.in.image + group * c.channels * c.in.channel;
    float* out = c.out.data + image * c.out.image + group * c.outputs * c.out.channel;
    return Product{c.outputs, c.places(), c.channels, {weights, c.weightOutput, c.weightChannel},
                   {in, 1, c.in.channel}, {out, c.out.channel}, false};
  });
}

HEED_INLINE bool readsInPlace(const Correlation& c) {
  return c.taps.size() == 1 && c.taps[0].y == 0 && c.taps[0].x == 0 && c.stepY == 1 && c.stepX == 1 &&
         c.in.height == c.out.height && c.in.width == c.out.width && isAdjacent(c.in) && isAdjacent(c.out);
}

inline void correlate(const Correlation& c, Pool& pool) {
  if (c.images * c.groups * c.outputs * c.places() == 0) return;
  if (c.channels == 1 && c.groups > 1 && c.outputs <= 4) correlateByTaps(c, pool);
  else if (readsInPlace(c)) correlateImages(c, pool);
  else correlateByProducts(c, pool);
}

} // namespace HEED_ISA
} // namespace heed
