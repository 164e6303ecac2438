// Scaled dot-product attention, the kernels: see attention-forward.h, attention-decode.h and attention-backward.h.
#pragma once
#include "attention-decode.h"
#include "attention-forward.h"
#include "attention-backward.h"

namespace heed {
namespace HEED_ISA {

// out = softmax(scale q k^T + bias) v, lse = log sum of e^score.
// Views: q (B,H,T,D), k (B,Hk,S,D), v (B,Hk,S,Dv), [bias (B,H,T,S)], [mask (B,H,T,S) boolean: false is hidden],
//   [length i32: only keys < length are used], [seed u32, draw u32] -> out (B,H,T,Dv), lse (B,H,T).
// Attrs: [scale, causal, hasBias, hasMask, hasLength, dropout (0: no seed and draw)].
// Query head h uses key head h / (H / Hk). Causal: query i sees key j iff j <= i + (used - T), where `used` is
// length or S. Rows that see nothing give 0 and lse = -inf. Dropout keeps element i of (B,H,T,S) iff its
// uniform number (bits(i) >> 8) * 2^-24 >= dropout, and scales it by 1 / (1 - dropout).
static void attention(const Command& c, const Run& run) {
  int outputs = 3;
  const AttentionProblem p(c, run, outputs);
  const Tensor4 out(c.views[outputs], run), lse(c.views[outputs + 1], run);
  if (p.rows == 0) return;
  if (isDecode(p))
    attentionDecode(p, run, out, lse);
  else
    attentionForward(p, run, out, lse);
}

// Views: q, k, v, out, lse, dout, [bias], [mask], [length], [seed, draw] -> dq, dk, dv, [dbias (B,H,T,S) iff hasBias].
// Attrs: as attention.
static void attentionBackward(const Command& c, const Run& run) {
  int outputs = 6;
  const AttentionProblem p(c, run, outputs);
  attentionGradients(p, c, run, outputs);
}

} // namespace HEED_ISA
} // namespace heed
