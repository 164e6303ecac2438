// sort: along the last dimension, stable; NaN is larger than all numbers.
// topk: the k largest (smallest) along the last dimension, best first; ties in the order of the
// input.
#pragma once
#include "cumulative.h"
#include "math.h"
#include "order-key.h"
#include <algorithm>

namespace heed {
namespace HEED_ISA {

// An entry has the key in the high half and the index in the low half. With the index, all entries
// differ, so that any sort is stable.
enum class Entry : uint64_t {};
HEED_INLINE Entry entryOf(uint32_t key, int64_t index) {
  return (Entry)((uint64_t)key << 32 | (uint64_t)index);
}
HEED_INLINE uint32_t keyOf(Entry e) { return (uint32_t)((uint64_t)e >> 32); }
HEED_INLINE int64_t indexOf(Entry e) { return (int64_t)((uint64_t)e & UINT32_MAX); }

// Stable radix sort by key, in three passes of 11 bits. Returns the array that holds the result,
// which is one of the two.
static Entry* radixSort(Entry* entries, Entry* spare, int64_t n) {
  constexpr int BITS = 11, BUCKETS = 1 << BITS, PASSES = 3;
  uint32_t count[PASSES][BUCKETS] = {};
  for (int64_t i = 0; i < n; i++)
    for (int p = 0; p < PASSES; p++) count[p][keyOf(entries[i]) >> p * BITS & (BUCKETS - 1)]++;
  for (int p = 0; p < PASSES; p++) {
    const int shift = p * BITS;
    if (count[p][keyOf(entries[0]) >> shift & (BUCKETS - 1)] == n) continue; // all in one bucket
    uint32_t next = 0;
    for (int b = 0; b < BUCKETS; b++) {
      const uint32_t size = count[p][b];
      count[p][b] = next;
      next += size;
    }
    for (int64_t i = 0; i < n; i++)
      spare[count[p][keyOf(entries[i]) >> shift & (BUCKETS - 1)]++] = entries[i];
    std::swap(entries, spare);
  }
  return entries;
}

static Entry* sortEntries(Entry* entries, Entry* spare, int64_t n) {
  if (n >= 1024) return radixSort(entries, spare, n);
  std::sort(entries, entries + n);
  return entries;
}

// One line of the input as 32-bit words.
struct Line {
  const char* base;
  DType dtype;
  int64_t offset, stride;

  uint32_t operator[](int64_t i) const {
    const int64_t at = offset + i * stride;
    return sizeOf(dtype) == 4 ? ((const uint32_t*)base)[at] : ((const uint8_t*)base)[at];
  }
};

// Keys of elements [start, start + n), n <= BLOCK.
static void keysOf(const Line& line, int64_t start, int64_t n, uint32_t flip, uint32_t* keys) {
  loadLanes(line.dtype, line.base, line.offset + start * line.stride, line.stride, n, keys);
  orderKeys(keys, keys, n, keyTypeOf(line.dtype), flip, false);
}

// Finds the k smallest keys. Candidates are collected until there are 2k; then the larger half is
// dropped and the bar is lowered.
struct Candidates {
  Entry* entries;
  int64_t k, count = 0;
  uint32_t bar = UINT32_MAX;
  bool full = false; // with k candidates, a later entry with an equal key is not better

  void offer(uint32_t key, int64_t index) {
    if (full && key >= bar) return;
    entries[count++] = entryOf(key, index);
    if (count < 2 * k) return;
    std::nth_element(entries, entries + k - 1, entries + count);
    count = k;
    bar = keyOf(entries[k - 1]);
    full = true;
  }
  // Most of a long line is above the bar, so whole vectors are skipped.
  void offerAll(const uint32_t* keys, int64_t start, int64_t n) {
    int64_t i = 0;
    for (; i + VL <= n; i += VL) {
      const vu v = (vu)load((const int32_t*)keys + i);
      if (full && !any((vi)(v < (vu)splat((int32_t)bar)))) continue;
      for (int64_t j = i; j < i + VL; j++) offer(keys[j], start + j);
    }
    for (; i < n; i++) offer(keys[i], start + i);
  }
};

// The first k of n elements, sorted by decreasing (`flip` all ones) or increasing key.
static Entry* bestEntries(const Line& line, int64_t n, int64_t k, uint32_t flip, Entry* entries,
                          Entry* spare) {
  uint32_t keys[BLOCK];
  const bool all = k > n / 8;
  Candidates best{entries, k};
  for (int64_t start = 0; start < n; start += BLOCK) {
    const int64_t size = least(BLOCK, n - start);
    keysOf(line, start, size, flip, keys);
    if (all)
      for (int64_t i = 0; i < size; i++) entries[start + i] = entryOf(keys[i], start + i);
    else best.offerAll(keys, start, size);
  }
  return sortEntries(entries, spare, all ? n : best.count);
}

template <class Args>
static void writeBest(const Args& args, const Run& run, int64_t k, uint32_t flip) {
  const View &in = args.x, &values = args.values, &indices = args.indices;
  const int axis = in.rank - 1;
  const int64_t n = in.shape[axis];
  if (values.count() == 0) return;
  const int64_t lines = in.count() / n, linesPerTask = most(1, 4096 / n);
  parallel(run.pool, ceilDiv(lines, linesPerTask), [&](int64_t task, int thread) {
    Entry* entries = (Entry*)run.pool.scratch(thread, 0, (size_t)n * 2 * sizeof(Entry));
    for (int64_t l = task * linesPerTask; l < least(lines, (task + 1) * linesPerTask); l++) {
      const Line line = {(const char*)run.buffers[in.buffer], in.dtype,
                         in.offset + lineOffset(in, axis, l), in.stride[axis]};
      const Entry* best = bestEntries(line, n, k, flip, entries, entries + n);
      const int64_t valueAt = values.offset + lineOffset(values, axis, l);
      int32_t* indexAt = run.at<int32_t>(indices) + lineOffset(indices, axis, l);
      for (int64_t i = 0; i < k; i++) {
        const int64_t index = indexOf(best[i]);
        const uint32_t word = line[index];
        storeLanes(values.dtype, (char*)run.buffers[values.buffer],
                   valueAt + i * values.stride[axis], 1, 1, &word);
        indexAt[i * indices.stride[axis]] = (int32_t)index;
      }
    }
  });
}

static void sort(const Command& command, const Run& run) {
  const SortArgs args(command);
  writeBest(args, run, args.x.shape[args.x.rank - 1], args.descending ? UINT32_MAX : 0);
}

static void topk(const Command& command, const Run& run) {
  const TopkArgs args(command);
  writeBest(args, run, args.k, args.largest ? UINT32_MAX : 0);
}

} // namespace HEED_ISA
} // namespace heed
