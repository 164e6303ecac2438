// Rules for kernels with windows over images that the table of kernels cannot express: the number
// of positions of a window.
#include "check.h"

namespace heed {
namespace checks {

// A window of `taps` elements that moves along an axis of `size` elements with padding on both
// sides.
struct WindowAxis {
  int64_t size, taps, stride, before, behind, dilation;
  double padded() const { return (double)size + (double)before + (double)behind; }
  double reach() const { return ((double)taps - 1) * (double)dilation + 1; }
  bool fits() const { return padded() <= INT32_MAX && taps >= 1 && reach() <= padded(); }
  int64_t places() const { return (int64_t)((padded() - reach()) / (double)stride) + 1; }
};

// The window along axis 2 + i of images.
template <class Args>
static WindowAxis axisOf(const Args& args, const View& images, int64_t taps, int i) {
  return {images.shape[2 + i], taps,           args.stride[i],
          args.before[i],      args.behind[i], args.dilation[i]};
}

static bool fits(Check& c, const WindowAxis& axis, int i) {
  c.require(axis.fits(), "the windows do not fit into axis " + std::to_string(2 + i));
  return c.passed();
}

// Images x (B, C, H, W), weights w (O, C / groups, Kh, Kw), and their convolution y.
template <class Args>
static void checkConvolution(const Args& args, const View& x, const View& w, const View& y,
                             Check& c) {
  Shape places{x.shape[0], w.shape[0]};
  double memory = 1; // size of an image with its padding
  for (int i = 0; i < 2; i++) {
    const WindowAxis axis = axisOf(args, x, w.shape[2 + i], i);
    if (!fits(c, axis, i)) return;
    memory *= axis.padded();
    places.push_back(axis.places());
  }
  const int64_t groups = args.groups;
  c.require(w.shape[0] % groups == 0 && (double)w.shape[1] * (double)groups == (double)x.shape[1],
            "the groups do not divide the channels");
  for (int i = 0; i < 2; i++) memory *= std::max(1.0, (double)w.shape[i]);
  c.require(memory * (double)std::max<int64_t>(1, x.shape[0]) < 1e15, "the images are too large");
  c.has("y", y, places);
}

void check(const ConvolutionArgs& args, Check& c) {
  checkConvolution(args, args.x, args.w, args.y, c);
}

void check(const ConvolutionInputArgs& args, Check& c) {
  checkConvolution(args, args.dx, args.w, args.dy, c);
}

void check(const ConvolutionWeightArgs& args, Check& c) {
  checkConvolution(args, args.x, args.dw, args.dy, c);
}

// Images x (B, C, H, W), and y, the results of windows over them.
template <class Args>
static void checkPool(const Args& args, const View& x, const View& y, Check& c) {
  Shape places{x.shape[0], x.shape[1]};
  double memory = 1; // size of a channel with its padding
  for (int i = 0; i < 2; i++) {
    const WindowAxis axis = axisOf(args, x, args.kernel[i], i);
    if (!fits(c, axis, i)) return;
    memory *= axis.padded();
    places.push_back(axis.places());
  }
  c.require(memory < 1e15, "the images are too large");
  c.has("y", y, places);
}

void check(const MaxPoolArgs& args, Check& c) { checkPool(args, args.x, args.y, c); }

void check(const MaxPoolBackwardArgs& args, Check& c) { checkPool(args, args.dx, args.dy, c); }

// windows (…, P1..Pd, K1..Kd), out (…, L1..Ld)
void check(const FoldWindowArgs& args, Check& c) {
  const View &windows = args.windows, &out = args.out;
  const int d = (int)args.stride.count, first = windows.rank - 2 * d;
  if (first < 0 || out.rank != windows.rank - d)
    return c.complain("`windows` must have " + std::to_string(d) + " axes more than `out`");
  for (int i = 0; i < first; i++)
    c.require(windows.shape[i] == out.shape[i], "the leading dimensions differ");
  for (int i = 0; i < d; i++) {
    const int64_t places = windows.shape[first + i], taps = windows.shape[first + d + i];
    const double reach = (double)(places - 1) * (double)args.stride[i] +
                         (double)(taps - 1) * (double)args.dilation[i] + 1;
    if (places > 0 && taps > 0 && reach > (double)out.shape[first + i])
      c.complain("the windows reach past the end of axis " + std::to_string(first + i));
  }
}

} // namespace checks
} // namespace heed
