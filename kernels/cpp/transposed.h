// Element-wise programs that read an input across its rows (a matrix transpose, possibly with
// arithmetic). They run in tiles, so that each cache line is fully used while it is in the cache.
#pragma once
#include "transpose.h"
#include "vm.h"

namespace heed {
namespace HEED_ISA {

// The iteration space, with dimensions merged where all views allow it. Along `across`, an input
// has unit stride. Along `along`, the last dimension, the outputs have their smallest stride.
struct Tiling {
  static constexpr int64_t C = 16, R = BLOCK / C; // a tile along and across: a cache line wide
  static constexpr int64_t BAND = 256,
                           STRIP = 1024; // minimum work of a task, across and along
  int rank = 0, across = -1, along = -1;
  int64_t shape[MAX_RANK];
  struct Strides {
    int64_t of[MAX_RANK];
    int64_t operator[](int d) const { return of[d]; }
  };
  List<Strides> stride; // [view][dimension]

  Tiling(const View* views, const Order& order, int inputs, int outputs)
      : stride((size_t)(inputs + outputs)) {
    for (int i = 0; i < order.rank; i++) add(views, order.axis[i]);
    along = rank - 1;
    for (int i = 0; i < inputs && across < 0; i++) {
      if (sizeOf(views[i].dtype) != 4 || rank < 2 || stride[i][along] == 0 || stride[i][along] == 1)
        continue;
      for (int d = 0; d < along; d++)
        if (stride[i][d] == 1 && shape[d] >= 8 && shape[along] >= 8) across = d;
    }
  }
  bool worthwhile() const { return across >= 0; }

  // Offset in a view of the element at `row` along `across`, `column` along `along`, and `rest`,
  // the linear index over all other dimensions.
  int64_t offset(size_t view, int64_t rest, int64_t row, int64_t column) const {
    int64_t at = row * stride[view][across] + column * stride[view][along];
    for (int d = along - 1; d >= 0; d--) {
      if (d == across) continue;
      at += rest % shape[d] * stride[view][d];
      rest /= shape[d];
    }
    return at;
  }

private:
  void add(const View* views, int axis) {
    const int64_t size = views[0].shape[axis];
    if (size == 1) return;
    bool merges = rank > 0;
    for (size_t v = 0; v < stride.size() && merges; v++)
      merges = stride[v][rank - 1] == views[v].stride[axis] * size;
    if (merges) shape[rank - 1] *= size;
    else shape[rank++] = size;
    for (size_t v = 0; v < stride.size(); v++) stride[v].of[rank - 1] = views[v].stride[axis];
  }
};

struct Tiled {
  const MicroProgram& program;
  const Tiling& tiling;
  const View* views;
  const Run& run;

  bool plainTranspose() const {
    return program.steps.empty() && tiling.stride.size() == 2 && sizeOf(views[1].dtype) == 4 &&
           sizeOf(views[0].dtype) == 4 && tiling.stride[0][tiling.across] == 1 &&
           tiling.stride[1][tiling.along] == 1;
  }

  char* base(size_t view) const { return (char*)run.buffers[views[view].buffer]; }

  // Computes rows [row, row + R) and columns [column, column + C).
  void tile(Machine& machine, int64_t rest, int64_t row, int64_t column, int64_t R,
            int64_t C) const {
    for (size_t i = 0; i < (size_t)program.inputs; i++) {
      const int64_t across = tiling.stride[i][tiling.across],
                    along = tiling.stride[i][tiling.along];
      const int64_t at = views[i].offset + tiling.offset(i, rest, row, column);
      uint32_t* to = machine.own((int)i);
      if (sizeOf(views[i].dtype) == 4 && across == 1 && along != 1 && along != 0)
        transposeTile((const float*)base(i) + at, along, R, C, (float*)to, C);
      else
        for (int64_t r = 0; r < R; r++)
          loadLanes(views[i].dtype, base(i), at + r * across, along, C, to + r * C);
      machine.at[i] = to;
    }
    machine.execute(0, R * C, nullptr);
    for (size_t o = 0; o < program.results.size(); o++) {
      const size_t v = (size_t)program.inputs + o;
      const int64_t across = tiling.stride[v][tiling.across],
                    along = tiling.stride[v][tiling.along];
      const int64_t at = views[v].offset + tiling.offset(v, rest, row, column);
      const uint32_t* from = machine.at[program.results[o]];
      for (int64_t r = 0; r < R; r++)
        storeLanes(views[v].dtype, base(v), at + r * across, along, C, from + r * C);
    }
  }

  // The same for a plain transpose without arithmetic.
  void plainTile(int64_t rest, int64_t row, int64_t column, int64_t R, int64_t C) const {
    transposeTile((const float*)base(0) + views[0].offset + tiling.offset(0, rest, row, column),
                  tiling.stride[0][tiling.along], R, C,
                  (float*)base(1) + views[1].offset + tiling.offset(1, rest, row, column),
                  tiling.stride[1][tiling.across]);
  }
};

static void runTiled(const MicroProgram& program, const Tiling& t, const View* views,
                     const Run& run) {
  const Tiled tiled{program, t, views, run};
  const bool plain = tiled.plainTranspose();
  const int64_t rows = t.shape[t.across], columns = t.shape[t.along];
  const int64_t bands = ceilDiv(rows, t.BAND), strips = ceilDiv(columns, t.STRIP);
  int64_t units = bands * strips;
  for (int d = 0; d < t.along; d++) units *= d == t.across ? 1 : t.shape[d];
  const int64_t unitsPerTask = most(1, 16384 / (least(rows, t.BAND) * least(columns, t.STRIP)));

  parallel(run.pool, ceilDiv(units, unitsPerTask), [&](int64_t task, int thread) {
    Machine machine(program, run.pool, thread);
    for (int64_t unit = task * unitsPerTask; unit < least(units, (task + 1) * unitsPerTask);
         unit++) {
      const int64_t rest = unit / strips / bands, top = unit / strips % bands * t.BAND,
                    left = unit % strips * t.STRIP;
      const int64_t bottom = least(rows, top + t.BAND), right = least(columns, left + t.STRIP);
      for (int64_t column = left; column < right; column += t.C) {
        const int64_t C = least(t.C, right - column);
        if (plain) tiled.plainTile(rest, top, column, bottom - top, C);
        else
          for (int64_t row = top; row < bottom; row += t.R)
            tiled.tile(machine, rest, row, column, least(t.R, bottom - row), C);
      }
    }
  });
}

} // namespace HEED_ISA
} // namespace heed
