// Building blocks of the checks of commands: for the checks generated in kernel-schemas.h, and for
// the rules in validate*.cc that the table of kernels cannot express.
#pragma once
#include "kernel-schemas.h"
#include <cmath>
#include <initializer_list>

namespace heed {
namespace checks {

using Shape = std::vector<int64_t>;

inline Shape shapeOf(const View& v) { return Shape(v.shape, v.shape + v.rank); }

inline std::string text(const Shape& shape) {
  std::string s = "[";
  for (size_t i = 0; i < shape.size(); i++) s += (i ? "," : "") + std::to_string(shape[i]);
  return s + "]";
}

inline const char* name(DType t) {
  static const char* const names[] = {"f32", "i32", "u32", "u8", "boolean"};
  return names[(int)t];
}

using Pattern = std::initializer_list<int>; // dimensions by number, or LEAD, SINGLE, ANY_SHAPE

// Reads a command in the order of its kernel's schema and keeps the first error. After an error the
// getters return harmless values, so that checks need no early returns.
class Check {
public:
  explicit Check(const Command& command) : command(command) {
    operands.reserve(command.views.size());
  }
  const Command& command;
  std::string error;

  bool passed() const { return error.empty(); }
  void require(bool fine, const std::string& complaint) {
    if (!fine) complain(complaint);
  }
  void complain(const std::string& complaint) {
    if (error.empty()) error = complaint;
  }
  void has(const char* what, const View& view, const Shape& shape);

  // --- attributes
  void start(int optionals, int lists);
  double real(const char* what, double low = -INFINITY, double high = INFINITY);
  int64_t integer(const char* what, double low, double high);
  // The length of a list, which must be equal for all lists with this dimension.
  int64_t length(const char* what, int dimension, int64_t longest);
  void integers(const char* what, int64_t count, double low, double high);
  void program(const char* what);

  // --- operands
  const View& input(const char* what, Pattern shape);
  const View& input(const char* what, DType dtype, Pattern shape);
  const View* inputIfPresent(const char* what, DType dtype, Pattern shape);
  void inputs(const char* what, Pattern shape);
  // The output may overwrite the input `over` if both have exactly the same view.
  const View& output(const char* what, Pattern shape, const View* over = nullptr);
  const View& output(const char* what, DType dtype, Pattern shape, const View* over = nullptr);
  const View* outputIfPresent(const char* what, DType dtype, Pattern shape);
  void outputs(const char* what, Pattern shape, const View* over = nullptr);
  static const View* anyInput();

  // --- relations
  void size(int dimension, int64_t size);
  int64_t size(int dimension) const { return sizes[dimension].known ? sizes[dimension].value : 0; }
  void adjacent(const char* what, const View& view, int64_t least);
  void together(const char* what, const View* view, const char* other, const View* otherView);
  void axis(const char* what, int64_t axis, const View& view);
  void atMost(const char* what, int dimension, int limit);
  void divides(const char* what, int dimension, int whole);
  // Checks that all words are used and that outputs overlap no other operand.
  void end();

private:
  struct Size {
    bool known = false;
    int64_t value = 0;
  };
  struct Operand {
    const char* name;
    const View* view;
    bool output;
    const View* over;
  };
  Size sizes[24];
  const View* lead = nullptr; // a view with the leading dimensions,
  int leadRank = 0;           // and their number
  size_t nextView = 0, nextWord = 0;
  uint64_t present = 0;
  std::vector<int64_t> counts; // of lists
  size_t nextList = 0;
  std::vector<Operand> operands;

  double word(const char* what);
  const View& operand(const char* what, Pattern shape, bool output, const View* over);
  void matches(const char* what, const View& view, Pattern shape);
  void matchesLead(const char* what, const View& view, int rank);
  void isOfType(const char* what, const View& view, DType dtype);
  bool takesNext();
  int64_t takesList();
  void apart(const Operand& output, const Operand& other);
};

inline Shape lead(Shape shape) { // without the last dimension
  if (!shape.empty()) shape.pop_back();
  return shape;
}

inline Shape replaced(Shape shape, int axis, int64_t size) {
  if (axis >= 0 && axis < (int)shape.size()) shape[axis] = size;
  return shape;
}

// The rules of kernels that are HAND_CHECKED. They run after the checks of the table have passed.
void check(const ElementwiseArgs& args, Check& c);
void check(const ReduceArgs& args, Check& c);
void check(const TakeArgs& args, Check& c);
void check(const ScatterAddArgs& args, Check& c);
void check(const ScatterSetArgs& args, Check& c);
void check(const FoldWindowArgs& args, Check& c);
void check(const CopyAtArgs& args, Check& c);
void check(const SliceAtArgs& args, Check& c);
void check(const ConvolutionArgs& args, Check& c);
void check(const ConvolutionInputArgs& args, Check& c);
void check(const ConvolutionWeightArgs& args, Check& c);
void check(const MaxPoolArgs& args, Check& c);
void check(const MaxPoolBackwardArgs& args, Check& c);
void check(const MatmulQuantizedArgs& args, Check& c);
void check(const MatmulQuantizedInputArgs& args, Check& c);
void check(const DequantizeArgs& args, Check& c);
void check(const AttentionArgs& args, Check& c);
void check(const AttentionBackwardArgs& args, Check& c);

} // namespace checks
} // namespace heed
