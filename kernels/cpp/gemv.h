// C (+)= A B for an A with few rows. Each number of B is used only once per row of A, so memory
// bandwidth is the limit. B is read in place, once. A task reads several pieces of B in parallel
// streams, each from row to row: processors prefetch long streams, and rows are short. With a
// single stream, all of A would pass through L1 for each row of B.
//
// Tasks are cut by shape alone and each sum has a fixed order, so the bits do not depend on the
// number of threads.
#pragma once
#include "gemm.h"
#include "rows.h"

namespace heed {
namespace HEED_ISA {

// Maximum rows of A. With more rows, packing B for the tiles of gemm.h is faster.
constexpr int64_t GEMV_ROWS_ALONG = 4, GEMV_ROWS_ACROSS = 8;
constexpr int64_t GEMV_TASK = 1 << 16; // minimum numbers of B for a separate task
constexpr int64_t GEMV_COLUMNS = 4096; // of C, whose sums stay in L1 (all rows together)
constexpr int64_t PREFETCH_NEAR = 256,
                  PREFETCH_FAR = 1024; // bytes ahead in each stream, into L1 and L2

// Number of tasks for `numbers` of B: a multiple of four, so that few threads have equal work, and
// few, because each task has to start its streams.
HEED_INLINE int64_t gemvTasks(int64_t numbers) {
  if (numbers < 4 * GEMV_TASK) return most(1, ceilDiv(numbers, GEMV_TASK));
  return roundUp(ceilDiv(numbers, 2 * GEMV_TASK), 4);
}

// Fewer streams are prefetched faster, but with more rows of A each number takes longer to process.
constexpr int streamsFor(int rows) { return rows == 1 ? 4 : 8; }

HEED_INLINE void prefetchStream(const void* at) {
  __builtin_prefetch((const char*)at + PREFETCH_NEAR, 0, 3);
  __builtin_prefetch((const char*)at + PREFETCH_FAR, 0, 2);
}

inline bool suitsGemv(const Product& p) {
  if (p.a.along != 1) return false;
  return p.b.along == 1 ? p.m <= GEMV_ROWS_ALONG : p.b.across == 1 && p.m <= GEMV_ROWS_ACROSS;
}

// ---- B adjacent along k (the weight of Linear): each number of C is a dot product.

// R columns, `apart` columns from each other.
template <int M, int R> static void dotColumns(const Product& p, int64_t column, int64_t apart) {
  vf sum[M][R] = {};
  const float* b = p.b.data + column * p.b.across;
  const int64_t stride = apart * p.b.across;
  int64_t l = 0;
  for (; l + VL <= p.k; l += VL) {
    vf bv[R];
    HEED_UNROLL
    for (int j = 0; j < R; j++) {
      bv[j] = load(b + j * stride + l);
      prefetchStream(b + j * stride + l);
    }
    HEED_UNROLL
    for (int i = 0; i < M; i++) {
      const vf av = load(p.a.data + i * p.a.across + l);
      HEED_UNROLL
      for (int j = 0; j < R; j++) sum[i][j] = fma(av, bv[j], sum[i][j]);
    }
  }
  for (int i = 0; i < M; i++)
    for (int j = 0; j < R; j++) {
      const int64_t at = column + j * apart;
      float total = sumOfLanes(sum[i][j]);
      for (int64_t r = l; r < p.k; r++) total += p.a.data[i * p.a.across + r] * b[j * stride + r];
      if (p.c.bias) total += p.c.bias[at];
      float& to = p.c.data[i * p.c.stride + at];
      to = p.accumulate ? to + total : total;
    }
}

template <int M> static void gemvDots(const Product& p, Range columns) {
  constexpr int FIT = (VL == 16 ? 24 : 12) / M,
                R = FIT < streamsFor(M) ? FIT : streamsFor(M); // sums are registers
  const int64_t apart = columns.size() / R;
  for (int64_t j = 0; j < apart; j++) dotColumns<M, R>(p, columns.from + j, apart);
  for (int64_t j = columns.from + R * apart; j < columns.to; j++) dotColumns<M, 1>(p, j, 0);
}

// ---- B adjacent across (the weight of Conv1D): its rows, times numbers of A, are added to sums
// that stay in L1.

// R rows, `apart` rows from each other.
template <int M, int R>
static void addRows(const Product& p, int64_t k, int64_t apart, Range columns, float* sums) {
  const int64_t width = columns.size(), stride = apart * p.b.along;
  const float *a = p.a.data + k, *b = p.b.data + k * p.b.along + columns.from;
  int64_t j = 0;
  for (; j + VL <= width; j += VL) {
    vf bv[R];
    HEED_UNROLL
    for (int r = 0; r < R; r++) {
      bv[r] = load(b + r * stride + j);
      prefetchStream(b + r * stride + j);
    }
    HEED_UNROLL
    for (int i = 0; i < M; i++) {
      vf few = splat(a[i * p.a.across]) *
               bv[0]; // summed separately first, so that the long sum is rounded less often
      HEED_UNROLL
      for (int r = 1; r < R; r++) few = fma(splat(a[i * p.a.across + r * apart]), bv[r], few);
      store(sums + i * width + j, load(sums + i * width + j) + few);
    }
  }
  for (; j < width; j++)
    for (int i = 0; i < M; i++)
      for (int r = 0; r < R; r++)
        sums[i * width + j] += a[i * p.a.across + r * apart] * b[r * stride + j];
}

template <int M> static void gemvSums(const Product& p, Range k, Range columns, float* sums) {
  constexpr int R = streamsFor(M);
  memset(sums, 0, sizeof(float) * M * columns.size());
  const int64_t apart = k.size() / R;
  for (int64_t l = 0; l < apart; l++) addRows<M, R>(p, k.from + l, apart, columns, sums);
  for (int64_t l = k.from + R * apart; l < k.to; l++) addRows<M, 1>(p, l, 0, columns, sums);
}

// to (+)= from, for `n` numbers.
HEED_INLINE void addRun(const float* from, bool add, int64_t n, float* to) {
  int64_t j = 0;
  for (; j + VL <= n; j += VL) store(to + j, add ? load(to + j) + load(from + j) : load(from + j));
  for (; j < n; j++) to[j] = add ? to[j] + from[j] : from[j];
}

// Adds the sums of all stretches of K, in order, and the bias.
inline void addStretches(const Product& p, Range columns, int64_t stretches, const float* sums) {
  const int64_t width = columns.size();
  for (int64_t i = 0; i < p.m; i++) {
    float* to = p.c.data + i * p.c.stride + columns.from;
    for (int64_t s = 0; s < stretches; s++)
      addRun(sums + (s * p.m + i) * width, s > 0 || p.accumulate, width, to);
    if (p.c.bias) addRun(p.c.bias + columns.from, true, width, to);
  }
}

// ---- Both, for any batch.

// Calls body(std::integral_constant<int, m>), 1 <= m <= MOST.
template <int64_t MOST, class F> inline void withRows(int64_t m, F&& body) {
  if constexpr (MOST > 1)
    if (m < MOST) return withRows<MOST - 1>(m, body);
  body(std::integral_constant<int, MOST>());
}

// Calls body(unit, thread) for each of `units` pieces of equal work. Small pieces share a task.
template <class F> inline void eachUnit(Pool& pool, int64_t units, int64_t work, F&& body) {
  const int64_t perTask = ceilDiv(GEMV_TASK, most(1, work));
  parallel(pool, ceilDiv(units, perTask), [&](int64_t task, int thread) {
    for (int64_t unit = task * perTask; unit < least(units, (task + 1) * perTask); unit++)
      body(unit, thread);
  });
}

template <class ProductOf, class Epilogue>
inline void gemvAlong(Pool& pool, int64_t batches, const ProductOf& productOf,
                      const Epilogue& epilogue) {
  const Product first = productOf((int64_t)0);
  const Cut columns{first.n, least(first.n, gemvTasks(first.k * first.n)), 1};
  eachUnit(pool, batches * columns.parts, first.k * first.n / columns.parts,
           [&](int64_t unit, int) {
             const int64_t batch = unit / columns.parts;
             const Product p = productOf(batch);
             const Range c = part(columns, unit % columns.parts);
             withRows<GEMV_ROWS_ALONG>(p.m, [&](auto m) { gemvDots<decltype(m)::value>(p, c); });
             epilogue(Block{p.c.data + c.from, p.c.stride}, batch, 0, c.from, p.m, c.size());
           });
}

template <class ProductOf, class Epilogue>
inline void gemvAcross(Pool& pool, int64_t batches, const ProductOf& productOf,
                       const Epilogue& epilogue) {
  const Product first = productOf((int64_t)0);
  const Cut columns{first.n, ceilDiv(first.n, GEMV_COLUMNS / first.m), VL};
  const int64_t width = ceilDiv(first.n, columns.parts);
  const Cut ks{first.k, gemvTasks(first.k * width), 8};
  float* sums = (float*)pool.scratch(0, 1, sizeof(float) * batches * ks.parts * first.m * first.n);
  const auto sumsOf = [&](int64_t batch, Range c) {
    return sums + ks.parts * first.m * (batch * first.n + c.from);
  };
  eachUnit(
      pool, batches * columns.parts * ks.parts, first.k * width / ks.parts, [&](int64_t unit, int) {
        const int64_t stretch = unit % ks.parts, batch = unit / ks.parts / columns.parts;
        const Product p = productOf(batch);
        const Range c = part(columns, unit / ks.parts % columns.parts), k = part(ks, stretch);
        float* to = sumsOf(batch, c) + stretch * p.m * c.size();
        withRows<GEMV_ROWS_ACROSS>(p.m, [&](auto m) { gemvSums<decltype(m)::value>(p, k, c, to); });
      });
  eachUnit(pool, batches * columns.parts, ks.parts * first.m * width, [&](int64_t unit, int) {
    const int64_t batch = unit / columns.parts;
    const Product p = productOf(batch);
    const Range c = part(columns, unit % columns.parts);
    addStretches(p, c, ks.parts, sumsOf(batch, c));
    epilogue(Block{p.c.data + c.from, p.c.stride}, batch, 0, c.from, p.m, c.size());
  });
}

// C (+)= A B for each of `batches` products of the same shape, for which suitsGemv is true.
template <class ProductOf, class Epilogue = NoEpilogue>
inline void gemv(Pool& pool, int64_t batches, const ProductOf& productOf,
                 const Epilogue& epilogue = {}) {
  if (batches == 0) return;
  const Product first = productOf((int64_t)0);
  if (first.m == 0 || first.n == 0) return;
  if (first.b.along == 1) gemvAlong(pool, batches, productOf, epilogue);
  else gemvAcross(pool, batches, productOf, epilogue);
}

} // namespace HEED_ISA
} // namespace heed
