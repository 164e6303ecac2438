// Flash attention, forward. A task takes some query rows of one key head. For each stretch of keys
// it packs K and V once and processes all its row tiles. Each row tile keeps its running maximum,
// sum and output.
#pragma once
#include "attention-problem.h"

namespace heed {
namespace HEED_ISA {

constexpr int64_t KEY_TILES = 8; // per stretch: K and V (64 dimensions) take 256 KiB of L2

// The running softmax state of 64 query rows. Scores are exponents of two.
struct RunningSoftmax {
  float max[TILE], sum[TILE];

  void reset() {
    for (int i = 0; i < TILE; i++) max[i] = -INFINITY_F, sum[i] = 0;
  }
};

// Scores become unnormalised probabilities 2^(score - max). The maximum is raised, and the output
// so far scaled down, only if a score exceeds it by more than SLACK: smaller factors cannot
// overflow.
constexpr float SLACK = 8;

HEED_INLINE void raiseMax(float* max, float* sum, vf reached, int vector, int64_t dims,
                          float* outT) {
  const vf before = load(max + vector * VL);
  const vi raised = reached > before + SLACK;
  if (!any(raised)) return;
  const vf after = select(raised, reached, before);
  const vf factor = vexp2(before - after); // 0 for before = -inf: there is no output yet
  store(max + vector * VL, after);
  const vf kept = select(raised, factor, splat(1.0f));
  store(sum + vector * VL, load(sum + vector * VL) * kept);
  for (int64_t i = 0; i < dims; i++)
    store(outT + i * TILE + vector * VL, load(outT + i * TILE + vector * VL) * kept);
}

template <bool MASKED>
static void softmaxTile(const RowTile& tile, int64_t start, int keys, float* scores,
                        RunningSoftmax& running, float* outT) {
  for (int vector = 0; vector < tile.lanes / VL; vector++) {
    float* column = scores + vector * VL;
    const int seen = tile.seen(vector, start, keys);
    vf reached = splat(-INFINITY_F);
    for (int i = 0; i < seen; i++) {
      vf s = load(column + i * TILE);
      if (MASKED) {
        s = seesKey(tile, vector, start + i) ? s : splat(-INFINITY_F);
        store(column + i * TILE, s);
      }
      reached = s > reached ? s : reached;
    }
    raiseMax(running.max, running.sum, reached, vector, tile.p.Dv, outT);
    const vf max = load(running.max + vector * VL);
    const vf origin =
        select(max == -INFINITY_F, vf{}, max); // no key yet: 2^-inf = 0 in place of NaN
    vf sum = load(running.sum + vector * VL);
    for (int i = 0; i < seen; i++) {
      const vf p = vexp2(load(column + i * TILE) - origin);
      sum += p;
      store(column + i * TILE, p);
    }
    store(running.sum + vector * VL, sum);
    if (tile.p.drops()) {
      const DropoutLanes dropout(tile, vector);
      for (int i = 0; i < seen; i++)
        store(column + i * TILE, load(column + i * TILE) * dropout.factor(start + i));
    }
    for (int i = seen; i < keys; i++) store(column + i * TILE, vf{});
  }
}

// sumT^T (dims x lanes) += X^T W, for X (keys x dims) and weights W (keys x lanes). Keys to which
// no lane attends are skipped.
static void addWeightedRows(const RowTile& tile, int64_t start, int keys, int64_t dims,
                            const float* x, const float* weights, float* sumT) {
  for (int64_t d = 0; d < dims; d += TILE)
    for (int lane = 0; lane < tile.lanes; lane += 2 * VL) {
      const int to = (int)least(lane + 2 * VL, tile.lanes);
      int depth = 0;
      for (int j = lane; j < to; j += VL) depth = (int)most(depth, tile.seen(j / VL, start, keys));
      if (depth == 0) continue;
      eachRowBlock((int)least(TILE, dims - d), [&](int i, int n) {
        rowBlock<true>(n, lane, to, depth, x + d * TILE + i, weights, sumT + (d + i) * TILE, true);
      });
    }
}

// Scratch memory of a task.
struct ForwardSpace {
  int64_t keyTile, valueTile; // floats
  float *keys, *values, *scores, *natural, *turned, *state;
  int64_t statePitch;

