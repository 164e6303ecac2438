// probe: memory (f32, any size, adjacent), out (f32, one number for each task)   attrs [kind, times]
//   what the machine can do at most, for people who compare: each task makes
//   kind 0  `times` steps of 192 multiply-adds, in 12 independent chains of vectors
//   kind 1  `times` sums over its share of the memory
//   kind 2  `times` passes that read and write its share of the memory
#pragma once
#include "integers.h"
#include "program.h"
#include "simd.h"

namespace heed {
namespace HEED_ISA {

constexpr int PROBE_CHAINS = 12; // more than latency times throughput, and few enough for 16 registers

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

static void probe(const Command& c, const Run& run) {
  float *memory = run.at<float>(c.views[0]), *out = run.at<float>(c.views[1]);
  const int64_t count = c.views[0].count(), tasks = c.views[1].count(), times = (int64_t)c.attrs[1];
  const int kind = (int)c.attrs[0];
  parallel(run.pool, tasks, [&](int64_t task, int) {
    const int64_t from = count * task / tasks / VL * VL, to = count * (task + 1) / tasks / VL * VL;
    if (kind == 0) out[task] = probeMultiplyAdd(times, memory);
    else
      for (int64_t n = 0; n < times; n++)
        out[task] = kind == 1 ? probeRead(memory + from, to - from) : probeReadWrite(memory + from, to - from);
  });
}

} // namespace HEED_ISA
} // namespace heed
