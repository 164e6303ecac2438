// The input of convolutions: a copy of an image with zeros around it (a sheet), so that the windows
// of all positions are inside, and the copies that make a panel of a matrix product from it.
#pragma once
#include "gemm.h"
#include "list.h"

namespace heed {
namespace HEED_ISA {

// Images (B, C, H, W) in memory.
struct Images {
  float* data;
  int64_t image, channel, row, column; // strides
  int64_t height, width;
};

// The position at which a window reads, relative to its own position times the step, and the offset
// of its weight.
struct Tap {
  int64_t y, x, weight;
};

// One axis of the windows: the smallest tap, the number of phases of the step that the taps use,
// and the number of elements that a phase has beyond the positions.
struct Reach {
  int64_t first, phases, beyond;
  Reach(int64_t least_, int64_t greatest, int64_t step)
      : first(least_), phases(least(step, greatest - least_ + 1)),
        beyond((greatest - least_) / step) {}
};

// A sheet for some rows of positions, channel by channel. With a step, rows and columns with the
// same residue modulo the step are stored together (as phases), so that adjacent positions always
// read adjacent numbers.
struct Sheet {
  const Images& in;
  int64_t stepY, stepX, channels;
  Reach y, x;
  int64_t rows, columns; // of a phase
  float around = 0;

  Sheet(const Images& in, const List<Tap>& taps, int64_t stepY, int64_t stepX, int64_t channels,
        int64_t height, int64_t width)
      : in(in), stepY(stepY), stepX(stepX), channels(channels), y(reachOf(taps, stepY, true)),
        x(reachOf(taps, stepX, false)), rows(height + y.beyond), columns(width + x.beyond) {}

  int64_t phase() const { return rows * columns; }
  int64_t channel() const { return y.phases * x.phases * phase(); }
  int64_t image() const { return channels * channel(); }

  // Offset of the numbers of a tap in each channel.
  int64_t at(const Tap& tap) const {
    const int64_t dy = tap.y - y.first, dx = tap.x - x.first;
    const int64_t inPhase = (dy / stepY) * columns + dx / stepX;
    return ((dy % stepY) * x.phases + dx % stepX) * phase() + inPhase;
  }

  // Copies the channels of one image, starting at `first`, for the rows of positions from y0 on.
  void fill(int64_t imageIndex, int64_t first, int64_t y0, float* to) const {
    const float* image = in.data + imageIndex * in.image + first * in.channel;
    for (int64_t c = 0; c < channels; c++, image += in.channel)
      for (int64_t py = 0; py < y.phases; py++)
        for (int64_t px = 0; px < x.phases; px++)
          for (int64_t i = 0; i < rows; i++, to += columns)
            fillRow(image, (y0 + i) * stepY + py + y.first, px + x.first, to);
  }

private:
  static Reach reachOf(const List<Tap>& taps, int64_t step, bool vertical) {
    int64_t low = INT64_MAX, high = INT64_MIN;
    for (const Tap& t : taps)
      low = least(low, vertical ? t.y : t.x), high = most(high, vertical ? t.y : t.x);
    return Reach(low, high, step);
  }

  // Copies columns start, start + step, …; outside the image they are `around`.
  void fillRow(const float* image, int64_t row, int64_t start, float* to) const {
    const bool inside = row >= 0 && row < in.height;
    const int64_t from = !inside ? columns : least(columns, start < 0 ? ceilDiv(-start, stepX) : 0);
    const int64_t until =
        start >= in.width ? from : most(from, least(columns, (in.width - 1 - start) / stepX + 1));
    for (int64_t j = 0; j < from; j++) to[j] = around;
    const int64_t step = stepX * in.column;
    const float* source = image + row * in.row + start * in.column;
    if (step == 1)
      for (int64_t j = from; j < until; j++) to[j] = source[j];
    else if (step == 2)
      for (int64_t j = from; j < until; j++) to[j] = source[2 * j];
    else
      for (int64_t j = from; j < until; j++) to[j] = source[j * step];
    for (int64_t j = until; j < columns; j++) to[j] = around;
  }
};

// Additional floats after a sheet or a panel, because whole vectors may read or write beyond its
// end.
constexpr int64_t SPARE = 2 * VL;

// Copies a row of a panel as whole vectors of a source. A vector may be too long; the next one then
// overwrites the excess.
struct RowCopy {
  struct Piece {
    int64_t from, to;
  };
  Piece pieces[TILE_COLUMNS];
  int count = 0;

  void add(int64_t from, int64_t to, int64_t length) {
    for (int64_t i = 0; i < length; i += VL) pieces[count++] = {from + i, to + i};
  }

  // Copies the pieces that start at source[at[k]] to panel[k], for each k.
  void run(int64_t K, const float* source, const int64_t* at, int64_t width, float* panel) const {
    switch (count) {
      case 1: return copies<1>(K, source, at, width, panel);
      case 2: return copies<2>(K, source, at, width, panel);
      case 3: return copies<3>(K, source, at, width, panel);
      case 4: return copies<4>(K, source, at, width, panel);
    }
    for (int64_t k = 0; k < K; k++, panel += width)
      for (int i = 0; i < count; i++)
        store(panel + pieces[i].to, load(source + at[k] + pieces[i].from));
  }

private:
  template <int COUNT>
  void copies(int64_t K, const float* source, const int64_t* at, int64_t width,
              float* panel) const {
    Piece p[COUNT];
    for (int i = 0; i < COUNT; i++) p[i] = pieces[i];
    for (int64_t k = 0; k < K; k++, panel += width) {
      const float* from = source + at[k];
      HEED_UNROLL
      for (int i = 0; i < COUNT; i++) store(panel + p[i].to, load(from + p[i].from));
    }
  }
};

} // namespace HEED_ISA
} // namespace heed
