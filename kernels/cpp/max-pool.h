// maxPool: x (B, C, H, W) -> y and taps (B, C, Ph, Pw): the maximum of each window and its position
// in the window (i32; ties give the first). The padding is -infinity. Kernel, stride, padding
// (before and behind) and dilation are pairs (y, x). maxPoolBackward: taps, dy -> dx, where each dy
// is added at the position of the maximum.
#pragma once
#include "copy.h"
#include "elementwise.h"
#include "sheet.h"

namespace heed {
namespace HEED_ISA {

// The taps of a window. `weight` is the number of the tap.
template <class Args> static List<Tap> poolTaps(const Args& a) {
  List<Tap> taps;
  for (int64_t y = 0; y < a.kernel[0]; y++)
    for (int64_t x = 0; x < a.kernel[1]; x++)
      taps.push(
          {y * a.dilation[0] - a.before[0], x * a.dilation[1] - a.before[1], (int64_t)taps.size()});
  return taps;
}

// Calls body(image, channel, thread) for each channel of each image, with enough channels per task
// to outweigh its overhead.
template <class F> inline void eachChannel(const Run& run, const View& v, int64_t work, F&& body) {
  const int64_t channels = v.shape[0] * v.shape[1],
                atOnce = most(1, least(32, 32768 / most(1, work)));
  parallel(run.pool, ceilDiv(channels, atOnce), [&](int64_t task, int thread) {
    for (int64_t i = task * atOnce; i < least(channels, (task + 1) * atOnce); i++)
      body(i / v.shape[1], i % v.shape[1], thread);
  });
}

// Maxima of the windows of a vector of positions. The first NaN of a window is its maximum.
HEED_INLINE void largest(const float* from, int64_t T, const int64_t* at, float* values,
                         int32_t* taps) {
  vf best = load(from + at[0]);
  vi tap = {};
  for (int64_t t = 1; t < T; t++) {
    const vf v = load(from + at[t]);
    const vi better = (v > best) | ((v != v) & (best == best));
    best = select(better, v, best);
    tap = better ? splat((int32_t)t) : tap;
  }
  store(values, best);
  store(taps, tap);
}

static void maxPool(const Command& command, const Run& run) {
  const MaxPoolArgs a(command);
  const List<Tap> window = poolTaps(a);
  const View &x = a.x, &y = a.y, &tapView = a.taps;
  if (y.count() == 0) return;
  const int64_t height = y.shape[2], width = y.shape[3], T = (int64_t)window.size();
  const Images in{run.at<float>(x), x.stride[0], x.stride[1], x.stride[2],
                  x.stride[3],      x.shape[2],  x.shape[3]};
  eachChannel(run, y, height * width * T, [&](int64_t image, int64_t channel, int thread) {
    Sheet sheet(in, window, a.stride[0], a.stride[1], 1, height, width);
    sheet.around = -__builtin_inff();
    float* plane = (float*)run.pool.scratch(thread, 0, sizeof(float) * (sheet.image() + SPARE));
    float* values = (float*)run.pool.scratch(thread, 1, sizeof(float) * 2 * (width + SPARE));
    int32_t* taps = (int32_t*)(values + width + SPARE);
    List<int64_t> at((size_t)T);
    for (int64_t t = 0; t < T; t++) at[t] = sheet.at(window[t]);
    sheet.fill(image, channel, 0, plane);
    for (int64_t i = 0; i < height; i++) {
      for (int64_t j = 0; j < width; j += VL)
        largest(plane + i * sheet.columns + j, T, at.begin(), values + j, taps + j);
      float* toValue =
          run.at<float>(y) + image * y.stride[0] + channel * y.stride[1] + i * y.stride[2];
      int32_t* toTap = run.at<int32_t>(tapView) + image * tapView.stride[0] +
                       channel * tapView.stride[1] + i * tapView.stride[2];
      for (int64_t j = 0; j < width; j++)
        toValue[j * y.stride[3]] = values[j], toTap[j * tapView.stride[3]] = taps[j];
    }
  });
}

static void maxPoolBackward(const Command& command, const Run& run) {
  const MaxPoolBackwardArgs a(command);
  const List<Tap> window = poolTaps(a);
  const View &tapView = a.taps, &dy = a.dy, &dx = a.dx;
  if (dx.count() == 0) return;
  const int64_t T = (int64_t)window.size();
  eachChannel(run, dx, dx.shape[2] * dx.shape[3], [&](int64_t image, int64_t channel, int) {
    float* to = run.at<float>(dx) + image * dx.stride[0] + channel * dx.stride[1];
    for (int64_t y = 0; y < dx.shape[2]; y++)
      for (int64_t x = 0; x < dx.shape[3]; x++) to[y * dx.stride[2] + x * dx.stride[3]] = 0;
    const int32_t* taps =
        run.at<int32_t>(tapView) + image * tapView.stride[0] + channel * tapView.stride[1];
    const float* from = run.at<float>(dy) + image * dy.stride[0] + channel * dy.stride[1];
    for (int64_t i = 0; i < dy.shape[2]; i++)
      for (int64_t j = 0; j < dy.shape[3]; j++) {
        const int64_t number = taps[i * tapView.stride[2] + j * tapView.stride[3]];
        if (number < 0 || number >= T) {
          run.fail("maxPoolBackward: place %lld of a window that has %lld", (long long)number,
                   (long long)T);
          return;
        }
        const Tap tap = window[number];
        const int64_t y = i * a.stride[0] + tap.y, x = j * a.stride[1] + tap.x;
        if (y >= 0 && y < dx.shape[2] && x >= 0 && x < dx.shape[3])
          to[y * dx.stride[2] + x * dx.stride[3]] += from[i * dy.stride[2] + j * dy.stride[3]];
      }
  });
}

} // namespace HEED_ISA
} // namespace heed
