// maxPool: x (B, C, H, W) -> y and taps (B, C, Ph, Pw): the largest of each window, and which place of the window it
// has (i32, the first of equals; places around x are -infinity).
//   attrs: kernel (y, x), stride, places before, places behind, dilation
// maxPoolBackward: taps, dy -> dx, where each dy goes to the place that was the largest.
#pragma once
#include "copy.h"
#include "elementwise.h"
#include "sheet.h"

namespace heed {
namespace HEED_ISA {

struct PoolAttrs {
  int64_t kernel[2], stride[2], before[2], dilation[2];
  List<Tap> taps; // `weight` is the number

  explicit PoolAttrs(const Command& c) {
    for (int i = 0; i < 2; i++) {
      kernel[i] = (int64_t)c.attrs[i], stride[i] = (int64_t)c.attrs[2 + i];
      before[i] = (int64_t)c.attrs[4 + i], dilation[i] = (int64_t)c.attrs[8 + i];
    }
    for (int64_t y = 0; y < kernel[0]; y++)
      for (int64_t x = 0; x < kernel[1]; x++)
        taps.push({y * dilation[0] - before[0], x * dilation[1] - before[1], (int64_t)taps.size()});
  }
};

// Channels of images, so many to a task that it is worth handing over.
template <class F> inline void eachChannel(const Run& run, const View& v, int64_t work, F&& body) {
  const int64_t channels = v.shape[0] * v.shape[1], atOnce = most(1, least(32, 32768 / most(1, work)));
  parallel(run.pool, ceilDiv(channels, atOnce), [&](int64_t task, int thread) {
    for (int64_t i = task * atOnce; i < least(channels, (task + 1) * atOnce); i++)
      body(i / v.shape[1], i % v.shape[1], thread);
  });
}

// A vector of places. Once a window has met a value that is not a number, that stays.
HEED_INLINE void largest(const float* from, int64_t T, const int64_t* at, float* values, int32_t* taps) {
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

static void maxPool(const Command& c, const Run& run) {
  const PoolAttrs a(c);
  const View &x = c.views[0], &y = c.views[1], &tapView = c.views[2];
  if (y.count() == 0) return;
  const int64_t height = y.shape[2], width = y.shape[3], T = (int64_t)a.taps.size();
  const Images in{run.at<float>(x), x.stride[0], x.stride[1], x.stride[2], x.stride[3], x.shape[2], x.shape[3]};
  eachChannel(run, y, height * width * T, [&](int64_t image, int64_t channel, int thread) {
    Sheet sheet(in, a.taps, a.stride[0], a.stride[1], 1, height, width);
    sheet.around = -__builtin_inff();
    float* plane = (float*)run.pool.scratch(thread, 0, sizeof(float) * (sheet.image() + SPARE));
    float* values = (float*)run.pool.scratch(thread, 1, sizeof(float) * 2 * (width + SPARE));
    int32_t* taps = (int32_t*)(values + width + SPARE);
    List<int64_t> at((size_t)T);
    for (int64_t t = 0; t < T; t++) at[t] = sheet.at(a.taps[t]);
    sheet.fill(image, channel, 0, plane);
    for (int64_t i = 0; i < height; i++) {
      for (int64_t j = 0; j < width; j += VL) largest(plane + i * sheet.columns + j, T, at.begin(), values + j, taps + j);
      float* toValue = run.at<float>(y) + image * y.stride[0] + channel * y.stride[1] + i * y.stride[2];
      int32_t* toTap = run.at<int32_t>(tapView) + image * tapView.stride[0] + channel * tapView.stride[1] + i * tapView.stride[2];
      for (int64_t j = 0; j < width; j++) toValue[j * y.stride[3]] = values[j], toTap[j * tapView.stride[3]] = taps[j];
    }
  });
}

static void maxPoolBackward(const Command& c, const Run& run) {
  const PoolAttrs a(c);
  const View &tapView = c.views[0], &dy = c.views[1], &dx = c.views[2];
  if (dx.count() == 0) return;
  const int64_t T = (int64_t)a.taps.size();
  eachChannel(run, dx, dx.shape[2] * dx.shape[3], [&](int64_t image, int64_t channel, int) {
    float* to = run.at<float>(dx) + image * dx.stride[0] + channel * dx.stride[1];
    for (int64_t y = 0; y < dx.shape[2]; y++)
      for (int64_t x = 0; x < dx.shape[3]; x++) to[y * dx.stride[2] + x * dx.stride[3]] = 0;
    const int32_t* taps = run.at<int32_t>(tapView) + image * tapView.stride[0] + channel * tapView.stride[1];
    const float* from = run.at<float>(dy) + image * dy.stride[0] + channel * dy.stride[1];
    for (int64_t i = 0; i < dy.shape[2]; i++)
      for (int64_t j = 0; j < dy.shape[3]; j++) {
        const int64_t number = taps[i * tapView.stride[2] + j * tapView.stride[3]];
        if (number < 0 || number >= T) {
          run.fail("maxPoolBackward: place %lld of a window that has %lld", (long long)number, (long long)T);
          return;
        }
        const Tap tap = a.taps[number];
        const int64_t y = i * a.stride[0] + tap.y, x = j * a.stride[1] + tap.x;
        if (y >= 0 && y < dx.shape[2] && x >= 0 && x < dx.shape[3])
          to[y * dx.stride[2] + x * dx.stride[3]] += from[i * dy.stride[2] + j * dy.stride[3]];
      }
  });
}

} // namespace HEED_ISA
} // namespace heed
