// Softmax over the last dimension.
#pragma once
#include "rows.h"

namespace heed {
namespace HEED_ISA {

// Views: x (…,C), out (…,C). Attrs: [log 0/1].
static void softmax(const Command& c, const Run& run) {
  const Rows x(c.views[0], run), out(c.views[1], run);
  const bool logarithm = c.attrs[0] != 0;
  eachRow(run, x, 2, [&](int64_t row, float* spare, int64_t pitch) {
    const float* in = x.read(row, spare);
    float* y = out.target(row, spare + pitch);
    const SoftmaxSum s = softmaxSum(in, x.length);
    if (logarithm) {
      const float logSum = std::log(s.sum);
      eachVector(x.length, [&](int64_t i, int64_t lanes) {
        storeSome(y + i, (loadSome(in + i, lanes) - s.max) - logSum, lanes);
      });
    } else {
      const float scale = 1 / s.sum;
      eachVector(x.length, [&](int64_t i, int64_t lanes) {
        storeSome(y + i, vexpNegative(loadSome(in + i, lanes) - s.max) * scale, lanes);
      });
    }
    out.commit(row, y);
  });
}

// Views: y (what softmax gave), dy, dx, all (…,C). Attrs: [log 0/1].
//   softmax:     dx = y (dy - sum(y dy))
//   log-softmax: dx = dy - e^y sum(dy)
static void softmaxBackward(const Command& c, const Run& run) {
  const Rows out(c.views[0], run), dout(c.views[1], run), din(c.views[2], run);
  const bool logarithm = c.attrs[0] != 0;
  eachRow(run, out, 3, [&](int64_t row, float* spare, int64_t pitch) {
    const float* y = out.read(row, spare);
    const float* dy = dout.read(row, spare + pitch);
    float* dx = din.target(row, spare + 2 * pitch);
    const int64_t n = out.length;
    if (logarithm) {
      const float sum = sumRow(n, [&](int64_t i, int64_t lanes) { return loadSome(dy + i, lanes); });
      eachVector(n, [&](int64_t i, int64_t lanes) {
        storeSome(dx + i, loadSome(dy + i, lanes) - vexpNegative(loadSome(y + i, lanes)) * sum, lanes);
      });
    } else {
      const float dot =
          sumRow(n, [&](int64_t i, int64_t lanes) { return loadSome(y + i, lanes) * loadSome(dy + i, lanes); });
      eachVector(n, [&](int64_t i, int64_t lanes) {
        storeSome(dx + i, loadSome(y + i, lanes) * (loadSome(dy + i, lanes) - dot), lanes);
      });
    }
    din.commit(row, dx);
  });
}

} // namespace HEED_ISA
} // namespace heed
