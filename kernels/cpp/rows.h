// Tensors as rows along their last dimension, and loops over one row, for softmax, norms and losses.
#pragma once
#include "lanes.h"
#include "math.h"

namespace heed {
namespace HEED_ISA {

// Linear index over the first dimensions of a view -> offset in elements. Dimensions that lie behind
// one another in memory are merged, so that there is mostly nothing to divide.
struct RowOffsets {
  int rank = 0;
  int64_t size[MAX_RANK], stride[MAX_RANK];

  RowOffsets(const View& v, int dims) {
    for (int i = 0; i < dims; i++) {
      if (v.shape[i] == 1) continue;
      if (rank > 0 && stride[rank - 1] == v.stride[i] * v.shape[i]) {
        size[rank - 1] *= v.shape[i];
        stride[rank - 1] = v.stride[i];
      } else {
        size[rank] = v.shape[i];
        stride[rank++] = v.stride[i];
      }
    }
  }
  int64_t operator()(int64_t index) const {
    int64_t offset = 0;
    for (int i = rank - 1; i > 0; i--) {
      offset += index % size[i] * stride[i];
      index /= size[i];
    }
    return rank == 0 ? 0 : offset + index * stride[0];
  }
};

// One number for each row: (…).
struct RowValues {
  float* base;
  RowOffsets offsets;
  RowValues(const View& v, const Run& run) : base(run.at<float>(v)), offsets(v, v.rank) {}
  float& operator[](int64_t row) const { return base[offsets(row)]; }
};

// Rows of C floats: (…, C). A row without unit stride goes through a spare row of the caller's.
struct Rows {
  float* base;
  RowOffsets offsets;
  int64_t count, length, step;

  Rows(const View& v, const Run& run)
      : base(run.at<float>(v)), offsets(v, v.rank - 1), length(v.shape[v.rank - 1]), step(v.stride[v.rank - 1]) {
    count = 1;
    for (int i = 0; i + 1 < v.rank; i++) count *= v.shape[i];
  }
  // Of each row only `n` elements from `start` on.
  Rows slice(int64_t start, int64_t n) const {
    Rows part = *this;
    part.base += start * step;
    part.length = n;
    return part;
  }
  const float* read(int64_t row, float* spare) const {
    const float* from = base + offsets(row);
    if (step == 1) return from;
    for (int64_t i = 0; i < length; i++) spare[i] = from[i * step];
    return spare;
  }
  // Where to write a row; `commit` brings it home.
  float* target(int64_t row, float* spare) const { return step == 1 ? base + offsets(row) : spare; }
  void commit(int64_t row, const float* written) const {
    if (step == 1) return;
    float* to = base + offsets(row);
    for (int64_t i = 0; i < length; i++) to[i * step] = written[i];
  }
};

// Calls body(row, spare) for each row, in parallel; `spare` holds `spares` rows of scratch memory.
template <class F> inline void eachRow(const Run& run, const Rows& rows, int spares, F&& body) {
  const int64_t perTask = ceilDiv(16384, most(1, rows.length));
  const int64_t pitch = padded(rows.length);
  parallel(run.pool, ceilDiv(rows.count, perTask), [&](int64_t task, int thread) {
    float* spare = (float*)run.pool.scratch(thread, 0, (size_t)(pitch * spares + 16) * sizeof(float));
    const int64_t end = least(rows.count, (task + 1) * perTask);
    for (int64_t row = task * perTask; row < end; row++) body(row, spare, pitch);
  });
}

// ---- Vectors at a row's end: only the first `lanes` are there ----

HEED_INLINE vf loadSome(const float* p, int64_t lanes, float fill = 0) {
  if (lanes >= VL) return load(p);
  float part[VL];
  for (int i = 0; i < VL; i++) part[i] = fill;
  int64_t at = 0;
#pragma GCC unroll 4
  for (int piece = VL / 2; piece > 0; piece /= 2)
    if (lanes & piece) {
      memcpy(part + at, p + at, piece * sizeof(float));
      at += piece;
    }
  return load(part);
}

HEED_INLINE void storeSome(float* p, vf v, int64_t lanes) {
  if (lanes >= VL) return store(p, v);
  float part[VL];
  store(part, v);
  int64_t at = 0;
#pragma GCC unroll 4
  for (int piece = VL / 2; piece > 0; piece /= 2)
    if (lanes & piece) {
      memcpy(p + at, part + at, piece * sizeof(float));
      at += piece;
    }
}

// ---- Loops over a row ----

// body(i, lanes) for each vector of a row of n.
template <class F> HEED_INLINE void eachVector(int64_t n, F&& body) {
  int64_t i = 0;
  for (; i + VL <= n; i += VL) body(i, (int64_t)VL);
  if (i < n) body(i, n - i);
}

// Combines term(i, lanes) over a row. Four accumulators hide the latency of one step.
template <class Term, class Combine> HEED_INLINE vf foldRow(int64_t n, vf start, Term&& term, Combine&& combine) {
  vf a = start, b = start, c = start, d = start;
  int64_t i = 0;
  for (; i + 4 * VL <= n; i += 4 * VL) {
    a = combine(a, term(i, (int64_t)VL));
    b = combine(b, term(i + VL, (int64_t)VL));
    c = combine(c, term(i + 2 * VL, (int64_t)VL));
    d = combine(d, term(i + 3 * VL, (int64_t)VL));
  }
  for (; i + VL <= n; i += VL) a = combine(a, term(i, (int64_t)VL));
  if (i < n) b = combine(b, term(i, n - i));
  return combine(combine(a, b), combine(c, d));
}

template <class Term> HEED_INLINE float sumRow(int64_t n, Term&& term) {
  return horizontalSum(foldRow(n, vf{}, term, [](vf a, vf b) { return a + b; }));
}

// NaNs may get lost: whoever needs them meets them again in a sum.
HEED_INLINE float maxRow(const float* x, int64_t n) {
  return horizontalMax(foldRow(
      n, splat(-INFINITY_F), [&](int64_t i, int64_t lanes) { return loadSome(x + i, lanes, -INFINITY_F); },
      [](vf a, vf b) { return vmax(b, a); }));
}

// For a row x: its greatest element and the sum of e^(x - max), in one pass through memory.
struct SoftmaxSum {
  float max = -INFINITY_F, sum = 0;
};

static inline SoftmaxSum softmaxSum(const float* x, int64_t n) {
  constexpr int64_t SIZE = 2048; // floats that stay in L1 between looking for the maximum and adding up
  SoftmaxSum s;
  for (int64_t start = 0; start < n; start += SIZE) {
    const float* block = x + start;
    const int64_t size = least(SIZE, n - start);
    const float blockMax = maxRow(block, size);
    const float max = blockMax > s.max ? blockMax : s.max;
    const float origin = max == -INFINITY_F ? 0 : max; // nothing but -inf so far: adds 0, or NaN
    if (start > 0) s.sum *= std::exp(s.max - origin);
    s.sum += sumRow(size, [&](int64_t i, int64_t lanes) {
      return vexpNegative(loadSome(block + i, lanes, -INFINITY_F) - origin);
    });
    s.max = max;
  }
  return s;
}

} // namespace HEED_ISA
} // namespace heed
