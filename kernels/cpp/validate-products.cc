// Rules for products and attention that the table of kernels cannot express: block sizes and
// multiples of heads.
#include "check.h"

namespace heed {
namespace checks {

// Number of values in the blocks along the last axis.
static int64_t numbersIn(Check& c, const View& blocks, BlockFormat format) {
  const BlockSize size = blockSizes[(int)format];
  const int64_t bytes = blocks.shape[blocks.rank - 1];
  c.require(bytes % size.bytes == 0, "the bytes must be whole blocks");
  return bytes / size.bytes * size.numbers;
}

void check(const MatmulQuantizedArgs& args, Check& c) {
  const Shape shape = shapeOf(args.x);
  c.has("x", args.x, replaced(shape, args.x.rank - 1, numbersIn(c, args.w, args.format)));
}

void check(const MatmulQuantizedInputArgs& args, Check& c) {
  const Shape shape = shapeOf(args.dy);
  c.has("dx", args.dx, replaced(shape, args.dy.rank - 1, numbersIn(c, args.w, args.format)));
}

void check(const DequantizeArgs& args, Check& c) {
  const Shape shape = shapeOf(args.blocks);
  c.has("out", args.out,
        replaced(shape, args.blocks.rank - 1, numbersIn(c, args.blocks, args.format)));
}

template <class Args> static void checkScores(const Args& args, Check& c) {
  const int64_t heads = args.q.shape[1], keyHeads = args.k.shape[1];
  c.require(keyHeads > 0 ? heads % keyHeads == 0 : heads == 0,
            "the number of query heads must be a multiple of the number of key heads");
  c.require(args.dropout == 0 || args.seed, "`dropout` needs `seed` and `draw`");
}

void check(const AttentionArgs& args, Check& c) { checkScores(args, c); }

void check(const AttentionBackwardArgs& args, Check& c) { checkScores(args, c); }

} // namespace checks
} // namespace heed
