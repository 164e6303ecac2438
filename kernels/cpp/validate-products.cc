// Checks of products and of attention.
#include "block-sizes.h"
#include "check.h"

namespace heed {
namespace checks {

void matmul(Check& c) {
  c.flag(0);
  c.attrs(2);
  const bool hasBias = c.flag(1);
  c.views(hasBias ? 4 : 3);
  c.rankFrom(0, 2);
  const int r = c.rank(0);
  const Shape a = c.shape(0);
  const int64_t N = c.dim(1, r - 1);
  c.has(0, F32);
  c.has(1, F32, replaced(replaced(a, r - 2, a.empty() ? 0 : a.back()), r - 1, N));
  const Shape out = replaced(a, r - 1, N);
  if (hasBias) c.has(2, F32, out);
  c.output(hasBias ? 3 : 2, F32, out);
}

// Blocks along the last axis of view `i`; returns how many numbers they hold.
static int64_t numbersInBlocks(Check& c, int i, int attr) {
  const BlockSize size = blockSizes[c.integer(attr, 0, BLOCK_FORMATS - 1)];
  c.rankFrom(i, 1);
  c.has(i, DType::u8);
  const int64_t bytes = c.dim(i, c.rank(i) - 1);
  c.require(bytes % size.bytes == 0, "the bytes are no whole blocks");
  return bytes / size.bytes * size.numbers;
}

void matmulQuantized(Check& c) {
  c.attrs(2);
  const bool hasBias = c.flag(1);
  c.views(hasBias ? 4 : 3);
  c.rankFrom(0, 1);
  c.rankIs(1, 2);
  const int64_t N = c.dim(1, 0);
  c.has(0, F32, replaced(c.shape(0), c.rank(0) - 1, numbersInBlocks(c, 1, 0)));
  c.require(c.view(1).contiguous(), "the weights are not adjacent");
  if (hasBias) c.has(2, F32, {N});
  c.output(hasBias ? 3 : 2, F32, replaced(c.shape(0), c.rank(0) - 1, N));
}

void dequantize(Check& c) {
  c.views(2);
  c.attrs(1);
  const int64_t numbers = numbersInBlocks(c, 0, 0);
  c.output(1, F32, replaced(c.shape(0), c.rank(0) - 1, numbers));
}

// q, k, v from view 0 on and the optional inputs from `optional` on; returns the first output.
static int attentionInputs(Check& c, int optional) {
  c.attrs(6);
  const bool bias = c.flag(2), mask = c.flag(3), length = c.flag(4), dropout = c.number(5) != 0;
  c.flag(1);
  for (int i = 0; i < 3; i++) {
    c.rankIs(i, 4);
    c.has(i, F32);
  }
  const int64_t B = c.dim(0, 0), H = c.dim(0, 1), T = c.dim(0, 2), D = c.dim(0, 3);
  const int64_t Hk = c.dim(1, 1), S = c.dim(1, 2), Dv = c.dim(2, 3);
  c.has(1, Shape{B, Hk, S, D});
  c.has(2, Shape{B, Hk, S, Dv});
  c.require(Hk > 0 ? H % Hk == 0 : H == 0, "the query heads are no multiple of the key heads");
  if (bias) c.has(optional++, F32, {B, H, T, S});
  if (mask) c.has(optional++, DType::boolean, {B, H, T, S});
  if (length) c.single(optional++, I32);
  if (dropout) c.single(optional++, U32);
  if (dropout) c.single(optional++, U32);
  return optional;
}
static Shape attentionOutput(const Check& c) {
  return {c.dim(0, 0), c.dim(0, 1), c.dim(0, 2), c.dim(2, 3)};
}

void attention(Check& c) {
  const int out = attentionInputs(c, 3);
  c.views(out + 2);
  c.output(out, F32, attentionOutput(c));
  c.output(out + 1, F32, rows(c));
}

void attentionBackward(Check& c) {
  const int dq = attentionInputs(c, 6);
  const bool bias = c.flag(2);
  c.views(dq + 3 + bias);
  c.has(3, F32, attentionOutput(c));
  c.has(4, F32, rows(c));
  c.has(5, F32, attentionOutput(c));
  for (int i = 0; i < 3; i++) c.output(dq + i, F32, c.shape(i));
  if (bias) c.output(dq + 3, F32, c.shape(6));
}

} // namespace checks
} // namespace heed
