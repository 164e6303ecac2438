// The kernel `matmul`: out = a b (+ bias), batched. If out is the bias, the product is added to it.
#pragma once
#include "gemm.h"
#include "gemv.h"

namespace heed {
namespace HEED_ISA {

// The batch dimensions: all but the last two.
struct Batch {
  int rank = 0;
  int64_t shape[MAX_RANK], a[MAX_RANK], b[MAX_RANK], out[MAX_RANK], bias[MAX_RANK];
};

struct Offsets {
  int64_t a, b, out, bias;
};

inline Offsets offsetsAt(const Batch& batch, int64_t index) {
  Offsets o{0, 0, 0, 0};
  for (int d = batch.rank - 1; d >= 0; d--) {
    const int64_t i = index % batch.shape[d];
    index /= batch.shape[d];
    o.a += i * batch.a[d], o.b += i * batch.b[d], o.out += i * batch.out[d],
        o.bias += i * batch.bias[d];
  }
  return o;
}

// The strides of a view in the last two dimensions.
struct Plane {
  float* data;
  int64_t row, column;
};

HEED_INLINE Plane planeOf(const Run& run, const View& v) {
  return {run.at<float>(v), v.stride[v.rank - 2], v.stride[v.rank - 1]};
}

// Adds a bias that differs between rows to each finished tile.
struct AddBias {
  const float* data;
  int64_t row, column;
  const Batch& batch;

  void operator()(Block c, int64_t index, int64_t i0, int64_t j0, int64_t rows,
                  int64_t columns) const {
    const float* from = data + offsetsAt(batch, index).bias + i0 * row + j0 * column;
    for (int64_t i = 0; i < rows; i++) {
      float* to = c.data + i * c.stride;
      const float* x = from + i * row;
      int64_t j = 0;
      if (column == 1)
        for (; j + VL <= columns; j += VL) store(to + j, load(to + j) + load(x + j));
      for (; j < columns; j++) to[j] += x[j * column];
    }
  }
};

// One number at a time, for an output with any strides. No layer makes such outputs.
inline void matmulSlowly(int64_t m, int64_t n, int64_t k, Plane a, Plane b, Plane out, Plane bias) {
  for (int64_t i = 0; i < m; i++)
    for (int64_t j = 0; j < n; j++) {
      float sum = bias.data ? bias.data[i * bias.row + j * bias.column] : 0;
      for (int64_t l = 0; l < k; l++)
        sum += a.data[i * a.row + l * a.column] * b.data[l * b.row + j * b.column];
      out.data[i * out.row + j * out.column] = sum;
    }
}

HEED_INLINE Plane transposed(Plane p) { return {p.data, p.column, p.row}; }

inline void matmul(const Command& command, const Run& run) {
  const MatmulArgs args(command);
  const bool hasBias = args.bias != nullptr;
  const View &av = args.a, &bv = args.b, &ov = args.out, &biasv = hasBias ? *args.bias : args.a;
  int64_t m = ov.shape[ov.rank - 2], n = ov.shape[ov.rank - 1];
  const int64_t k = av.shape[av.rank - 1];
  Plane a = planeOf(run, av), b = planeOf(run, bv), out = planeOf(run, ov),
        bias = planeOf(run, biasv);
  if (!hasBias) bias.data = nullptr;

  Batch batch;
  int64_t batches = 1;
  for (int d = 0; d < ov.rank - 2; d++) {
    batch.shape[batch.rank] = ov.shape[d];
    batch.a[batch.rank] = av.stride[d], batch.b[batch.rank] = bv.stride[d];
    batch.out[batch.rank] = ov.stride[d], batch.bias[batch.rank] = hasBias ? biasv.stride[d] : 0;
    batches *= ov.shape[d];
    batch.rank++;
  }

  // Compute Cᵀ = Bᵀ Aᵀ if only Cᵀ has adjacent columns, or if C is a single column, which becomes a
  // row.
  const bool rowsAdjacent = out.row == 1 || m == 1;
  if (n > 1 ? out.column != 1 && rowsAdjacent : m > 1 && rowsAdjacent) {
    const Plane t = transposed(a);
    a = transposed(b), b = t, out = transposed(out), bias = transposed(bias);
    std::swap(m, n);
    for (int d = 0; d < batch.rank; d++) std::swap(batch.a[d], batch.b[d]);
  }
  if (out.column != 1 && n > 1) {
    for (int64_t i = 0; i < batches; i++) {
      const Offsets o = offsetsAt(batch, i);
      const Plane bias1{hasBias ? bias.data + o.bias : nullptr, bias.row, bias.column};
      matmulSlowly(m, n, k, {a.data + o.a, a.row, a.column}, {b.data + o.b, b.row, b.column},
                   {out.data + o.out, out.row, out.column}, bias1);
    }
    return;
  }
  const bool accumulate = hasBias && bias.data == out.data; // the checks allow no other overlap
  const bool sameForRows = hasBias && !accumulate && bias.row == 0 && (bias.column == 1 || n == 1);
  const auto productOf = [&](int64_t i) {
    const Offsets o = offsetsAt(batch, i);
    return Product{m,
                   n,
                   k,
                   {a.data + o.a, a.row, a.column},
                   {b.data + o.b, b.column, b.row},
                   {out.data + o.out, out.row, sameForRows ? bias.data + o.bias : nullptr},
                   accumulate};
  };
  const auto multiply = [&](const auto& epilogue) {
    if (batches > 0 && suitsGemv(productOf(0))) gemv(run.pool, batches, productOf, epilogue);
    else gemm(run.pool, batches, productOf, epilogue);
  };
  if (hasBias && !sameForRows && !accumulate)
    multiply(AddBias{bias.data, bias.row, bias.column, batch});
  else multiply(NoEpilogue{});
}

} // namespace HEED_ISA
} // namespace heed
