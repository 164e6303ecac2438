// Element-wise programs that read an input across its rows (a matrix transpose, perhaps with arithmetic):
// walked in tiles, so that each cache line is used whole while it is near.
#pragma once
#include "vm.h"

namespace heed {
namespace HEED_ISA {

// to[r * C + c] = from[r + c * stride]: a column-major tile to row-major lanes.
static void transposeLanes(const float* from, int64_t stride, int64_t R, int64_t C, float* to) {
  typedef float v4 __attribute__((vector_size(16)));
  typedef float v4_unaligned __attribute__((vector_size(16), aligned(4), may_alias));
  int64_t c = 0;
  for (; c + 4 <= C; c += 4) {
    const float* p = from + c * stride;
    int64_t r = 0;
    for (; r + 4 <= R; r += 4, p += 4) {
      v4 a = *(const v4_unaligned*)p, b = *(const v4_unaligned*)(p + stride);
      v4 d = *(const v4_unaligned*)(p + 2 * stride), e = *(const v4_unaligned*)(p + 3 * stride);
      v4 ab = __builtin_shufflevector(a, b, 0, 4, 1, 5), abHigh = __builtin_shufflevector(a, b, 2, 6, 3, 7);
      v4 de = __builtin_shufflevector(d, e, 0, 4, 1, 5), deHigh = __builtin_shufflevector(d, e, 2, 6, 3, 7);
      float* q = to + r * C + c;
      *(v4_unaligned*)q = __builtin_shufflevector(ab, de, 0, 1, 4, 5);
      *(v4_unaligned*)(q + C) = __builtin_shufflevector(ab, de, 2, 3, 6, 7);
      *(v4_unaligned*)(q + 2 * C) = __builtin_shufflevector(abHigh, deHigh, 0, 1, 4, 5);
      *(v4_unaligned*)(q + 3 * C) = __builtin_shufflevector(abHigh, deHigh, 2, 3, 6, 7);
    }
    for (; r < R; r++, p++)
      for (int64_t k = 0; k < 4; k++) to[r * C + c + k] = p[k * stride];
  }
  for (; c < C; c++)
    for (int64_t r = 0; r < R; r++) to[r * C + c] = from[r + c * stride];
}

// The iteration space with jointly merged dimensions. Along `across`, an input has stride 1;
// along `along`, the last dimension, the outputs have (or at least their smallest stride).
struct Tiling {
  static constexpr int64_t R = 32, C = BLOCK / R; // of a tile: across, along
  static constexpr int64_t STRIP = 64;            // tiles that one task does along its rows
  int rank = 0, across = -1, along = -1;
  int64_t shape[MAX_RANK];
  std::vector<std::vector<int64_t>> stride; // [view][dimension]

  Tiling(const std::vector<View>& views, const Order& order, int inputs) : stride(views.size()) {
    for (int i = 0; i < order.rank; i++) add(views, order.axis[i]);
    along = rank - 1;
    for (int i = 0; i < inputs && across < 0; i++) {
      if (sizeOf(views[i].dtype) != 4 || rank < 2 || stride[i][along] == 0 || stride[i][along] == 1) continue;
      for (int d = 0; d < along; d++)
        if (stride[i][d] == 1 && shape[d] >= 8 && shape[along] >= 8) across = d;
    }
  }
  bool worthwhile() const { return across >= 0; }

private:
  void add(const std::vector<View>& views, int axis) {
    const int64_t size = views[0].shape[axis];
    if (size == 1) return;
    bool merges = rank > 0;
    for (size_t v = 0; v < views.size() && merges; v++)
      merges = stride[v].back() == views[v].stride[axis] * size;
    if (merges) shape[rank - 1] *= size;
    else shape[rank++] = size;
    for (size_t v = 0; v < views.size(); v++) {
      if (merges) stride[v].pop_back();
      stride[v].push_back(views[v].stride[axis]);
    }
  }
};

static inline void loadTile(const View& v, const char* base, int64_t offset, int64_t across, int64_t along, int64_t R,
                            int64_t C, uint32_t* to) {
  if (sizeOf(v.dtype) == 4 && across == 1 && along != 1 && along != 0)
    return transposeLanes((const float*)base + offset, along, R, C, (float*)to);
  for (int64_t r = 0; r < R; r++) loadLanes(v.dtype, base, offset + r * across, along, C, to + r * C);
}

static void runTiled(const MicroProgram& program, const Tiling& t, const std::vector<View>& views, const Run& run) {
  const int64_t rows = t.shape[t.across], columns = t.shape[t.along];
  const int64_t bands = ceilDiv(rows, t.R), strips = ceilDiv(columns, t.STRIP * t.C);
  int64_t outer = 1;
  for (int d = 0; d < t.along; d++) outer *= d == t.across ? 1 : t.shape[d];

  parallel(run.pool, outer * bands * strips, [&](int64_t task, int thread) {
    Machine machine(program, run.pool, thread);
    std::vector<int64_t> corner(views.size()); // offset of the strip's first element
    const int64_t strip = task % strips, row = task / strips % bands * t.R;
    const int64_t R = least(t.R, rows - row), first = strip * t.STRIP * t.C;
    const int64_t last = least(columns, first + t.STRIP * t.C);
    for (size_t v = 0; v < views.size(); v++) {
      corner[v] = views[v].offset + row * t.stride[v][t.across];
      int64_t rest = task / strips / bands;
      for (int d = t.along - 1; d >= 0; d--) {
        if (d == t.across) continue;
        corner[v] += rest % t.shape[d] * t.stride[v][d];
        rest /= t.shape[d];
      }
    }
    for (int64_t column = first; column < last; column += t.C) {
      const int64_t C = least(t.C, last - column);
      for (int i = 0; i < program.inputs; i++) {
        const int64_t step = t.stride[i][t.along];
        loadTile(views[i], (char*)run.buffers[views[i].buffer], corner[i] + column * step, t.stride[i][t.across], step,
                 R, C, machine.own(i));
        machine.at[i] = machine.own(i);
      }
      machine.execute(0, R * C, nullptr);
      for (size_t o = 0; o < program.results.size(); o++) {
        const size_t v = (size_t)program.inputs + o;
        const int64_t step = t.stride[v][t.along];
        for (int64_t r = 0; r < R; r++)
          storeLanes(views[v].dtype, (char*)run.buffers[views[v].buffer],
                     corner[v] + column * step + r * t.stride[v][t.across], step, C,
                     machine.at[program.results[o]] + r * C);
      }
    }
  });
}

} // namespace HEED_ISA
} // namespace heed
