// dw[g, m, c, t] = sum over images b and places of dy[b, m, y, x] · in[b, c, y·step + t.y, x·step + t.x].
//
// A product whose inner dimension are all places of all images, a round of them at a time. First dy is packed, and
// each image is laid out with its channels side by side, zeros around it; there a window's numbers, of the places
// one after the other, are the rows of the other operand, copied a panel at a time. Groups of one channel are summed
// place by place without a product.
#pragma once
#include "correlate.h"

namespace heed {
namespace HEED_ISA {

struct WeightGradient {
  int64_t images, groups;
  int64_t outputs, channels; // of a group
  Images in, dy;
  float* weights;
  int64_t weightGroup, weightOutput, weightChannel; // strides
  const List<Tap>& taps;
  int64_t stepY, stepX;
  int64_t places() const { return dy.height * dy.width; }
  int64_t field() const { return channels * (int64_t)taps.size(); }
};

// All that the windows reach of an image, the channels of a group side by side.
struct ChannelsLast {
  const WeightGradient& g;
  int64_t firstY = INT64_MAX, firstX = INT64_MAX, rows, columns;

  explicit ChannelsLast(const WeightGradient& g) : g(g) {
    int64_t lastY = INT64_MIN, lastX = INT64_MIN;
    for (const Tap& t : g.taps) {
      firstY = least(firstY, t.y), firstX = least(firstX, t.x);
      lastY = most(lastY, t.y), lastX = most(lastX, t.x);
    }
    rows = (g.dy.height - 1) * g.stepY + lastY - firstY + 1;
    columns = (g.dy.width - 1) * g.stepX + lastX - firstX + 1;
  }
  int64_t size() const { return rows * columns * g.channels; }
  int64_t at(const Tap& t) const { return ((t.y - firstY) * columns + t.x - firstX) * g.channels; }

