// Cross-entropy of logits against class indices, with label smoothing e:
//   loss = (1-e) (lse - x[t]) + e (lse - mean(x)),  lse = log sum(e^x)
#pragma once
#include "rows.h"

namespace heed {
namespace HEED_ISA {

struct CrossEntropy {
  Rows logits;
  const int32_t* targets;
  int64_t targetStep, ignored;
  float smoothing;

  CrossEntropy(const Command& c, const Run& run)
      : logits(c.views[0], run), targets(run.at<int32_t>(c.views[1])), targetStep(c.views[1].stride[0]),
        ignored((int64_t)c.attrs[0]), smoothing((float)c.attrs[1]) {}

  int64_t target(int64_t row) const { return targets[row * targetStep]; }

  // False: there is no such class, and the run has failed.
  bool valid(int64_t target, const Run& run) const {
    if (target >= 0 && target < logits.length) return true;
    run.fail("crossEntropy: target %lld is not in [0, %lld)", (long long)target, (long long)logits.length);
    return false;
  }
};

// Views: logits (N,V), target (N) i32, loss (N), lse (N). Attrs: [ignoreIndex, labelSmoothing].
// Rows whose target is ignoreIndex have loss 0.
static void crossEntropy(const Command& c, const Run& run) {
  const CrossEntropy p(c, run);
  const RowValues loss(c.views[2], run), lse(c.views[3], run);
  const int64_t V = p.logits.length;
  eachRow(run, p.logits, 1, [&](int64_t row, float* spare, int64_t) {
    const float* x = p.logits.read(row, spare);
    const SoftmaxSum s = softmaxSum(x, V);
    const float logSum = s.max + std::log(s.sum);
    const int64_t target = p.target(row);
    lse[row] = logSum;
    loss[row] = 0;
    if (target == p.ignored || !p.valid(target, run)) return;
    loss[row] = (1 - p.smoothing) * (logSum - x[target]);
    if (p.smoothing == 0) return;
    const float sum = sumRow(V, [&](int64_t i, auto lanes) { return loadPart(x + i, lanes); });
    loss[row] += p.smoothing * (logSum - sum / (float)V);
  });
}

// Views: logits (N,V), target (N) i32, lse (N), dloss (N), dlogits (N,V). Attrs as above.
//   dx[j] = dloss (e^(x[j] - lse) - (1-e) [j = t] - e/V)
static void crossEntropyBackward(const Command& c, const Run& run) {
  const CrossEntropy p(c, run);
  const RowValues lse(c.views[2], run), dloss(c.views[3], run);
  const Rows dlogits(c.views[4], run);
  const int64_t V = p.logits.length;
  eachRow(run, p.logits, 2, [&](int64_t row, float* spare, int64_t pitch) {
    float* dx = dlogits.target(row, spare + pitch);
    const int64_t target = p.target(row);
    if (target == p.ignored || !p.valid(target, run)) {
      memset(dx, 0, (size_t)V * sizeof(float));
    } else {
      const float* x = p.logits.read(row, spare);
      const float logSum = lse[row], scale = dloss[row], uniform = p.smoothing / (float)V;
      eachVector(V, [&](int64_t i, auto lanes) {
        storePart(dx + i, scale * (vexpSoftmax(loadPart(x + i, lanes) - logSum) - uniform), lanes);
      });
      dx[target] -= scale * (1 - p.smoothing);
    }
    dlogits.commit(row, dx);
  });
}

} // namespace HEED_ISA
} // namespace heed
