// Numbers in blocks as GGUF stores them: how large a block is, for kernels and for what checks
// them. src/util/block-formats.ts says what its bytes mean, and keeps the same order.
#pragma once
#include <cstdint>

namespace heed {

enum class BlockFormat : uint8_t { q8_0, q4_0, q4_1, q4_k, q6_k };

struct BlockSize {
  int64_t numbers, bytes;
};
constexpr BlockSize blockSizes[] = {{32, 34}, {32, 18}, {32, 20}, {256, 144}, {256, 210}};
constexpr int BLOCK_FORMATS = sizeof blockSizes / sizeof *blockSizes;

// All f16 numbers as f32, by their bits: a look-up is the fastest conversion that every processor
// has.
const float* halfTable();

} // namespace heed
