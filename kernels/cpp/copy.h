// copyAt:  target[.., offset : offset + n, ..] = source along axis
// sliceAt: out = x[.., offset : offset + n, ..]
// The offset is a run-time value.
#pragma once
#include "elementwise.h"

namespace heed {
namespace HEED_ISA {

// Narrows `whole` to [offset, offset + length) along the axis. Returns false if that is out of
// range.
static bool narrow(const char* kernel, View& whole, const View& offset, int axis, int64_t length,
                   const Run& run) {
  const int64_t start = *run.at<int32_t>(offset);
  if (start < 0 || start + length > whole.shape[axis]) {
    run.fail("%s: [%lld, %lld) is out of range for axis %d, which has size %lld", kernel,
             (long long)start, (long long)(start + length), axis, (long long)whole.shape[axis]);
    return false;
  }
  whole.offset += start * whole.stride[axis];
  whole.shape[axis] = length;
  return true;
}

static void copyAt(const Command& command, const Run& run) {
  const CopyAtArgs args(command);
  View target = args.target;
  if (narrow("copyAt", target, args.offset, args.axis, args.source.shape[args.axis], run))
    copyView(args.source, target, run);
}

static void sliceAt(const Command& command, const Run& run) {
  const SliceAtArgs args(command);
  View x = args.x;
  if (narrow("sliceAt", x, args.offset, args.axis, args.out.shape[args.axis], run))
    copyView(x, args.out, run);
}

} // namespace HEED_ISA
} // namespace heed
