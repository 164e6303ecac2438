// Tests whether two views share a byte. The result is exact for all views that the scheduler makes.
#pragma once
#include "program.h"
#include <algorithm>
#include <vector>

namespace heed {

// A shared byte is a solution of: sum over all axes of stride * (i - j) = distance. Axes are tried
// in the order of decreasing stride. The remaining distance must be within reach of the smaller
// strides, which usually leaves only one choice.
class Overlap {
public:
  // Both views must be in the same buffer and not empty.
  Overlap(const View& a, const View& b) {
    add(a, 1), add(b, -1);
    std::sort(axes.begin(), axes.end(),
              [](const Axis& x, const Axis& y) { return x.stride > y.stride; });
    int64_t low = 0, high = 0;
    for (size_t i = axes.size(); i-- > 0;) {
      Axis& axis = axes[i];
      axis.low = low, axis.high = high; // range of the axes after it
      low += axis.least * axis.stride, high += axis.most * axis.stride;
    }
    const int64_t distance = b.offset * sizeOf(b.dtype) - a.offset * sizeOf(a.dtype);
    found = distance >= low && distance <= high && solve(0, distance);
  }
  bool found;

private:
  struct Axis {
    int64_t stride, least, most; // bytes, and the range of i - j
    int64_t low, high;
  };
  std::vector<Axis> axes;
  int steps = 0;

  void add(const View& v, int64_t sign) {
    const int64_t size = sizeOf(v.dtype);
    range(1, sign * (size - 1));
    for (int d = 0; d < v.rank; d++)
      if (v.stride[d] != 0) range(v.stride[d] * size, sign * (v.shape[d] - 1));
  }
  // Adds an axis with steps from 0 to `last`, which may be negative.
  void range(int64_t stride, int64_t last) {
    if (stride < 0) stride = -stride, last = -last;
    const int64_t least = std::min<int64_t>(0, last), most = std::max<int64_t>(0, last);
    for (Axis& axis : axes)
      if (axis.stride == stride) {
        axis.least += least, axis.most += most;
        return;
      }
    axes.push_back({stride, least, most, 0, 0});
  }

  // Tries the axes from `i` on. Views with too many choices count as overlapping; the scheduler
  // does not make any.
  bool solve(size_t i, int64_t distance) {
    if (i == axes.size()) return distance == 0;
    if (++steps > 10000) return true;
    const Axis& axis = axes[i];
    const int64_t from = std::max(axis.least, ceilOf(distance - axis.high, axis.stride));
    const int64_t to = std::min(axis.most, floorOf(distance - axis.low, axis.stride));
    for (int64_t k = from; k <= to; k++)
      if (solve(i + 1, distance - k * axis.stride)) return true;
    return false;
  }
  static int64_t floorOf(int64_t a, int64_t b) { return a / b - (a % b < 0); }
  static int64_t ceilOf(int64_t a, int64_t b) { return -floorOf(-a, b); }
};

inline bool overlap(const View& a, const View& b) {
  if (a.buffer != b.buffer || a.count() == 0 || b.count() == 0) return false;
  const int64_t sizeA = sizeOf(a.dtype), sizeB = sizeOf(b.dtype);
  if ((a.last() + 1) * sizeA <= b.first() * sizeB || (b.last() + 1) * sizeB <= a.first() * sizeA)
    return false;
  return Overlap(a, b).found;
}

} // namespace heed