  ForwardSpace(const AttentionProblem& p, const Run& run, int thread, int64_t rowTiles) {
    keyTile = tilesFor(p.D) * TILE_FLOATS;
    valueTile = tilesFor(p.Dv) * TILE_FLOATS;
    statePitch = keyTile + valueTile + 2 * TILE;
    const int64_t floats =
        KEY_TILES * (keyTile + valueTile) + 3 * TILE_FLOATS + rowTiles * statePitch;
    keys = (float*)run.pool.scratch(thread, 0, (size_t)floats * sizeof(float));
    values = keys + KEY_TILES * keyTile;
    scores = values + KEY_TILES * valueTile;
    natural = scores + TILE_FLOATS;
    turned = natural + TILE_FLOATS;
    state = turned + TILE_FLOATS;
  }
  float* queries(int64_t tile) const { return state + tile * statePitch; }
  float* output(int64_t tile) const { return queries(tile) + keyTile; }
  RunningSoftmax& softmax(int64_t tile) const {
    return *(RunningSoftmax*)(output(tile) + valueTile);
  }
};

static void startRows(const RowTile& tile, const ForwardSpace& space, int64_t index) {
  const AttentionProblem& p = tile.p;
  for (int64_t d = 0; d < p.D; d += TILE) {
    const int n = (int)least(TILE, p.D - d);
    tile.pack(p.q, d, n, space.natural);
    transposeTile(space.natural, space.queries(index) + d * TILE, tile.lanes, wholeVectors(n),
                  p.scale * LOG2_E);
  }
  memset(space.output(index), 0, (size_t)space.valueTile * sizeof(float));
  space.softmax(index).reset();
}

static void attendKeys(const RowTile& tile, const ForwardSpace& space, int64_t index, int64_t first,
                       int64_t keys) {
  const AttentionProblem& p = tile.p;
  float* outT = space.output(index);
  for (int64_t i = 0; i * TILE < keys; i++) {
    const int64_t start = first + i * TILE;
    const int n = (int)least(TILE, keys - i * TILE);
    if (start > tile.seenByAny) return;
    scoreTile(tile, start, n, p.D, space.keys + i * space.keyTile, space.queries(index),
              space.scores);
    if (p.hasBias || p.hasMask)
      addBiasAndMask(tile, start, n, space.scores, space.natural, space.turned);
    if (tile.seenByAll >= start + n - 1)
      softmaxTile<false>(tile, start, n, space.scores, space.softmax(index), outT);
    else softmaxTile<true>(tile, start, n, space.scores, space.softmax(index), outT);
    addWeightedRows(tile, start, n, p.Dv, space.values + i * space.valueTile, space.scores, outT);
  }
}

// out = output / sum; lse becomes a natural logarithm.
static void finishRows(const RowTile& tile, const ForwardSpace& space, int64_t index,
                       const Tensor4& out, const Tensor4& lse) {
  const AttentionProblem& p = tile.p;
  RunningSoftmax& running = space.softmax(index);
  float* outT = space.output(index);
  for (int lane = 0; lane < tile.lanes; lane += VL) {
    const vf sum = load(running.sum + lane);
    const vf factor = sum == 0.0f ? vf{} : 1.0f / sum; // fully masked rows give 0
    store(running.max + lane, load(running.max + lane) * LN_2 + vlog(sum)); // and lse = -inf
    for (int64_t d = 0; d < p.Dv; d++)
      store(outT + d * TILE + lane, load(outT + d * TILE + lane) * factor);
  }
  for (int64_t d = 0; d < p.Dv; d += TILE) {
    const int n = (int)least(TILE, p.Dv - d);
    transposeTile(outT + d * TILE, space.natural, wholeVectors(n), tile.lanes);
    tile.unpack(space.natural, out, d, n, 1);
  }
  for (int i = 0; i < tile.rows; i++) *tile.row(lse, i) = running.max[i];
}

// Row tiles per task: many, so that packing K and V pays, but few enough for at least 32 tasks.
// Depends on the shape alone.
static int64_t rowTilesPerTask(const AttentionProblem& p) {
  int64_t tiles = KEY_TILES;
  while (tiles > 1 && p.B * p.Hk * ceilDiv(tilesFor(p.rows), tiles) < 32) tiles /= 2;
  return tiles;
}

static void attentionForward(const AttentionProblem& p, const Run& run, const Tensor4& out,
                             const Tensor4& lse) {
  const int64_t rowTiles = tilesFor(p.rows), perTask = rowTilesPerTask(p);
  const int64_t tasksOfHead = ceilDiv(rowTiles, perTask);
  const int64_t stretch = KEY_TILES * TILE;
  parallel(run.pool, p.B * p.Hk * tasksOfHead, [&](int64_t task, int thread) {
    // Start with the last rows, which attend to the most keys: short tasks at the end balance the
    // threads.
    const int64_t part = tasksOfHead - 1 - task / (p.B * p.Hk);
    const int64_t b = task % (p.B * p.Hk) / p.Hk, h = task % p.Hk;
    const ForwardSpace space(p, run, thread, perTask);
    std::vector<RowTile> tiles;
    int64_t end = 0; // of the keys to which any row attends
    for (int64_t i = part * perTask; i < least(rowTiles, (part + 1) * perTask); i++) {
      tiles.emplace_back(p, b, h, i * TILE);
      startRows(tiles.back(), space, (int64_t)tiles.size() - 1);
      end = most(end, tiles.back().seenByAny + 1);
    }
    for (int64_t first = 0; first < end; first += stretch) {
      const int64_t keys = least(stretch, end - first);
      for (int64_t i = 0; i * TILE < keys; i++) {
        const int n = (int)least(TILE, keys - i * TILE);
        packKeys(p.k, b, h, first + i * TILE, n, p.D, space.keys + i * space.keyTile);
        packKeys(p.v, b, h, first + i * TILE, n, p.Dv, space.values + i * space.valueTile);
      }
      for (size_t i = 0; i < tiles.size(); i++)
        attendKeys(tiles[i], space, (int64_t)i, first, keys);
    }
    for (size_t i = 0; i < tiles.size(); i++) finishRows(tiles[i], space, (int64_t)i, out, lse);
  });
}

} // namespace HEED_ISA
} // namespace heed
