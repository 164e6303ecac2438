// Shared by the forward and the backward pass of attention: shapes, masking, and packing rows into
// tiles.
// B batch, H heads, Hk key heads, T queries, S keys, D and Dv dimensions of a head.
#pragma once
#include "attention-tile.h"
#include "threefry.h"

namespace heed {
namespace HEED_ISA {

// A (B, heads, rows, columns) tensor.
struct Tensor4 {
  float* base = nullptr;
  int64_t stride[4] = {};

  Tensor4() = default;
  Tensor4(const View& v, const Run& run) : base(run.at<float>(v)) {
    memcpy(stride, v.stride, sizeof stride);
  }
  float* row(int64_t b, int64_t h, int64_t i) const {
    return base + b * stride[0] + h * stride[1] + i * stride[2];
  }
};

struct AttentionProblem {
  int64_t B, H, Hk, T, S, D, Dv;
  int64_t group; // query heads that share a key head
  int64_t rows;  // group * T: all query rows of one key head, head by head
  int64_t used;  // number of keys in use; later ones are ignored
  float scale;
  bool causal, hasBias, hasMask;
  Tensor4 q, k, v, bias;
  const uint8_t* mask = nullptr;
  int64_t maskStride[4] = {};
  uint32_t seed = 0, draw = 0,
           dropBelow = 0; // an element is dropped if its 24 random bits are below
  float keptScale = 1;    // 1 / (1 - dropout)

  template <class Args> AttentionProblem(const Args& args, const Run& run) {
    const View &qv = args.q, &kv = args.k, &vv = args.v;
    B = qv.shape[0], H = qv.shape[1], T = qv.shape[2], D = qv.shape[3];
    Hk = kv.shape[1], S = kv.shape[2], Dv = vv.shape[3];
    group = Hk > 0 ? H / Hk : 0;
    rows = group * T;
    q = Tensor4(qv, run), k = Tensor4(kv, run), v = Tensor4(vv, run);
    scale = args.scale;
    causal = args.causal, hasBias = args.bias != nullptr, hasMask = args.mask != nullptr;
    if (hasBias) bias = Tensor4(*args.bias, run);
    if (hasMask) {
      mask = run.at<uint8_t>(*args.mask);
      memcpy(maskStride, args.mask->stride, sizeof maskStride);
    }
    used = S;
    if (args.length) used = *run.at<int32_t>(*args.length);
    if (used < 0 || used > S) {
      run.fail("attention: length %lld is not in [0, %lld]", (long long)used, (long long)S);
      used = used < 0 ? 0 : S;
    }
    if (args.seed) {
      seed = *run.at<uint32_t>(*args.seed);
      draw = *run.at<uint32_t>(*args.draw);
      const float p = args.dropout;
      dropBelow = (uint32_t)std::ceil((double)p * (1 << 24));
      keptScale = p < 1 ? 1 / (1 - p) : 0;
    }
  }

