// copyAt: src, target, offset (i32, 1 element)   attrs [axis]
//   target[.., offset : offset + n, ..] = src along axis
// sliceAt: x, offset (i32, 1 element), out       attrs [axis]
//   out = x[.., offset : offset + n, ..]
// The offset is read when the program runs.
#pragma once
#include "elementwise.h"

namespace heed {
namespace HEED_ISA {

// `whole` narrowed to `length` places from the offset on; false when they are not all there.
static bool narrow(const char* kernel, View& whole, const View& offset, int axis, int64_t length, const Run& run) {
  const int64_t start = *run.at<int32_t>(offset);
  if (start < 0 || start + length > whole.shape[axis]) {
    run.fail("%s: [%lld, %lld) is out of range for axis %d, which has size %lld", kernel, (long long)start,
             (long long)(start + length), axis, (long long)whole.shape[axis]);
    return false;
  }
  whole.offset += start * whole.stride[axis];
  whole.shape[axis] = length;
  return true;
}

static void copyAt(const Command& c, const Run& run) {
  const int axis = (int)c.attrs[0];
  View target = c.views[1];
  if (narrow("copyAt", target, c.views[2], axis, c.views[0].shape[axis], run)) copyView(c.views[0], target, run);
}

static void sliceAt(const Command& c, const Run& run) {
  const int axis = (int)c.attrs[0];
  View x = c.views[0];
  if (narrow("sliceAt", x, c.views[1], axis, c.views[2].shape[axis], run)) copyView(x, c.views[2], run);
}

} // namespace HEED_ISA
} // namespace heed
