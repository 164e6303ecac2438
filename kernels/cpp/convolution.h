// Convolutions of images (B, C, H, W) with weights (O, C/G, Kh, Kw) -> (B, O, Ph, Pw), and what takes their gradients
// back: three views each, of which the kernel's name says the result.
//   attrs: stride (y, x), zeros before, zeros behind, dilation, groups
#pragma once
#include "correlate-weights.h"
#include "elementwise.h"

namespace heed {
namespace HEED_ISA {

struct ConvolutionAttrs {
  int64_t stride[2], before[2], dilation[2], groups;
  explicit ConvolutionAttrs(const Command& c) : groups((int64_t)c.attrs[8]) {
    for (int i = 0; i < 2; i++) {
      stride[i] = (int64_t)c.attrs[i];
      before[i] = (int64_t)c.attrs[2 + i];
      dilation[i] = (int64_t)c.attrs[6 + i];
    }
  }
};

static Images imagesOf(const View& v, const Run& run) {
  return {run.at<float>(v), v.stride[0], v.stride[1], v.stride[2], v.stride[3], v.shape[2], v.shape[3]};
}

// All taps of a window, as the places of the result count them.
static List<Tap> tapsOf(const ConvolutionAttrs& a, const View& w) {
  List<Tap> taps;
  for (int64_t y = 0; y < w.shape[2]; y++)
    for (int64_t x = 0; x < w.shape[3]; x++)
      taps.push({y * a.dilation[0] - a.before[0], x * a.dilation[1] - a.before[1], y * w.stride[2] + x * w.stride[3]});
  return taps;
}

// Views: x, w, y.
static void convolution(const Command& c, const Run& run) {
  const ConvolutionAttrs a(c);
  const View &x = c.views[0], &w = c.views[1], &y = c.views[2];
  const List<Tap> taps = tapsOf(a, w);
  if (taps.empty() || w.shape[1] == 0) return zeroView(y, run);
  const int64_t outputs = w.shape[0] / a.groups;
  correlate({x.shape[0], a.groups, outputs, w.shape[1], imagesOf(x, run), imagesOf(y, run), run.at<float>(w),
             outputs * w.stride[0], w.stride[0], w.stride[1], taps, a.stride[0], a.stride[1]},
            run.pool);
}

// One axis of the places of x that a step apart: what they have in common, and where they lie in x.
struct Residue {
  int64_t first, count; // of the steps
  int64_t start;        // the first's place in x
  Residue(int64_t residue, int64_t size, int64_t before, int64_t stride) {
    first = most(0, ceilDiv(before - residue, stride));
    start = first * stride + residue - before;
    count = start < size ? (size - 1 - start) / stride + 1 : 0;
  }
};

// Views: dy, w, dx. Place i of x is read by place p of y at tap k when i + before = p·stride + k·dilation: the places
// of x with one residue of (i + before) by the stride see some of the taps, each with a step of 1.
static void convolutionInput(const Command& c, const Run& run) {
  const ConvolutionAttrs a(c);
  const View &dy = c.views[0], &w = c.views[1], &dx = c.views[2];
  const int64_t outputs = w.shape[1], channels = w.shape[0] / a.groups;
  const Images whole = imagesOf(dx, run);
  bool sparse = channels == 0; // some places are read by no window
  for (int i = 0; i < 2; i++) sparse |= a.stride[i] > 1;
  if (sparse) zeroView(dx, run);
  if (channels == 0) return;
  for (int64_t ry = 0; ry < a.stride[0]; ry++)
    for (int64_t rx = 0; rx < a.stride[1]; rx++) {
      const Residue y(ry, whole.height, a.before[0], a.stride[0]), x(rx, whole.width, a.before[1], a.stride[1]);
      List<Tap> taps;
      for (int64_t ky = 0; ky < w.shape[2]; ky++)
        for (int64_t kx = 0; kx < w.shape[3]; kx++) {
          const int64_t fromY = ky * a.dilation[0] - ry, fromX = kx * a.dilation[1] - rx;
          if (fromY % a.stride[0] == 0 && fromX % a.stride[1] == 0)
            taps.push({y.first - fromY / a.stride[0], x.first - fromX / a.stride[1],
                       ky * w.stride[2] + kx * w.stride[3]});
        }
      if (taps.empty() || y.count == 0 || x.count == 0) continue;
      const Images out{whole.data + y.start * whole.row + x.start * whole.column, whole.image, whole.channel,
                       whole.row * a.stride[0], whole.column * a.stride[1], y.count, x.count};
      correlate({dx.shape[0], a.groups, outputs, channels, imagesOf(dy, run), out, run.at<float>(w),
                 channels * w.stride[0], w.stride[1], w.stride[0], taps, 1, 1},
                run.pool);
    }
}

// Views: x, dy, dw.
static void convolutionWeight(const Command& c, const Run& run) {
  const ConvolutionAttrs a(c);
  const View &x = c.views[0], &dy = c.views[1], &dw = c.views[2];
  if (dw.count() == 0) return;
  if (x.shape[0] == 0) return zeroView(dw, run);
  const List<Tap> taps = tapsOf(a, dw);
  const int64_t outputs = dw.shape[0] / a.groups;
  correlateWeights({x.shape[0], a.groups, outputs, dw.shape[1], imagesOf(x, run), imagesOf(dy, run), run.at<float>(dw),
                    outputs * dw.stride[0], dw.stride[0], dw.stride[1], taps, a.stride[0], a.stride[1]},
                   run.pool);
}

} // namespace HEED_ISA
} // namespace heed
