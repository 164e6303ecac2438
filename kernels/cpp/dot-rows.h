// Products of a few rows of x, rounded to 16 bits, with rows of quantised weights.
#pragma once
#include "dot-quads.h"
#include "gemv.h"

namespace heed {
namespace HEED_ISA {

struct ShortProduct {
  const float* halves;
  const uint8_t* weights; // (n, bytes)
  int64_t bytes, blocks;
  const ShortRow* x;
  float* const* out; // one for each row of x
  int64_t step;      // stride between columns
  const float* bias; // one for each column, or null
  int64_t biasStep;
};

HEED_INLINE float sumOf(FloatLanes s) {
  return ((s[0] + s[4]) + (s[1] + s[5])) + ((s[2] + s[6]) + (s[3] + s[7]));
}
HEED_INLINE float sumOf(HalfLanes s) { return (s[0] + s[2]) + (s[1] + s[3]); }
HEED_INLINE float sumOf(float s) { return s; }
#if defined(__AVX512F__)
HEED_INLINE float sumOf(QuadFloats s) { return sumOf(halvesAdded(s)); }
#endif

// Sums of shifts, one for each group of a block.
template <class F>
using Shifts = typename std::conditional<groupsOfBlock<F>() == 1, float, FloatLanes>::type;

// Calls body(g) for each group of a block. With wide vectors the loop is unrolled. With narrow ones
// a group takes many instructions, and compilers would need minutes for eight of them.
template <class Body, int... G>
HEED_INLINE void eachOf(std::integer_sequence<int, G...>, Body&& body) {
  (body(G), ...);
}
template <class F, class Body> HEED_INLINE void eachGroup(Body&& body) {
#if HEED_VL >= 8
  eachOf(std::make_integer_sequence<int, groupsOfBlock<F>()>{}, body);
#else
  for (int g = 0; g < groupsOfBlock<F>(); g++) body(g);
#endif
}

// Sums of a row of weights times M rows of x, without the scales of x.
template <class F, class Floats, int M> struct RowSums {
  Floats sum[M] = {};
  Shifts<F> shift[M] = {};
};

// Adds the product of a block of a row of weights and the groups of x from i on.
template <class F, class Dot, int M>
HEED_INLINE void addBlock(const float* halves, const uint8_t* block, const ShortRow* x, int64_t i,
                          RowSums<F, typename Dot::Floats, M>& to) {
  Factors<F> factors;
  readFactors(halves, block, factors);
  eachGroup<F>([&](int g) __attribute__((always_inline)) {
    const auto weights = Dot::template weights<F>(block, g);
    typedef typename Dot::Floats Floats;
    const Floats scale = scaleOf<Floats>(factors, g);
    HEED_UNROLL
    for (int m = 0; m < M; m++) {
      const Lanes correction = F::OFFSET > 0 && !Dot::SIGNED ? x[m].correction[i + g] : Lanes{};
      const auto dot = Dot::dot(weights, x[m].q[i + g], correction);
      to.sum[m] = multiplyAdd(__builtin_convertvector(dot, Floats), scale, to.sum[m]);
    }
  });
  if constexpr (F::SHIFTED)
    for (int m = 0; m < M; m++)
      to.shift[m] = multiplyAdd(loadAs<Shifts<F>>(factors.shift), loadAs<Shifts<F>>(x[m].sum + i),
                                to.shift[m]);
}

// Adds all blocks of R rows of weights, `stride` bytes apart.
template <class F, class Dot, int M, int R>
HEED_INLINE void addBlocks(const ShortProduct& p, const uint8_t* block, int64_t stride,
                           RowSums<F, typename Dot::Floats, M>* to) {
  constexpr int64_t BYTES = sizeOfBlock<F>().bytes, GROUPS = groupsOfBlock<F>();
  for (int64_t b = 0; b < p.blocks; b++, block += BYTES) HEED_UNROLL
  for (int r = 0; r < R; r++) {
    const uint8_t* own = block + r * stride;
    for (int64_t at = 0; at < BYTES; at += 128) prefetchStream(own + at);
    addBlock<F, Dot, M>(p.halves, own, p.x, b * GROUPS, to[r]);
  }
}

// Like addBlocks, four blocks at a time. The last four may overlap the four before them.
template <class F, int M, int R>
inline void addQuads(const ShortProduct& p, const uint8_t* block, int64_t stride,
                     RowSums<F, FloatLanes, M>* to);

#if defined(__AVX512BW__)
template <class F, int M, int R>
inline void addQuads(const ShortProduct& p, const uint8_t* block, int64_t stride,
                     RowSums<F, FloatLanes, M>* to) {
  constexpr int64_t BYTES = sizeOfBlock<F>().bytes;
  QuadSums wide[R][M];
  const int64_t quads = ShortRow::quadsOf(p.blocks);
  for (int64_t i = 0; i < quads; i++) {
    const uint8_t* four = block + least(4 * i, p.blocks - 4) * BYTES;
    HEED_UNROLL
    for (int r = 0; r < R; r++) prefetchStream(four + r * stride);
    addQuad<F, M, R>(four, stride, p.x, i, wide);
  }
  for (int r = 0; r < R; r++)
    for (int m = 0; m < M; m++) {
      to[r].sum[m] = halvesAdded(wide[r][m].sum);
      to[r].shift[m] = sumOf(wide[r][m].shift);
    }
}
#endif

// R rows of weights, `apart` rows from each other, times M rows of x. The R * M sums stay in
// registers. The order of summation does not depend on R and M.
template <class F, class Dot, int M, int R>
static void dotRows(const ShortProduct& p, int64_t n, int64_t apart) {
  const uint8_t* block = p.weights + n * p.bytes;
  RowSums<F, typename Dot::Floats, M> sums[R];
  bool done = false;
  if constexpr (Dot::QUADS && F::NIBBLES)
    if ((done = p.blocks >= 4)) addQuads<F, M, R>(p, block, apart * p.bytes, sums);
  if (!done) addBlocks<F, Dot, M, R>(p, block, apart * p.bytes, sums);
  for (int r = 0; r < R; r++)
    for (int m = 0; m < M; m++) {
      const int64_t column = n + r * apart;
      const float total = sumOf(sums[r].sum[m]) + sumOf(sums[r].shift[m]);
      const float bias = p.bias ? p.bias[column * p.biasStep] : 0;
      p.out[m][column * p.step] = multiplyAdd(total, p.x[m].scale, bias);
    }
}

// Reads R streams, each through a separate piece of memory, from row to row: processors prefetch
// long streams, and rows of weights are short. For the remaining columns, all streams read the same
// row.
template <class F, class Dot, int M> static void dotColumns(const ShortProduct& p, Range columns) {
  constexpr int R = M > 2 ? 2 : 4;
  const int64_t apart = columns.size() / R;
  for (int64_t n = 0; n < apart; n++) dotRows<F, Dot, M, R>(p, columns.from + n, apart);
  for (int64_t n = columns.from + R * apart; n < columns.to; n++) dotRows<F, Dot, M, R>(p, n, 0);
}

// The functions of a format, for one way to multiply 16-bit numbers.
struct Format {
  BlockSize size;
  void (*row)(const float* halves, const uint8_t* block, int64_t blocks, float* to);
  void (*round)(const float* x, int64_t groups, ShortRow& to);
  void (*few[3])(const ShortProduct& p, Range columns); // for 1, 2 and 4 rows of x
};

template <class F, class Dot> constexpr Format formatOf() {
  using Way = typename WayOf<F, Dot>::Way;
  return {sizeOfBlock<F>(),
          dequantizeRow<F>,
          roundToShorts<F, Way>,
          {dotColumns<F, Way, 1>, dotColumns<F, Way, 2>, dotColumns<F, Way, 4>}};
}

template <class Dot>
constexpr Format formats[] = {formatOf<Q8_0, Dot>(), formatOf<Q4_0, Dot>(), formatOf<Q4_1, Dot>(),
                              formatOf<Q5_0, Dot>(), formatOf<Q5_1, Dot>(), formatOf<IQ4_NL, Dot>(),
                              formatOf<Q3_K, Dot>(), formatOf<Q4_K, Dot>(), formatOf<Q5_K, Dot>(),
                              formatOf<Q6_K, Dot>()};

} // namespace HEED_ISA
} // namespace heed