  bool drops() const { return dropBelow > 0; }
  // The last key to which a query attends; -1 if there is none.
  int32_t lastKey(int64_t query) const {
    const int64_t last = causal ? query + used - T : used - 1;
    return (int32_t)(last < -1 ? -1 : last);
  }
  const uint8_t* maskRow(int64_t b, int64_t h, int64_t t) const {
    return mask + b * maskStride[0] + h * maskStride[1] + t * maskStride[2];
  }
};

// ---- Packing rows of tensors into tiles, and back ----

// Rows of packed (B, T, 3C) tensors are pages apart, where hardware prefetchers do not help.
HEED_INLINE void fetchAhead(const float* row, const int64_t* stride) {
  constexpr int AHEAD = 12; // rows
#pragma GCC unroll 4
  for (int i = 0; i < TILE; i += 16) __builtin_prefetch(row + AHEAD * stride[2] + i);
}

// Copies columns [start, start + n) of a row to a row of a tile, padded with 0 to whole vectors.
HEED_INLINE void packRow(const float* from, int64_t step, int64_t start, int n, float* to) {
  from += start * step;
  int i = 0;
  if (step == 1)
    for (; i + VL <= n; i += VL) store(to + i, load(from + i));
  for (; i < n; i++) to[i] = from[i * step];
  for (; i % VL != 0; i++) to[i] = 0;
}

HEED_INLINE void unpackRow(const float* from, float* to, int64_t step, int64_t start, int n,
                           float factor) {
  to += start * step;
  int i = 0;
  if (step == 1)
    for (; i + VL <= n; i += VL) store(to + i, load(from + i) * factor);
  for (; i < n; i++) to[i * step] = from[i] * factor;
}

// Up to 64 query rows of one key head, with the last key to which each attends.
struct RowTile {
  const AttentionProblem& p;
  int64_t batch;
  int rows, lanes;                    // lanes: rows rounded up to whole vectors
  int64_t head[TILE], query[TILE];    // of each row
  int32_t last[TILE];                 // last key to which each row attends
  int32_t lastOfVector[LANE_VECTORS]; // maximum of `last` in each vector
  int32_t seenByAll = INT32_MAX, seenByAny = -1;

  RowTile(const AttentionProblem& p, int64_t batch, int64_t keyHead, int64_t first)
      : p(p), batch(batch), rows((int)least(TILE, p.rows - first)), lanes(wholeVectors(rows)) {
    for (int i = 0; i < TILE; i++) last[i] = -1;
    for (int i = 0; i < LANE_VECTORS; i++) lastOfVector[i] = -1;
    int64_t h = keyHead * p.group + first / p.T, t = first % p.T;
    for (int i = 0; i < rows; i++, t++) {
      if (t == p.T) t = 0, h++;
      head[i] = h;
      query[i] = t;
      last[i] = p.lastKey(t);
      lastOfVector[i / VL] = (int32_t)most(lastOfVector[i / VL], last[i]);
      seenByAll = (int32_t)least(seenByAll, last[i]);
      seenByAny = (int32_t)most(seenByAny, last[i]);
    }
  }
  float* row(const Tensor4& x, int i) const { return x.row(batch, head[i], query[i]); }

  // The number of keys in [start, start + keys) up to the last one to which any lane of a vector
  // attends.
  int seen(int vector, int64_t start, int keys) const {
    return (int)most(0, least(keys, lastOfVector[vector] + 1 - start));
  }
  // The first lane of the first vector that attends to a key.
  int firstLane(int64_t key) const {
    int vector = 0;
    while (vector < lanes / VL && lastOfVector[vector] < key) vector++;
    return vector * VL;
  }
  // The first row that attends to a key.
  int firstRow(int64_t key) const {
    int row = 0;
    while (row < rows && last[row] < key) row++;
    return row;
  }

