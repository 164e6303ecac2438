// C (+)= A B for any strides: the blocked product of Goto and van de Geijn (2008).
//
//   round    all threads pack up to ROUND_FLOATS of B (all of K, some columns), and A if it is small;
//   task     then each task computes a block of C. For each stretch of K of at most K_BLOCK:
//     A block  up to ROW_BLOCK rows of A, which stay in L2, are packed into the thread's scratch
//              memory, or read in place if they are adjacent along K,
//     tile     and multiplied by one panel of B at a time (gemm-tile.h).
//
// Tasks depend on the shape alone, and each number of C is summed by one task in the order of k, so
// the result does not depend on the number of threads. If products are small or many, there is no
// round: each task packs its own B.
#pragma once
#include "block-sizes.h"
#include "gemm-pack.h"
#include "integers.h"
#include "kernel-schemas.h"
#include "rows.h"

namespace heed {
namespace HEED_ISA {

constexpr int64_t K_BLOCK = 768;
constexpr int64_t ROW_BLOCK = TILE_ROWS * (84 / TILE_ROWS);
constexpr int64_t ROUND_FLOATS = 4 << 20;
constexpr int64_t SHARED_A_FLOATS = 1 << 20;
constexpr int64_t CHUNK_FLOATS = 96 << 10; // of B that stay in L2 together with a block of A
#if defined(__wasm__)
constexpr int64_t PACKING_PAYS = 0; // with more rows, B is read often enough to pack it
#else
constexpr int64_t PACKING_PAYS = 2 * TILE_ROWS;
#endif

// A matrix W in quantised blocks, row after row.
struct BlockMatrix {
  const uint8_t* data;
  BlockSize size;
  int64_t rowBytes;
  const float* halves;
  void (*decode)(const float* halves, const uint8_t* block, int64_t blocks, float* to);
};

// If `blocks` is given, B = W or B = Wᵀ, and packing decodes it. `b` then has the strides that the
// numbers of W would have, but no data.
struct Product {
  int64_t m, n, k;
  Operand a, b;
  Block c; // its bias is that of the first column
  bool accumulate;
  const BlockMatrix* blocks = nullptr;
};

// A is read in place if it is adjacent along K, except in WebAssembly, which has too few registers
// for the addresses of the rows.
#if defined(__wasm__)
HEED_INLINE bool isDirect(const Product&) { return false; }
#else
HEED_INLINE bool isDirect(const Product& p) { return p.a.along == 1; }
#endif
HEED_INLINE int64_t tileRows(const Product& p) { return isDirect(p) ? DIRECT_ROWS : TILE_ROWS; }
HEED_INLINE int64_t tileColumns(const Product& p) {
  return isDirect(p) ? DIRECT_COLUMNS : TILE_COLUMNS;
}

// An epilogue is called for each finished tile of C while it is in L1, with (tile, batch, row,
// column, rows, columns).
struct NoEpilogue {
  void operator()(Block, int64_t, int64_t, int64_t, int64_t, int64_t) const {}
};

// Cuts `total` into `parts` whose sizes differ by at most one `unit`.
struct Cut {
  int64_t total, parts, unit;
  int64_t at(int64_t i) const { return least(total, ceilDiv(total, unit) * i / parts * unit); }
};

struct Range {
  int64_t from, to;
  int64_t size() const { return to - from; }
};
HEED_INLINE Range part(const Cut& cut, int64_t i) { return {cut.at(i), cut.at(i + 1)}; }

HEED_INLINE Cut kBlocks(int64_t k) { return {k, k > 0 ? ceilDiv(k, K_BLOCK) : 1, 4}; }
HEED_INLINE Cut rowPanels(int64_t rows) { return {rows, ceilDiv(rows, TILE_ROWS), 1}; }

HEED_INLINE Operand shifted(Operand x, int64_t across, int64_t k) {
  return {x.data + across * x.across + k * x.along, x.across, x.along};
}

// Columns of B packed as panels, stretch by stretch of K.
struct PackedB {
  float* data;
  Range columns; // of B
  int64_t k0;    // of B, the first
  int64_t panelColumns = TILE_COLUMNS;
  Operand inPlace = {nullptr, 1, 0}; // B itself, if whole panels are not packed
  int64_t width() const { return roundUp(columns.size(), VL); }
  float* panel(Range k, int64_t column) const {
    return data + (k.from - k0) * width() + (column - columns.from) * k.size();
  }
  Operand tile(Range k, int64_t column, int64_t count) const {
    if (inPlace.data && count == panelColumns) return shifted(inPlace, column, k.from);
    return {panel(k, column), 1, roundUp(count, VL)};
  }
};

// A single last column is packed contiguously, for dotColumn.
HEED_INLINE bool hasLoneColumn(const Product& p, Range k, Range columns) {
  return isDirect(p) && columns.size() % DIRECT_COLUMNS == 1 && k.size() >= VL;
}

// Decodes a piece of B. Returns its place in `memory`, which has pieceFloats(p, k, columns)
// numbers.
inline Operand decodePiece(const Product& p, Range k, Range columns, float* memory) {
  const BlockMatrix& w = *p.blocks;
  const bool turned = p.b.along == 1; // B = Wᵀ
  const Range rows = turned ? columns : k, numbers = turned ? k : columns;
  const int64_t first = numbers.from / w.size.numbers,
                count = ceilDiv(numbers.to, w.size.numbers) - first, pitch = count * w.size.numbers;
  for (int64_t i = 0; i < rows.size(); i++)
    w.decode(w.halves, w.data + (rows.from + i) * w.rowBytes + first * w.size.bytes, count,
             memory + i * pitch);
  const float* data = memory + (numbers.from - first * w.size.numbers);
  return turned ? Operand{data, pitch, 1} : Operand{data, 1, pitch};
}

HEED_INLINE int64_t pieceFloats(const Product& p, Range k, Range columns) {
  const bool turned = p.b.along == 1;
  const int64_t rows = turned ? columns.size() : k.size(),
                numbers = turned ? k.size() : columns.size();
  return rows * (numbers + 2 * p.blocks->size.numbers); // whole blocks, also at both ends
}

// Packs AT_ONCE whole panels of B at a time. Returns the remaining columns. `from` begins at the
// first column.
template <int AT_ONCE, int WIDTH>
inline Range packWhole(Operand& from, Range k, Range columns, const PackedB& to) {
  for (; columns.size() >= AT_ONCE * WIDTH; columns.from += AT_ONCE * WIDTH) {
    packRunsOf<AT_ONCE, WIDTH>(from, k.size(), to.panel(k, columns.from));
    from = shifted(from, AT_ONCE * WIDTH, 0);
  }
  return columns;
}

inline void packB(Pool& pool, int thread, const Product& p, Range k, Range columns,
                  const PackedB& to) {
  Operand from;
  if (p.blocks) { // slot 0 is free while B is packed
    const size_t bytes = sizeof(float) * (size_t)pieceFloats(p, k, columns);
    from = decodePiece(p, k, columns, (float*)pool.scratch(thread, 0, bytes));
  } else from = shifted(p.b, columns.from, k.from);
  if (hasLoneColumn(p, k, columns)) {
    const Operand last = shifted(from, --columns.to - columns.from, 0);
    float* column = to.panel(k, columns.to);
    for (int64_t i = 0; i < k.size(); i++) column[i] = last.data[i * last.along];
  }
  if (from.across == 1 && to.panelColumns == TILE_COLUMNS)
    columns = packWhole<4, TILE_COLUMNS>(from, k, columns, to);
  else if (from.across == 1) {
    columns = packWhole<2, DIRECT_COLUMNS>(from, k, columns, to);
    columns = packWhole<1, DIRECT_COLUMNS>(from, k, columns, to);
  }
  const auto panelOf = [&](int64_t i) {
    const int64_t from = i * to.panelColumns, count = least(to.panelColumns, columns.size() - from);
    return Panel{from, count, roundUp(count, VL)};
  };
  packPanels(from, ceilDiv(columns.size(), to.panelColumns), panelOf, k.size(),
             to.panel(k, columns.from));
}

inline void packA(const Product& p, Range k, Range rows, float* to) {
  const Cut panels = rowPanels(rows.size());
  const auto panelOf = [&](int64_t i) {
    const Range r = part(panels, i);
    return Panel{r.from, r.size(), r.size()};
  };
  packPanels(shifted(p.a, rows.from, k.from), panels.parts, panelOf, k.size(), to);
}

// Computes a block of C from packed rows of A and packed columns of B. Calls finished(tile, row,
// column, rows, columns) for each tile.
template <class Finished>
inline void multiplyPacked(const Product& p, Range k, Range rows, const float* a, Range columns,
                           const PackedB& b, Finished&& finished) {
  const Cut panels = rowPanels(rows.size());
  const bool accumulate = p.accumulate || k.from > 0, last = k.to == p.k;
  for (int64_t j = columns.from; j < columns.to; j += TILE_COLUMNS) {
    const int64_t count = least(TILE_COLUMNS, columns.to - j);
    const Operand bPanel = b.tile(k, j, count);
    Range r{0, 0};
    for (int64_t i = 1; i <= panels.parts; i++) {
      r = {r.to, panels.at(i)};
      const Operand aPanel{a + r.from * k.size(), 1, r.size()};
      const Block c{p.c.data + (rows.from + r.from) * p.c.stride + j, p.c.stride,
                    last && p.c.bias ? p.c.bias + j : nullptr};
      tiles.at(r.size(), count)(k.size(), aPanel, bPanel, c, count, accumulate);
      finished(c, rows.from + r.from, j, r.size(), count);
    }
  }
}

// Prefetches a part of the next few rows of A: hardware prefetchers do not continue in the next
// row.
HEED_INLINE void prefetchRows(Operand a, int64_t rows, Range k) {
  for (int64_t i = 0; i < rows; i++)
    for (int64_t at = k.from; at < k.to; at += 16) __builtin_prefetch(a.data + i * a.across + at);
}

// Computes a single column of C from rows of A in place: a tile would use only one of its lanes. b
// is adjacent along k.
static __attribute__((noinline)) void dotColumn(int64_t rows, int64_t k, Operand a, const float* b,
                                                Block c, bool accumulate) {
  for (int64_t i = 0; i < rows; i++) {
    const float* x = a.data + i * a.across;
    const float sum = sumRow(
        k, [&](int64_t l, auto lanes) { return loadPart(x + l, lanes) * loadPart(b + l, lanes); });
    const float total = c.bias ? sum + *c.bias : sum;
    float& to = c.data[i * c.stride];
    to = accumulate ? to + total : total;
  }
}

// Computes a block of C from rows of A in place and packed columns of B. It takes as much of B at a
// time as stays in L2, and as few rows of A as a tile has, which stay in L1.
template <class Finished>
inline void multiplyDirect(const Product& p, Range k, Range rows, Range columns, const PackedB& b,
                           Finished&& finished) {
  const bool accumulate = p.accumulate || k.from > 0, last = k.to == p.k;
  const int64_t unit = b.panelColumns, panels = ceilDiv(columns.size(), unit);
  const int64_t atOnce = most(1, CHUNK_FLOATS / (unit * most(1, k.size())));
  const Cut chunks{columns.size(), ceilDiv(panels, atOnce), unit};
  const Cut groups{rows.size(), ceilDiv(rows.size(), DIRECT_ROWS), 1};
  for (int64_t chunk = 0; chunk < chunks.parts; chunk++) {
    const Range some = part(chunks, chunk);
    for (int64_t i = 0; i < groups.parts; i++) {
      const Range r{rows.from + groups.at(i), rows.from + groups.at(i + 1)};
      const Operand a = shifted(p.a, r.from, k.from), next = shifted(a, r.size(), 0);
      const int64_t nextRows = chunk == 0 ? least(DIRECT_ROWS, rows.to - r.to) : 0;
      const Cut stretches{k.size(), ceilDiv(some.size(), unit), 16};
      for (int64_t from = some.from, stretch = 0; from < some.to; from += unit, stretch++) {
        prefetchRows(next, nextRows, part(stretches, stretch));
        const int64_t j = columns.from + from, count = least(unit, some.to - from);
        const Block c{p.c.data + r.from * p.c.stride + j, p.c.stride,
                      last && p.c.bias ? p.c.bias + j : nullptr};
        if (count == 1 && hasLoneColumn(p, k, columns))
          dotColumn(r.size(), k.size(), a, b.panel(k, j), c, accumulate);
        else
          directTiles.at(r.size(), count)(k.size(), a, b.tile(k, j, count), c, count, accumulate);
        finished(c, r.from, j, r.size(), count);
      }
    }
  }
}

// The place of a block in a fully packed A, which is packed once if several tasks need the same
// rows: block by block, and within each stretch by stretch of K.
HEED_INLINE float* blockOfA(float* all, const Product& p, Range k, Range rows) {
  return all + rows.from * p.k + k.from * rows.size();
}

// The work of one task: a block of C. Without `shared`, the task packs its columns of B, a stretch
// of K at a time. Without `sharedA`, it packs its rows of A unless they are read in place. With
// `sharedA`, `rows` is one of the packed blocks.
template <class Epilogue>
inline void multiplyBlock(Pool& pool, int thread, const Product& p, int64_t batch, Range rows,
                          Range columns, float* sharedA, const PackedB* shared,
                          const Epilogue& epilogue) {
  const bool direct = isDirect(p);
  const Cut ks = kBlocks(p.k),
            blocks{rows.size(), sharedA ? 1 : ceilDiv(rows.size(), ROW_BLOCK), tileRows(p)};
  float* a = nullptr;
  if (!sharedA && !direct)
    a = (float*)pool.scratch(thread, 0, sizeof(float) * least(ROW_BLOCK, rows.size()) * K_BLOCK);
  PackedB b = shared ? *shared : PackedB{nullptr, columns, 0, tileColumns(p)};
  Range packed = columns; // the columns of B that this task packs
  if (!shared) {
    b.data = (float*)pool.scratch(thread, 1, sizeof(float) * b.width() * K_BLOCK);
    if (p.b.across == 1 && rows.size() <= PACKING_PAYS) {
      b.inPlace = p.b;
      packed.from += columns.size() / b.panelColumns * b.panelColumns;
    }
  }
  for (int64_t kb = 0; kb < ks.parts; kb++) {
    const Range k = part(ks, kb);
    const bool last = kb == ks.parts - 1;
    if (!shared) {
      b.k0 = k.from;
      packB(pool, thread, p, k, packed, b);
    }
    const auto finished = [&](Block c, int64_t row, int64_t column, int64_t h, int64_t w) {
      if (last) epilogue(c, batch, row, column, h, w);
    };
    for (int64_t i = 0; i < blocks.parts; i++) {
      const Range r{rows.from + blocks.at(i), rows.from + blocks.at(i + 1)};
      if (direct) {
        multiplyDirect(p, k, r, columns, b, finished);
        continue;
      }
      if (sharedA) a = blockOfA(sharedA, p, k, r);
      else packA(p, k, r, a);
      multiplyPacked(p, k, r, a, columns, b, finished);
    }
  }
}

// Tasks are cut by shape alone: enough of them for 16 threads, but none so small that the overhead
// of a task matters.
constexpr int64_t TASKS = 32;
constexpr double MIN_TASK = 1 << 20;     // multiply-adds
constexpr double SHARING_PAYS = 1 << 24; // multiply-adds of the whole product

// Cuts the rows of C into tasks. With many rows, the number of tasks is a multiple of four, so that
// two or four threads have the same number each. Tasks with few tiles get equal numbers of rows,
// although their last tile is then smaller.
HEED_INLINE Cut rowTasks(const Product& p) {
  const auto parts = [&](int64_t rows) {
    const int64_t n = ceilDiv(p.m, rows);
    return p.m >= 2 * rows ? roundUp(n, 4) : n;
  };
  Cut cut{p.m, parts(ROW_BLOCK), tileRows(p)};
  if (cut.parts < TASKS / 2) cut.parts = parts(ROW_BLOCK / 2);
  if (p.m < 4 * cut.parts * cut.unit) cut.unit = 1;
  return cut;
}

// For one large product, or one with a B in blocks: B is packed once for all tasks.
template <class Epilogue>
inline void gemmShared(Pool& pool, const Product& p, int64_t batch, const Epilogue& epilogue) {
  const int64_t unit = tileColumns(p), perRound = roundUp(ROUND_FLOATS / p.k + 1, 8 * unit);
  const Cut rounds{p.n, ceilDiv(p.n, perRound), unit}, ks = kBlocks(p.k);
  const Cut rows = rowTasks(p);
  const int64_t columnParts = rows.parts < TASKS / 2 ? ceilDiv(TASKS / 2, rows.parts) : 1;
  float* a = nullptr;
  if (!isDirect(p) && p.m * p.k <= SHARED_A_FLOATS && columnParts * rounds.parts > 1)
    a = (float*)pool.scratch(0, 2, sizeof(float) * p.m * p.k);

  for (int64_t round = 0; round < rounds.parts; round++) {
    const Range n = part(rounds, round);
    PackedB b{nullptr, n, 0, unit};
    b.data = (float*)pool.scratch(0, 1, sizeof(float) * b.width() * p.k);
    const int64_t panels = ceilDiv(n.size(), unit);
    const Cut chunks{n.size(), most(ceilDiv(panels, 4), least(panels, 4)), unit};
    const int64_t ofB = chunks.parts * ks.parts, ofA = a && round == 0 ? rows.parts * ks.parts : 0;
    parallel(pool, ofB + ofA, [&](int64_t task, int thread) {
      if (task < ofB) {
        const Range c = part(chunks, task % chunks.parts);
        const Range some{n.from + c.from, n.from + c.to};
        packB(pool, thread, p, part(ks, task / chunks.parts), some, b);
      } else {
        const Range k = part(ks, (task - ofB) / rows.parts),
                    r = part(rows, (task - ofB) % rows.parts);
        packA(p, k, r, blockOfA(a, p, k, r));
      }
    });

    const Cut columns{n.size(), least(columnParts, chunks.parts), unit};
    parallel(pool, rows.parts * columns.parts, [&](int64_t task, int thread) {
      const Range c = part(columns, task % columns.parts);
      multiplyBlock(pool, thread, p, batch, part(rows, task / columns.parts),
                    {n.from + c.from, n.from + c.to}, a, &b, epilogue);
    });
  }
}

// For small or many products: each task packs the columns that it needs.
template <class ProductOf, class Epilogue>
inline void gemmOwn(Pool& pool, int64_t batches, const ProductOf& productOf,
                    const Epilogue& epilogue) {
  const Product first = productOf((int64_t)0);
  Cut rows{first.m, 1, tileRows(first)},
      columns{first.n, ceilDiv(first.n, 4096), tileColumns(first)};
  double work = (double)first.m * first.n * first.k / columns.parts;
  while (batches * rows.parts * columns.parts < TASKS && work > 2 * MIN_TASK) {
    const int64_t h = first.m / rows.parts, w = first.n / columns.parts;
    if (h < 2 * TILE_ROWS && w < 2 * TILE_COLUMNS) break;
    (w < 2 * TILE_COLUMNS || (h >= w && h >= 2 * TILE_ROWS) ? rows : columns).parts *= 2;
    work /= 2;
  }
  parallel(pool, batches * rows.parts * columns.parts, [&](int64_t task, int thread) {
    const int64_t batch = task / (rows.parts * columns.parts);
    multiplyBlock(pool, thread, productOf(batch), batch,
                  part(rows, task / columns.parts % rows.parts),
                  part(columns, task % columns.parts), nullptr, nullptr, epilogue);
  });
}

// C (+)= A B for each of `batches` products of the same shape. productOf(i) returns product number
// i.
template <class ProductOf, class Epilogue = NoEpilogue>
inline void gemm(Pool& pool, int64_t batches, const ProductOf& productOf,
                 const Epilogue& epilogue = {}) {
  if (batches == 0) return;
  const Product first = productOf((int64_t)0);
  if (first.m == 0 || first.n == 0) return;
  const bool sharing = first.blocks
                           ? first.k > 0
                           : batches < 8 && (double)first.m * first.n * first.k >= SHARING_PAYS;
  if (!sharing) return gemmOwn(pool, batches, productOf, epilogue);
  for (int64_t i = 0; i < batches; i++) gemmShared(pool, productOf(i), i, epilogue);
}

} // namespace HEED_ISA
} // namespace heed
