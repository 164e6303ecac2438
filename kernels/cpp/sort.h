// sort: in, values, indices (i32)   attrs [descending]
//   Along the last dim, stable; NaN is the greatest.
// topk: in (.., n), values (.., k), indices (.., k) (i32)   attrs [k, largest]
//   The k largest (smallest) along the last dim, best first; of equals, the first.
#pragma once
#include "cumulative.h"
#include "order-key.h"
#include <algorithm>

namespace heed {
namespace HEED_ISA {

// What is sorted: the key in the high half, the index in the low half. All differ, and the index
// makes any sort a stable one.
using Entry = uint64_t;
HEED_INLINE Entry entryOf(uint32_t key, int64_t index) { return (uint64_t)key << 32 | (uint64_t)index; }

// By key alone, stable: three passes of 11 bits. Returns the array, of the two, that holds the result.
static Entry* radixSort(Entry* entries, Entry* spare, int64_t n) {
  constexpr int BITS = 11, BUCKETS = 1 << BITS, PASSES = 3;
  uint32_t count[PASSES][BUCKETS] = {};
  for (int64_t i = 0; i < n; i++)
    for (int p = 0; p < PASSES; p++) count[p][entries[i] >> (32 + p * BITS) & (BUCKETS - 1)]++;
  for (int p = 0; p < PASSES; p++) {
    const int shift = 32 + p * BITS;
    if (count[p][entries[0] >> shift & (BUCKETS - 1)] == n) continue; // all in one bucket
    uint32_t next = 0;
    for (int b = 0; b < BUCKETS; b++) {
      const uint32_t size = count[p][b];
      count[p][b] = next;
      next += size;
    }
    for (int64_t i = 0; i < n; i++) spare[count[p][entries[i] >> shift & (BUCKETS - 1)]++] = entries[i];
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

// The first k elements of n, by falling (`flip` all ones) or rising key.
static Entry* bestEntries(const Line& line, int64_t n, int64_t k, uint32_t flip, Entry* entries, Entry* spare) {
  const KeyType type = keyTypeOf(line.dtype);
  if (k > n / 8) {
    for (int64_t i = 0; i < n; i++) entries[i] = entryOf(orderKey(line[i], type) ^ flip, i);
    return sortEntries(entries, spare, n);
  }
  // Candidates gather until there are 2k of them; then the worse half goes, and the bar rises.
  int64_t candidates = 0;
  uint64_t bar = UINT64_MAX;
  uint32_t words[BLOCK];
  for (int64_t start = 0; start < n; start += BLOCK) {
    const int64_t size = least(BLOCK, n - start);
    loadLanes(line.dtype, line.base, line.offset + start * line.stride, line.stride, size, words);
    for (int64_t i = 0; i < size; i++) words[i] = orderKey(words[i], type) ^ flip;
    for (int64_t i = 0; i < size; i++) {
      if (words[i] >= bar) continue;
      entries[candidates++] = entryOf(words[i], start + i);
      if (candidates < 2 * k) continue;
      std::nth_element(entries, entries + k - 1, entries + candidates);
      candidates = k;
      bar = entries[k - 1] >> 32; // an equal key that comes later is no better
    }
  }
  return sortEntries(entries, spare, candidates);
}

static void writeBest(const Command& c, const Run& run, int64_t k, uint32_t flip) {
  const View &in = c.views[0], &values = c.views[1], &indices = c.views[2];
  const int axis = in.rank - 1;
  const int64_t n = in.shape[axis];
  if (values.count() == 0) return;
  const int64_t lines = in.count() / n, linesPerTask = most(1, 4096 / n);
  parallel(run.pool, ceilDiv(lines, linesPerTask), [&](int64_t task, int thread) {
    Entry* entries = (Entry*)run.pool.scratch(thread, 0, (size_t)n * 2 * sizeof(Entry));
    for (int64_t l = task * linesPerTask; l < least(lines, (task + 1) * linesPerTask); l++) {
      const Line line = {(const char*)run.buffers[in.buffer], in.dtype, in.offset + lineOffset(in, axis, l), in.stride[axis]};
      const Entry* best = bestEntries(line, n, k, flip, entries, entries + n);
      const int64_t valueAt = values.offset + lineOffset(values, axis, l);
      int32_t* indexAt = run.at<int32_t>(indices) + lineOffset(indices, axis, l);
      for (int64_t i = 0; i < k; i++) {
        const int64_t index = (int64_t)(best[i] & UINT32_MAX);
        const uint32_t word = line[index];
        storeLanes(values.dtype, (char*)run.buffers[values.buffer], valueAt + i * values.stride[axis], 1, 1, &word);
        indexAt[i * indices.stride[axis]] = (int32_t)index;
      }
    }
  });
}

static void sort(const Command& c, const Run& run) {
  writeBest(c, run, c.views[0].shape[c.views[0].rank - 1], c.attrs[0] != 0 ? UINT32_MAX : 0);
}

static void topk(const Command& c, const Run& run) {
  writeBest(c, run, (int64_t)c.attrs[0], c.attrs[1] != 0 ? UINT32_MAX : 0);
}

} // namespace HEED_ISA
} // namespace heed
