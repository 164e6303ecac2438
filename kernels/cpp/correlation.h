// out[b, m, y, x] = sum over channels c and taps t of weights[m, c, t] · in[b, c, y·step + t.y,
// x·step + t.x], with zeros around `in`. Convolutions and the gradient of their input have this
// form.
#pragma once
#include "sheet.h"

namespace heed {
namespace HEED_ISA {

// Results that read the same positions are computed together, one phase each: offset of its weights
// and of its first output.
struct Phase {
  int64_t weight, place;
};

struct Correlation {
  int64_t images, groups;
  int64_t outputs, channels; // of a group; outputs in each phase
  Images in, out;
  const float* weights;
  int64_t weightGroup, weightOutput, weightChannel; // strides
  const List<Tap>& taps;
  int64_t stepY, stepX;
  const List<Phase>& phases;
  int64_t places() const { return out.height * out.width; }
  int64_t field() const { return channels * (int64_t)taps.size(); }

  // All outputs of a group, with all phases of each.
  int64_t rows() const { return outputs * (int64_t)phases.size(); }
  const float* weightsOf(int64_t group, int64_t row) const {
    const int64_t n = (int64_t)phases.size();
    return weights + group * weightGroup + row / n * weightOutput + phases[row % n].weight;
  }
  float* outOf(int64_t group, int64_t row) const {
    const int64_t n = (int64_t)phases.size();
    return out.data + (group * outputs + row / n) * out.channel + phases[row % n].place;
  }
};

// The positions of a task: images, and rows of each.
struct Places {
  Range images, rows;
};

// Cuts the positions into tasks by shape alone: about `columns` positions each, or fewer if there
// would be less than TASKS tasks.
struct PlaceCut {
  Cut images, rows;
  int64_t parts() const { return images.parts * rows.parts; }
  Places at(int64_t i) const { return {part(images, i / rows.parts), part(rows, i % rows.parts)}; }
};

inline PlaceCut cutPlaces(const Correlation& c, int64_t columns) {
  const int64_t P = c.places(), width = c.out.width;
  const double work = (double)c.rows() * (double)c.field();
  while (columns > 2 * TILE_COLUMNS && c.images * c.groups * ceilDiv(P, columns) < TASKS &&
         work * (double)columns > MIN_TASK)
    columns /= 2;
  if (2 * P <= columns)
    return {{c.images, ceilDiv(c.images, columns / P), 1}, {c.out.height, 1, 1}};
  // Choose a number of rows that gives whole vectors of positions, if it is small.
  int64_t unit = 1;
  while (unit < 8 && unit * width % VL != 0) unit++;
  if (unit == 8) unit = 1;
  const int64_t parts = most(1, (P + columns / 2) / columns);
  return {{c.images, c.images, 1}, {c.out.height, least(parts, ceilDiv(c.out.height, unit)), unit}};
}

// Calls body(group, places, thread) for each task.
template <class Body> inline void eachTask(const Correlation& c, Pool& pool, Body&& body) {
  const PlaceCut cut = cutPlaces(c, 16 * TILE_COLUMNS);
  parallel(pool, c.groups * cut.parts(), [&](int64_t task, int thread) {
    body(task % c.groups, cut.at(task / c.groups), thread);
  });
}

// Offset in the sheet of each number of a window.
inline List<int64_t> fieldsOf(const Correlation& c, const Sheet& sheet) {
  List<int64_t> at((size_t)c.field());
  int64_t k = 0;
  for (int64_t channel = 0; channel < c.channels; channel++)
    for (const Tap& tap : c.taps) at[k++] = channel * sheet.channel() + sheet.at(tap);
  return at;
}

HEED_INLINE bool isAdjacent(const Images& i) {
  return (i.column == 1 || i.width == 1) && (i.row == i.width || i.height == 1);
}

} // namespace HEED_ISA
} // namespace heed
