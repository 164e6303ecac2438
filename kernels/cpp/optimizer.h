// Optimiser updates: one pass over parameter, gradient and state.
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

// Views: p, g, m, v, then 1-element lr, beta1, beta2, eps, weightDecay, correction1, correction2,
// gradScale, then the outputs p', m', v' (mostly the memory of p, m, v). Attrs: [].
//   g *= gradScale; p *= 1 - lr weightDecay; m += (1 - beta1)(g - m); v = beta2 v + (1 - beta2) g²
//   p -= lr/correction1 m / (sqrt(v)/sqrt(correction2) + eps)
static void adamw(const Command& c, const Run& run) {
  const auto number = [&](int i) { return *run.at<float>(c.views[i]); };
  const float lr = number(4);
  const AdamwFactors factors{1 - lr * number(8), lr / number(9), 1 / std::sqrt(number(10)),
                             number(5),          number(6),      number(7),
                             number(11)};
  View views[7] = {c.views[0], c.views[1], c.views[2], c.views[3], c.views[12], c.views[13], c.views[14]};
  bool contiguous = true;
  for (const View& v : views) contiguous = contiguous && v.contiguous();
  if (contiguous)
    for (View& v : views) { // one long row
      v.shape[0] = v.count();
      v.stride[0] = v.rank = 1;
    }
  const Rows tensors[7] = {{views[0], run}, {views[1], run}, {views[2], run}, {views[3], run},
                           {views[4], run}, {views[5], run}, {views[6], run}};

  constexpr int64_t CHUNK = 8192;
  const int64_t length = tensors[0].length, chunks = ceilDiv(length, CHUNK);
  parallel(run.pool, tensors[0].count * chunks, [&](int64_t task, int thread) {
    float* spare = (float*)run.pool.scratch(thread, 0, 7 * CHUNK * sizeof(float));
    const int64_t row = task / chunks, start = task % chunks * CHUNK;
    const int64_t n = least(CHUNK, length - start);
    const Rows piece[7] = {tensors[0].slice(start, n), tensors[1].slice(start, n), tensors[2].slice(start, n),
                           tensors[3].slice(start, n), tensors[4].slice(start, n), tensors[5].slice(start, n),
                           tensors[6].slice(start, n)};
    const float* in[4];
    float* out[3];
    for (int i = 0; i < 4; i++) in[i] = piece[i].read(row, spare + i * CHUNK);
    for (int i = 0; i < 3; i++) out[i] = piece[4 + i].target(row, spare + (4 + i) * CHUNK);
    eachVector(n, [&](int64_t i, auto lanes) {
      vf p = loadPart(in[0] + i, lanes), m = loadPart(in[2] + i, lanes), v = loadPart(in[3] + i, lanes);
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