  void fill(int64_t image, int64_t group, float* to) const {
    const int64_t C = g.channels, from = least(columns, most(0, -firstX));
    const int64_t until = most(from, least(columns, g.in.width - firstX));
    for (int64_t i = 0; i < rows; i++, to += columns * C) {
      const int64_t y = i + firstY;
      if (y < 0 || y >= g.in.height) {
        memset(to, 0, sizeof(float) * columns * C);
        continue;
      }
      memset(to, 0, sizeof(float) * from * C);
      transpose(g.in.data + image * g.in.image + group * C * g.in.channel + y * g.in.row + (from + firstX) * g.in.column,
                until - from, to + from * C);
      memset(to + until * C, 0, sizeof(float) * (columns - until) * C);
    }
  }

private:
  // `count` columns of a row, from (C, count) to (count, C).
  void transpose(const float* from, int64_t count, float* to) const {
    const int64_t C = g.channels, channel = g.in.channel, column = g.in.column;
    const int64_t whole = column == 1 ? count / 4 * 4 : 0, wholeC = C / 4 * 4;
    for (int64_t c = 0; c < wholeC; c += 4)
      for (int64_t x = 0; x < whole; x += 4) transpose4x4(from + c * channel + x, channel, to + x * C + c, C);
    for (int64_t c = 0; c < C; c++)
      for (int64_t x = c < wholeC ? whole : 0; x < count; x++) to[x * C + c] = from[c * channel + x * column];
  }
};

constexpr int64_t ROUND_OF_IMAGES = 4 << 20; // floats

inline void weightsByProducts(const WeightGradient& g, Pool& pool) {
  const int64_t M = g.outputs, K = g.field(), P = g.places(), C = g.channels, T = (int64_t)g.taps.size();
  const ChannelsLast sheet(g);
  const int64_t ofImage = roundUp(sheet.size(), VL), ofDy = roundUp(M * P, VL);
  const int64_t perRound = most(1, least(g.images, ROUND_OF_IMAGES / (g.groups * (ofImage + ofDy))));
  const int64_t inRound = perRound * g.groups;
  float* sheets = (float*)pool.scratch(0, 3, sizeof(float) * (inRound * (ofImage + ofDy) + g.groups * M * K + SPARE));
  float *packed = sheets + inRound * ofImage + SPARE, *sums = packed + inRound * ofDy;
  const Cut ks = kBlocks(P), blocks{M, ceilDiv(M, ROW_BLOCK), TILE_ROWS};

  // Columns in the order of `sheet`: taps, and their channels side by side.
  List<int64_t> columnAt((size_t)K);
  for (int64_t t = 0; t < T; t++)
    for (int64_t c = 0; c < C; c++) columnAt[t * C + c] = sheet.at(g.taps[t]) + c;

  const Cut columns{K, ceilDiv(K, 2 * TILE_COLUMNS), TILE_COLUMNS};
  // Rows are cut further where that is what it takes to have enough tasks.
  Cut rows = blocks;
  while (g.groups * columns.parts * rows.parts < TASKS / 2 && M / rows.parts >= 2 * TILE_ROWS) rows.parts *= 2;

  for (int64_t first = 0; first < g.images; first += perRound) {
    const int64_t images = least(perRound, g.images - first);
    parallel(pool, 2 * images * g.groups, [&](int64_t task, int thread) {
      const int64_t item = task / 2, image = first + item / g.groups, group = item % g.groups;
      if (task % 2 == 0) return sheet.fill(image, group, sheets + item * ofImage);
      const float* from = g.dy.data + image * g.dy.image + group * M * g.dy.channel;
      Product p{M, 0, P, {from, g.dy.channel, 1}, {}, {nullptr, 0}, false};
      if (!isAdjacent(g.dy)) {
        float* copy = (float*)pool.scratch(thread, 0, sizeof(float) * M * P);
        p.a = {copy, P, 1};
        for (int64_t m = 0; m < M; m++)
          for (int64_t y = 0; y < g.dy.height; y++)
            for (int64_t x = 0; x < g.dy.width; x++)
              *copy++ = from[m * g.dy.channel + y * g.dy.row + x * g.dy.column];
      }
      for (int64_t b = 0; b < rows.parts; b++)
        for (int64_t kb = 0; kb < ks.parts; kb++) {
          const Range k = part(ks, kb), r = part(rows, b);
          packA(p, k, r, blockOfA(packed + item * ofDy, p, k, r));
        }
    });
    parallel(pool, g.groups * columns.parts * rows.parts, [&](int64_t task, int thread) {
      const int64_t group = task / (columns.parts * rows.parts);
      const Range some = part(columns, task / rows.parts % columns.parts), r = part(rows, task % rows.parts);
      float* panel = (float*)pool.scratch(thread, 1, sizeof(float) * (roundUp(some.size(), VL) * K_BLOCK + SPARE));
      for (int64_t i = 0; i < images; i++) {
        const int64_t item = i * g.groups + group;
        const float* windows = sheets + item * ofImage;
        const Product p{M, K, P, {}, {}, {sums + group * M * K, K}, first + i > 0};
        for (int64_t kb = 0; kb < ks.parts; kb++) {
          const Range k = part(ks, kb);
          const PackedB b{panel, some, k.from};
          for (int64_t j = some.from; j < some.to; j += TILE_COLUMNS) {
            const int64_t count = least(TILE_COLUMNS, some.to - j);
            RowCopy copy;
            for (int64_t from = j; from < j + count;) {
              int64_t to = from + 1;
              while (to < j + count && columnAt[to] == columnAt[to - 1] + 1) to++;
              copy.add(columnAt[from], from - j, to - from);
              from = to;
            }
            int64_t y = k.from / g.dy.width, x = k.from % g.dy.width;
            copy.run(k.size(), [&](int64_t) {
              const float* source = windows + (y * g.stepY * sheet.columns + x * g.stepX) * C;
              if (++x == g.dy.width) x = 0, y++;
              return source;
            }, roundUp(count, VL), b.panel(k, j));
          }
          multiplyPacked(p, k, r, blockOfA(packed + item * ofDy, p, k, r), some, b,
                         [](Block, int64_t, int64_t, int64_t, int64_t) {});
        }
      }
    });
  }

  parallel(pool, g.groups * M, [&](int64_t task, int) {
    const float* from = sums + task * K;
    float* to = g.weights + task / M * g.weightGroup + task % M * g.weightOutput;
    for (int64_t t = 0; t < T; t++)
      for (int64_t c = 0; c < C; c++) to[c * g.weightChannel + g.taps[t].weight] = *from++;
  });
}

// All places of one channel: dy lies as the sheet does, 0 where a row of the sheet goes on, so that one walk meets
// all places, and each number of dy serves TAPS taps.
template <int TAPS>
HEED_INLINE void addTaps(const float* plane, const float* dy, int64_t count, const int64_t* at, float* sums) {
  vf sum[TAPS];
  HEED_UNROLL
  for (int t = 0; t < TAPS; t++) sum[t] = vf{};
  for (int64_t i = 0; i < count; i += VL) {
    const vf d = load(dy + i);
    HEED_UNROLL
    for (int t = 0; t < TAPS; t++) sum[t] = fma(d, load(plane + at[t] + i), sum[t]);
  }
  for (int t = 0; t < TAPS; t++) sums[t] += sumOfLanes(sum[t]);
}

inline void weightsByTaps(const WeightGradient& g, Pool& pool) {
  const int64_t T = (int64_t)g.taps.size(), height = g.dy.height, width = g.dy.width;
  parallel(pool, g.groups, [&](int64_t group, int thread) {
    const Sheet sheet(g.in, g.taps, g.stepY, g.stepX, 1, height, width);
    const int64_t count = (height - 1) * sheet.columns + width;
    float* plane = (float*)pool.scratch(thread, 0, sizeof(float) * (sheet.image() + SPARE));
    float* dy = (float*)pool.scratch(thread, 1, sizeof(float) * (height * sheet.columns + SPARE));
    List<int64_t> at((size_t)T);
    List<float> sums((size_t)(T * g.outputs));
    for (int64_t t = 0; t < T; t++) at[t] = sheet.at(g.taps[t]);
    sums.fill(0);
    for (int64_t i = 0; i < height * sheet.columns + SPARE; i++) dy[i] = 0;
    for (int64_t i = 0; i < SPARE; i++) plane[sheet.image() + i] = 0; // times 0, but not if it were not a number
    for (int64_t image = 0; image < g.images; image++) {
      sheet.fill(image, group, 0, plane);
      for (int64_t m = 0; m < g.outputs; m++) {
        for (int64_t y = 0; y < height; y++) {
          const float* from = g.dy.data + image * g.dy.image + (group * g.outputs + m) * g.dy.channel + y * g.dy.row;
          for (int64_t x = 0; x < width; x++) dy[y * sheet.columns + x] = from[x * g.dy.column];
        }
        float* sum = sums.begin() + m * T;
        int64_t t = 0;
        for (; t + 9 <= T; t += 9) addTaps<9>(plane, dy, count, at.begin() + t, sum + t);
        for (; t + 4 <= T; t += 4) addTaps<4>(plane, dy, count, at.begin() + t, sum + t);
        for (; t < T; t++) addTaps<1>(plane, dy, count, at.begin() + t, sum + t);
      }
    }
    for (int64_t m = 0; m < g.outputs; m++)
      for (int64_t t = 0; t < T; t++)
        g.weights[group * g.weightGroup + m * g.weightOutput + g.taps[t].weight] = sums[m * T + t];
  });
}

inline void correlateWeights(const WeightGradient& g, Pool& pool) {
  if (g.channels == 1 && g.groups > 1 && g.outputs <= 4) weightsByTaps(g, pool);
  else weightsByProducts(g, pool);
}

} // namespace HEED_ISA
} // namespace heed
