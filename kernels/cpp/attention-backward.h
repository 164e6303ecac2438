// Flash attention, backward. P is recomputed from the scores and lse; with dP = dout v^T and
// delta = sum(dout out) of a row:
//   dS = P (dP - delta);  dv = P^T dout;  dq = scale dS k;  dk = scale dS^T q;  dbias = dS
// A task owns some stretches of keys of one key head with their dk and dv, and processes all query
// rows for each of them. If there are few heads, several tasks share a head; each then has a
// separate dq, and these are summed at the end.
#pragma once
#include "attention-forward.h"

namespace heed {
namespace HEED_ISA {

struct AttentionGradients {
  Tensor4 out, lse, dout, dq, dk, dv, dbias;
  int64_t splits;    // tasks that share a key head
  int64_t stretch;   // keys
  Tensor4 partialDq; // (splits * B, H, T, D)
};

// Scratch memory of a task; one tile for each 64 dimensions.
struct BackwardSpace {
  int64_t keyTile, valueTile; // floats
  float *keys, *values, *dkeys, *dvalues;
  float *q, *qT, *dqT, *dout, *doutT;
  float *scores, *dprobs, *natural, *turned;
  float lse[TILE], delta[TILE];

  BackwardSpace(const AttentionProblem& p, const Run& run, int thread, int64_t stretch) {
    keyTile = tilesFor(p.D) * TILE_FLOATS;
    valueTile = tilesFor(p.Dv) * TILE_FLOATS;
    const int64_t tiles = stretch / TILE;
    const int64_t floats =
        (2 * tiles + 3) * keyTile + (2 * tiles + 2) * valueTile + 4 * TILE_FLOATS;
    float* next = (float*)run.pool.scratch(thread, 0, (size_t)floats * sizeof(float));
    const auto take = [&](int64_t n) { return next += n, next - n; };
    keys = take(tiles * keyTile), dkeys = take(tiles * keyTile);
    values = take(tiles * valueTile), dvalues = take(tiles * valueTile);
    q = take(keyTile), qT = take(keyTile), dqT = take(keyTile);
    dout = take(valueTile), doutT = take(valueTile);
    scores = take(TILE_FLOATS), dprobs = take(TILE_FLOATS);
    natural = take(TILE_FLOATS), turned = take(TILE_FLOATS);
  }
};

static void startGradientRows(const RowTile& tile, const AttentionGradients& g,
                              BackwardSpace& space) {
  const AttentionProblem& p = tile.p;
  for (int64_t d = 0; d < p.D; d += TILE) {
    const int n = (int)least(TILE, p.D - d);
    tile.pack(p.q, d, n, space.q + d * TILE);
    transposeTile(space.q + d * TILE, space.qT + d * TILE, tile.lanes, wholeVectors(n),
                  p.scale * LOG2_E);
  }
  for (int i = 0; i < TILE; i++) {
    const float lse = i < tile.rows ? *tile.row(g.lse, i) : 0;
    space.lse[i] =
        lse == -INFINITY_F ? INFINITY_F : lse * LOG2_E; // fully masked: all probabilities are 0
    space.delta[i] = 0;
  }
  for (int64_t d = 0; d < p.Dv; d += TILE) {
    const int n = (int)least(TILE, p.Dv - d);
    float* dout = space.dout + d * TILE;
    tile.pack(g.dout, d, n, dout);
    tile.pack(g.out, d, n, space.natural);
    for (int i = 0; i < tile.rows; i++) {
      vf sum = {};
      for (int j = 0; j < n; j += VL)
        sum += load(dout + i * TILE + j) * load(space.natural + i * TILE + j);
      space.delta[i] += sumOfLanes(sum);
    }
    transposeTile(dout, space.doutT + d * TILE, tile.lanes, wholeVectors(n));
  }
  memset(space.dqT, 0, (size_t)space.keyTile * sizeof(float));
}

// Converts scores to P (after dropout, as in the forward pass) and dprobs to dS.
template <bool MASKED>
static void gradientTile(const RowTile& tile, int64_t start, int keys, BackwardSpace& space) {
  for (int vector = 0; vector < tile.lanes / VL; vector++) {
    float *scores = space.scores + vector * VL, *dprobs = space.dprobs + vector * VL;
    const vf lse = load(space.lse + vector * VL), delta = load(space.delta + vector * VL);
    const int seen = tile.seen(vector, start, keys);
    const auto each = [&](auto&& factor) {
      for (int i = 0; i < seen; i++) {
        vf s = load(scores + i * TILE);
        if (MASKED) s = seesKey(tile, vector, start + i) ? s : splat(-INFINITY_F);
        const vf p = vexp2(s - lse), kept = factor(i);
        store(scores + i * TILE, p * kept);
        store(dprobs + i * TILE, p * (load(dprobs + i * TILE) * kept - delta));
      }
    };
    if (tile.p.drops()) {
      const DropoutLanes dropout(tile, vector);
      each([&](int i) { return dropout.factor(start + i); });
    } else {
      each([](int) { return splat(1.0f); });
    }
    for (int i = seen; i < keys; i++)
      store(scores + i * TILE, vf{}), store(dprobs + i * TILE, vf{});
  }
}

// sums (keys x dims) += W X, for weights W (keys x rows) and X (rows x dims). Rows that do not
// attend to a key are skipped.
static void addToKeys(const RowTile& tile, int64_t start, int keys, int64_t dims,
                      const float* weights, const float* x, float* sums) {
  eachRowBlock(keys, [&](int i, int n) {
    const int from = tile.firstRow(start + i);
    if (from == tile.rows) return;
    for (int64_t d = 0; d < dims; d += TILE)
      rowBlock<false>(n, 0, wholeVectors(least(TILE, dims - d)), tile.rows - from,
                      weights + i * TILE + from, x + d * TILE + from * TILE,
                      sums + d * TILE + i * TILE, true);
  });
}

static void writeBiasGradient(const RowTile& tile, const AttentionGradients& g, int64_t start,
                              int keys, const BackwardSpace& space) {
  transposeTile(space.dprobs, space.natural, wholeVectors(keys), tile.lanes);
  tile.unpack(space.natural, g.dbias, start, keys, 1);
}

static void clearBiasGradient(const RowTile& tile, const AttentionGradients& g, int64_t first,
                              int64_t keys) {
  for (int i = 0; i < tile.rows; i++) {
    float* row = tile.row(g.dbias, i) + first * g.dbias.stride[3];
    for (int64_t j = 0; j < keys; j++) row[j * g.dbias.stride[3]] = 0;
  }
}

static void gradientsOfKeys(const RowTile& tile, const AttentionGradients& g, BackwardSpace& space,
                            int64_t first, int64_t keys) {
  const AttentionProblem& p = tile.p;
  for (int64_t i = 0; i * TILE < keys; i++) {
    const int64_t start = first + i * TILE;
    const int n = (int)least(TILE, keys - i * TILE);
    if (start > tile.seenByAny) return;
    const float *k = space.keys + i * space.keyTile, *v = space.values + i * space.valueTile;
    scoreTile(tile, start, n, p.D, k, space.qT, space.scores);
    scoreTile(tile, start, n, p.Dv, v, space.doutT, space.dprobs);
    if (p.hasBias || p.hasMask)
      addBiasAndMask(tile, start, n, space.scores, space.natural, space.turned);
    if (tile.seenByAll >= start + n - 1) gradientTile<false>(tile, start, n, space);
    else gradientTile<true>(tile, start, n, space);
    addToKeys(tile, start, n, p.Dv, space.scores, space.dout, space.dvalues + i * space.valueTile);
    addToKeys(tile, start, n, p.D, space.dprobs, space.q, space.dkeys + i * space.keyTile);
    addWeightedRows(tile, start, n, p.D, k, space.dprobs, space.dqT);
    if (p.hasBias) writeBiasGradient(tile, g, start, n, space);
  }
}

// dq = or += scale * dqT^T
static void writeQueryGradient(const RowTile& tile, const Tensor4& dq, bool add,
                               const BackwardSpace& space) {
  const AttentionProblem& p = tile.p;
  for (int64_t d = 0; d < p.D; d += TILE) {
    const int n = (int)least(TILE, p.D - d);
    transposeTile(space.dqT + d * TILE, space.natural, wholeVectors(n), tile.lanes, p.scale);
    if (add)
      for (int i = 0; i < tile.rows; i++) {
        packRow(tile.row(dq, i), dq.stride[3], d, n, space.turned);
        for (int j = 0; j < n; j++) space.natural[i * TILE + j] += space.turned[j];
      }
    tile.unpack(space.natural, dq, d, n, 1);
  }
}

static void unpackKeys(const float* tiles, const Tensor4& x, int64_t b, int64_t h, int64_t first,
                       int rows, int64_t columns, float factor) {
  for (int64_t start = 0; start < columns; start += TILE, tiles += TILE_FLOATS)
    for (int i = 0; i < rows; i++)
      unpackRow(tiles + i * TILE, x.row(b, h, first + i), x.stride[3], start,
                (int)least(TILE, columns - start), factor);
}

// One stretch of keys [first, first + keys) of one key head.
static void stretchGradients(const AttentionProblem& p, const AttentionGradients& g,
                             BackwardSpace& space, int64_t b, int64_t h, int64_t first,
                             int64_t keys, const Tensor4& dq, int64_t dqBatch, bool addDq) {
  const int64_t used = most(0, least(keys, p.used - first)), tiles = tilesFor(keys);
  for (int64_t i = 0; i < tiles; i++) {
    const int n = (int)least(TILE, used - i * TILE);
    packKeys(p.k, b, h, first + i * TILE, n, p.D, space.keys + i * space.keyTile);
    packKeys(p.v, b, h, first + i * TILE, n, p.Dv, space.values + i * space.valueTile);
  }
  memset(space.dkeys, 0, (size_t)(tiles * space.keyTile) * sizeof(float));
  memset(space.dvalues, 0, (size_t)(tiles * space.valueTile) * sizeof(float));
  for (int64_t row = 0; row < p.rows; row += TILE) {
    const RowTile tile(p, b, h, row);
    const bool sees = used > 0 && tile.seenByAny >= first;
    if (p.hasBias) clearBiasGradient(tile, g, first, keys);
    if (!sees && addDq) continue;
    startGradientRows(tile, g, space);
    if (sees) gradientsOfKeys(tile, g, space, first, used);
    RowTile target = tile;
    target.batch = dqBatch;
    writeQueryGradient(target, dq, addDq, space);
  }
  for (int64_t i = 0; i < tiles; i++) {
    const int n = (int)least(TILE, keys - i * TILE);
    unpackKeys(space.dkeys + i * space.keyTile, g.dk, b, h, first + i * TILE, n, p.D, p.scale);
    unpackKeys(space.dvalues + i * space.valueTile, g.dv, b, h, first + i * TILE, n, p.Dv, 1);
  }
}

// Chooses the tasks by shape alone: one for each key head, or several if there are few heads.
static void cutGradients(const AttentionProblem& p, const Run& run, AttentionGradients& g) {
  const int64_t heads = p.B * p.Hk, keyTiles = tilesFor(p.S);
  g.splits = heads >= 12 ? 1 : most(1, least(least(8, 16 / heads), keyTiles));
  g.stretch =
      TILE * most(1, least(KEY_TILES, g.splits == 1 ? keyTiles : ceilDiv(keyTiles, 2 * g.splits)));
  if (g.splits == 1) return;
  g.partialDq.stride[3] = 1;
  g.partialDq.stride[2] = p.D;
  g.partialDq.stride[1] = p.T * p.D;
  g.partialDq.stride[0] = p.H * p.T * p.D;
  const int64_t floats = g.splits * p.B * g.partialDq.stride[0] + 1;
  g.partialDq.base = (float*)run.pool.scratch(0, 3, (size_t)floats * sizeof(float));
}

static void addPartialGradients(const AttentionProblem& p, const Run& run,
                                const AttentionGradients& g) {
  parallel(run.pool, p.B * p.H, [&](int64_t task, int) {
    const int64_t b = task / p.H, h = task % p.H;
    for (int64_t t = 0; t < p.T; t++) {
      float* to = g.dq.row(b, h, t);
      for (int64_t d = 0; d < p.D; d++) {
        float sum = 0;
        for (int64_t split = 0; split < g.splits; split++)
          sum += g.partialDq.row(split * p.B + b, h, t)[d];
        to[d * g.dq.stride[3]] = sum;
      }
    }
  });
}

static void attentionGradients(const AttentionProblem& p, const AttentionBackwardArgs& args,
                               const Run& run) {
  AttentionGradients g;
  g.out = Tensor4(args.out, run), g.lse = Tensor4(args.lse, run), g.dout = Tensor4(args.dout, run);
  g.dq = Tensor4(args.dq, run), g.dk = Tensor4(args.dk, run), g.dv = Tensor4(args.dv, run);
  if (args.dbias) g.dbias = Tensor4(*args.dbias, run);
  if (p.B * p.Hk == 0) return;
  cutGradients(p, run, g);
  parallel(run.pool, p.B * p.Hk * g.splits, [&](int64_t task, int thread) {
    const int64_t split = task % g.splits, h = task / g.splits % p.Hk, b = task / g.splits / p.Hk;
    BackwardSpace space(p, run, thread, g.stretch);
    bool first = true;
    for (int64_t i = 0; i == 0 || i * g.stretch < p.S; i++) {
      // Stretches are assigned in the order 0 1 2 2 1 0 …, so that causal tasks have similar work.
      const int64_t turn = i % (2 * g.splits);
      if ((turn < g.splits ? turn : 2 * g.splits - 1 - turn) != split) continue;
      const int64_t keys = least(g.stretch, p.S - i * g.stretch);
      if (g.splits == 1) stretchGradients(p, g, space, b, h, i * g.stretch, keys, g.dq, b, !first);
      else
        stretchGradients(p, g, space, b, h, i * g.stretch, keys, g.partialDq, split * p.B + b,
                         !first);
      first = false;
    }
  });
  if (g.splits > 1) addPartialGradients(p, run, g);
}

} // namespace HEED_ISA
} // namespace heed
