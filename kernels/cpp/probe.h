// probe: measures the peak performance of the machine, for comparison with other kernels. There is
// one task for each number of `out`. Depending on `kind`, it runs
//   multiplyAdd  `times` steps of 192 multiply-adds, in 12 independent chains of vectors
//   read         `times` sums over its share of the memory
//   readWrite    `times` passes that read and write its share of the memory
#pragma once
#include "integers.h"
#include "kernel-schemas.h"
#include "simd.h"

namespace heed {
namespace HEED_ISA {

constexpr int PROBE_CHAINS =
    12; // more than latency times throughput, but few enough for 16 registers

inline float probeMultiplyAdd(int64_t times, const float* from) {
  vf sum[PROBE_CHAINS];
  for (int i = 0; i < PROBE_CHAINS; i++) sum[i] = splat((float)i);
  const vf a = splat(from[0]), b = splat(from[1]);
  for (int64_t n = 0; n < times * (16 / VL); n++)
    for (int i = 0; i < PROBE_CHAINS; i++) sum[i] = fma(sum[i], a, b);
  for (int i = 1; i < PROBE_CHAINS; i++) sum[0] = sum[0] + sum[i];
  return sum[0][0];
}

inline float probeRead(const float* from, int64_t count) {
  vf sum[8] = {};
  int64_t i = 0;
  for (; i + 8 * VL <= count; i += 8 * VL)
    for (int j = 0; j < 8; j++) sum[j] = sum[j] + load(from + i + j * VL);
  for (int j = 1; j < 8; j++) sum[0] = sum[0] + sum[j];
  return sum[0][0];
}

inline float probeReadWrite(float* at, int64_t count) {
  const vf step = splat(1e-6f);
  int64_t i = 0;
  for (; i + VL <= count; i += VL) store(at + i, load(at + i) + step);
  return (float)i;
}

static void probe(const Command& command, const Run& run) {
  using Kind = ProbeArgs::Kind;
  const ProbeArgs args(command);
  float *memory = run.at<float>(args.memory), *out = run.at<float>(args.out);
  const int64_t count = args.memory.count(), tasks = args.out.count(), times = args.times;
  const Kind kind = args.kind;
  parallel(run.pool, tasks, [&](int64_t task, int) {
    const int64_t from = count * task / tasks / VL * VL, to = count * (task + 1) / tasks / VL * VL;
    if (kind == Kind::multiplyAdd) out[task] = probeMultiplyAdd(times, memory);
    else
      for (int64_t n = 0; n < times; n++)
        out[task] = kind == Kind::read ? probeRead(memory + from, to - from)
                                       : probeReadWrite(memory + from, to - from);
  });
}

} // namespace HEED_ISA
} // namespace heed
