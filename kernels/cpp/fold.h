// The arithmetic of reductions: folds blocks of lanes with sum, prod, max or min.
#pragma once
#include "lanes.h"
#include "math.h"

namespace heed {
namespace HEED_ISA {

// Type-erased, so that the loops of reduce.h are compiled only once. A wide value (a running result
// in 64 bits) is a double for f32 and the plain number for integers.
struct Folder {
  uint32_t identity; // lane bits
  uint64_t (*fold)(const uint32_t* lanes, int64_t n);
  uint64_t (*combine)(uint64_t a, uint64_t b);
  uint32_t (*narrow)(uint64_t wide);
  void (*foldRows)(const uint32_t* lanes, int64_t rows, int64_t length,
                   uint32_t* out); // one result for each row
  void (*accumulate)(uint32_t* into, const uint32_t* lanes,
                     int64_t n); // lane by lane; n up to a multiple of VL
  // out[j] = the fold of parts[p * pitch + j] over p < count, for j < n
  void (*merge)(const uint32_t* parts, int64_t pitch, int64_t count, int64_t n, uint32_t* out);
};

// Each operation has a scalar and a vector function of two arguments, and an identity element.
struct SumF32 {
  typedef float Lane;
  typedef double Wide;
  typedef vf Vector;
  static constexpr Lane identity = 0;
  template <class T> HEED_INLINE T apply(T a, T b) { return a + b; }
};
struct ProdF32 : SumF32 {
  static constexpr Lane identity = 1;
  template <class T> HEED_INLINE T apply(T a, T b) { return a * b; }
};
struct MaxF32 : SumF32 { // NaN in a or b propagates
  static constexpr Lane identity = -INFINITY_F;
  HEED_INLINE vf apply(vf a, vf b) { return select((a > b) | (a != a), a, b); }
  HEED_INLINE double apply(double a, double b) { return a > b || a != a ? a : b; }
  HEED_INLINE float apply(float a, float b) { return a > b || a != a ? a : b; }
};
struct MinF32 : SumF32 {
  static constexpr Lane identity = INFINITY_F;
  HEED_INLINE vf apply(vf a, vf b) { return select((a < b) | (a != a), a, b); }
  HEED_INLINE double apply(double a, double b) { return a < b || a != a ? a : b; }
  HEED_INLINE float apply(float a, float b) { return a < b || a != a ? a : b; }
};
struct SumU32 { // for i32, too: both wrap
  typedef uint32_t Lane;
  typedef uint32_t Wide;
  typedef vu Vector;
  static constexpr Lane identity = 0;
  template <class T> HEED_INLINE T apply(T a, T b) { return a + b; }
};
struct ProdU32 : SumU32 {
  static constexpr Lane identity = 1;
  template <class T> HEED_INLINE T apply(T a, T b) { return a * b; }
};
struct MaxU32 : SumU32 {
  HEED_INLINE vu apply(vu a, vu b) { return (vu)select((vi)(a > b), (vf)a, (vf)b); }
  HEED_INLINE uint32_t apply(uint32_t a, uint32_t b) { return a > b ? a : b; }
};
struct MinU32 : SumU32 {
  static constexpr Lane identity = UINT32_MAX;
  HEED_INLINE vu apply(vu a, vu b) { return (vu)select((vi)(a < b), (vf)a, (vf)b); }
  HEED_INLINE uint32_t apply(uint32_t a, uint32_t b) { return a < b ? a : b; }
};
struct MaxI32 {
  typedef int32_t Lane;
  typedef int32_t Wide;
  typedef vi Vector;
  static constexpr Lane identity = INT32_MIN;
  HEED_INLINE vi apply(vi a, vi b) { return (vi)select(a > b, (vf)a, (vf)b); }
  HEED_INLINE int32_t apply(int32_t a, int32_t b) { return a > b ? a : b; }
};
struct MinI32 : MaxI32 {
  static constexpr Lane identity = INT32_MAX;
  HEED_INLINE vi apply(vi a, vi b) { return (vi)select(a < b, (vf)a, (vf)b); }
  HEED_INLINE int32_t apply(int32_t a, int32_t b) { return a < b ? a : b; }
};

template <class Op> struct Folding {
  typedef typename Op::Lane Lane;
  typedef typename Op::Wide Wide;
  typedef typename Op::Vector Vector;

  template <class To, class From> HEED_INLINE To as(From x) {
    To y{};
    memcpy(&y, &x, sizeof x < sizeof y ? sizeof x : sizeof y);
    return y;
  }
  HEED_INLINE Vector vectorAt(const uint32_t* p) { return (Vector)load((const int32_t*)p); }

  // Four accumulators hide the latency of an addition, and shorter sums have smaller rounding
  // errors.
  static uint64_t fold(const uint32_t* lanes, int64_t n) {
    Wide total = Op::identity;
    int64_t i = 0;
    if (n >= VL) {
      Vector sum[4] = {vectorAt(lanes)};
      int used = 1;
      for (i = VL; used < 4 && i + VL <= n; i += VL) sum[used++] = vectorAt(lanes + i);
      for (; i + 4 * VL <= n; i += 4 * VL)
        for (int k = 0; k < 4; k++) sum[k] = Op::apply(sum[k], vectorAt(lanes + i + k * VL));
      for (; i + VL <= n; i += VL) sum[0] = Op::apply(sum[0], vectorAt(lanes + i));
      if (used == 4) sum[0] = Op::apply(sum[0], sum[2]), sum[1] = Op::apply(sum[1], sum[3]);
      else if (used == 3) sum[0] = Op::apply(sum[0], sum[2]);
      if (used > 1) sum[0] = Op::apply(sum[0], sum[1]);
      Lane lane[VL];
      memcpy(lane, &sum[0], sizeof lane);
      for (int half = VL / 2; half > 0; half /= 2)
        for (int k = 0; k < half; k++) lane[k] = Op::apply(lane[k], lane[k + half]);
      total = lane[0];
    }
    for (; i < n; i++) total = Op::apply(total, (Wide)as<Lane>(lanes[i]));
    return as<uint64_t>(total);
  }

  static uint64_t combine(uint64_t a, uint64_t b) {
    return as<uint64_t>(Op::apply(as<Wide>(a), as<Wide>(b)));
  }
  static uint32_t narrow(uint64_t wide) { return as<uint32_t>((Lane)as<Wide>(wide)); }

  template <int L> static void foldShortRows(const uint32_t* lanes, int64_t rows, uint32_t* out) {
    for (int64_t r = 0; r < rows; r++, lanes += L) {
      Wide total = as<Lane>(lanes[0]);
      for (int i = 1; i < L; i++) total = Op::apply(total, (Wide)as<Lane>(lanes[i]));
      out[r] = as<uint32_t>((Lane)total);
    }
  }
  static void foldRows(const uint32_t* lanes, int64_t rows, int64_t length, uint32_t* out) {
    switch (length) {
      case 2: return foldShortRows<2>(lanes, rows, out);
      case 3: return foldShortRows<3>(lanes, rows, out);
      case 4: return foldShortRows<4>(lanes, rows, out);
      default:
        for (int64_t r = 0; r < rows; r++) out[r] = narrow(fold(lanes + r * length, length));
    }
  }

  static void accumulate(uint32_t* into, const uint32_t* lanes, int64_t n) {
    int64_t i = 0;
    for (; i + VL <= n; i += VL)
      store((int32_t*)into + i, (vi)Op::apply(vectorAt(into + i), vectorAt(lanes + i)));
    for (; i < n; i++)
      into[i] = as<uint32_t>((Lane)Op::apply(as<Lane>(into[i]), as<Lane>(lanes[i])));
  }

  static void merge(const uint32_t* parts, int64_t pitch, int64_t count, int64_t n, uint32_t* out) {
    constexpr int64_t GROUP = 64;
    for (int64_t first = 0; first < n; first += GROUP) {
      const int64_t width = least(GROUP, n - first);
      Wide total[GROUP];
      for (int64_t j = 0; j < width; j++) total[j] = Op::identity;
      for (int64_t p = 0; p < count; p++)
        for (int64_t j = 0; j < width; j++)
          total[j] = Op::apply(total[j], (Wide)as<Lane>(parts[p * pitch + first + j]));
      for (int64_t j = 0; j < width; j++) out[first + j] = as<uint32_t>((Lane)total[j]);
    }
  }

  static Folder folder() {
    return {as<uint32_t>((Lane)Op::identity), fold, combine, narrow, foldRows, accumulate, merge};
  }
};

// op: 0 sum 1 prod 2 max 3 min; type: 0 f32 1 i32 2 u32
static Folder folderOf(int op, int type) {
  const bool f32 = type == 0, i32 = type == 1;
  switch (op) {
    case 0: return f32 ? Folding<SumF32>::folder() : Folding<SumU32>::folder();
    case 1: return f32 ? Folding<ProdF32>::folder() : Folding<ProdU32>::folder();
    case 2:
      return f32   ? Folding<MaxF32>::folder()
             : i32 ? Folding<MaxI32>::folder()
                   : Folding<MaxU32>::folder();
    default:
      return f32   ? Folding<MinF32>::folder()
             : i32 ? Folding<MinI32>::folder()
                   : Folding<MinU32>::folder();
  }
}

} // namespace HEED_ISA
} // namespace heed
