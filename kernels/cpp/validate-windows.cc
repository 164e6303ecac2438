// Checks of kernels that slide windows over images: convolutions, pools.
#include "check.h"

namespace heed {
namespace checks {

// Images (B, C, H, W) in view x, weights (O, C/G, Kh, Kw) in view w, and their convolution in view y.
static void convolutionOf(Check& c, int x, int w, int y, int result) {
  c.views(3);
  c.attrs(9);
  const int64_t groups = c.integer(8, 1, INT32_MAX);
  for (int i = 0; i < 3; i++) {
    c.rankIs(i, 4);
    c.has(i, F32);
  }
  if (!c.error.empty()) return;
  Shape places{c.dim(x, 0), c.dim(w, 0)};
  double memory = 1; // of an image with the zeros around it
  for (int i = 0; i < 2; i++) {
    const int64_t stride = c.integer(i, 1, INT32_MAX), dilation = c.integer(6 + i, 1, INT32_MAX);
    const int64_t before = c.integer(2 + i, 0, INT32_MAX), behind = c.integer(4 + i, 0, INT32_MAX);
    const double size = (double)c.dim(x, 2 + i) + (double)before + (double)behind;
    const double reach = ((double)c.dim(w, 2 + i) - 1) * (double)dilation + 1;
    memory *= size;
    if (size > INT32_MAX || c.dim(w, 2 + i) < 1 || reach > size)
      return c.complain("the windows do not fit into axis " + std::to_string(2 + i));
    places.push_back((int64_t)((size - reach) / (double)stride) + 1);
  }
  c.require(c.dim(w, 0) % groups == 0 && (double)c.dim(w, 1) * (double)groups == (double)c.dim(x, 1),
            "the groups do not divide the channels");
  for (int i = 0; i < 2; i++) memory *= std::max(1.0, (double)c.dim(w, i));
  c.require(memory * (double)std::max<int64_t>(1, c.dim(x, 0)) < 1e15, "the images are too large");
  c.has(y, places);
  c.output(result);
}
void convolution(Check& c) { convolutionOf(c, 0, 1, 2, 2); }
void convolutionInput(Check& c) { convolutionOf(c, 2, 1, 0, 2); }
void convolutionWeight(Check& c) { convolutionOf(c, 0, 2, 1, 2); }

// Images (B, C, H, W) in view x, the results of windows over them in view y.
static void windows(Check& c, int x, int y) {
  c.views(3);
  c.attrs(10);
  c.rankIs(x, 4);
  if (!c.error.empty()) return;
  Shape places{c.dim(x, 0), c.dim(x, 1)};
  double memory = 1; // of a channel with the places around it
  for (int i = 0; i < 2; i++) {
    const int64_t kernel = c.integer(i, 1, 1 << 15), stride = c.integer(2 + i, 1, INT32_MAX);
    const int64_t before = c.integer(4 + i, 0, INT32_MAX), behind = c.integer(6 + i, 0, INT32_MAX);
    const double size = (double)c.dim(x, 2 + i) + (double)before + (double)behind;
    const double reach = (double)(kernel - 1) * (double)c.integer(8 + i, 1, INT32_MAX) + 1;
    memory *= size;
    if (size > INT32_MAX || reach > size)
      return c.complain("the windows do not fit into axis " + std::to_string(2 + i));
    places.push_back((int64_t)((size - reach) / (double)stride) + 1);
  }
  c.require(memory < 1e15, "the images are too large");
  c.has(y, places);
}
void maxPool(Check& c) {
  windows(c, 0, 1);
  c.has(0, F32);
  c.output(1, F32, c.shape(1));
  c.output(2, I32, c.shape(1));
}
void maxPoolBackward(Check& c) {
  windows(c, 2, 0);
  c.index(0, c.shape(0));
  c.has(1, F32, c.shape(0));
  c.has(2, F32);
  c.output(2);
}

void foldWindow(Check& c) {
  c.views(2);
  const int d = (int)c.integer(0, 1, MAX_RANK / 2);
  c.attrs(1 + 2 * d);
  c.rankFrom(0, 2 * d);
  c.rankIs(1, c.rank(0) - d);
  c.has(1, c.view(0).dtype);
  c.output(1);
  if (!c.error.empty()) return;
  const int first = c.rank(0) - 2 * d;
  for (int i = 0; i < first; i++)
    c.require(c.dim(0, i) == c.dim(1, i), "the leading dimensions differ");
  for (int i = 0; i < d; i++) {
    const int64_t stride = c.integer(1 + i, 1, INT32_MAX),
                  dilation = c.integer(1 + d + i, 1, INT32_MAX);
    const int64_t places = c.dim(0, first + i), taps = c.dim(0, first + d + i);
    const double reach =
        (double)(places - 1) * (double)stride + (double)(taps - 1) * (double)dilation + 1;
    if (places > 0 && taps > 0 && reach > (double)c.dim(1, first + i))
      c.complain("the windows reach past the end of axis " + std::to_string(first + i));
  }
}

} // namespace checks
} // namespace heed