  // Packs columns [start, start + n), n <= 64, of these rows of x.
  void pack(const Tensor4& x, int64_t start, int n, float* tile) const {
    for (int i = 0; i < rows; i++) {
      fetchAhead(row(x, i) + start, x.stride);
      packRow(row(x, i), x.stride[3], start, n, tile + i * TILE);
    }
    for (int i = rows; i < lanes; i++) memset(tile + i * TILE, 0, TILE * sizeof(float));
  }
  void unpack(const float* tile, const Tensor4& x, int64_t start, int n, float factor) const {
    for (int i = 0; i < rows; i++)
      unpackRow(tile + i * TILE, row(x, i), x.stride[3], start, n, factor);
  }
};

// Packs rows [first, first + rows) of a (B, Hk, S, columns) tensor, one tile for each 64 columns.
static void packKeys(const Tensor4& x, int64_t b, int64_t h, int64_t first, int rows,
                     int64_t columns, float* tiles) {
  for (int64_t start = 0; start < columns; start += TILE, tiles += TILE_FLOATS)
    for (int i = 0; i < rows; i++) {
      fetchAhead(x.row(b, h, first + i) + start, x.stride);
      packRow(x.row(b, h, first + i), x.stride[3], start, (int)least(TILE, columns - start),
              tiles + i * TILE);
    }
}

// ---- Scores ----

// scores^T (keys x lanes) = K Q^T for keys [start, start + keys). Vectors that do not attend to a
// key are undefined. K and Q^T have one tile for each 64 dimensions.
static void scoreTile(const RowTile& tile, int64_t start, int keys, int64_t dims, const float* k,
                      const float* qT, float* scores) {
  eachRowBlock(keys, [&](int i, int n) {
    const int from = tile.firstLane(start + i);
    for (int64_t d = 0; d == 0 || d < dims; d += TILE)
      rowBlock<false>(n, from, tile.lanes, (int)least(TILE, dims - d), k + d * TILE + i * TILE,
                      qT + d * TILE, scores + i * TILE, d > 0);
  });
}

// scores^T += bias * log2(e), and -inf where the mask is false. `natural` and `turned` are scratch
// tiles.
static void addBiasAndMask(const RowTile& tile, int64_t start, int keys, float* scores,
                           float* natural, float* turned) {
  const AttentionProblem& p = tile.p;
  const int columns = wholeVectors(keys);
  const auto add = [&](float factor) {
    transposeTile(natural, turned, tile.lanes, columns, factor);
    for (int i = 0; i < keys; i++)
      for (int j = 0; j < tile.lanes; j += VL)
        store(scores + i * TILE + j, load(scores + i * TILE + j) + load(turned + i * TILE + j));
  };
  if (p.hasBias) {
    tile.pack(p.bias, start, keys, natural);
    add(LOG2_E);
  }
  if (p.hasMask) {
    for (int i = 0; i < tile.rows; i++) {
      const uint8_t* row =
          p.maskRow(tile.batch, tile.head[i], tile.query[i]) + start * p.maskStride[3];
      for (int j = 0; j < keys; j++)
        natural[i * TILE + j] = row[j * p.maskStride[3]] ? 0.0f : -INFINITY_F;
    }
    add(1);
  }
}

// Mask of the lanes that attend to a key.
HEED_INLINE vi seesKey(const RowTile& tile, int vector, int64_t key) {
  return load(tile.last + vector * VL) >= splat((int32_t)key);
}

// ---- Dropout ----

// Dropout factors (0 or 1 / (1 - p)) of the probabilities of a vector of rows, one key at a time.
struct DropoutLanes {
  vu low, high,
      odd; // linear index of key 0 in (B, H, T, S): half of it in two words, and its lowest bit
  vu seed, draw;
  vi dropBelow;
  float keptScale;

  DropoutLanes(const RowTile& tile, int vector) {
    const AttentionProblem& p = tile.p;
    uint32_t words[3][VL] = {};
    for (int i = 0; i < VL; i++) {
      const int row = vector * VL + i;
      if (row >= tile.rows) continue;
      const uint64_t index =
          (uint64_t)(((tile.batch * p.H + tile.head[row]) * p.T + tile.query[row]) * p.S);
      words[0][i] = (uint32_t)(index >> 1);
      words[1][i] = (uint32_t)(index >> 33);
      words[2][i] = (uint32_t)index & 1;
    }
    memcpy(&low, words[0], sizeof low);
    memcpy(&high, words[1], sizeof high);
    memcpy(&odd, words[2], sizeof odd);
    seed = splatWord(p.seed), draw = splatWord(p.draw);
    dropBelow = splat((int32_t)p.dropBelow);
    keptScale = p.keptScale;
  }
  __attribute__((always_inline)) inline vf factor(int64_t key) const {
    const vu element = odd + splatWord((uint32_t)key);
    vu x0 = low + (element >> 1);
    vu x1 = high - (vu)(x0 < low); // carry: a true comparison is -1
    threefry2x32(seed, draw, x0, x1);
    const vi word = (vi)select((vi)((element & 1) != 0), (vf)x1, (vf)x0);
    return select((vi)((vu)word >> 8) < dropBelow, vf{}, splat(keptScale));
  }
};

} // namespace HEED_ISA
} // namespace heed
