// The kernels `matmulQuantized` and `dequantize`, for quantised weights (blocks.h).
//
// If x has few rows, they are rounded to 16 bits (an error of up to 1/65278 of the largest number
// in the row) and multiplied by the weights in integers. Memory bandwidth is then the limit. The
// results of a row do not depend on the number of rows. If x has many rows, the weights are
// converted to floats, a stretch at a time, for the products of gemm.h.
#pragma once
#include "dot-rows.h"
#include "processor.h"
#include "rows.h"

namespace heed {
namespace HEED_ISA {

constexpr int64_t FEW_ROWS = 32;            // of x; with more, weights are converted to floats
constexpr int64_t FLOATS_AT_ONCE = 1 << 19; // of weights, which stay in the cache
constexpr int64_t ROUNDING_TASK = 1 << 14;  // minimum numbers of x for a separate task
constexpr int64_t QUANTIZED_TASK =
    1 << 19; // weights of a task: streams (see dotColumns) should be long

// The problem: out = x wᵀ (+ bias).
struct QuantizedProduct {
  const Format& format;
  Rows x, out;
  const uint8_t* w;
  int64_t n;
  const float* bias;
  int64_t biasStep;
  int64_t blocks() const { return x.length / format.size.numbers; }
  int64_t rowBytes() const { return blocks() * format.size.bytes; }
};

// ---- Few rows

template <class Dot> inline void multiplyFew(const Run& run, const QuantizedProduct& p) {
  const Rows& x = p.x;
  const int64_t groups = x.length / GROUP, bytes = roundUp((int64_t)ShortRow::bytes(groups), 64);
  char* memory = (char*)run.pool.scratch(0, 3, (size_t)(bytes * x.count));
  ShortRow rows[FEW_ROWS];
  float* outs[FEW_ROWS];
  for (int64_t m = 0; m < x.count; m++) {
    rows[m] = ShortRow(memory + m * bytes, groups);
    outs[m] = p.out.base + p.out.offsets(m);
  }
  const int64_t perTask = ceilDiv(ROUNDING_TASK, most(1, x.length));
  parallel(run.pool, ceilDiv(x.count, perTask), [&](int64_t task, int thread) {
    float* spare = (float*)run.pool.scratch(thread, 0, sizeof(float) * (size_t)x.length);
    for (int64_t m = task * perTask; m < least(x.count, (task + 1) * perTask); m++)
      p.format.round(x.read(m, spare), groups, rows[m]);
  });
  const float* halves = halfTable();
  // Equal tasks in a multiple of four, so that two or four threads finish at the same time.
  const Cut tasks{p.n, roundUp(ceilDiv(p.n * x.length, QUANTIZED_TASK), 4), 4};
  parallel(run.pool, tasks.parts, [&](int64_t task, int) {
    const Range columns = part(tasks, task);
    for (int64_t m = 0; m < x.count;) {
      const int64_t left = x.count - m;
      const int power = left >= 4 ? 2 : left >= 2 ? 1 : 0;
      const ShortProduct product{halves,   p.w,        p.rowBytes(), p.blocks(), rows + m,
                                 outs + m, p.out.step, p.bias,       p.biasStep};
      p.format.few[power](product, columns);
      m += 1 << power;
    }
  });
}

// ---- Many rows

// Rows at a constant distance with adjacent elements: in place if x has this form, otherwise
// copied.
inline Operand evenRows(const Rows& x, float* copy) {
  if (x.step == 1 && x.offsets.rank <= 1)
    return {x.base, x.offsets.rank == 1 ? x.offsets.stride[0] : x.length, 1};
  for (int64_t m = 0; m < x.count; m++)
    for (int64_t i = 0; i < x.length; i++)
      copy[m * x.length + i] = x.base[x.offsets(m) + i * x.step];
  return {copy, x.length, 1};
}

// Uses scratch slot 3, because gemm.h uses the others.
inline void multiplyMany(const Run& run, const QuantizedProduct& p) {
  const Rows &x = p.x, &out = p.out;
  const int64_t k = x.length, n = p.n;
  const bool even = out.step == 1 && out.offsets.rank <= 1;
  const int64_t stretch = least(n, roundUp(ceilDiv(FLOATS_AT_ONCE, most(1, k)), TILE_COLUMNS));
  const int64_t xFloats = x.count * k, outFloats = even ? 0 : x.count * n;
  float* floats = (float*)run.pool.scratch(
      0, 3, sizeof(float) * (size_t)(stretch * k + xFloats + outFloats + n));
  float *xCopy = floats + stretch * k, *outCopy = xCopy + xFloats, *bias = outCopy + outFloats;
  const Operand a = evenRows(x, xCopy);
  const Block c =
      even ? Block{out.base, out.offsets.rank == 1 ? out.offsets.stride[0] : n} : Block{outCopy, n};
  if (p.bias)
    for (int64_t i = 0; i < n; i++) bias[i] = p.bias[i * p.biasStep];
  const float* halves = halfTable();
  for (int64_t from = 0; from < n; from += stretch) {
    const int64_t columns = least(stretch, n - from);
    parallel(run.pool, ceilDiv(columns, 16), [&](int64_t task, int) {
      for (int64_t j = task * 16; j < least(columns, (task + 1) * 16); j++)
        p.format.row(halves, p.w + (from + j) * p.rowBytes(), p.blocks(), floats + j * k);
    });
    gemm(run.pool, 1, [&](int64_t) {
      const Block to{c.data + from, c.stride, p.bias ? bias + from : nullptr};
      return Product{x.count, columns, k, a, {floats, k, 1}, to, false};
    });
  }
  if (even) return;
  for (int64_t m = 0; m < x.count; m++)
    for (int64_t i = 0; i < n; i++) out.base[out.offsets(m) + i * out.step] = outCopy[m * n + i];
}

template <class Dot> inline void multiplyWith(const MatmulQuantizedArgs& args, const Run& run) {
  const View* bias = args.bias;
  const QuantizedProduct p{
      formats<Dot>[(int)args.format], Rows(args.x, run), Rows(args.out, run),
      run.at<uint8_t>(args.w),        args.w.shape[0],   bias ? run.at<float>(*bias) : nullptr,
      bias ? bias->stride[0] : 0};
  if (p.x.count == 0 || p.n == 0) return;
  if (p.x.count <= FEW_ROWS) multiplyFew<Dot>(run, p);
  else multiplyMany(run, p);
}

// out = x wᵀ (+ bias), with w (N, bytes of K numbers).
inline void matmulQuantized(const Command& command, const Run& run) {
  const MatmulQuantizedArgs args(command);
#if defined(__AVX512F__)
  if (processor().vnni) return multiplyWith<DotBytes>(args, run);
#endif
  multiplyWith<DotShorts>(args, run);
}

inline void dequantize(const Command& command, const Run& run) {
  const DequantizeArgs args(command);
  const Format& format = formats<DotShorts>[(int)args.format];
  const View& from = args.blocks;
  const Rows out(args.out, run);
  const uint8_t* base = run.at<uint8_t>(from);
  const RowOffsets offsets(from, from.rank - 1);
  const int64_t bytes = from.shape[from.rank - 1], step = from.stride[from.rank - 1];
  const float* halves = halfTable();
  eachRow(run, out, 2, [&](int64_t row, float* spare, int64_t pitch) {
    const uint8_t* source = base + offsets(row);
    if (step != 1) {
      uint8_t* copy = (uint8_t*)(spare + pitch); // a block has fewer bytes than its floats
      for (int64_t i = 0; i < bytes; i++) copy[i] = source[i * step];
      source = copy;
    }
    float* to = out.target(row, spare);
    format.row(halves, source, bytes / format.size.bytes, to);
    out.commit(row, to);
  });
}

} // namespace HEED_ISA
} // namespace heed
