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

  template <class Args>
  CrossEntropy(const Args& args, const Run& run)
      : logits(args.logits, run), targets(run.at<int32_t>(args.target)),
        targetStep(args.target.stride[0]), ignored(args.ignoreIndex),
        smoothing(args.labelSmoothing) {}

  int64_t target(int64_t row) const { return targets[row * targetStep]; }

  // Returns false, and the run fails, if there is no such class.
  bool valid(int64_t target, const Run& run) const {
    if (target >= 0 && target < logits.length) return true;
    run.fail("crossEntropy: target %lld is not in [0, %lld)", (long long)target,
             (long long)logits.length);
    return false;
  }
};

// The loss of rows whose target is ignoreIndex is 0.
static void crossEntropy(const Command& command, const Run& run) {
  const CrossEntropyArgs args(command);
  const CrossEntropy p(args, run);
  const RowValues loss(args.loss, run), lse(args.lse, run);
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

//   dx[j] = dloss (e^(x[j] - lse) - (1-e) [j = t] - e/V)
static void crossEntropyBackward(const Command& command, const Run& run) {
  const CrossEntropyBackwardArgs args(command);
  const CrossEntropy p(args, run);
  const RowValues lse(args.lse, run), dloss(args.dloss, run);
  const Rows dlogits(args.dlogits, run);
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
