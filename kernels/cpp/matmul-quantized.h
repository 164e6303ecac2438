// The kernels `matmulQuantized` and `dequantize`: weights in blocks (blocks.h).
//
// Few rows of x: they are rounded to bytes, with a scale for each 32 numbers (an error of up to
// 1/254 of the largest of them), and multiplied with the weights' bytes in integers: memory sets
// the speed. Many rows: the weights become floats, a stretch at a time, for the products of gemm.h.
#pragma once
#include "dot-quads.h"
#include "gemv.h"
#include "rows.h"

namespace heed {
namespace HEED_ISA {

constexpr int64_t BYTE_ROWS = 8;            // of x, above which the weights become floats
constexpr int64_t FLOATS_AT_ONCE = 1 << 19; // of weights: they stay in the cache
constexpr int64_t QUANTIZED_TASK =
    1 << 19; // weights of a task: streams (see dotColumns) pay when they are long

// ---- Few rows

struct ByteProduct {
  const float* halves;
  const uint8_t* weights; // (n, bytes)
  int64_t bytes, blocks;
  const ByteRow* x;
  float* const* out; // of each row of x
  int64_t step;      // from column to column
  const float* bias; // null, or of each column
  int64_t biasStep;
};

HEED_INLINE float sumOf(FloatLanes s) {
  return ((s[0] + s[4]) + (s[1] + s[5])) + ((s[2] + s[6]) + (s[3] + s[7]));
}

// R rows of weights, `apart` from one another, times M rows of x: R * M sums stay in registers.
template <class F, class Dot, int M, int R>
static void dotRows(const ByteProduct& p, int64_t n, int64_t apart) {
  constexpr BlockSize size = sizeOfBlock<F>();
  FloatLanes sum[R][M] = {};
  float shift[R][M] = {};
  const uint8_t* block = p.weights + n * p.bytes;
  int64_t b = 0, i = 0;
  if constexpr (Dot::template QUADS<F>) {
    QuadFloats wide[R][M] = {};
    for (; b + 4 <= p.blocks; b += 4, i += 4, block += 4 * size.bytes) HEED_UNROLL
    for (int r = 0; r < R; r++) {
      const uint8_t* own = block + r * apart * p.bytes;
      prefetchStream(own);
      addQuad<F, M>(own, p.x, i / 4, wide[r]);
    }
    for (int r = 0; r < R; r++)
      for (int m = 0; m < M; m++) sum[r][m] = halvesAdded(wide[r][m]);
  }
  for (; b < p.blocks; b++, block += size.bytes)
    for (int g = 0; g < size.numbers / GROUP; g++, i++) HEED_UNROLL
  for (int r = 0; r < R; r++) {
    const uint8_t* own = block + r * apart * p.bytes;
    if (g % 4 == 0) prefetchStream(own);
    const Bytes u = F::numbers(own, g);
    const FloatLanes scale = F::scale(p.halves, own, g);
    HEED_UNROLL
    for (int m = 0; m < M; m++) {
      const ByteRow& x = p.x[m];
      const Lanes dot =
          Dot::template dot<F::OFFSET>(u, loadAs<Bytes>(x.q + i * GROUP), x.correction[i]);
      sum[r][m] += __builtin_convertvector(dot, FloatLanes) * (scale * x.scale[i]);
      if (F::SHIFTED) shift[r][m] += F::shift(p.halves, own, g) * x.sum[i];
    }
  }
  for (int r = 0; r < R; r++)
    for (int m = 0; m < M; m++) {
      const int64_t column = n + r * apart;
      const float total = sumOf(sum[r][m]) + shift[r][m];
      p.out[m][column * p.step] = p.bias ? total + p.bias[column * p.biasStep] : total;
    }
}

// Each of R streams goes through a piece of memory of its own, from row to row: processors fetch
// long streams ahead, and rows of weights are short.
template <class F, class Dot, int M> static void dotColumns(const ByteProduct& p, Range columns) {
  constexpr int R = M > 2 ? 2 : 4;
  const int64_t apart = columns.size() / R;
  for (int64_t n = 0; n < apart; n++) dotRows<F, Dot, M, R>(p, columns.from + n, apart);
  for (int64_t n = R * apart; n < columns.size(); n++)
    dotRows<F, Dot, M, 1>(p, columns.from + n, 0);
}

template <class F, int M> static void multiplyBytes(const ByteProduct& p, Range columns) {
#if defined(__AVX512F__)
  if (hasVnni()) return dotColumns<F, DotBytesVnni, M>(p, columns);
#endif
  dotColumns<F, DotBytes, M>(p, columns);
}

// What differs from format to format.
struct Format {
  BlockSize size;
  int offset;
  bool nibbles;
  void (*row)(const float* halves, const uint8_t* block, int64_t blocks, float* to);
  void (*bytes[3])(const ByteProduct& p, Range columns); // by 1, 2 and 4 rows of x
};

template <class F> constexpr Format formatOf() {
  return {sizeOfBlock<F>(),
          F::OFFSET,
          F::NIBBLES,
          dequantizeRow<F>,
          {multiplyBytes<F, 1>, multiplyBytes<F, 2>, multiplyBytes<F, 4>}};
}
constexpr Format formats[] = {formatOf<Q8_0>(), formatOf<Q4_0>(), formatOf<Q4_1>(),
                              formatOf<Q4_K>(), formatOf<Q6_K>()};

// What both ways work on: out = x wᵀ (+ bias).
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

inline void multiplyFew(const Run& run, const QuantizedProduct& p) {
  const Rows& x = p.x;
  const int64_t groups = x.length / GROUP, bytes = roundUp((int64_t)ByteRow::bytes(groups), 64);
  char* memory = (char*)run.pool.scratch(0, 3, (size_t)(bytes * x.count + x.length * 4 + 64));
  ByteRow rows[BYTE_ROWS];
  float* outs[BYTE_ROWS];
  for (int64_t m = 0; m < x.count; m++) {
    rows[m] = ByteRow(memory + m * bytes, groups);
    outs[m] = p.out.base + p.out.offsets(m);
    roundToBytes(x.read(m, (float*)(memory + bytes * x.count)), groups, p.format.offset, rows[m]);
    if (p.format.nibbles && hasVnni()) fillQuads(rows[m], groups);
  }
  const float* halves = halfTable();
  // Equal tasks, four of them or a multiple: then few threads end together.
  const Cut tasks{p.n, roundUp(ceilDiv(p.n * x.length, QUANTIZED_TASK), 4), 4};
  parallel(run.pool, tasks.parts, [&](int64_t task, int) {
    const Range columns = part(tasks, task);
    for (int64_t m = 0; m < x.count;) {
      const int64_t left = x.count - m;
      const int power = left >= 4 ? 2 : left >= 2 ? 1 : 0;
      const ByteProduct product{halves,   p.w,        p.rowBytes(), p.blocks(), rows + m,
                                outs + m, p.out.step, p.bias,       p.biasStep};
      p.format.bytes[power](product, columns);
      m += 1 << power;
    }
  });
}

// ---- Many rows

// Rows that are the same distance apart, and adjacent along: as they lie, or copied.
inline Operand evenRows(const Rows& x, float* copy) {
  if (x.step == 1 && x.offsets.rank <= 1)
    return {x.base, x.offsets.rank == 1 ? x.offsets.stride[0] : x.length, 1};
  for (int64_t m = 0; m < x.count; m++)
    for (int64_t i = 0; i < x.length; i++)
      copy[m * x.length + i] = x.base[x.offsets(m) + i * x.step];
  return {copy, x.length, 1};
}

// Slot 3: the others are those of gemm.h.
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

// out = x wᵀ (+ bias); w (N, bytes of K numbers).
inline void matmulQuantized(const Command& command, const Run& run) {
  const MatmulQuantizedArgs args(command);
  const View* bias = args.bias;
  const QuantizedProduct p{formats[(int)args.format], Rows(args.x, run),
                           Rows(args.out, run),       run.at<uint8_t>(args.w),
                           args.w.shape[0],           bias ? run.at<float>(*bias) : nullptr,
                           bias ? bias->stride[0] : 0};
  if (p.x.count == 0 || p.n == 0) return;
  if (p.x.count <= BYTE_ROWS) multiplyFew(run, p);
  else multiplyMany(run, p);
}

inline void dequantize(const Command& command, const Run& run) {
  const DequantizeArgs args(command);
  const Format& format = formats[(int)args.format];
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
