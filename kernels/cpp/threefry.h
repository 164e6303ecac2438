// Threefry-2x32 with 20 rounds (Salmon et al., 2011; the same bits as JAX). Random bits are a pure
// function of (key, counter), so they are the same with any number of threads and on every device.
#pragma once
#include "simd.h"

namespace heed {
namespace HEED_ISA {

// Converts the counter (x0, x1) to two random words. Word is uint32_t or vu.
template <class Word> HEED_INLINE void threefryRounds(Word k0, Word k1, Word& x0, Word& x1) {
  constexpr int rotations[2][4] = {{13, 15, 26, 6}, {17, 29, 16, 24}};
  const Word key[3] = {k0, k1, k0 ^ k1 ^ 0x1BD11BDAu};
  x0 += key[0];
  x1 += key[1];
  for (uint32_t group = 0; group < 5; group++) {
    for (int round = 0; round < 4; round++) {
      int by = rotations[group & 1][round];
      x0 += x1;
      x1 = ((x1 << by) | (x1 >> (32 - by))) ^ x0;
    }
    x0 += key[(group + 1) % 3];
    x1 += key[(group + 2) % 3] + (group + 1u);
  }
}

HEED_INLINE void threefry2x32(uint32_t k0, uint32_t k1, uint32_t c0, uint32_t c1, uint32_t out[2]) {
  out[0] = c0;
  out[1] = c1;
  threefryRounds<uint32_t>(k0, k1, out[0], out[1]);
}

// Lane-wise: (x0, x1) are the counters and are replaced by the random words.
HEED_INLINE void threefry2x32(vu k0, vu k1, vu& x0, vu& x1) { threefryRounds<vu>(k0, k1, x0, x1); }

HEED_INLINE vu splatWord(uint32_t x) { return (vu)splat((int32_t)x); }

// out[j] = bits(start + j) for j < n. Element i is word i & 1 of the block with counter i >> 1. Two
// elements share a block, so this takes half the time of a call for each element.
static void randomBits(uint32_t k0, uint32_t k1, uint64_t start, int64_t n, uint32_t* out) {
  uint32_t lane[VL], first[VL], second[VL];
  for (int i = 0; i < VL; i++) lane[i] = i;
  vu step, k0s = splatWord(k0), k1s = splatWord(k1);
  memcpy(&step, lane, sizeof step);
  int64_t done = 0;
  while (done < n) {
    uint64_t counter = (start + done) >> 1;
    uint32_t low = (uint32_t)counter, high = (uint32_t)(counter >> 32);
    vu x0 = splatWord(low) + step, x1 = splatWord(high);
    x1 -= (vu)(x0 < splatWord(low)); // carry: a true comparison is -1
    threefry2x32(k0s, k1s, x0, x1);
    memcpy(first, &x0, sizeof x0);
    memcpy(second, &x1, sizeof x1);
    int64_t skip = (start + done) & 1;
    if (skip == 0 && n - done >= 2 * VL) {
      for (int i = 0; i < VL; i++) {
        out[done + 2 * i] = first[i];
        out[done + 2 * i + 1] = second[i];
      }
      done += 2 * VL;
    } else {
      for (int64_t i = skip; i < 2 * VL && done < n; i++)
        out[done++] = i & 1 ? second[i >> 1] : first[i >> 1];
    }
  }
}

} // namespace HEED_ISA
} // namespace heed
