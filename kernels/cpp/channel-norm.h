// Norms of images (B, C, P): of each channel over the batch, or of each group of channels within
// each image.
//   xhat = (x - mean) rstd, rstd = 1 / sqrt(variance + eps);  y = gamma[c] xhat + beta[c]
// A task takes whole groups. A group is a few rows of P numbers, which usually stay in the cache
// between the passes.
#pragma once
#include "norm.h"

namespace heed {
namespace HEED_ISA {

// The rows (b, c) of one group: `count` rows, `step` apart, starting at `first`.
struct NormGroup {
  int64_t first, step, count;
};

struct NormGroups {
  int64_t channels, count, perTask;
  int64_t rows, step; // of a group
  NormGroups(const View& x, int64_t groups) : channels(x.shape[1]) {
    const int64_t batch = x.shape[0];
    count = groups ? batch * groups : channels;
    rows = groups ? channels / groups : batch;
    step = groups ? 1 : channels;
    perTask = ceilDiv(16384, most(1, rows * x.shape[2]));
  }
  NormGroup at(int64_t i) const { return {step == 1 ? i * rows : i, step, rows}; }
};

template <class F>
inline void eachGroup(const Run& run, const NormGroups& groups, int64_t length, int spares,
                      F&& body) {
  const int64_t pitch = padded(length);
  parallel(run.pool, ceilDiv(groups.count, groups.perTask), [&](int64_t task, int thread) {
    float* spare =
        (float*)run.pool.scratch(thread, 0, (size_t)(pitch * spares + 16) * sizeof(float));
    for (int64_t i = task * groups.perTask; i < least(groups.count, (task + 1) * groups.perTask);
         i++)
      body(i, groups.at(i), spare, pitch);
  });
}

static void channelNorm(const Command& command, const Run& run) {
  const ChannelNormArgs args(command);
  const Rows x(args.x, run), y(args.y, run);
  const RowValues gamma(args.gamma, run), beta(args.beta, run), means(args.mean, run),
      variances(args.variance, run);
  const NormGroups groups(args.x, args.groups);
  const int64_t P = x.length;
  const double count = (double)(groups.rows * P);
  const float eps = args.eps;
  eachGroup(run, groups, P, 2, [&](int64_t index, NormGroup group, float* spare, int64_t pitch) {
    double sum = 0, squares = 0;
    for (int64_t i = 0; i < group.count; i++) {
      const float* in = x.read(group.first + i * group.step, spare);
      sum += sumRow(P, [&](int64_t j, auto lanes) { return loadPart(in + j, lanes); });
    }
    const float mean = (float)(sum / count);
    for (int64_t i = 0; i < group.count; i++) {
      const float* in = x.read(group.first + i * group.step, spare);
      squares += sumRow(P, [&](int64_t j, auto lanes) {
        const vf d = loadPart(in + j, lanes, mean) - mean;
        return d * d;
      });
    }
    const float variance = (float)(squares / count), rstd = 1 / std::sqrt(variance + eps);
    means[index] = mean, variances[index] = variance;
    for (int64_t i = 0; i < group.count; i++) {
      const int64_t row = group.first + i * group.step, channel = row % groups.channels;
      const float scale = rstd * gamma[channel], shift = beta[channel];
      const float* in = x.read(row, spare);
      float* out = y.target(row, spare + pitch);
      eachVector(P, [&](int64_t j, auto lanes) {
        storePart(out + j, (loadPart(in + j, lanes) - mean) * scale + shift, lanes);
      });
      y.commit(row, out);
    }
  });
}

// With g = gamma dy:
//   dx = rstd (g - mean(g) - xhat mean(g xhat)), dgamma = sum of dy xhat, dbeta = sum of dy
static void channelNormBackward(const Command& command, const Run& run) {
  const ChannelNormBackwardArgs args(command);
  const Rows x(args.x, run), dy(args.dy, run), dx(args.dx, run);
  const RowValues gamma(args.gamma, run), means(args.mean, run), variances(args.variance, run);
  const RowValues dgamma(args.dgamma, run), dbeta(args.dbeta, run);
  const NormGroups groups(args.x, args.groups);
  const int64_t P = x.length, C = groups.channels;
  const double count = (double)(groups.rows * P);
  const float eps = args.eps;
  float* sums = (float*)run.pool.scratch(
      0, 3, (size_t)(2 * x.count + 1) * sizeof(float)); // of dy and dy xhat, by row
  eachGroup(run, groups, P, 3, [&](int64_t index, NormGroup group, float* spare, int64_t pitch) {
    const float mean = means[index], rstd = 1 / std::sqrt(variances[index] + eps);
    double ofG = 0, ofProducts = 0;
    for (int64_t i = 0; i < group.count; i++) {
      const int64_t row = group.first + i * group.step;
      const float *in = x.read(row, spare), *d = dy.read(row, spare + pitch);
      vf sum = {}, products = {};
      eachVector(P, [&](int64_t j, auto lanes) {
        const vf slope = loadPart(d + j, lanes);
        sum += slope;
        products += slope * (loadPart(in + j, lanes, mean) - mean);
      });
      sums[2 * row] = sumOfLanes(sum), sums[2 * row + 1] = sumOfLanes(products) * rstd;
      ofG += (double)gamma[row % C] * sums[2 * row];
      ofProducts += (double)gamma[row % C] * sums[2 * row + 1];
    }
    const float less = rstd * (float)(ofG / count),
                along = rstd * rstd * (float)(ofProducts / count);
    for (int64_t i = 0; i < group.count; i++) {
      const int64_t row = group.first + i * group.step;
      const float *in = x.read(row, spare), *d = dy.read(row, spare + pitch);
      float* out = dx.target(row, spare + 2 * pitch);
      const float scale = rstd * gamma[row % C];
      eachVector(P, [&](int64_t j, auto lanes) {
        storePart(out + j,
                  loadPart(d + j, lanes) * scale - less - (loadPart(in + j, lanes) - mean) * along,
                  lanes);
      });
      dx.commit(row, out);
    }
  });
  for (int64_t channel = 0; channel < C; channel++) {
    double slope = 0, shift = 0;
    for (int64_t row = channel; row < x.count; row += C)
      shift += sums[2 * row], slope += sums[2 * row + 1];
    dgamma[channel] = (float)slope, dbeta[channel] = (float)shift;
  }
}

} // namespace HEED_ISA
} // namespace heed
