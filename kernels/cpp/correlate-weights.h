// dw[g, m, c, t] = sum over images b and positions (y, x) of dy[b, m, y, x] · in[b, c, y·step +
// t.y, x·step + t.x].
//
// One matrix product for each image, with the positions as the inner dimension. dy is packed, and
// the image is copied with the channels last and zeros around it. The windows of this copy are the
// rows of the other operand: they are read in place, or copied a panel at a time where a panel is
// not contiguous. Groups of one channel are summed position by position without a product.
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

// The part of an image that the windows read, with the channels of a group as the last dimension.
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
      transpose(g.in.data + image * g.in.image + group * C * g.in.channel + y * g.in.row +
                    (from + firstX) * g.in.column,
                until - from, to + from * C);
      memset(to + until * C, 0, sizeof(float) * (columns - until) * C);
    }
  }

private:
  // Transposes `count` columns of a row from (C, count) to (count, C).
  void transpose(const float* from, int64_t count, float* to) const {
    const int64_t C = g.channels, channel = g.in.channel, column = g.in.column;
    const int64_t whole = column == 1 ? count / 4 * 4 : 0, wholeC = C / 4 * 4;
    for (int64_t c = 0; c < wholeC; c += 4)
      for (int64_t x = 0; x < whole; x += 4)
        transpose4x4(from + c * channel + x, channel, to + x * C + c, C);
    for (int64_t c = 0; c < C; c++)
      for (int64_t x = c < wholeC ? whole : 0; x < count; x++)
        to[x * C + c] = from[c * channel + x * column];
  }
};

// The product of one image: dy (outputs, positions) times windows (positions, fields). A field is a
// tap and a channel; the channels of a tap are adjacent.
struct ImageProduct {
  const WeightGradient& g;
  const ChannelsLast sheet;
  const int64_t M, K, P;
  const Cut ks;
  Cut rows;
  List<int64_t> fieldAt, placeAt; // in the sheet

  explicit ImageProduct(const WeightGradient& g)
      : g(g), sheet(g), M(g.outputs), K(g.field()), P(g.places()),
        ks(kBlocks(P)), rows{M, ceilDiv(M, ROW_BLOCK), TILE_ROWS}, fieldAt((size_t)K),
        placeAt((size_t)P) {
    int64_t i = 0;
    for (const Tap& t : g.taps)
      for (int64_t c = 0; c < g.channels; c++) fieldAt[i++] = sheet.at(t) + c;
    i = 0;
    for (int64_t y = 0; y < g.dy.height; y++)
      for (int64_t x = 0; x < g.dy.width; x++)
        placeAt[i++] = (y * g.stepY * sheet.columns + x * g.stepX) * g.channels;
  }

  Product product(Operand dy, float* sums, bool accumulate) const {
    return {M, K, P, dy, {}, {sums, K}, accumulate};
  }

  void packDy(Pool& pool, int thread, int64_t image, int64_t group, float* packed) const {
    const float* from = g.dy.data + image * g.dy.image + group * M * g.dy.channel;
    Product p = product({from, g.dy.channel, 1}, nullptr, false);
    if (!isAdjacent(g.dy)) {
      float* copy = (float*)pool.scratch(thread, 2, sizeof(float) * M * P);
      p.a = {copy, P, 1};
      for (int64_t m = 0; m < M; m++)
        for (int64_t y = 0; y < g.dy.height; y++)
          for (int64_t x = 0; x < g.dy.width; x++)
            *copy++ = from[m * g.dy.channel + y * g.dy.row + x * g.dy.column];
    }
    for (int64_t b = 0; b < rows.parts; b++)
      for (int64_t kb = 0; kb < ks.parts; kb++) {
        const Range k = part(ks, kb), r = part(rows, b);
        packA(p, k, r, blockOfA(packed, p, k, r));
      }
  }

  // The copies that fill the fields of a panel from the sheet.
  RowCopy fieldsFrom(int64_t column, int64_t count) const {
    RowCopy copy;
    for (int64_t from = column; from < column + count;) {
      int64_t to = from + 1;
      while (to < column + count && fieldAt[to] == fieldAt[to - 1] + 1) to++;
      copy.add(fieldAt[from], from - column, to - from);
      from = to;
    }
    return copy;
  }

  bool inOnePiece(int64_t column, int64_t count) const {
    return fieldAt[column + count - 1] == fieldAt[column] + count - 1;
  }

