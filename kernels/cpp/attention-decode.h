// Attention of a few query rows over many keys, as in generation token by token. K and V are read
// once, in place, and the cost is proportional to the number of keys in use. Keys are cut into
// chunks (by shape alone), so that a few heads give work to many threads. The results of the chunks
// are combined in order.
#pragma once
#include "attention-problem.h"

namespace heed {
namespace HEED_ISA {

constexpr int DECODE_ROWS =
    VL / 2; // per key head; with more rows, the tiles of attention-forward.h are full enough
constexpr int64_t DECODE_CHUNK = 512;

HEED_INLINE bool isDecode(const AttentionProblem& p) { return p.rows <= DECODE_ROWS; }

// The result of one chunk of keys for each row. The output is not divided by the sum yet.
struct DecodePartial {
  float *max, *sum, *out; // of each row; rows of out are `pitch` apart
  int64_t pitch;

  DecodePartial(const AttentionProblem& p, float* memory)
      : max(memory), sum(memory + p.rows), pitch(padded(p.Dv)) {
    out = memory + padded(2 * p.rows);
  }
  static int64_t floats(const AttentionProblem& p) {
    return padded(2 * p.rows) + p.rows * padded(p.Dv);
  }
};

// Up to 64 rows of K or V, in place if they consist of whole vectors, otherwise a copy padded with
// 0.
struct KeyRows {
  const float* base;
  int64_t pitch;

