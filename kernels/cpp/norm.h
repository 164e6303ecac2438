// Layer norm and RMS norm over the last dimension.
//   xhat = (x - mean) rstd, rstd = 1 / sqrt(var + eps);  y = gamma xhat + beta
// RMS norm is the same with mean = 0 and no beta.
#pragma once
#include "rows.h"

namespace heed {
namespace HEED_ISA {

// A vector of C floats, copied unless its elements are adjacent.
static const float* packedVector(const View& v, const Run& run, float* spare) {
  const float* from = run.at<float>(v);
  if (v.stride[0] == 1 || v.shape[0] <= 1) return from;
  for (int64_t i = 0; i < v.shape[0]; i++) spare[i] = from[i * v.stride[0]];
  return spare;
}

// CENTRED is false for RMS norm; `beta` and `mean` are then null.
template <bool CENTRED, class Args>
static void norm(const Args& args, const Run& run, const View* beta, const View* mean) {
  const Rows x(args.x, run), y(args.y, run);
  const RowValues rstds(args.rstd, run), means(CENTRED ? *mean : args.rstd, run);
  const int64_t C = x.length;
  const float eps = args.eps;
  float* weights = (float*)run.pool.scratch(0, 3, (size_t)(2 * C + 1) * sizeof(float));
  const float* gamma = packedVector(args.gamma, run, weights);
  const float* shift = CENTRED ? packedVector(*beta, run, weights + C) : nullptr;

  eachRow(run, x, 2, [&](int64_t row, float* spare, int64_t pitch) {
    const float* in = x.read(row, spare);
    float* out = y.target(row, spare + pitch);
    float mean = 0;
    if (CENTRED) {
      mean = sumRow(C, [&](int64_t i, auto lanes) { return loadPart(in + i, lanes); }) / (float)C;
      means[row] = mean;
    }
    const float squares = sumRow(C, [&](int64_t i, auto lanes) {
      const vf d = loadPart(in + i, lanes, mean) - mean;
      return d * d;
    });
    const float rstd = 1 / std::sqrt(squares / (float)C + eps);
    rstds[row] = rstd;
    eachVector(C, [&](int64_t i, auto lanes) {
      vf value = (loadPart(in + i, lanes) - mean) * rstd * loadPart(gamma + i, lanes);
      if (CENTRED) value += loadPart(shift + i, lanes);
      storePart(out + i, value, lanes);
    });
    y.commit(row, out);
  });
}

static void layerNorm(const Command& command, const Run& run) {
  const LayerNormArgs args(command);
  norm<true>(args, run, &args.beta, &args.mean);
}

static void rmsNorm(const Command& command, const Run& run) {
  norm<false>(RmsNormArgs(command), run, nullptr, nullptr);
}

// ---- Backward, with g = gamma dy ----
//   dx = rstd (g - mean(g) - xhat mean(g xhat))     (for RMS norm without mean(g))
//   dgamma = sum over rows of dy xhat, dbeta = sum over rows of dy

// Computes dx of one row and adds its part of dgamma and dbeta.
template <bool CENTRED>
HEED_INLINE void normBackwardRow(int64_t C, const float* x, const float* gamma, float mean,
                                 float rstd, const float* dy, float* dx, float* dgamma,
                                 float* dbeta) {
  vf sums = {}, products = {};
  eachVector(C, [&](int64_t i, auto lanes) {
    const vf d = loadPart(dy + i, lanes), g = d * loadPart(gamma + i, lanes);
    const vf xhat = (loadPart(x + i, lanes) - mean) * rstd;
    if (CENTRED) sums += g;
    products += g * xhat;
    storePart(dgamma + i, loadPart(dgamma + i, lanes) + d * xhat, lanes);
    if (CENTRED) storePart(dbeta + i, loadPart(dbeta + i, lanes) + d, lanes);
  });
  const float meanG = CENTRED ? sumOfLanes(sums) / (float)C : 0;
  const float meanProduct = sumOfLanes(products) / (float)C;
  eachVector(C, [&](int64_t i, auto lanes) {
    const vf g = loadPart(dy + i, lanes) * loadPart(gamma + i, lanes);
    const vf xhat = (loadPart(x + i, lanes) - mean) * rstd;
    storePart(dx + i, rstd * (g - meanG - xhat * meanProduct), lanes);
  });
}

// total[j] = sum of partial[block][j] over the blocks, in order.
static void addPartials(const Run& run, const float* partial, int64_t blocks, int64_t pitch,
                        const View& total) {
  constexpr int64_t CHUNK = 512;
  const int64_t C = total.shape[0];
  float* out = run.at<float>(total);
  parallel(run.pool, ceilDiv(C, CHUNK), [&](int64_t task, int) {
    float sum[CHUNK] = {};
    const int64_t start = task * CHUNK, n = least(CHUNK, C - start);
    for (int64_t block = 0; block < blocks; block++) {
      const float* from = partial + block * pitch + start;
      for (int64_t j = 0; j < n; j++) sum[j] += from[j];
    }
    for (int64_t j = 0; j < n; j++) out[(start + j) * total.stride[0]] = sum[j];
  });
}

// CENTRED is false for RMS norm; `mean` and `dbeta` are then null.
template <bool CENTRED, class Args>
static void normBackward(const Args& args, const Run& run, const View* mean, const View* dbeta) {
  const Rows x(args.x, run), dy(args.dy, run), dx(args.dx, run);
  const RowValues rstds(args.rstd, run), means(CENTRED ? *mean : args.rstd, run);
  const int64_t C = x.length, pitch = padded(C);
  // At most 64 blocks of rows, so that there are few partial sums. Cut by shape alone.
  const int64_t perBlock = most(16, ceilDiv(x.count, 64));
  const int64_t blocks = ceilDiv(x.count, perBlock);
  float* partial =
      (float*)run.pool.scratch(0, 3, (size_t)((2 * blocks + 1) * pitch + 16) * sizeof(float));
  const float* gamma = packedVector(args.gamma, run, partial + 2 * blocks * pitch);

  parallel(run.pool, blocks, [&](int64_t block, int thread) {
    float* spare = (float*)run.pool.scratch(thread, 0, (size_t)(3 * pitch + 16) * sizeof(float));
    float* dgamma = partial + 2 * block * pitch;
    memset(dgamma, 0, (size_t)(2 * pitch) * sizeof(float));
    const int64_t end = least(x.count, (block + 1) * perBlock);
    for (int64_t row = block * perBlock; row < end; row++) {
      float* out = dx.target(row, spare + 2 * pitch);
      normBackwardRow<CENTRED>(C, x.read(row, spare), gamma, CENTRED ? means[row] : 0, rstds[row],
                               dy.read(row, spare + pitch), out, dgamma, dgamma + pitch);
      dx.commit(row, out);
    }
  });
  addPartials(run, partial, blocks, 2 * pitch, args.dgamma);
  if (CENTRED) addPartials(run, partial + pitch, blocks, 2 * pitch, *dbeta);
}

static void layerNormBackward(const Command& command, const Run& run) {
  const LayerNormBackwardArgs args(command);
  normBackward<true>(args, run, &args.mean, &args.dbeta);
}

static void rmsNormBackward(const Command& command, const Run& run) {
  normBackward<false>(RmsNormBackwardArgs(command), run, nullptr, nullptr);
}

} // namespace HEED_ISA
} // namespace heed
