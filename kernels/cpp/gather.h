// take:
//   out = x with `axis` replaced by index's dims: out[.., j.., ..] = x[.., index[j..], ..]
// scatterAdd, scatterSet:
//   out = base; then out[.., index[j..], ..] += (=) source[.., j.., ..] for increasing j, so that sums
//   are deterministic and the last value set remains. out may have exactly the same view as base.
#pragma once
#include "elementwise.h"

namespace heed {
namespace HEED_ISA {

// Indices as a contiguous array, checked against the size of the axis.
struct Indices {
  const int32_t* at;
  int64_t count;
  bool valid = false; // if false, an index was out of range and the run has failed
  List<int32_t> copy;

  Indices(const char* kernel, const View& index, const View& whole, int axis, const Run& run)
      : count(index.count()), copy(index.contiguous() ? 0 : (size_t)count) {
    at = run.at<int32_t>(index);
    if (!index.contiguous()) {
      Cursor cursor(run, index, Order::natural(index.rank));
      if (count > 0) cursor.load(count, (uint32_t*)copy.begin());
      at = copy.begin();
    }
    const int64_t size = whole.shape[axis];
    for (int64_t j = 0; j < count; j++)
      if (at[j] < 0 || at[j] >= size) {
        run.fail("%s: index %d is out of range for axis %d, which has size %lld", kernel, at[j],
                 axis, (long long)size);
        return;
      }
    valid = true;
  }
};

// The dimensions after the axis, for two views together, merged where both allow it.
struct Slices {
  int rank = 0;
  int64_t count = 1, shape[MAX_RANK], a[MAX_RANK], b[MAX_RANK];

  Slices(const View& va, int firstA, const View& vb, int firstB) {
    for (int d = 0; firstA + d < va.rank; d++) {
      const int64_t size = va.shape[firstA + d], sa = va.stride[firstA + d],
                    sb = vb.stride[firstB + d];
      count *= size;
      if (size == 1) continue;
      const bool merges = rank > 0 && a[rank - 1] == sa * size && b[rank - 1] == sb * size;
      if (!merges) shape[rank++] = 1;
      shape[rank - 1] *= size;
      a[rank - 1] = sa;
      b[rank - 1] = sb;
    }
    if (rank == 0) shape[0] = 1, a[0] = b[0] = 0, rank = 1;
  }

  int longest() const {
    int best = rank - 1;
    for (int d = 0; d < rank; d++)
      if (shape[d] > shape[best]) best = d;
    return best;
  }

