// The kernels of scaled dot-product attention. See attention-forward.h, attention-decode.h and
// attention-backward.h.
#pragma once
#include "attention-decode.h"
#include "attention-forward.h"
#include "attention-backward.h"

namespace heed {
namespace HEED_ISA {

// out = softmax(scale q k^T + bias) v, lse = log sum of e^score.
// A key is masked where `mask` is false; only keys < length are used.
// Query head h uses key head h / (H / Hk). Causal: query i attends to key j iff
// j <= i + (used - T), where `used` is length or S. Fully masked rows give 0 and lse = -inf.
// Dropout keeps element i of (B,H,T,S) iff its uniform number (bits(i) >> 8) * 2^-24 >= dropout,
// and scales it by 1 / (1 - dropout).
static void attention(const Command& command, const Run& run) {
  const AttentionArgs args(command);
  const AttentionProblem p(args, run);
  const Tensor4 out(args.out, run), lse(args.lse, run);
  if (p.rows == 0) return;
  if (isDecode(p)) attentionDecode(p, run, out, lse);
  else attentionForward(p, run, out, lse);
}

// The gradients of q, k, v and, if present, the bias. `out` and `lse` are the results of the
// forward pass.
static void attentionBackward(const Command& command, const Run& run) {
  const AttentionBackwardArgs args(command);
  attentionGradients(AttentionProblem(args, run), args, run);
}

} // namespace HEED_ISA
} // namespace heed