  // Computes some fields of some blocks of outputs from the packed dy and the sheet of an image.
  void multiply(Pool& pool, int thread, const float* windows, const float* dy, Range some,
                Range blocks, float* sums, bool accumulate) const {
    float* panel =
        (float*)pool.scratch(thread, 1, sizeof(float) * (TILE_COLUMNS * K_BLOCK + SPARE));
    const Product p = product({}, sums, accumulate);
    for (int64_t kb = 0; kb < ks.parts; kb++) {
      const Range k = part(ks, kb);
      for (int64_t j = some.from; j < some.to; j += TILE_COLUMNS) {
        const int64_t count = least(TILE_COLUMNS, some.to - j);
        const Range columns{j, j + count};
        const bool inPlace = inOnePiece(j, count);
        if (!inPlace)
          fieldsFrom(j, count).run(k.size(), windows, placeAt.begin() + k.from, roundUp(count, VL),
                                   panel);
        for (int64_t i = blocks.from; i < blocks.to; i++) {
          const Range r = part(rows, i);
          const float* a = blockOfA((float*)dy, p, k, r);
          if (inPlace) multiplyWindows(p, k, r, a, windows, columns);
          else
            multiplyPacked(p, k, r, a, columns, {panel, columns, k.from},
                           [](Block, int64_t, int64_t, int64_t, int64_t) {});
        }
      }
    }
  }

  // Like multiplyPacked, for one panel.
  void multiplyWindows(const Product& p, Range k, Range rows, const float* a, const float* windows,
                       Range columns) const {
    const Cut panels = rowPanels(rows.size());
    const int64_t count = columns.size();
    for (int64_t i = 0; i < panels.parts; i++) {
      const Range r = part(panels, i);
      const Block c{p.c.data + (rows.from + r.from) * p.c.stride + columns.from, p.c.stride};
      windowTiles<false>.at(r.size(), count)(k.size(), windows + fieldAt[columns.from],
                                             placeAt.begin() + k.from, a + r.from * k.size(), c,
                                             count, p.accumulate || k.from > 0);
    }
  }

  void write(int64_t group, int64_t m, const float* from) const {
    float* to = g.weights + group * g.weightGroup + m * g.weightOutput;
    for (const Tap& t : g.taps)
      for (int64_t c = 0; c < g.channels; c++) to[c * g.weightChannel + t.weight] = *from++;
  }
};

// For few weights: each task has its own sums for a slice of the images, which it copies and
// multiplies one at a time while they are in L2. The sums of the slices are added in order.
constexpr int64_t SLICES = 16, FLOATS_OF_SLICES = 4 << 20;

inline void weightsBySlices(const ImageProduct& image, const WeightGradient& g, Pool& pool) {
  const int64_t size = image.M * image.K;
  const Cut slices{g.images, least(SLICES, g.images), 1},
      columns{image.K, ceilDiv(image.K, 4 * TILE_COLUMNS), TILE_COLUMNS};
  float* all = (float*)pool.scratch(0, 3, sizeof(float) * g.groups * slices.parts * size);
  parallel(pool, g.groups * slices.parts, [&](int64_t task, int thread) {
    const int64_t group = task / slices.parts;
    const Range some = part(slices, task % slices.parts);
    const int64_t ofSheet = roundUp(image.sheet.size() + SPARE, VL);
    float* windows = (float*)pool.scratch(thread, 0, sizeof(float) * (ofSheet + image.M * image.P));
    for (int64_t i = some.from; i < some.to; i++) {
      image.sheet.fill(i, group, windows);
      image.packDy(pool, thread, i, group, windows + ofSheet);
      for (int64_t c = 0; c < columns.parts; c++)
        image.multiply(pool, thread, windows, windows + ofSheet, part(columns, c),
                       {0, image.rows.parts}, all + task * size, i > some.from);
    }
  });
  parallel(pool, g.groups * image.M, [&](int64_t task, int) {
    const int64_t group = task / image.M, m = task % image.M;
    float* sum = all + group * slices.parts * size + m * image.K;
    for (int64_t s = 1; s < slices.parts; s++)
      for (int64_t i = 0; i < image.K; i++) sum[i] += sum[s * size + i];
    image.write(group, m, sum);
  });
}

// For many weights: all threads copy a round of images; then each task computes some of the weights
// over all of these images.
constexpr int64_t ROUND_OF_IMAGES = 4 << 20; // floats

