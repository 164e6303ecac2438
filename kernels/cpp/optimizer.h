// Optimiser updates in one pass over parameter, gradient and state.
#pragma once
#include "rows.h"

namespace heed {
namespace HEED_ISA {

struct AdamwFactors {
  float keep;      // 1 - lr weightDecay
  float stepSize;  // lr / correction1
  float rootScale; // 1 / sqrt(correction2)
  float beta1, beta2, eps, gradScale;
};

HEED_INLINE void adamwStep(const AdamwFactors& f, vf g, vf& p, vf& m, vf& v) {
  g = g * f.gradScale;
  m = m + (1 - f.beta1) * (g - m);
  v = f.beta2 * v + (1 - f.beta2) * g * g;
  p = f.keep * p - f.stepSize * m / (vsqrt(v) * f.rootScale + f.eps);
}

// With parameter p, gradient g, mean m and variance v (the results usually have the same memory):
//   g *= gradScale; p *= 1 - lr decay; m += (1 - beta1)(g - m); v = beta2 v + (1 - beta2) g²
//   p -= lr/correction1 m / (sqrt(v)/sqrt(correction2) + eps)
static void adamw(const Command& command, const Run& run) {
  const AdamwArgs args(command);
  const auto number = [&](const View& v) { return *run.at<float>(v); };
  const float lr = number(args.lr);
  const AdamwFactors factors{1 - lr * number(args.decay),
                             lr / number(args.correction1),
                             1 / std::sqrt(number(args.correction2)),
                             number(args.beta1),
                             number(args.beta2),
                             number(args.eps),
                             number(args.gradScale)};
  View pieces[7] = {args.parameter,     args.gradient, args.mean,        args.variance,
                    args.nextParameter, args.nextMean, args.nextVariance};
  bool contiguous = true;
  for (const View& v : pieces) contiguous = contiguous && v.contiguous();
  if (contiguous)
    for (View& v : pieces) { // one long row
      v.shape[0] = v.count();
      v.stride[0] = v.rank = 1;
    }
  const Rows tensors[7] = {{pieces[0], run}, {pieces[1], run}, {pieces[2], run}, {pieces[3], run},
                           {pieces[4], run}, {pieces[5], run}, {pieces[6], run}};

  constexpr int64_t CHUNK = 8192;
  const int64_t length = tensors[0].length, chunks = ceilDiv(length, CHUNK);
  parallel(run.pool, tensors[0].count * chunks, [&](int64_t task, int thread) {
    float* spare = (float*)run.pool.scratch(thread, 0, 7 * CHUNK * sizeof(float));
    const int64_t row = task / chunks, start = task % chunks * CHUNK;
    const int64_t n = least(CHUNK, length - start);
    const Rows piece[7] = {tensors[0].slice(start, n), tensors[1].slice(start, n),
                           tensors[2].slice(start, n), tensors[3].slice(start, n),
                           tensors[4].slice(start, n), tensors[5].slice(start, n),
                           tensors[6].slice(start, n)};
    const float* in[4];
    float* out[3];
    for (int i = 0; i < 4; i++) in[i] = piece[i].read(row, spare + i * CHUNK);
    for (int i = 0; i < 3; i++) out[i] = piece[4 + i].target(row, spare + (4 + i) * CHUNK);
    eachVector(n, [&](int64_t i, auto lanes) {
      vf p = loadPart(in[0] + i, lanes), m = loadPart(in[2] + i, lanes),
         v = loadPart(in[3] + i, lanes);
      adamwStep(factors, loadPart(in[1] + i, lanes), p, m, v);
      storePart(out[0] + i, p, lanes);
      storePart(out[1] + i, m, lanes);
      storePart(out[2] + i, v, lanes);
    });
    for (int i = 0; i < 3; i++) piece[4 + i].commit(row, out[i]);
  });
}

} // namespace HEED_ISA
} // namespace heed
