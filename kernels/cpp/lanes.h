// Copying elements between strided memory and blocks of 32-bit lanes.
#pragma once
#include "integers.h"
#include "kernel-schemas.h"
#include "simd.h"

namespace heed {
namespace HEED_ISA {

constexpr int64_t BLOCK = 512; // lanes processed at a time: a few registers of this size stay in L1

HEED_INLINE int64_t padded(int64_t lanes) { return (lanes + VL - 1) / VL * VL; }

HEED_INLINE void copyLanes(const uint32_t* from, uint32_t* to, int64_t n) {
  int64_t i = 0;
  for (; i + VL <= n; i += VL) store((int32_t*)to + i, load((const int32_t*)from + i));
  for (; i < n; i++) to[i] = from[i];
}
HEED_INLINE void fillLanes(uint32_t value, uint32_t* to, int64_t n) {
  vi v = splat((int32_t)value);
  int64_t i = 0;
  for (; i + VL <= n; i += VL) store((int32_t*)to + i, v);
  for (; i < n; i++) to[i] = value;
}

// Loads n elements, `stride` apart, into lanes. Bytes are widened.
template <class T>
HEED_INLINE void gatherLanes(const T* from, int64_t stride, int64_t n, uint32_t* to) {
  if (stride == 0) return fillLanes(*from, to, n);
  if (sizeof(T) == 4 && stride == 1) return copyLanes((const uint32_t*)from, to, n);
  if (stride == 1)
    for (int64_t i = 0; i < n; i++) to[i] = from[i];
  else
    for (int64_t i = 0; i < n; i++) to[i] = from[i * stride];
}

// Loads rows of L elements, `pitch` apart. Unrolled, because the overhead of a loop over a few
// elements is larger than their cost.
template <int L, class T>
static void gatherRows(const T* from, int64_t stride, int64_t pitch, int64_t rows, uint32_t* to) {
  for (int64_t r = 0; r < rows; r++, from += pitch, to += L)
    for (int i = 0; i < L; i++) to[i] = from[i * stride];
}
template <class T>
static void gatherRows(const T* from, int64_t length, int64_t stride, int64_t pitch, int64_t rows,
                       uint32_t* to) {
  switch (length) {
    case 2: return gatherRows<2>(from, stride, pitch, rows, to);
    case 3: return gatherRows<3>(from, stride, pitch, rows, to);
    case 4: return gatherRows<4>(from, stride, pitch, rows, to);
    case 5: return gatherRows<5>(from, stride, pitch, rows, to);
    case 6: return gatherRows<6>(from, stride, pitch, rows, to);
    case 7: return gatherRows<7>(from, stride, pitch, rows, to);
    case 8: return gatherRows<8>(from, stride, pitch, rows, to);
    default:
      for (int64_t r = 0; r < rows; r++, from += pitch, to += length) {
        __builtin_prefetch(
            from + length * stride); // what follows this row is often read soon (image patches)
        gatherLanes(from, stride, length, to);
      }
  }
}

static inline void loadLanes(DType dtype, const char* base, int64_t offset, int64_t stride,
                             int64_t n, uint32_t* to) {
  if (sizeOf(dtype) == 4) gatherLanes((const uint32_t*)base + offset, stride, n, to);
  else gatherLanes((const uint8_t*)base + offset, stride, n, to);
}

// Stores lanes to strided memory. Bytes are narrowed: u8 keeps the low 8 bits; boolean is 1 unless
// the lane is 0.
static inline void storeLanes(DType dtype, char* base, int64_t offset, int64_t stride, int64_t n,
                              const uint32_t* from) {
  if (sizeOf(dtype) == 4) {
    uint32_t* to = (uint32_t*)base + offset;
    if (stride == 1) return copyLanes(from, to, n);
    for (int64_t i = 0; i < n; i++) to[i * stride] = from[i];
  } else {
    uint8_t* to = (uint8_t*)base + offset;
    const bool boolean = dtype == DType::boolean;
    if (stride == 1 && boolean)
      for (int64_t i = 0; i < n; i++) to[i] = from[i] != 0;
    else if (stride == 1)
      for (int64_t i = 0; i < n; i++) to[i] = (uint8_t)from[i];
    else
      for (int64_t i = 0; i < n; i++) to[i * stride] = boolean ? from[i] != 0 : (uint8_t)from[i];
  }
}

// The dimensions of a view in the order in which a kernel loops over them.
struct Order {
  int rank = 0;
  int axis[MAX_RANK];

