// Block sizes of GGUF's quantised formats, for kernels and checks. src/util/block-formats.ts
// describes the bytes of a block and has the formats in the same order.
#pragma once
#include <cstdint>

namespace heed {

enum class BlockFormat : uint8_t { q8_0, q4_0, q4_1, q5_0, q5_1, iq4_nl, q3_k, q4_k, q5_k, q6_k };

struct BlockSize {
  int64_t numbers, bytes;
};
constexpr BlockSize blockSizes[] = {{32, 34}, {32, 18},   {32, 20},   {32, 22},   {32, 24},
                                    {32, 18}, {256, 110}, {256, 144}, {256, 176}, {256, 210}};
constexpr int BLOCK_FORMATS = sizeof blockSizes / sizeof *blockSizes;

// All f16 numbers as f32, indexed by their bits. A look-up is the fastest conversion that works on
// every processor.
const float* halfTable();

} // namespace heed
