// One check per kernel: the number, dtypes and shapes of its views and the range of its attrs, as
// the kernels' headers document them. Kernels trust these and check nothing but the data.
// Here: the table, and kernels that compute element by element, fold, sort and move.
#include "check.h"
#include "micro-ops.h"

namespace heed {
namespace checks {

// x's shape with `axis` replaced by all of index's dimensions.
static Shape gathered(const Check& c, int x, int index, int axis) {
  Shape shape = c.shape(x);
  if (axis >= (int)shape.size()) return shape;
  const Shape inner = c.shape(index);
  shape.erase(shape.begin() + axis);
  shape.insert(shape.begin() + axis, inner.begin(), inner.end());
  return shape;
}

// (op, dst, a, b, c) from attr `first` on; returns the attr after the last.
static int instructions(Check& c, int first, int64_t count, int rank) {
  for (int64_t i = 0; i < count && c.error.empty(); i++, first += 5) {
    const bool index = c.integer(first, 0, (int64_t)MicroOp::count - 1) == (int64_t)MicroOp::index;
    c.integer(first + 1, 0, MAX_REGISTERS - 1);
    c.integer(first + 2, 0, index ? rank - 1 : MAX_REGISTERS - 1);
    c.integer(first + 3, 0, MAX_REGISTERS - 1);
    c.integer(first + 4, 0, MAX_REGISTERS - 1);
  }
  return first;
}

void elementwise(Check& c) {
  const int64_t nIn = c.integer(0, 0, MAX_REGISTERS), nOut = c.integer(1, 1, MAX_REGISTERS);
  const int64_t nInstr = c.integer(2, 0, MAX_INSTRUCTIONS);
  c.views(nIn + nOut);
  c.attrs(3 + 5 * nInstr + nOut);
  if (!c.error.empty()) return;
  const int results = instructions(c, 3, nInstr, c.rank(0));
  for (int i = 0; i < nOut; i++) c.integer(results + i, 0, MAX_REGISTERS - 1);
  for (int i = 1; i < nIn + nOut; i++) c.has(i, c.shape(0));
  for (int i = 0; i < nOut; i++) c.output((int)nIn + i);
}

void reduce(Check& c) {
  const int64_t op = c.integer(0, 0, 5), keptRank = c.integer(2, 0, c.rank(0));
  c.integer(1, 0, 2);
  const int64_t nIn = c.integer(3, 1, MAX_REGISTERS), nInstr = c.integer(4, 0, MAX_INSTRUCTIONS);
  c.views(nIn + 1);
  c.attrs(5 + 5 * nInstr + 1);
  if (!c.error.empty()) return;
  c.integer(instructions(c, 5, nInstr, c.rank(0)), 0, MAX_REGISTERS - 1);
  Shape kept = c.shape(0);
  kept.resize((size_t)keptRank);
  for (int i = 1; i < nIn; i++) c.has(i, c.shape(0));
  if (op >= 4) c.has((int)nIn, I32);
  c.has((int)nIn, kept);
  c.output((int)nIn);
}

void cumulative(Check& c) {
  c.views(2);
  c.attrs(2);
  c.rankFrom(0, 1);
  c.integer(0, 0, 2);
  c.axis(1, 0);
  c.output(1, c.view(0).dtype, c.shape(0));
}

void sort(Check& c) {
  c.views(3);
  c.attrs(1);
  c.flag(0);
  c.rankFrom(0, 1);
  c.output(1, c.view(0).dtype, c.shape(0));
  c.output(2, I32, c.shape(0));
}

void topk(Check& c) {
  c.views(3);
  c.attrs(2);
  c.flag(1);
  c.rankFrom(0, 1);
  const int64_t k = c.integer(0, 0, c.dim(0, c.rank(0) - 1));
  const Shape best = replaced(c.shape(0), c.rank(0) - 1, k);
  c.output(1, c.view(0).dtype, best);
  c.output(2, I32, best);
}

void take(Check& c) {
  c.views(3);
  c.attrs(1);
  c.rankFrom(0, 1);
  c.index(1, c.shape(1));
  c.output(2, c.view(0).dtype, gathered(c, 0, 1, c.axis(0, 0)));
}

static void scatter(Check& c) {
  c.views(4);
  c.attrs(1);
  c.rankFrom(0, 1);
  c.index(1, c.shape(1));
  c.has(2, c.view(0).dtype, gathered(c, 0, 1, c.axis(0, 0)));
  c.output(3, c.view(0).dtype, c.shape(0));
}
void scatterAdd(Check& c) { scatter(c); }
void scatterSet(Check& c) { scatter(c); }

// `part` slides along one axis of `whole`.
static void slide(Check& c, int part, int whole, int offset) {
  c.views(3);
  c.attrs(1);
  c.rankFrom(whole, 1);
  const int axis = c.axis(0, whole);
  c.single(offset, I32);
  c.has(part, c.view(whole).dtype, replaced(c.shape(whole), axis, c.dim(part, axis)));
  c.require(c.dim(part, axis) <= c.dim(whole, axis), "the slice is longer than what it is part of");
}
void copyAt(Check& c) {
  slide(c, 0, 1, 2);
  c.output(1);
}
void sliceAt(Check& c) {
  slide(c, 2, 0, 1);
  c.output(2);
}

void adamw(Check& c) {
  c.views(15);
  c.attrs(0);
  c.has(0, F32);
  for (int i = 1; i < 4; i++) c.has(i, F32, c.shape(0));
  for (int i = 4; i < 12; i++) c.single(i, F32);
  for (int i = 12; i < 15; i++) c.output(i, F32, c.shape(0));
}

void probe(Check& c) {
  c.views(2);
  c.attrs(2);
  c.integer(0, 0, 2);
  c.integer(1, 1, 1 << 30);
  c.rankIs(1, 1);
  c.require(c.view(0).contiguous() && c.view(0).count() >= 2, "takes adjacent memory");
  c.has(0, F32);
  c.output(1, F32, {c.dim(1, 0)});
}

} // namespace checks

#define HEED_ENTRY(name) checks::name,
static void (*const checkOf[KERNEL_COUNT])(checks::Check&) = {HEED_KERNELS(HEED_ENTRY)};
#undef HEED_ENTRY

std::string validate(const Command& command) {
  checks::Check check(command);
  checkOf[command.kernel](check);
  check.indicesApartFromOutputs();
  return check.error;
}

} // namespace heed