  static Order natural(int rank) {
    Order o;
    o.rank = rank;
    for (int i = 0; i < rank; i++) o.axis[i] = i;
    return o;
  }
};

// Visits a view in the linear order of an iteration space. Dimensions that are contiguous in memory
// are merged.
struct Cursor {
  char* base = nullptr;
  DType dtype = DType::f32;
  int rank = 1;
  int64_t shape[MAX_RANK] = {1}, stride[MAX_RANK] = {0};
  int64_t index[MAX_RANK] = {}, offset = 0; // the current position

  Cursor() = default;
  Cursor(const Run& run, const View& v, const Order& order) : dtype(v.dtype) {
    base = run.at<char>(v) + (sizeOf(dtype) - 1) * v.offset;
    int r = 0;
    for (int i = 0; i < order.rank; i++) {
      const int64_t size = v.shape[order.axis[i]], step = v.stride[order.axis[i]];
      if (size == 1) continue;
      if (r > 0 && stride[r - 1] == step * size) {
        shape[r - 1] *= size;
        stride[r - 1] = step;
      } else {
        shape[r] = size;
        stride[r++] = step;
      }
    }
    rank = r > 0 ? r : 1;
  }

  bool uniform() const { return rank == 1 && stride[0] == 0; } // a single element, broadcast

  void seek(int64_t linear) {
    offset = 0;
    for (int d = rank - 1; d > 0; d--) {
      index[d] = linear % shape[d];
      linear /= shape[d];
      offset += index[d] * stride[d];
    }
    index[0] = linear;
    offset += linear * stride[0];
  }

  // Calls f(done, offset, stride, length) for each piece of the next n elements with a single
  // stride.
  template <class F> void pieces(int64_t n, F&& f) {
    const int last = rank - 1;
    for (int64_t done = 0; done < n;) {
      const int64_t length = least(n - done, shape[last] - index[last]);
      f(done, offset, stride[last], length);
      advance(length, last);
      done += length;
    }
  }

  // The address of the next n elements if they are consecutive and have 32 bits, otherwise null.
  uint32_t* direct(int64_t n) {
    const int last = rank - 1;
    if (stride[last] != 1 || n > shape[last] - index[last] || sizeOf(dtype) != 4) return nullptr;
    uint32_t* p = (uint32_t*)base + offset;
    advance(n, last);
    return p;
  }

  void load(int64_t n, uint32_t* to) {
    if (sizeOf(dtype) == 4) loadFrom((const uint32_t*)base, n, to);
    else loadFrom((const uint8_t*)base, n, to);
  }
  void store(int64_t n, const uint32_t* from) {
    pieces(n, [&](int64_t done, int64_t at, int64_t step, int64_t length) {
      storeLanes(dtype, base, at, step, length, from + done);
    });
  }

private:
  template <class T> void loadFrom(const T* from, int64_t n, uint32_t* to) {
    const int last = rank - 1;
    const int64_t length = shape[last];
    while (n > 0) {
      int64_t done;
      if (rank > 1 && length <= 64 && index[last] == 0 && n >= length) { // whole short rows
        const int64_t rows = least(n / length, shape[last - 1] - index[last - 1]);
        gatherRows(from + offset, length, stride[last], stride[last - 1], rows, to);
        advance(rows, last - 1);
        done = rows * length;
      } else {
        done = least(n, length - index[last]);
        gatherLanes(from + offset, stride[last], done, to);
        advance(done, last);
      }
      to += done;
      n -= done;
    }
  }

  void advance(int64_t n, int d) { // along dimension d, to its end at most
    index[d] += n;
    offset += n * stride[d];
    for (; d > 0 && index[d] == shape[d]; d--) {
      offset += stride[d - 1] - shape[d] * stride[d];
      index[d] = 0;
      index[d - 1]++;
    }
  }
};

} // namespace HEED_ISA
} // namespace heed
