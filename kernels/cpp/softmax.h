// Softmax over the last dimension.
#pragma once
#include "rows.h"

namespace heed {
namespace HEED_ISA {

// The exponentials of a short row are stored, because they stay in L1. Those of a longer row are
// computed twice, which is faster than reading them from memory.
static inline void softmaxRow(const float* x, float* y, int64_t n) {
  if (n > SOFTMAX_BLOCK) {
    const SoftmaxSum s = softmaxSum(x, n);
    eachVector(n, [&](int64_t i, auto lanes) {
      storePart(y + i, vexpSoftmax(loadPart(x + i, lanes) - s.max) * (1 / s.sum), lanes);
    });
    return;
  }
  const float max = maxRow(x, n);
  const float sum = sumRow(n, [&](int64_t i, auto lanes) {
    const vf e = vexpSoftmax(loadPart(x + i, lanes, -INFINITY_F) - max);
    storePart(y + i, e, lanes);
    return e;
  });
  const float scale = 1 / sum;
  eachVector(
      n, [&](int64_t i, auto lanes) { storePart(y + i, loadPart(y + i, lanes) * scale, lanes); });
}

static inline void logSoftmaxRow(const float* x, float* y, int64_t n) {
  const SoftmaxSum s = softmaxSum(x, n);
  const float logSum = std::log(s.sum);
  eachVector(n, [&](int64_t i, auto lanes) {
    storePart(y + i, (loadPart(x + i, lanes) - s.max) - logSum, lanes);
  });
}

// y = e^x / sum(e^x), or its logarithm.
static void softmax(const Command& command, const Run& run) {
  const SoftmaxArgs args(command);
  const Rows x(args.x, run), out(args.y, run);
  eachRow(run, x, 2, [&](int64_t row, float* spare, int64_t pitch) {
    const float* in = x.read(row, spare);
    float* y = out.target(row, spare + pitch);
    args.logarithm ? logSoftmaxRow(in, y, x.length) : softmaxRow(in, y, x.length);
    out.commit(row, y);
  });
}

// y is the result of the forward pass.
//   softmax:     dx = y (dy - sum(y dy))
//   log-softmax: dx = dy - e^y sum(dy)
static void softmaxBackward(const Command& command, const Run& run) {
  const SoftmaxBackwardArgs args(command);
  const Rows out(args.y, run), dout(args.dy, run), din(args.dx, run);
  eachRow(run, out, 3, [&](int64_t row, float* spare, int64_t pitch) {
    const float* y = out.read(row, spare);
    const float* dy = dout.read(row, spare + pitch);
    float* dx = din.target(row, spare + 2 * pitch);
    const int64_t n = out.length;
    if (args.logarithm) {
      const float sum = sumRow(n, [&](int64_t i, auto lanes) { return loadPart(dy + i, lanes); });
      eachVector(n, [&](int64_t i, auto lanes) {
        storePart(dx + i, loadPart(dy + i, lanes) - vexpSoftmax(loadPart(y + i, lanes)) * sum,
                  lanes);
      });
    } else {
      const float dot = sumRow(n, [&](int64_t i, auto lanes) {
        return loadPart(y + i, lanes) * loadPart(dy + i, lanes);
      });
      eachVector(n, [&](int64_t i, auto lanes) {
        storePart(dx + i, loadPart(y + i, lanes) * (loadPart(dy + i, lanes) - dot), lanes);
      });
    }
    din.commit(row, dx);
  });
}

} // namespace HEED_ISA
} // namespace heed
