// reduce: folds the results of a micro-program over the inputs. Their shape is the dimensions of
// out, then the reduced ones. argmax and argmin give the linear index in the reduced dimensions;
// ties give the first. NaN propagates in max and min, and argmax and argmin return its index.
#pragma once
#include "elementwise.h"
#include "fold.h"
#include "order-key.h"

namespace heed {
namespace HEED_ISA {

// A reduction with its axes in the order of the loops.
struct Reduction {
  const MicroProgram& program;
  const Run& run;
  Folder folder;
  List<Cursor> inputs;
  Cursor out;
  int64_t outer, reduced, inner; // sizes in loop order: kept, reduced, kept (rows: inner = 1)
};

struct Best { // result of an arg-reduction
  uint32_t key = 0;
  int64_t index = -1;
  void offer(uint32_t k, int64_t i) {
    if (index < 0 || k > key) key = k, index = i;
  }
};

// ---- Rows: the reduced elements of an output are consecutive. ----
// Long rows are cut into parts; short ones share a task. The parts depend on the shape alone.

constexpr int64_t ROW_PART = 128 * BLOCK, ROW_TASK = 32 * BLOCK;

template <class RowPart> static void overRows(const Reduction& r, RowPart&& rowPart) {
  const int64_t parts = ceilDiv(r.reduced, ROW_PART), rowsPerTask = most(1, ROW_TASK / r.reduced);
  const int64_t tasks = parts > 1 ? r.outer * parts : ceilDiv(r.outer, rowsPerTask);
  parallel(r.run.pool, tasks, [&](int64_t task, int thread) {
    Machine machine(r.program, r.run.pool, thread);
    Feed feed(r.program, r.inputs, machine);
    const int64_t part = task % parts, first = parts > 1 ? task / parts : task * rowsPerTask;
    const int64_t from = part * ROW_PART, to = least(r.reduced, from + ROW_PART);
    rowPart(machine, feed, first, parts > 1 ? first + 1 : least(r.outer, first + rowsPerTask), from,
            to, part);
  });
}

static inline const uint32_t* evaluate(const Reduction& r, Machine& machine, Feed& feed,
                                       int64_t start, int64_t n) {
  feed.load(start, n);
  machine.execute(start, n, nullptr);
  return machine.at[r.program.results[0]];
}

__attribute__((noinline)) static void writeResults(Cursor out, int64_t first, int64_t n,
                                                   const uint32_t* lanes) {
  out.seek(first);
  out.store(n, lanes);
}

static void foldRows(const Reduction& r) {
  const int64_t parts = ceilDiv(r.reduced, ROW_PART);
  List<uint64_t> partial(parts > 1 ? (size_t)(r.outer * parts) : 0);
  overRows(r, [&](Machine& machine, Feed& feed, int64_t firstRow, int64_t lastRow, int64_t from,
                  int64_t to, int64_t part) {
    uint32_t results[BLOCK];
    if (r.reduced > BLOCK) {
      for (int64_t row = firstRow; row < lastRow; row++) {
        uint64_t total = 0;
        for (int64_t i = from; i < to; i += BLOCK) {
          const int64_t n = least(BLOCK, to - i);
          const uint64_t block =
              r.folder.fold(evaluate(r, machine, feed, row * r.reduced + i, n), n);
          total = i == from ? block : r.folder.combine(total, block);
        }
        if (parts > 1) partial[row * parts + part] = total;
        else results[0] = r.folder.narrow(total), writeResults(r.out, row, 1, results);
      }
      return;
    }
    const int64_t together = BLOCK / r.reduced; // number of short rows in a block
    for (int64_t row = firstRow; row < lastRow; row += together) {
      const int64_t rows = least(together, lastRow - row);
      const uint32_t* lanes = evaluate(r, machine, feed, row * r.reduced, rows * r.reduced);
      r.folder.foldRows(lanes, rows, r.reduced, results);
      writeResults(r.out, row, rows, results);
    }
  });
  for (int64_t row = 0; parts > 1 && row < r.outer; row++) {
    uint64_t total = partial[row * parts];
    for (int64_t p = 1; p < parts; p++) total = r.folder.combine(total, partial[row * parts + p]);
    const uint32_t result = r.folder.narrow(total);
    writeResults(r.out, row, 1, &result);
  }
}

static void argRows(const Reduction& r, KeyType type, bool smallest) {
  const int64_t parts = ceilDiv(r.reduced, ROW_PART);
  List<Best> partial(parts > 1 ? (size_t)(r.outer * parts) : 0);
  const Folder greatest = folderOf(2, 2);
  overRows(r, [&](Machine& machine, Feed& feed, int64_t firstRow, int64_t lastRow, int64_t from,
                  int64_t to, int64_t part) {
    uint32_t keys[BLOCK];
    for (int64_t row = firstRow; row < lastRow; row++) {
      Best best;
      for (int64_t i = from; i < to; i += BLOCK) {
        const int64_t n = least(BLOCK, to - i);
        orderKeys(evaluate(r, machine, feed, row * r.reduced + i, n), keys, n, type,
                  smallest ? UINT32_MAX : 0, true);
        const uint32_t key = greatest.narrow(greatest.fold(keys, n));
        if (best.index >= 0 && key <= best.key) continue;
        int64_t place = 0;
        while (keys[place] != key) place++;
        best.offer(key, i + place);
      }
      const uint32_t result = (uint32_t)best.index;
      if (parts > 1) partial[row * parts + part] = best;
      else writeResults(r.out, row, 1, &result);
    }
  });
  for (int64_t row = 0; parts > 1 && row < r.outer; row++) {
    Best best;
    for (int64_t p = 0; p < parts; p++)
      best.offer(partial[row * parts + p].key, partial[row * parts + p].index);
    const uint32_t result = (uint32_t)best.index;
    writeResults(r.out, row, 1, &result);
  }
}

// ---- Columns: outputs are adjacent, and their reduced elements are one row apart. ----

constexpr int64_t COLUMN_TILE = 4 * BLOCK, COLUMN_PART = 256 * BLOCK;

// Adds rows [from, to) of columns [column, column + width) to sums, which starts with identities.
// Several narrow rows are added at a time; sums then has one group of columns for each. Returns the
// number of groups.
static int64_t accumulateColumns(const Reduction& r, Machine& machine, Feed& feed, int64_t outer,
                                 int64_t column, int64_t width, int64_t from, int64_t to,
                                 uint32_t* sums) {
  const int64_t together = width < r.inner ? 1 : most(1, BLOCK / width);
  for (int64_t row = from; row < to; row += together) {
    const int64_t lanes = width * least(together, to - row),
                  start = (outer * r.reduced + row) * r.inner + column;
    for (int64_t i = 0; i < lanes; i += BLOCK) {
      const int64_t n = least(BLOCK, lanes - i);
      r.folder.accumulate(sums + i, evaluate(r, machine, feed, start + i, n), n);
    }
  }
  return together;
}

static void foldColumns(const Reduction& r) {
  const int64_t tiles = ceilDiv(r.inner, COLUMN_TILE), tileWidth = least(r.inner, COLUMN_TILE);
  const int64_t rowsPerPart = most(1, COLUMN_PART / tileWidth),
                parts = ceilDiv(r.reduced, rowsPerPart);
  const int64_t units = r.outer * tiles * parts;
  const int64_t unitsPerTask = most(1, ROW_TASK / (least(rowsPerPart, r.reduced) * tileWidth));
  // partial[(outer * parts + part) * inner + column]
  List<uint32_t> partial(parts > 1 ? (size_t)(r.outer * parts * r.inner) : 0);
  parallel(r.run.pool, ceilDiv(units, unitsPerTask), [&](int64_t task, int thread) {
    Machine machine(r.program, r.run.pool, thread);
    Feed feed(r.program, r.inputs, machine);
    alignas(64) uint32_t sums[COLUMN_TILE + VL], results[COLUMN_TILE];
    for (int64_t unit = task * unitsPerTask; unit < least(units, (task + 1) * unitsPerTask);
         unit++) {
      const int64_t part = unit % parts, tile = unit / parts % tiles, outer = unit / parts / tiles;
      const int64_t column = tile * COLUMN_TILE, width = least(COLUMN_TILE, r.inner - column);
      const int64_t from = part * rowsPerPart, to = least(r.reduced, from + rowsPerPart);
      fillLanes(r.folder.identity, sums, COLUMN_TILE);
      const int64_t groups =
          accumulateColumns(r, machine, feed, outer, column, width, from, to, sums);
      uint32_t* totals = sums;
      if (groups > 1) r.folder.merge(sums, width, groups, width, totals = results);
      if (parts > 1) copyLanes(totals, &partial[(outer * parts + part) * r.inner + column], width);
      else writeResults(r.out, outer * r.inner + column, width, totals);
    }
  });
  if (parts == 1) return;
  parallel(r.run.pool, r.outer * tiles, [&](int64_t task, int) {
    uint32_t results[COLUMN_TILE];
    const int64_t outer = task / tiles, column = task % tiles * COLUMN_TILE;
    const int64_t width = least(COLUMN_TILE, r.inner - column);
    r.folder.merge(&partial[outer * parts * r.inner + column], r.inner, parts, width, results);
    writeResults(r.out, outer * r.inner + column, width, results);
  });
}

// ---- Choosing rows or columns ----

// The input that determines the order of the loops: the one with the fewest broadcast axes.
static const View& leadingInput(const Views& views) {
  int best = 0, bestBroadcast = MAX_RANK + 1;
  for (int i = 0; i < views.count; i++) {
    int broadcast = 0;
    for (int d = 0; d < views[i].rank; d++) broadcast += views[i].stride[d] == 0;
    if (broadcast < bestBroadcast) bestBroadcast = broadcast, best = i;
  }
  return views[best];
}

// The loops are over kept axes, reduced axes and again kept axes: trailing kept axes stay innermost
// if they are innermost in memory.
static int innerKept(const Order& memory, int keptRank) {
  int run = 0;
  while (run < memory.rank && memory.axis[memory.rank - 1 - run] < keptRank) run++;
  return run;
}
static Order walkingOrder(const Order& memory, int keptRank, int inside) {
  Order order;
  const int outside = memory.rank - inside;
  for (int i = 0; i < outside; i++)
    if (memory.axis[i] < keptRank) order.axis[order.rank++] = memory.axis[i];
  for (int i = 0; i < outside; i++)
    if (memory.axis[i] >= keptRank) order.axis[order.rank++] = memory.axis[i];
  for (int i = outside; i < memory.rank; i++) order.axis[order.rank++] = memory.axis[i];
  return order;
}

static void reduce(const Command& command, const Run& run) {
  const ReduceArgs args(command);
  const int op = (int)args.reduction, type = (int)args.lanes, keptRank = (int)args.kept;
  const View &out = args.out, &in = args.inputs[0];
  const MicroProgram program(args.program, args.inputs, in, 1, run);
  const int rank = in.rank;
  const bool arg = op >= 4;

  const bool anyOrder = !arg && !program.positional;
  const Order memory = anyOrder ? byStride(leadingInput(args.inputs)) : Order::natural(rank);
  const int inside = anyOrder ? innerKept(memory, keptRank) : 0;
  const Order order = walkingOrder(memory, keptRank, inside);
  Order kept;
  for (int i = 0; i < order.rank; i++)
    if (order.axis[i] < keptRank) kept.axis[kept.rank++] = order.axis[i];

  Reduction r{program, run, folderOf(arg ? 0 : op, type), {}, Cursor(run, out, kept), 1, 1, 1};
  for (int i = 0; i < args.inputs.count; i++) r.inputs.push(Cursor(run, args.inputs[i], order));
  for (int i = keptRank; i < rank; i++) r.reduced *= in.shape[i];
  for (int i = 0; i < inside; i++) r.inner *= in.shape[memory.axis[memory.rank - 1 - i]];
  if (out.count() == 0) return;
  r.outer = out.count() / r.inner;
  if (r.reduced == 0) { // the result is the identity element
    List<uint32_t> nothing((size_t)out.count());
    nothing.fill(arg ? 0 : r.folder.identity);
    writeResults(r.out, 0, out.count(), nothing.begin());
  } else if (arg) argRows(r, (KeyType)type, op == 5);
  else if (r.inner > 1 && r.reduced > 1) foldColumns(r);
  else r.outer *= r.inner, r.inner = 1, foldRows(r);
}

} // namespace HEED_ISA
} // namespace heed
