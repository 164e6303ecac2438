#include "check.h"
#include "overlap.h"

namespace heed {
namespace checks {

namespace {

const View none;

std::string quoted(const char* what) { return std::string("`") + what + "`"; }

// Whether two views have the same elements at the same positions, so that each is read before it is
// written.
bool sameView(const View& a, const View& b) {
  bool same =
      a.buffer == b.buffer && a.dtype == b.dtype && a.offset == b.offset && a.rank == b.rank;
  for (int d = 0; d < a.rank && same; d++)
    same = a.shape[d] == b.shape[d] && (a.shape[d] == 1 || a.stride[d] == b.stride[d]);
  return same;
}

} // namespace

void Check::has(const char* what, const View& view, const Shape& shape) {
  if (std::equal(shape.begin(), shape.end(), view.shape, view.shape + view.rank)) return;
  complain(quoted(what) + " must have shape " + text(shape) + ", got " + text(shapeOf(view)));
}

// ---- Attributes

double Check::word(const char* what) {
  if (nextWord < command.attrs.size()) return command.attrs[nextWord++];
  complain(quoted(what) + " is missing");
  return 0;
}

double Check::real(const char* what, double low, double high) {
  const double value = word(what);
  if (value >= low && value <= high) return value;
  complain(quoted(what) + " must be a number in [" + std::to_string(low) + ", " +
           std::to_string(high) + "], got " + std::to_string(value));
  return low;
}

int64_t Check::integer(const char* what, double low, double high) {
  const double value = word(what);
  if (value >= low && value <= high && value == std::floor(value)) return (int64_t)value;
  complain(quoted(what) + " must be an integer in [" + std::to_string((int64_t)low) + ", " +
           std::to_string((int64_t)high) + "], got " + std::to_string(value));
  return (int64_t)low;
}

void Check::start(int optionals, int lists) {
  if (optionals > 0)
    present = (uint64_t)integer("present operands", 0, (double)((1 << optionals) - 1));
  for (int i = 0; i < lists; i++) counts.push_back(integer("number of operands", 0, MAX_REGISTERS));
}

int64_t Check::length(const char* what, int dimension, int64_t longest) {
  const int64_t count = integer(what, 1, (double)longest);
  if (!sizes[dimension].known) size(dimension, count);
  require(size(dimension) == count, quoted(what) + " has another length than the list before it");
  return count;
}

void Check::integers(const char* what, int64_t count, double low, double high) {
  for (int64_t i = 0; i < count; i++) integer(what, low, high);
}

void Check::program(const char* what) {
  integer(what, 0, MAX_INSTRUCTIONS);
  nextWord = command.attrs.size(); // a rule in validate.cc checks the instructions
}

// ---- Operands

bool Check::takesNext() {
  const bool here = present & 1;
  present >>= 1;
  return here;
}

int64_t Check::takesList() { return passed() ? counts[nextList++] : 0; }

const View& Check::operand(const char* what, Pattern shape, bool output, const View* over) {
  if (nextView >= command.views.size()) {
    complain("the operand " + quoted(what) + " is missing");
    return none;
  }
  const View& view = command.views[nextView++];
  operands.push_back({what, &view, output, over});
  matches(what, view, shape);
  // Threads write the elements of an output in any order, so each needs its own position.
  for (int d = 0; output && d < view.rank; d++)
    if (view.stride[d] == 0 && view.shape[d] > 1)
      complain("the output " + quoted(what) + " has stride 0 along axis " + std::to_string(d));
  return view;
}

void Check::isOfType(const char* what, const View& view, DType dtype) {
  if (view.dtype != dtype)
    complain(quoted(what) + " must be " + name(dtype) + ", got " + name(view.dtype));
}

const View& Check::input(const char* what, Pattern shape) {
  return operand(what, shape, false, nullptr);
}

const View& Check::input(const char* what, DType dtype, Pattern shape) {
  const View& view = input(what, shape);
  isOfType(what, view, dtype);
  return view;
}

const View* Check::inputIfPresent(const char* what, DType dtype, Pattern shape) {
  return takesNext() ? &input(what, dtype, shape) : nullptr;
}

void Check::inputs(const char* what, Pattern shape) {
  for (int64_t i = takesList(); i > 0 && passed(); i--) input(what, shape);
}

const View& Check::output(const char* what, Pattern shape, const View* over) {
  return operand(what, shape, true, over);
}

const View& Check::output(const char* what, DType dtype, Pattern shape, const View* over) {
  const View& view = output(what, shape, over);
  isOfType(what, view, dtype);
  return view;
}

const View* Check::outputIfPresent(const char* what, DType dtype, Pattern shape) {
  return takesNext() ? &output(what, dtype, shape) : nullptr;
}

void Check::outputs(const char* what, Pattern shape, const View* over) {
  for (int64_t i = takesList(); i > 0 && passed(); i--) output(what, shape, over);
}

const View* Check::anyInput() { return &none; }

// ---- Shapes

void Check::matches(const char* what, const View& view, Pattern shape) {
  const int* dimension = shape.begin();
  int rank = (int)shape.size(), axis = 0;
  if (rank > 0 && *dimension == ANY_SHAPE) return;
  if (rank > 0 && *dimension == SINGLE)
    return require(view.count() == 1,
                   quoted(what) + " must be one element, got " + text(shapeOf(view)));
  if (rank > 0 && *dimension == LEAD) {
    if (view.rank < --rank)
      return complain(quoted(what) + " must have rank " + std::to_string(rank) + " or more, got " +
                      text(shapeOf(view)));
    dimension++, axis = view.rank - rank;
    matchesLead(what, view, axis);
  } else if (view.rank != rank) {
    return complain(quoted(what) + " must have rank " + std::to_string(rank) + ", got " +
                    text(shapeOf(view)));
  }
  bool same = true;
  for (int i = 0; axis + i < view.rank; i++) {
    Size& known = sizes[dimension[i]];
    if (!known.known) known = {true, view.shape[axis + i]};
    same = same && known.value == view.shape[axis + i];
  }
  if (same) return;
  Shape expected = shapeOf(view);
  for (int i = 0; axis + i < view.rank; i++) expected[axis + i] = size(dimension[i]);
  has(what, view, expected);
}

void Check::matchesLead(const char* what, const View& view, int rank) {
  if (!lead) lead = &view, leadRank = rank;
  if (rank == leadRank && std::equal(view.shape, view.shape + rank, lead->shape)) return;
  Shape expected(lead->shape, lead->shape + leadRank);
  expected.insert(expected.end(), view.shape + rank, view.shape + view.rank);
  has(what, view, expected);
}

// ---- Relations

void Check::size(int dimension, int64_t size) { sizes[dimension] = {true, size}; }

void Check::adjacent(const char* what, const View& view, int64_t least) {
  require(view.contiguous(), "the elements of " + quoted(what) + " must be adjacent");
  require(view.count() >= least,
          quoted(what) + " must have " + std::to_string(least) + " elements or more");
}

void Check::together(const char* what, const View* view, const char* other, const View* otherView) {
  require(!view == !otherView,
          quoted(what) + " must be present if and only if " + quoted(other) + " is");
}

void Check::axis(const char* what, int64_t axis, const View& view) {
  require(axis < view.rank, quoted(what) + " must be an axis of rank " + std::to_string(view.rank) +
                                ", got " + std::to_string(axis));
}

void Check::atMost(const char* what, int dimension, int limit) {
  require(size(dimension) <= size(limit), quoted(what) + " must be at most " +
                                              std::to_string(size(limit)) + ", got " +
                                              std::to_string(size(dimension)));
}

void Check::divides(const char* what, int dimension, int whole) {
  const int64_t divisor = size(dimension);
  require(divisor == 0 || size(whole) % divisor == 0, quoted(what) + " must divide " +
                                                          std::to_string(size(whole)) + ", got " +
                                                          std::to_string(divisor));
}

void Check::apart(const Operand& output, const Operand& other) {
  if (!other.output && (output.over == &none || output.over == other.view) &&
      sameView(*output.view, *other.view))
    return;
  if (overlap(*output.view, *other.view))
    complain("the output " + quoted(output.name) + " overlaps " + quoted(other.name));
}

void Check::end() {
  if (nextWord < command.attrs.size())
    complain("takes " + std::to_string(nextWord) + " numbers, got " +
             std::to_string(command.attrs.size()));
  if (nextView < command.views.size())
    complain("takes " + std::to_string(nextView) + " operands, got " +
             std::to_string(command.views.size()));
  for (size_t i = 0; i < operands.size() && passed(); i++)
    for (size_t j = 0; operands[i].output && j < operands.size(); j++)
      if (!operands[j].output || j < i) apart(operands[i], operands[j]);
}

} // namespace checks
} // namespace heed
