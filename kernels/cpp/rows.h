// Tensors as rows along their last dimension, and loops over a row, for softmax, norms and losses.
#pragma once
#include "exponential.h"
#include "lanes.h"
#include "shuffle.h"

namespace heed {
namespace HEED_ISA {

// Converts a linear index over the first dimensions of a view to an offset in elements. Dimensions
// that are contiguous in memory are merged, so that usually no division is needed.
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

// A tensor (…) with one number for each row.
struct RowValues {
  float* base;
  RowOffsets offsets;
  RowValues(const View& v, const Run& run) : base(run.at<float>(v)), offsets(v, v.rank) {}
  float& operator[](int64_t row) const { return base[offsets(row)]; }
};

// A tensor (…, C) as rows of C floats. Rows without unit stride are copied to a spare row of the
// caller.
struct Rows {
  float* base;
  RowOffsets offsets;
  int64_t count, length, step;

  Rows(const View& v, const Run& run)
      : base(run.at<float>(v)), offsets(v, v.rank - 1), length(v.shape[v.rank - 1]),
        step(v.stride[v.rank - 1]) {
    count = 1;
    for (int i = 0; i + 1 < v.rank; i++) count *= v.shape[i];
  }
  // Elements [start, start + n) of each row.
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
  // Where to write a row. `commit` then copies it to the tensor if necessary.
  float* target(int64_t row, float* spare) const { return step == 1 ? base + offsets(row) : spare; }
  void commit(int64_t row, const float* written) const {
    if (step == 1) return;
    float* to = base + offsets(row);
    for (int64_t i = 0; i < length; i++) to[i * step] = written[i];
  }
};

// Calls body(row, spare, pitch) for each row, in parallel. `spare` has room for `spares` rows,
// `pitch` apart.
template <class F> inline void eachRow(const Run& run, const Rows& rows, int spares, F&& body) {
  const int64_t perTask = ceilDiv(16384, most(1, rows.length));
  const int64_t pitch = padded(rows.length);
  parallel(run.pool, ceilDiv(rows.count, perTask), [&](int64_t task, int thread) {
    float* spare =
        (float*)run.pool.scratch(thread, 0, (size_t)(pitch * spares + 16) * sizeof(float));
    const int64_t end = least(rows.count, (task + 1) * perTask);
    for (int64_t row = task * perTask; row < end; row++) body(row, spare, pitch);
  });
}

// ---- Loops over the vectors of a row ----
// The last vector of a row may be partly processed already, or partly missing. The valid lanes are
// a type, so that the loop over whole vectors has no branches.

struct AllLanes {};
struct LastLanes { // the last VL elements of a row; those that are not processed yet are valid
  vi fresh;
};
struct FirstLanes { // a row shorter than a vector
  int64_t n;
};

HEED_INLINE vf loadPart(const float* p, AllLanes, float = 0) { return load(p); }
HEED_INLINE vf loadPart(const float* p, LastLanes lanes, float fill = 0) {
  return lanes.fresh ? load(p) : splat(fill);
}
HEED_INLINE vf loadPart(const float* p, FirstLanes lanes, float fill = 0) {
  float part[VL];
  for (int i = 0; i < VL; i++) part[i] = i < lanes.n ? p[i] : fill;
  return load(part);
}

HEED_INLINE void storePart(float* p, vf v, AllLanes) { store(p, v); }
HEED_INLINE void storePart(float* p, vf v, LastLanes lanes) { store(p, lanes.fresh ? v : load(p)); }
HEED_INLINE void storePart(float* p, vf v, FirstLanes lanes) {
  for (int i = 0; i < lanes.n; i++) p[i] = v[i];
}

// The lanes of the last vector if `left` elements remain.
HEED_INLINE LastLanes lastLanes(int64_t left) {
  int32_t position[VL];
  for (int i = 0; i < VL; i++) position[i] = i;
  return {load(position) >= splat((int32_t)(VL - left))};
}

// Calls body(i, lanes) for each vector of a row of n elements. lanes has one of the three types
// above.
template <class F> HEED_INLINE void eachVector(int64_t n, F&& body) {
  int64_t i = 0;
  for (; i + VL <= n; i += VL) body(i, AllLanes{});
  if (i == n) return;
  if (i > 0) body(n - VL, lastLanes(n - i));
  else body((int64_t)0, FirstLanes{n});
}

// Combines term(i, lanes) over a row. Four accumulators hide the latency of one step.
template <class Term, class Combine>
HEED_INLINE vf foldRow(int64_t n, vf start, Term&& term, Combine&& combine) {
  vf a = start, b = start, c = start, d = start;
  int64_t i = 0;
  for (; i + 4 * VL <= n; i += 4 * VL) {
    a = combine(a, term(i, AllLanes{}));
    b = combine(b, term(i + VL, AllLanes{}));
    c = combine(c, term(i + 2 * VL, AllLanes{}));
    d = combine(d, term(i + 3 * VL, AllLanes{}));
  }
  for (; i + VL <= n; i += VL) a = combine(a, term(i, AllLanes{}));
  if (i < n && i > 0) b = combine(b, term(n - VL, lastLanes(n - i)));
  else if (i < n) b = combine(b, term((int64_t)0, FirstLanes{n}));
  return combine(combine(a, b), combine(c, d));
}

// The term must be 0 in invalid lanes.
template <class Term> HEED_INLINE float sumRow(int64_t n, Term&& term) {
  return sumOfLanes(foldRow(n, vf{}, term, [](vf a, vf b) { return a + b; }));
}

// NaNs may be ignored here. Callers find them in the sum that follows.
HEED_INLINE float maxRow(const float* x, int64_t n) {
  return maxOfLanes(foldRow(
      n, splat(-INFINITY_F),
      [&](int64_t i, auto lanes) { return loadPart(x + i, lanes, -INFINITY_F); },
      [](vf a, vf b) { return a > b ? a : b; }));
}

// Number of floats that stay in L1 between the maximum and the sum.
constexpr int64_t SOFTMAX_BLOCK = 2048;

// The maximum of a row x and the sum of e^(x - max), computed in one pass through memory.
struct SoftmaxSum {
  float max = -INFINITY_F, sum = 0;
};

static inline SoftmaxSum softmaxSum(const float* x, int64_t n) {
  SoftmaxSum s;
  for (int64_t start = 0; start < n; start += SOFTMAX_BLOCK) {
    const float* block = x + start;
    const int64_t size = least(SOFTMAX_BLOCK, n - start);
    const float blockMax = maxRow(block, size);
    const float max = blockMax > s.max ? blockMax : s.max;
    const float origin = max == -INFINITY_F ? 0 : max; // only -inf so far: adds 0, or NaN
    if (start > 0) s.sum *= std::exp(s.max - origin);
    s.sum += sumRow(size, [&](int64_t i, auto lanes) {
      return vexpSoftmax(loadPart(block + i, lanes, -INFINITY_F) - origin);
    });
    s.max = max;
  }
  return s;
}

} // namespace HEED_ISA
} // namespace heed
