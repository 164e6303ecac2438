// Checks of commands. Kernels rely on them and check only data. Most rules are in the table of
// kernels (kernel-schemas.h). This file, validate-products.cc and validate-windows.cc have the
// rules that the table cannot express; this one those for micro-programs and for kernels that copy
// slices.
#include "check.h"
#include "micro-ops.h"

namespace heed {
namespace checks {

// Checks that an integer in a micro-program is in [0, high].
static void isIn(Check& c, double value, int64_t high) {
  if (value >= 0 && value <= (double)high && value == std::floor(value)) return;
  c.complain("the program has " + std::to_string(value) + " where an integer in [0, " +
             std::to_string(high) + "] must be");
}

// Checks a micro-program: instructions (op, dst, a, b, c), then the registers of `results` results.
// `rank` is the number of axes of the elements.
static void checkProgram(Check& c, const MicroWords& program, int64_t results, int rank) {
  if (program.count != 5 * program.instructions + results)
    return c.complain("the program has " + std::to_string(program.count) + " words for " +
                      std::to_string(program.instructions) + " instructions and " +
                      std::to_string(results) + " results");
  const double* word = program.words;
  for (int64_t i = 0; i < program.instructions && c.passed(); i++, word += 5) {
    const bool index = word[0] == (double)MicroOp::index;
    isIn(c, word[0], (int64_t)MicroOp::count - 1);
    isIn(c, word[1], MAX_REGISTERS - 1);
    isIn(c, word[2], index ? rank - 1 : MAX_REGISTERS - 1);
    isIn(c, word[3], MAX_REGISTERS - 1);
    isIn(c, word[4], MAX_REGISTERS - 1);
  }
  for (int64_t i = 0; i < results && c.passed(); i++) isIn(c, word[i], MAX_REGISTERS - 1);
}

void check(const ElementwiseArgs& args, Check& c) {
  c.require(args.outputs.count > 0, "`outputs` must be one or more");
  if (c.passed()) checkProgram(c, args.program, args.outputs.count, args.outputs[0].rank);
}

void check(const ReduceArgs& args, Check& c) {
  c.require(args.inputs.count > 0, "`inputs` must be one or more");
  if (!c.passed()) return;
  Shape kept = shapeOf(args.inputs[0]);
  c.require(args.kept <= (int64_t)kept.size(), "`kept` must be at most the rank of the inputs");
  if (!c.passed()) return;
  checkProgram(c, args.program, 1, args.inputs[0].rank);
  kept.resize((size_t)args.kept);
  c.has("out", args.out, kept);
  const bool isIndex = args.reduction >= ReduceArgs::Reduction::argmax;
  c.require(!isIndex || args.out.dtype == DType::i32, "`out` must be i32");
}

// The shape of x with `axis` replaced by the dimensions of index.
static Shape gathered(const View& x, const View& index, int axis) {
  Shape shape = shapeOf(x);
  shape.erase(shape.begin() + axis);
  shape.insert(shape.begin() + axis, index.shape, index.shape + index.rank);
  return shape;
}

void check(const TakeArgs& args, Check& c) {
  c.has("out", args.out, gathered(args.x, args.index, args.axis));
}

void check(const ScatterAddArgs& args, Check& c) {
  c.has("source", args.source, gathered(args.base, args.index, args.axis));
}

void check(const ScatterSetArgs& args, Check& c) {
  c.has("source", args.source, gathered(args.base, args.index, args.axis));
}

// Checks that `slice` has the shape of `whole`, except that it may be shorter along `axis`.
static void slides(Check& c, const char* name, const View& slice, const View& whole, int axis) {
  if (axis >= slice.rank)
    return c.complain(std::string("`") + name + "` must have the rank of what it is a slice of");
  c.has(name, slice, replaced(shapeOf(whole), axis, slice.shape[axis]));
  c.require(slice.shape[axis] <= whole.shape[axis], "the slice is longer than what it is part of");
}

void check(const CopyAtArgs& args, Check& c) {
  slides(c, "source", args.source, args.target, args.axis);
}

void check(const SliceAtArgs& args, Check& c) { slides(c, "out", args.out, args.x, args.axis); }

template <class Args> static void validateAs(Check& c) {
  Args::check(c);
  if constexpr (Args::HAND_CHECKED)
    if (c.passed()) check(Args(c.command), c);
}

} // namespace checks

#define HEED_ENTRY(name) checks::validateAs<name>,
static void (*const checkOf[KERNEL_COUNT])(checks::Check&) = {HEED_KERNEL_ARGS(HEED_ENTRY)};
#undef HEED_ENTRY

std::string validate(const Command& command) {
  checks::Check check(command);
  checkOf[command.kernel](check);
  return check.error;
}

} // namespace heed
