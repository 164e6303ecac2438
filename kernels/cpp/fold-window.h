// foldWindow: windows (lead.., P1..Pd, K1..Kd) -> out (lead.., L1..Ld)
//   The transpose of an N-d window view:
//   out = 0, then out[.., p * stride + k * dilation] += windows[.., p, k].
#pragma once
#include "gather.h"

namespace heed {
namespace HEED_ISA {

template <class T> struct WindowFold {
  int d, lead; // number of window dims and of leading dims
  const View &in, &out;
  const Integers &stride, &dilation;

  WindowFold(const FoldWindowArgs& args)
      : d((int)args.stride.count), lead(args.out.rank - d), in(args.windows), out(args.out),
        stride(args.stride), dilation(args.dilation) {}
  int64_t places(int i) const { return in.shape[lead + i]; }
  int64_t taps(int i) const { return in.shape[lead + d + i]; }
  int64_t placeStep(int i) const { return in.stride[lead + i]; }
  int64_t tapStep(int i) const { return in.stride[lead + d + i]; }

  // Adds all windows that contain line `at` of window dimension i to this line, which starts at
  // `to`.
  void line(int i, int64_t at, const T* from, T* to) const {
    for (int64_t k = 0; k < taps(i); k++) {
      const int64_t reach = at - k * dilation[i];
      if (reach < 0 || reach % stride[i] != 0 || reach / stride[i] >= places(i)) continue;
      inside(i + 1, from + reach / stride[i] * placeStep(i) + k * tapStep(i), to);
    }
  }

  void inside(int i, const T* from, T* to) const {
    const int64_t step = out.stride[lead + i];
    if (i < d - 1) {
      for (int64_t at = 0; at < out.shape[lead + i]; at++) line(i, at, from, to + at * step);
    } else {
      for (int64_t k = 0; k < taps(i); k++)
        runInto<Add>(from + k * tapStep(i), placeStep(i), to + k * dilation[i] * step,
                     stride[i] * step, places(i));
    }
  }
};

template <class T> static void foldWindowOf(const FoldWindowArgs& args, const Run& run) {
  const WindowFold<T> fold(args);
  const View &in = fold.in, &out = fold.out;
  // A task is a range of outputs: of leading dimensions and, with two or more window dimensions, of
  // lines of the first.
  const int64_t lines = fold.d > 1 ? out.shape[fold.lead] : 1;
  int64_t items = lines;
  for (int i = 0; i < fold.lead; i++) items *= out.shape[i];
  const int64_t itemsPerTask = most(1, 16384 / most(1, in.count() / items));
  const Cursor inLead = leadingDims(in, 0, fold.lead, run),
               outLead = leadingDims(out, 0, fold.lead, run);
  parallel(run.pool, ceilDiv(items, itemsPerTask), [&](int64_t task, int) {
    Cursor fromLead = inLead, toLead = outLead;
    for (int64_t item = task * itemsPerTask; item < least(items, (task + 1) * itemsPerTask);
         item++) {
      const int64_t line = item % lines;
      const T* from = run.at<T>(in) + offsetOf(fromLead, item / lines);
      T* to = run.at<T>(out) + offsetOf(toLead, item / lines);
      if (fold.d > 1) fold.line(0, line, from, to + line * out.stride[fold.lead]);
      else fold.inside(0, from, to);
    }
  });
}

static void foldWindow(const Command& command, const Run& run) {
  const FoldWindowArgs args(command);
  const View& out = args.out;
  if (out.count() == 0) return;
  zeroView(out, run);
  if (args.windows.count() == 0) return;
  if (out.dtype == DType::f32) foldWindowOf<float>(args, run);
  else if (sizeOf(out.dtype) == 4) foldWindowOf<uint32_t>(args, run);
  else foldWindowOf<uint8_t>(args, run);
}

} // namespace HEED_ISA
} // namespace heed
