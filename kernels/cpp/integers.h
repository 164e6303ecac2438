// Arithmetic on sizes, for most kernels.
#pragma once
#include "simd.h"

namespace heed {
namespace HEED_ISA {

HEED_INLINE int64_t least(int64_t a, int64_t b) { return a < b ? a : b; }
HEED_INLINE int64_t most(int64_t a, int64_t b) { return a > b ? a : b; }
HEED_INLINE int64_t ceilDiv(int64_t a, int64_t b) { return (a + b - 1) / b; }
HEED_INLINE int64_t roundUp(int64_t a, int64_t b) { return ceilDiv(a, b) * b; }

} // namespace HEED_ISA
} // namespace heed