inline void weightsByRounds(ImageProduct& image, const WeightGradient& g, Pool& pool) {
  const int64_t M = image.M, K = image.K;
  const int64_t ofSheet = roundUp(image.sheet.size() + SPARE, VL),
                ofItem = ofSheet + roundUp(M * image.P, VL);
  const int64_t perRound = most(1, least(g.images, ROUND_OF_IMAGES / (g.groups * ofItem)));
  float* items =
      (float*)pool.scratch(0, 3, sizeof(float) * (perRound * g.groups * ofItem + g.groups * M * K));
  float* sums = items + perRound * g.groups * ofItem;
  const Cut columns{K, ceilDiv(K, 2 * TILE_COLUMNS), TILE_COLUMNS};
  // Cut the rows further if there are not enough tasks.
  Cut& rows = image.rows;
  while (g.groups * columns.parts * rows.parts < TASKS / 2 && M / rows.parts >= 2 * TILE_ROWS)
    rows.parts *= 2;

  for (int64_t first = 0; first < g.images; first += perRound) {
    const int64_t images = least(perRound, g.images - first);
    parallel(pool, 2 * images * g.groups, [&](int64_t task, int thread) {
      const int64_t i = first + task / 2 / g.groups, group = task / 2 % g.groups;
      float* item = items + task / 2 * ofItem;
      if (task % 2 == 0) image.sheet.fill(i, group, item);
      else image.packDy(pool, thread, i, group, item + ofSheet);
    });
    parallel(pool, g.groups * columns.parts * rows.parts, [&](int64_t task, int thread) {
      const int64_t group = task / (columns.parts * rows.parts), block = task % rows.parts;
      const Range some = part(columns, task / rows.parts % columns.parts);
      for (int64_t i = 0; i < images; i++) {
        const float* item = items + (i * g.groups + group) * ofItem;
        image.multiply(pool, thread, item, item + ofSheet, some, {block, block + 1},
                       sums + group * M * K, first + i > 0);
      }
    });
  }
  parallel(pool, g.groups * M,
           [&](int64_t task, int) { image.write(task / M, task % M, sums + task * K); });
}

// Adds TAPS taps over all positions of one channel. dy has the layout of the sheet, with zeros in
// the additional columns, so that a single loop covers all positions.
template <int TAPS>
HEED_INLINE void addTaps(const float* plane, const float* dy, int64_t count, const int64_t* at,
                         float* sums) {
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

// Computes one weight, position by position.
inline float sumOfPlaces(const WeightGradient& g, int64_t group, int64_t m, const Tap& tap) {
  float sum = 0;
  for (int64_t image = 0; image < g.images; image++)
    for (int64_t y = 0; y < g.dy.height; y++)
      for (int64_t x = 0; x < g.dy.width; x++) {
        const int64_t row = y * g.stepY + tap.y, column = x * g.stepX + tap.x;
        const bool inside = row >= 0 && row < g.in.height && column >= 0 && column < g.in.width;
        const float* in = g.in.data + image * g.in.image + group * g.in.channel;
        const float* dy = g.dy.data + image * g.dy.image + (group * g.outputs + m) * g.dy.channel;
        sum += (inside ? in[row * g.in.row + column * g.in.column] : 0) *
               dy[y * g.dy.row + x * g.dy.column];
      }
  return sum;
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
    for (int64_t i = 0; i < SPARE; i++)
      plane[sheet.image() + i] = 0; // multiplied by 0 later, which must not be NaN or inf
    for (int64_t image = 0; image < g.images; image++) {
      sheet.fill(image, group, 0, plane);
      for (int64_t m = 0; m < g.outputs; m++) {
        for (int64_t y = 0; y < height; y++) {
          const float* from = g.dy.data + image * g.dy.image +
                              (group * g.outputs + m) * g.dy.channel + y * g.dy.row;
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
      for (int64_t t = 0; t < T; t++) {
        float sum = sums[m * T + t];
        if (sum != sum)
          sum = sumOfPlaces(g, group, m, g.taps[t]); // a 0 between two rows may have met infinity
        g.weights[group * g.weightGroup + m * g.weightOutput + g.taps[t].weight] = sum;
      }
  });
}

inline void correlateWeights(const WeightGradient& g, Pool& pool) {
  if (g.channels == 1 && g.groups > 1 && g.outputs <= 4) return weightsByTaps(g, pool);
  ImageProduct image(g);
  const int64_t sums = least(SLICES, g.images) * g.groups * image.M * image.K;
  if (g.images * g.groups >= SLICES / 2 && sums <= FLOATS_OF_SLICES)
    weightsBySlices(image, g, pool);
  else weightsByRounds(image, g, pool);
}

} // namespace HEED_ISA
} // namespace heed
