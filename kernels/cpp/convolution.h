// Convolutions of images (B, C, H, W) with weights (O, C/G, Kh, Kw) -> (B, O, Ph, Pw), and their
// gradients. Stride, padding (before and behind) and dilation are pairs (y, x).
#pragma once
#include "correlate-weights.h"
#include "elementwise.h"

namespace heed {
namespace HEED_ISA {

static Images imagesOf(const View& v, const Run& run) {
  return {run.at<float>(v), v.stride[0], v.stride[1], v.stride[2],
          v.stride[3],      v.shape[2],  v.shape[3]};
}

// All taps of a window, relative to the position of the result.
template <class Args> static List<Tap> tapsOf(const Args& a, const View& w) {
  List<Tap> taps;
  for (int64_t y = 0; y < w.shape[2]; y++)
    for (int64_t x = 0; x < w.shape[3]; x++)
      taps.push({y * a.dilation[0] - a.before[0], x * a.dilation[1] - a.before[1],
                 y * w.stride[2] + x * w.stride[3]});
  return taps;
}

static void convolution(const Command& command, const Run& run) {
  const ConvolutionArgs a(command);
  const View &x = a.x, &w = a.w, &y = a.y;
  const List<Tap> taps = tapsOf(a, w);
  if (taps.empty() || w.shape[1] == 0) return zeroView(y, run);
  const int64_t outputs = w.shape[0] / a.groups;
  List<Phase> one;
  one.push({0, 0});
  correlate({x.shape[0], a.groups, outputs, w.shape[1], imagesOf(x, run), imagesOf(y, run),
             run.at<float>(w), outputs * w.stride[0], w.stride[0], w.stride[1], taps, a.stride[0],
             a.stride[1], one},
            run.pool);
}

// The gradient of the input. Position p of y reads position i of x at tap k if i + before =
// p·stride + k·dilation. All positions of one axis of x with the same residue of (i + before)
// modulo the stride use the same taps, which are `every` apart. Position number n of a residue is
// start + n·stride; it uses positions of y from n + at downwards, `apart` apart.
struct Residue {
  int64_t start, count, tap, taps, at;
  bool seesAs(const Residue& r) const { return count == r.count && taps == r.taps && at == r.at; }
};

struct Residues {
  List<Residue> all;
  int64_t stride, every = 1, apart;
  bool cover = true; // whether every position of x is written

  Residues(int64_t size, int64_t places, int64_t kernel, int64_t stride, int64_t before,
           int64_t dilation)
      : stride(stride) {
    while (every * dilation % stride != 0) every++;
    apart = every * dilation / stride;
    for (int64_t r = 0; r < stride; r++) {
      const int64_t first = most(0, ceilDiv(before - r, stride)),
                    start = first * stride + r - before;
      const int64_t count = start < size ? (size - 1 - start) / stride + 1 : 0;
      int64_t tap = 0;
      while (tap < every && (tap * dilation - r) % stride != 0) tap++;
      const int64_t taps = tap < least(every, kernel) ? (kernel - 1 - tap) / every + 1 : 0;
      const int64_t at = first - (tap * dilation - r) / stride,
                    seen = places - at + (taps - 1) * apart;
      all.push({start, taps == 0 ? 0 : most(0, least(count, seen)), tap, taps, at});
      cover = cover && all.back().count == count;
    }
  }

  // Whether a residue is the first of those that use the same positions of y.
  bool isFirst(int64_t r) const {
    int64_t i = 0;
    while (!all[i].seesAs(all[r])) i++;
    return i == r && all[r].count > 0;
  }
};

// Residues that use the same positions of y are computed as one product. Without overlap of the
// windows, this is the case for all of them.
static void convolutionInput(const Command& command, const Run& run) {
  const ConvolutionInputArgs a(command);
  const View &dy = a.dy, &w = a.w, &dx = a.dx;
  const int64_t outputs = w.shape[1], channels = w.shape[0] / a.groups;
  const Images whole = imagesOf(dx, run);
  const auto residuesOf = [&](int axis) {
    return Residues(dx.shape[2 + axis], dy.shape[2 + axis], w.shape[2 + axis], a.stride[axis],
                    a.before[axis], a.dilation[axis]);
  };
  const Residues ys = residuesOf(0), xs = residuesOf(1);
  if (channels == 0 || !ys.cover || !xs.cover) zeroView(dx, run);
  if (channels == 0) return;
  for (int64_t ry = 0; ry < ys.stride; ry++)
    for (int64_t rx = 0; rx < xs.stride; rx++) {
      if (!ys.isFirst(ry) || !xs.isFirst(rx)) continue;
      const Residue &y = ys.all[ry], &x = xs.all[rx];
      List<Tap> taps;
      for (int64_t i = 0; i < y.taps; i++)
        for (int64_t j = 0; j < x.taps; j++)
          taps.push({y.at - i * ys.apart, x.at - j * xs.apart,
                     (y.tap + i * ys.every) * w.stride[2] + (x.tap + j * xs.every) * w.stride[3]});
      List<Phase> phases;
      for (const Residue& v : ys.all)
        for (const Residue& u : xs.all)
          if (v.seesAs(y) && u.seesAs(x))
            phases.push({(v.tap - y.tap) * w.stride[2] + (u.tap - x.tap) * w.stride[3],
                         (v.start - y.start) * whole.row + (u.start - x.start) * whole.column});
      const Images out{whole.data + y.start * whole.row + x.start * whole.column,
                       whole.image,
                       whole.channel,
                       whole.row * a.stride[0],
                       whole.column * a.stride[1],
                       y.count,
                       x.count};
      correlate({dx.shape[0], a.groups, outputs, channels, imagesOf(dy, run), out, run.at<float>(w),
                 channels * w.stride[0], w.stride[1], w.stride[0], taps, 1, 1, phases},
                run.pool);
    }
}

static void convolutionWeight(const Command& command, const Run& run) {
  const ConvolutionWeightArgs a(command);
  const View &x = a.x, &dy = a.dy, &dw = a.dw;
  if (dw.count() == 0) return;
  if (x.shape[0] == 0) return zeroView(dw, run);
  const List<Tap> taps = tapsOf(a, dw);
  const int64_t outputs = dw.shape[0] / a.groups;
  correlateWeights({x.shape[0], a.groups, outputs, dw.shape[1], imagesOf(x, run), imagesOf(dy, run),
                    run.at<float>(dw), outputs * dw.stride[0], dw.stride[0], dw.stride[1], taps,
                    a.stride[0], a.stride[1]},
                   run.pool);
}

} // namespace HEED_ISA
} // namespace heed
