// Checks of kernels that go by rows or channels: softmax, norms, losses.
#include "check.h"

namespace heed {
namespace checks {

void softmax(Check& c) {
  c.views(2);
  c.attrs(1);
  c.flag(0);
  c.rankFrom(0, 1);
  c.has(0, F32);
  c.output(1, F32, c.shape(0));
}

void softmaxBackward(Check& c) {
  c.views(3);
  c.attrs(1);
  c.flag(0);
  c.rankFrom(0, 1);
  c.has(0, F32);
  c.has(1, F32, c.shape(0));
  c.output(2, F32, c.shape(0));
}

// Views: x, `weights` vectors of length C.
static void normInputs(Check& c, int weights) {
  c.rankFrom(0, 1);
  c.has(0, F32);
  for (int i = 1; i <= weights; i++) c.has(i, F32, {c.dim(0, c.rank(0) - 1)});
}
static Shape channels(const Check& c) { return {c.dim(0, c.rank(0) - 1)}; }

// Behind x, weights and biases: y and what is kept, means and deviations.
static void normOutputs(Check& c, const Shape& kept) {
  c.output(3, F32, c.shape(0));
  c.output(4, F32, kept);
  c.output(5, F32, kept);
}

// Behind x and weights: what was kept, dy, and the gradients.
static void normGradients(Check& c, const Shape& kept, const Shape& weights) {
  c.has(2, F32, kept);
  c.has(3, F32, kept);
  c.has(4, F32, c.shape(0));
  c.output(5, F32, c.shape(0));
  c.output(6, F32, weights);
  c.output(7, F32, weights);
}

void layerNorm(Check& c) {
  c.views(6);
  c.attrs(1);
  normInputs(c, 2);
  normOutputs(c, rows(c));
}

void layerNormBackward(Check& c) {
  c.views(8);
  c.attrs(0);
  normInputs(c, 1);
  normGradients(c, rows(c), channels(c));
}

// Views: x (B, C, P) and `weights` vectors of length C. Attrs: eps, groups or 0. What is kept: of each group.
static Shape channelGroups(Check& c, int weights) {
  c.attrs(2);
  c.rankIs(0, 3);
  c.has(0, F32);
  const int64_t channels = c.dim(0, 1), groups = c.integer(1, 0, INT32_MAX);
  for (int i = 1; i <= weights; i++) c.has(i, F32, {channels});
  if (groups == 0) return {channels};
  c.require(channels % groups == 0, "the groups do not divide the channels");
  return {c.dim(0, 0), groups};
}

void channelNorm(Check& c) {
  c.views(6);
  normOutputs(c, channelGroups(c, 2));
}

void channelNormBackward(Check& c) {
  c.views(8);
  normGradients(c, channelGroups(c, 1), {c.dim(0, 1)});
}

void rmsNorm(Check& c) {
  c.views(4);
  c.attrs(1);
  normInputs(c, 1);
  c.output(2, F32, c.shape(0));
  c.output(3, F32, rows(c));
}

void rmsNormBackward(Check& c) {
  c.views(6);
  c.attrs(0);
  normInputs(c, 1);
  c.has(2, F32, rows(c));
  c.has(3, F32, c.shape(0));
  c.output(4, F32, c.shape(0));
  c.output(5, F32, channels(c));
}

static void crossEntropyInputs(Check& c) {
  c.attrs(2);
  c.integer(0, INT32_MIN, INT32_MAX);
  c.rankIs(0, 2);
  c.has(0, F32);
  c.index(1, rows(c));
}

void crossEntropy(Check& c) {
  c.views(4);
  crossEntropyInputs(c);
  c.output(2, F32, rows(c));
  c.output(3, F32, rows(c));
}

void crossEntropyBackward(Check& c) {
  c.views(5);
  crossEntropyInputs(c);
  c.has(2, F32, rows(c));
  c.has(3, F32, rows(c));
  c.output(4, F32, c.shape(0));
}

} // namespace checks
} // namespace heed
