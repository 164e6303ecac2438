// The kernels `matmulQuantized`, `matmulQuantizedInput` and `dequantize`, for quantised weights
// (blocks.h).
//
// If x has few rows, they are rounded to 16 bits (an error of up to 1/65278 of the largest number
// in the row) and multiplied by the weights in integers. Memory bandwidth is then the limit. The
// results of a row do not depend on the number of rows. If x has many rows, and for gradients, the
// products of gemm.h decode the weights as they pack them.
#pragma once
#include "dot-rows.h"
#include "processor.h"
#include "rows.h"

namespace heed {
namespace HEED_ISA {

constexpr int64_t FEW_ROWS = 32;           // of x; with more, weights are converted to floats
constexpr int64_t ROUNDING_TASK = 1 << 14; // minimum numbers of x for a separate task
constexpr int64_t QUANTIZED_TASK =
    1 << 19; // weights of a task: streams (see dotColumns) should be long

// The problem: out = x wᵀ (+ bias), or out = x w.
struct QuantizedProduct {
  const Format& format;
  Rows x, out;
  const uint8_t* w;
  int64_t width; // numbers in a row of w
  const float* bias = nullptr;
  int64_t biasStep = 0;
  int64_t blocks() const { return width / format.size.numbers; }
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
  const int64_t n = p.out.length;
  const Cut tasks{n, roundUp(ceilDiv(n * x.length, QUANTIZED_TASK), 4), 4};
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

// ---- Many rows, and the gradient

// Whether rows have a constant distance, with adjacent elements.
inline bool isEven(const Rows& x) { return x.step == 1 && x.offsets.rank <= 1; }

// Even rows: x in place, or copied.
inline Operand evenRows(const Rows& x, float* copy) {
  if (isEven(x)) return {x.base, x.offsets.rank == 1 ? x.offsets.stride[0] : x.length, 1};
  for (int64_t m = 0; m < x.count; m++)
    for (int64_t i = 0; i < x.length; i++)
      copy[m * x.length + i] = x.base[x.offsets(m) + i * x.step];
  return {copy, x.length, 1};
}

// out = x wᵀ (+ bias), or out = x w, in floats. Uses scratch slot 3, because gemm.h uses the
// others.
inline void multiplyDecoded(const Run& run, const QuantizedProduct& p, bool turned) {
  const Rows &x = p.x, &out = p.out;
  const int64_t k = x.length, n = out.length, outFloats = isEven(out) ? 0 : out.count * n;
  const int64_t xFloats = isEven(x) ? 0 : x.count * k;
  float* xCopy = (float*)run.pool.scratch(0, 3, sizeof(float) * (size_t)(xFloats + outFloats + n));
  float *outCopy = xCopy + xFloats, *bias = outCopy + outFloats;
  const Operand a = evenRows(x, xCopy);
  Block c{outCopy, n, p.bias ? bias : nullptr};
  if (isEven(out)) c.data = out.base, c.stride = out.offsets.rank == 1 ? out.offsets.stride[0] : n;
  if (p.bias)
    for (int64_t i = 0; i < n; i++) bias[i] = p.bias[i * p.biasStep];
  const BlockMatrix w{p.w, p.format.size, p.rowBytes(), halfTable(), p.format.row};
  const Operand b = turned ? Operand{nullptr, k, 1} : Operand{nullptr, 1, n};
  gemm(run.pool, 1, [&](int64_t) { return Product{x.count, n, k, a, b, c, false, &w}; });
  if (isEven(out)) return;
  for (int64_t m = 0; m < out.count; m++)
    for (int64_t i = 0; i < n; i++) out.base[out.offsets(m) + i * out.step] = outCopy[m * n + i];
}

// out = x wᵀ (+ bias), with w (N, bytes of K numbers).
inline void matmulQuantized(const Command& command, const Run& run) {
  const MatmulQuantizedArgs args(command);
  const View* bias = args.bias;
  const auto multiply = [&](auto dot) {
    using Dot = decltype(dot);
    const Rows x(args.x, run);
    const QuantizedProduct p{
        formats<Dot>[(int)args.format], x,        Rows(args.out, run),
        run.at<uint8_t>(args.w),        x.length, bias ? run.at<float>(*bias) : nullptr,
        bias ? bias->stride[0] : 0};
    if (x.count == 0 || p.out.length == 0) return;
    if (x.count <= FEW_ROWS) multiplyFew<Dot>(run, p);
    else multiplyDecoded(run, p, true);
  };
#if defined(__AVX512F__)
  if (processor().vnni) return multiply(DotBytes{});
#endif
  multiply(DotShorts{});
}

// dx = dy w, the gradient of x wᵀ with respect to x.
inline void matmulQuantizedInput(const Command& command, const Run& run) {
  const MatmulQuantizedInputArgs args(command);
  const Rows dx(args.dx, run);
  const QuantizedProduct p{formats<DotShorts>[(int)args.format], Rows(args.dy, run), dx,
                           run.at<uint8_t>(args.w), dx.length};
  if (dx.count > 0 && dx.length > 0) multiplyDecoded(run, p, false);
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
