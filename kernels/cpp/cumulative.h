// cumulative: y[.., i, ..] = x[.., 0, ..] op ... op x[.., i, ..] along axis. Floats are summed and
// multiplied in double precision.
#pragma once
#include "lanes.h"

namespace heed {
namespace HEED_ISA {

// Offset of a line along `axis`. Lines are numbered in row-major order of the other axes.
static inline int64_t lineOffset(const View& v, int axis, int64_t line) {
  int64_t offset = 0;
  for (int d = v.rank - 1; d >= 0; d--) {
    if (d == axis) continue;
    offset += line % v.shape[d] * v.stride[d];
    line /= v.shape[d];
  }
  return offset;
}

// Scans lines that are adjacent in memory.
template <class T, class Wide, class Op>
static void scanNeighbours(const T* in, T* out, Wide* total, int64_t width, int64_t length,
                           int64_t inStep, int64_t outStep, Op op) {
  for (int64_t j = 0; j < width; j++) out[j] = (T)(total[j] = (Wide)in[j]);
  for (int64_t i = 1; i < length; i++)
    for (int64_t j = 0; j < width; j++)
      out[i * outStep + j] = (T)(total[j] = op(total[j], (Wide)in[i * inStep + j]));
}

// Scans several lines together, one element of each at a time, so that their dependency chains
// overlap.
template <class T, class Wide, class Op>
static void scanLines(const T* in, T* out, const int64_t* from, const int64_t* to, int64_t lines,
                      int64_t length, int64_t inStep, int64_t outStep, Op op) {
  constexpr int64_t GROUP = 64;
  for (int64_t first = 0; first < lines; first += GROUP) {
    const int64_t width = least(GROUP, lines - first);
    Wide total[GROUP];
    bool neighbours = true;
    for (int64_t j = 1; j < width; j++)
      neighbours &= from[first + j] == from[first] + j && to[first + j] == to[first] + j;
    if (neighbours) {
      scanNeighbours<T, Wide>(in + from[first], out + to[first], total, width, length, inStep,
                              outStep, op);
      continue;
    }
    for (int64_t i = 0; i < length; i++)
      for (int64_t j = 0; j < width; j++) {
        const Wide x = (Wide)in[from[first + j] + i * inStep];
        total[j] = i == 0 ? x : op(total[j], x);
        out[to[first + j] + i * outStep] = (T)total[j];
      }
  }
}

template <class T, class Wide>
static void cumulativeOf(const CumulativeArgs& args, const Run& run) {
  using Operation = CumulativeArgs::Operation;
  const View &in = args.x, &out = args.y;
  const int axis = args.axis;
  const int64_t length = in.shape[axis], count = in.count();
  if (count == 0) return;
  // Lines that are adjacent in memory are fastest many at a time, others few at a time: each is a
  // separate memory stream.
  const int64_t lines = count / length, together = axis == in.rank - 1 ? 4 : 64;
  const int64_t groups = ceilDiv(lines, together),
                groupsPerTask = most(1, 16384 / (length * together));
  parallel(run.pool, ceilDiv(groups, groupsPerTask), [&](int64_t task, int) {
    for (int64_t g = task * groupsPerTask; g < least(groups, (task + 1) * groupsPerTask); g++) {
      int64_t from[64], to[64];
      const int64_t width = least(together, lines - g * together);
      for (int64_t j = 0; j < width; j++) {
        from[j] = lineOffset(in, axis, g * together + j);
        to[j] = lineOffset(out, axis, g * together + j);
      }
      const auto scan = [&](auto f) {
        scanLines<T, Wide>(run.at<T>(in), run.at<T>(out), from, to, width, length, in.stride[axis],
                           out.stride[axis], f);
      };
      if (args.operation == Operation::sum) scan([](Wide a, Wide b) { return (Wide)(a + b); });
      else if (args.operation == Operation::prod)
        scan([](Wide a, Wide b) { return (Wide)(a * b); });
      else scan([](Wide a, Wide b) { return a > b || a != a ? a : b; }); // NaN propagates
    }
  });
}

// Sums and products of i32 are computed as u32, which wraps. Only the maximum depends on the sign.
static void cumulative(const Command& command, const Run& run) {
  const CumulativeArgs args(command);
  const bool max = args.operation == CumulativeArgs::Operation::max;
  switch (args.x.dtype) {
    case DType::f32: return cumulativeOf<float, double>(args, run);
    case DType::i32:
      return max ? cumulativeOf<int32_t, int32_t>(args, run)
                 : cumulativeOf<uint32_t, uint32_t>(args, run);
    case DType::u32: return cumulativeOf<uint32_t, uint32_t>(args, run);
    default: return cumulativeOf<uint8_t, uint8_t>(args, run);
  }
}

} // namespace HEED_ISA
} // namespace heed
