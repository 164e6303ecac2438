// What checks of a kernel's command are made of (validate.cc).
#pragma once
#include "program.h"
#include <algorithm>
#include <cmath>
#include <initializer_list>

namespace heed {
namespace checks {

using Shape = std::vector<int64_t>;

inline std::string text(const Shape& shape) {
  std::string s = "[";
  for (size_t i = 0; i < shape.size(); i++) s += (i ? "," : "") + std::to_string(shape[i]);
  return s + "]";
}

inline const char* name(DType t) {
  static const char* const names[] = {"f32", "i32", "u32", "u8", "boolean"};
  return names[(int)t];
}

constexpr DType F32 = DType::f32, I32 = DType::i32, U32 = DType::u32;

// Whether the bytes from the first to the last element of one view lie before those of the other.
inline bool apart(const View& a, const View& b) {
  if (a.buffer != b.buffer || a.count() == 0 || b.count() == 0) return true;
  return a.last() * sizeOf(a.dtype) + sizeOf(a.dtype) <= b.first() * sizeOf(b.dtype) ||
         b.last() * sizeOf(b.dtype) + sizeOf(b.dtype) <= a.first() * sizeOf(a.dtype);
}

// Collects the first complaint. After one, the getters answer harmless values, so that a check may
// simply be read from top to bottom.
class Check {
public:
  explicit Check(const Command& command) : c(command) {}
  std::string error;

  void require(bool fine, const char* complaint) {
    if (!fine) complain(complaint);
  }
  void complain(const std::string& complaint) {
    if (error.empty()) error = complaint;
  }
  const View& view(int i) const {
    static const View none;
    return (size_t)i < c.views.size() ? c.views[i] : none;
  }
  Shape shape(int i) const { return Shape(view(i).shape, view(i).shape + view(i).rank); }
  int64_t dim(int i, int axis) const {
    return axis >= 0 && axis < view(i).rank ? view(i).shape[axis] : 0;
  }
  int rank(int i) const { return view(i).rank; }

  void views(int64_t count) {
    if ((int64_t)c.views.size() == count) return;
    complain("takes " + std::to_string(count) + " views, not " + std::to_string(c.views.size()));
  }
  void attrs(int64_t count) {
    if ((int64_t)c.attrs.size() == count) return;
    complain("takes " + std::to_string(count) + " attrs, not " + std::to_string(c.attrs.size()));
  }
  double number(int attr) {
    if ((size_t)attr < c.attrs.size()) return c.attrs[attr];
    complain("attr " + std::to_string(attr) + " is missing");
    return 0;
  }
  int64_t integer(int attr, int64_t low, int64_t high) {
    const double value = number(attr);
    if (value >= (double)low && value <= (double)high && value == std::floor(value))
      return (int64_t)value;
    complain("attr " + std::to_string(attr) + " is " + std::to_string(value) +
             ", not an integer in [" + std::to_string(low) + ", " + std::to_string(high) + "]");
    return low;
  }
  bool flag(int attr) { return integer(attr, 0, 1) == 1; }
  int axis(int attr, int i) { return (int)integer(attr, 0, std::max(0, rank(i) - 1)); }

  void has(int i, const Shape& wanted) {
    const View& v = view(i);
    if (std::equal(wanted.begin(), wanted.end(), v.shape, v.shape + v.rank)) return;
    complain(named(i) + " has shape " + text(shape(i)) + ", not " + text(wanted));
  }
  void has(int i, DType wanted) {
    if (view(i).dtype == wanted) return;
    complain(named(i) + " is " + name(view(i).dtype) + ", not " + name(wanted));
  }
  void has(int i, DType dtype, const Shape& shape) {
    has(i, dtype);
    has(i, shape);
  }
  void single(int i, DType dtype) {
    has(i, dtype);
    if (view(i).count() != 1)
      complain(named(i) + " has shape " + text(shape(i)) + ", not one element");
  }
  void rankFrom(int i, int low) {
    if (rank(i) >= low) return;
    complain(named(i) + " has rank " + std::to_string(rank(i)) + ", less than " +
             std::to_string(low));
  }
  void rankIs(int i, int wanted) {
    if (rank(i) == wanted) return;
    complain(named(i) + " has rank " + std::to_string(rank(i)) + ", not " + std::to_string(wanted));
  }
  // An index that the kernel checks and reads again later: no output may overwrite it in between.
  void index(int i, const Shape& shape) {
    has(i, I32, shape);
    indices.push_back(i);
  }
  // Threads write the elements of an output in any order, so each needs a place of its own.
  void output(int i) {
    outputs.push_back(i);
    for (int d = 0; d < rank(i); d++)
      if (view(i).stride[d] == 0 && view(i).shape[d] > 1)
        complain(named(i) + " is an output and has stride 0 along axis " + std::to_string(d));
  }
  void output(int i, DType dtype, const Shape& shape) {
    has(i, dtype, shape);
    output(i);
  }
  void indicesApartFromOutputs() {
    for (int i : indices)
      for (int o : outputs)
        if (!apart(view(i), view(o)))
          complain(named(o) + " is an output and overlaps the index in " + named(i));
  }

private:
  static std::string named(int view) { return "view " + std::to_string(view); }

  const Command& c;
  std::vector<int> indices, outputs;
};

inline Shape lead(Shape shape) { // without the last dimension
  if (!shape.empty()) shape.pop_back();
  return shape;
}

inline Shape replaced(Shape shape, int axis, int64_t size) {
  if (axis >= 0 && axis < (int)shape.size()) shape[axis] = size;
  return shape;
}

// One number for each row of view 0.
inline Shape rows(const Check& c) { return lead(c.shape(0)); }

#define HEED_ENTRY(name) void name(Check& c);
HEED_KERNELS(HEED_ENTRY)
#undef HEED_ENTRY

} // namespace checks
} // namespace heed