  // Calls each(pa, stride, pb, stride, length) for every innermost run.
  template <class T, class F> void runs(const T* pa, T* pb, F&& each) const {
    const int last = rank - 1;
    int64_t index[MAX_RANK] = {};
    for (;;) {
      each(pa, a[last], pb, b[last], shape[last]);
      int d = last - 1;
      for (; d >= 0; d--) {
        pa += a[d], pb += b[d];
        if (++index[d] < shape[d]) break;
        pa -= a[d] * shape[d], pb -= b[d] * shape[d];
        index[d] = 0;
      }
      if (d < 0) return;
    }
  }
};

struct Set {
  template <class T> HEED_INLINE void apply(T& to, T from) { to = from; }
};
struct Add {
  template <class T> HEED_INLINE void apply(T& to, T from) { to = (T)(to + from); }
};

template <class Op, class T>
HEED_INLINE void runInto(const T* from, int64_t fromStep, T* to, int64_t toStep, int64_t n) {
  if (fromStep == 1 && toStep == 1)
    for (int64_t i = 0; i < n; i++) Op::apply(to[i], from[i]);
  else
    for (int64_t i = 0; i < n; i++) Op::apply(to[i * toStep], from[i * fromStep]);
}

// A cursor over the offsets of some dimensions: those before the axis, or those of the index.
static Cursor leadingDims(const View& v, int first, int count, const Run& run) {
  Order order;
  for (int d = 0; d < count; d++) order.axis[order.rank++] = first + d;
  Cursor cursor(run, v, order);
  cursor.seek(0);
  return cursor;
}
static inline int64_t offsetOf(Cursor& cursor, int64_t linear) {
  cursor.seek(linear);
  return cursor.offset;
}

template <class T> static void takeOf(const TakeArgs& args, const Run& run) {
  const View &x = args.x, &index = args.index, &out = args.out;
  const int axis = args.axis;
  const Indices indices("take", index, x, axis, run);
  if (!indices.valid || out.count() == 0) return;
  const Slices slices(x, axis + 1, out, axis + index.rank);
  const int64_t items = out.count() / slices.count, itemsPerTask = most(1, 16384 / slices.count);
  const Cursor xLead = leadingDims(x, 0, axis, run),
               outLead = leadingDims(out, 0, axis + index.rank, run);
  const T* from = run.at<T>(x);
  T* to = run.at<T>(out);

  parallel(run.pool, ceilDiv(items, itemsPerTask), [&](int64_t task, int) {
    Cursor lead = xLead, place = outLead;
    const int64_t first = task * itemsPerTask, last = least(items, first + itemsPerTask);
    int64_t outer = first / indices.count, j = first % indices.count, base = offsetOf(lead, outer);
    place.seek(first);
    place.pieces(last - first, [&](int64_t, int64_t at, int64_t step, int64_t length) {
      for (int64_t i = 0; i < length; i++, j++) {
        if (j == indices.count) j = 0, base = offsetOf(lead, ++outer);
        const T* slice = from + base + indices.at[j] * x.stride[axis];
        if (slices.count == 1) to[at + i * step] = *slice;
        else
          slices.runs(slice, to + at + i * step,
                      [](const T* p, int64_t ps, T* q, int64_t qs, int64_t n) {
                        runInto<Set>(p, ps, q, qs, n);
                      });
      }
    });
  });
}

static void take(const Command& command, const Run& run) {
  const TakeArgs args(command);
  return sizeOf(args.x.dtype) == 4 ? takeOf<uint32_t>(args, run) : takeOf<uint8_t>(args, run);
}

static bool sameView(const View& a, const View& b) {
  bool same = a.buffer == b.buffer && a.offset == b.offset;
  for (int d = 0; d < a.rank; d++) same &= a.shape[d] == 1 || a.stride[d] == b.stride[d];
  return same;
}

// Two tasks never write the same element: each owns a band of the slices or a range of target
// indices.
template <class Op, class T, class Args>
static void scatterOf(const char* kernel, const Args& args, const Run& run) {
  const View &base = args.base, &index = args.index, &src = args.source, &out = args.out;
  const int axis = args.axis;
  const Indices indices(kernel, index, base, axis, run);
  if (!indices.valid || out.count() == 0) return;
  if (!sameView(base, out)) copyView(base, out, run);
  if (src.count() == 0) return;

  const Slices slices(src, axis + index.rank, out, axis + 1);
  const int cut = slices.longest();
  const int64_t size = out.shape[axis], length = slices.shape[cut],
                outer = out.count() / slices.count / size;
  const bool large = indices.count * slices.count >= 16384;
  const int64_t band = large ? most(64, ceilDiv(length, 16 * 16) * 16) : length,
                bands = ceilDiv(length, band);
  const int64_t ranges = large && bands == 1 ? least(8, size) : 1, range = ceilDiv(size, ranges);
  const Cursor srcLead = leadingDims(src, 0, axis, run), outLead = leadingDims(out, 0, axis, run);
  const Cursor srcIndex = leadingDims(src, axis, index.rank, run);

  parallel(run.pool, outer * bands * ranges, [&](int64_t task, int) {
    Cursor fromLead = srcLead, toLead = outLead, place = srcIndex;
    const int64_t o = task / ranges / bands, start = task / ranges % bands * band;
    const int64_t low = task % ranges * range, high = low + range;
    Slices mine = slices;
    mine.shape[cut] = least(band, length - start);
    const T* from = run.at<T>(src) + offsetOf(fromLead, o) + start * slices.a[cut];
    T* to = run.at<T>(out) + offsetOf(toLead, o) + start * slices.b[cut];
    place.pieces(indices.count, [&](int64_t done, int64_t at, int64_t step, int64_t n) {
      for (int64_t i = 0; i < n; i++) {
        const int64_t target = indices.at[done + i];
        if (target < low || target >= high) continue;
        mine.runs(from + at + i * step, to + target * out.stride[axis],
                  [](const T* p, int64_t ps, T* q, int64_t qs, int64_t m) {
                    runInto<Op>(p, ps, q, qs, m);
                  });
      }
    });
  });
}

static void scatterAdd(const Command& command, const Run& run) {
  const ScatterAddArgs args(command);
  const DType dtype = args.base.dtype;
  if (dtype == DType::f32) scatterOf<Add, float>("scatterAdd", args, run);
  else if (sizeOf(dtype) == 4) scatterOf<Add, uint32_t>("scatterAdd", args, run);
  else scatterOf<Add, uint8_t>("scatterAdd", args, run);
}

static void scatterSet(const Command& command, const Run& run) {
  const ScatterSetArgs args(command);
  if (sizeOf(args.base.dtype) == 4) scatterOf<Set, uint32_t>("scatterSet", args, run);
  else scatterOf<Set, uint8_t>("scatterSet", args, run);
}

} // namespace HEED_ISA
} // namespace heed