  KeyRows(const Tensor4& x, int64_t b, int64_t h, int64_t first, int n, int64_t columns,
          float* spare)
      : base(x.row(b, h, first)), pitch(x.stride[2]) {
    if (x.stride[3] == 1 && columns % VL == 0) return;
    pitch = padded(columns);
    for (int i = 0; i < n; i++)
      packRow(x.row(b, h, first + i), x.stride[3], 0, (int)columns, spare + i * pitch);
    base = spare;
  }
};

// scores[j] = q . k[j] for j < n. The rest of the last vector is undefined.
static void decodeScores(const float* q, const KeyRows& k, int n, int64_t dims, float* scores) {
  for (int j = 0; j < n; j += VL) {
    const float* key[VL];
    vf sum[VL];
    for (int i = 0; i < VL; i++) key[i] = k.base + (int64_t)least(j + i, n - 1) * k.pitch;
#pragma GCC unroll 16
    for (int i = 0; i < VL; i++) sum[i] = vf{};
    for (int64_t d = 0; d < dims; d += VL) {
      const vf left = load(q + d);
#pragma GCC unroll 16
      for (int i = 0; i < VL; i++) sum[i] = fma(left, load(key[i] + d), sum[i]);
    }
    sumEachVector(sum);
    store(scores + j, sum[0]);
  }
}

// out += weights V, for a strip of VECTORS vectors.
template <int VECTORS>
HEED_INLINE void decodeStrip(const float* weights, const float* v, int64_t pitch, int n,
                             float* out) {
  vf sum[VECTORS];
#pragma GCC unroll 4
  for (int i = 0; i < VECTORS; i++) sum[i] = load(out + i * VL);
  for (int j = 0; j < n; j++) {
    const vf weight = splat(weights[j]);
#pragma GCC unroll 4
    for (int i = 0; i < VECTORS; i++) sum[i] = fma(weight, load(v + j * pitch + i * VL), sum[i]);
  }
#pragma GCC unroll 4
  for (int i = 0; i < VECTORS; i++) store(out + i * VL, sum[i]);
}
static void decodeOutput(const float* weights, const KeyRows& v, int n, int64_t dims, float* out) {
  int64_t d = 0;
  for (; d + 4 * VL <= dims; d += 4 * VL) decodeStrip<4>(weights, v.base + d, v.pitch, n, out + d);
  for (; d < dims; d += VL) decodeStrip<1>(weights, v.base + d, v.pitch, n, out + d);
}

// Applies bias, mask and the causal limit to the scores of keys [start, start + n). Scores after
// these are -inf.
static void finishScores(const RowTile& rows, int r, int64_t start, int n, float* scores) {
  const AttentionProblem& p = rows.p;
  const int seen = (int)most(0, least(n, rows.last[r] + 1 - start));
  if (p.hasBias) {
    const float* bias = rows.row(p.bias, r) + start * p.bias.stride[3];
    for (int j = 0; j < seen; j++) scores[j] += bias[j * p.bias.stride[3]] * LOG2_E;
  }
  if (p.hasMask) {
    const uint8_t* mask =
        p.maskRow(rows.batch, rows.head[r], rows.query[r]) + start * p.maskStride[3];
    for (int j = 0; j < seen; j++) scores[j] = mask[j * p.maskStride[3]] ? scores[j] : -INFINITY_F;
  }
  for (int j = seen; j < wholeVectors(n); j++) scores[j] = -INFINITY_F;
}

static void dropWeights(const RowTile& rows, int r, int64_t start, int n, float* weights) {
  const AttentionProblem& p = rows.p;
  uint32_t bits[TILE];
  const int64_t row = (rows.batch * p.H + rows.head[r]) * p.T + rows.query[r];
  randomBits(p.seed, p.draw, (uint64_t)(row * p.S + start), n, bits);
  for (int j = 0; j < n; j++)
    weights[j] = (bits[j] >> 8) < p.dropBelow ? 0 : weights[j] * p.keptScale;
}

// Converts scores to weights 2^(score - max), and updates the running maximum, sum and output.
static void decodeSoftmax(float* scores, int n, float& max, float& sum, float* out, int64_t dims) {
  vf top = splat(max);
  for (int j = 0; j < n; j += VL) {
    const vf s = load(scores + j);
    top = s > top ? s : top;
  }
  const float raised = maxOfLanes(top);
  const float origin = raised == -INFINITY_F ? 0 : raised; // no key yet: 2^-inf = 0 in place of NaN
  if (raised > max && max != -INFINITY_F) {
    const vf kept = vexp2(splat(max - raised));
    sum *= kept[0];
    for (int64_t d = 0; d < dims; d += VL) store(out + d, load(out + d) * kept);
  }
  vf total = {};
  for (int j = 0; j < n; j += VL) {
    const vf weight = vexp2(load(scores + j) - origin);
    total += weight;
    store(scores + j, weight);
  }
  sum += sumOfLanes(total);
  max = raised;
}

// Processes keys [first, end) of one key head for all its query rows. The rows of `q` are already
// scaled and padded(D) apart.
static void decodeChunk(const RowTile& rows, int64_t keyHead, const float* q, int64_t first,
                        int64_t end, float* spare, const DecodePartial& result) {
  const AttentionProblem& p = rows.p;
  for (int64_t start = first; start < end; start += TILE) {
    const int n = (int)least(TILE, end - start);
    float scores[DECODE_ROWS][TILE];
    const KeyRows k(p.k, rows.batch, keyHead, start, n, p.D, spare);
    for (int r = 0; r < rows.rows; r++) {
      decodeScores(q + r * padded(p.D), k, n, p.D, scores[r]);
      finishScores(rows, r, start, n, scores[r]);
      decodeSoftmax(scores[r], n, result.max[r], result.sum[r], result.out + r * result.pitch,
                    p.Dv);
      if (p.drops()) dropWeights(rows, r, start, n, scores[r]);
    }
    const KeyRows v(p.v, rows.batch, keyHead, start, n, p.Dv, spare);
    for (int r = 0; r < rows.rows; r++)
      decodeOutput(scores[r], v, n, p.Dv, result.out + r * result.pitch);
  }
}

// Combines the results of all chunks for one row.
static void combineChunks(const AttentionProblem& p, const float* partials, int64_t chunks, int row,
                          float* out, int64_t step, float* lse) {
  float max = -INFINITY_F, sum = 0;
  for (int64_t i = 0; i < chunks; i++) {
    const DecodePartial part(p, (float*)partials + i * DecodePartial::floats(p));
    if (part.max[row] > max) max = part.max[row];
  }
  for (int64_t d = 0; d < p.Dv; d++) out[d * step] = 0;
  for (int64_t i = 0; i < chunks; i++) {
    const DecodePartial part(p, (float*)partials + i * DecodePartial::floats(p));
    if (part.sum[row] == 0) continue; // fully masked
    const float weight = std::exp2(part.max[row] - max);
    sum += part.sum[row] * weight;
    for (int64_t d = 0; d < p.Dv; d++) out[d * step] += part.out[row * part.pitch + d] * weight;
  }
  *lse = sum == 0 ? -INFINITY_F : max * LN_2 + std::log(sum);
  if (sum != 0)
    for (int64_t d = 0; d < p.Dv; d++) out[d * step] *= 1 / sum;
}

static void attentionDecode(const AttentionProblem& p, const Run& run, const Tensor4& out,
                            const Tensor4& lse) {
  const int64_t heads = p.B * p.Hk;
  const int64_t chunk = heads >= 64 ? p.S : DECODE_CHUNK;
  const int64_t chunks = most(1, ceilDiv(p.used, most(1, chunk)));
  const int64_t resultFloats = DecodePartial::floats(p), headFloats = chunks * resultFloats;
  float* results = (float*)run.pool.scratch(0, 3, (size_t)(heads * headFloats + 1) * sizeof(float));
  parallel(run.pool, heads * chunks, [&](int64_t task, int thread) {
    const int64_t head = task / chunks, b = head / p.Hk, h = head % p.Hk,
                  first = task % chunks * chunk;
    const RowTile rows(p, b, h, 0);
    const int64_t pitch = padded(p.D);
    const size_t floats = (size_t)(p.rows * pitch + TILE * most(pitch, padded(p.Dv)));
    float* q = (float*)run.pool.scratch(thread, 0, floats * sizeof(float));
    for (int r = 0; r < rows.rows; r++) {
      packRow(rows.row(p.q, r), p.q.stride[3], 0, (int)p.D, q + r * pitch);
      for (int64_t d = 0; d < pitch; d += VL)
        store(q + r * pitch + d, load(q + r * pitch + d) * (p.scale * LOG2_E));
    }
    float* memory = results + head * headFloats + task % chunks * resultFloats;
    const DecodePartial result(p, memory);
    for (int64_t i = 0; i < resultFloats; i++) memory[i] = i < p.rows ? -INFINITY_F : 0.0f;
    decodeChunk(rows, h, q, first, least(rows.seenByAny + 1, first + chunk), q + p.rows * pitch,
                result);
  });
  parallel(run.pool, heads, [&](int64_t head, int) {
    const RowTile rows(p, head / p.Hk, head % p.Hk, 0);
    for (int r = 0; r < rows.rows; r++)
      combineChunks(p, results + head * headFloats, chunks, r, rows.row(out, r), out.stride[3],
                    rows.row(lse, r));
  });
}

} // namespace HEED_ISA
} // namespace heed
