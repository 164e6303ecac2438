// One check per kernel: the number, dtypes and shapes of its views and the range of its attrs, as
// the kernels' headers document them. Kernels trust these and check nothing but the data.
#include "block-sizes.h"
#include "micro-ops.h"
#include "program.h"
#include <algorithm>
#include <cmath>
#include <initializer_list>

namespace heed {

namespace {

using Shape = std::vector<int64_t>;

std::string text(const Shape& shape) {
  std::string s = "[";
  for (size_t i = 0; i < shape.size(); i++) s += (i ? "," : "") + std::to_string(shape[i]);
  return s + "]";
}

const char* name(DType t) {
  static const char* const names[] = {"f32", "i32", "u32", "u8", "boolean"};
  return names[(int)t];
}

constexpr DType F32 = DType::f32, I32 = DType::i32, U32 = DType::u32;

// Whether the bytes from the first to the last element of one view lie before those of the other.
bool apart(const View& a, const View& b) {
  if (a.buffer != b.buffer || a.count() == 0 || b.count() == 0) return true;
  return a.last() * sizeOf(a.dtype) + sizeOf(a.dtype) <= b.first() * sizeOf(b.dtype) ||
         b.last() * sizeOf(b.dtype) + sizeOf(b.dtype) <= a.first() * sizeOf(a.dtype);
}

// Collects the first complaint. After one, the getters answer harmless values, so that a check may
// simply be read from top to bottom.
class Check {
public:
  explicit Check(const Command& command) : c(command) {}
  std::string error;

  void require(bool fine, const char* complaint) {
    if (!fine) complain(complaint);
  }
  void complain(const std::string& complaint) {
    if (error.empty()) error = complaint;
  }
  const View& view(int i) const {
    static const View none;
    return (size_t)i < c.views.size() ? c.views[i] : none;
  }
  Shape shape(int i) const { return Shape(view(i).shape, view(i).shape + view(i).rank); }
  int64_t dim(int i, int axis) const {
    return axis >= 0 && axis < view(i).rank ? view(i).shape[axis] : 0;
  }
  int rank(int i) const { return view(i).rank; }

  void views(int64_t count) {
    if ((int64_t)c.views.size() == count) return;
    complain("takes " + std::to_string(count) + " views, not " + std::to_string(c.views.size()));
  }
  void attrs(int64_t count) {
    if ((int64_t)c.attrs.size() == count) return;
    complain("takes " + std::to_string(count) + " attrs, not " + std::to_string(c.attrs.size()));
  }
  double number(int attr) {
    if ((size_t)attr < c.attrs.size()) return c.attrs[attr];
    complain("attr " + std::to_string(attr) + " is missing");
    return 0;
  }
  int64_t integer(int attr, int64_t low, int64_t high) {
    const double value = number(attr);
    if (value >= (double)low && value <= (double)high && value == std::floor(value))
      return (int64_t)value;
    complain("attr " + std::to_string(attr) + " is " + std::to_string(value) +
             ", not an integer in [" + std::to_string(low) + ", " + std::to_string(high) + "]");
    return low;
  }
  bool flag(int attr) { return integer(attr, 0, 1) == 1; }
  int axis(int attr, int i) { return (int)integer(attr, 0, std::max(0, rank(i) - 1)); }

  void has(int i, const Shape& wanted) {
    const View& v = view(i);
    if (std::equal(wanted.begin(), wanted.end(), v.shape, v.shape + v.rank)) return;
    complain(named(i) + " has shape " + text(shape(i)) + ", not " + text(wanted));
  }
  void has(int i, DType wanted) {
    if (view(i).dtype == wanted) return;
    complain(named(i) + " is " + name(view(i).dtype) + ", not " + name(wanted));
  }
  void has(int i, DType dtype, const Shape& shape) {
    has(i, dtype);
    has(i, shape);
  }
  void single(int i, DType dtype) {
    has(i, dtype);
    if (view(i).count() != 1)
      complain(named(i) + " has shape " + text(shape(i)) + ", not one element");
  }
  void rankFrom(int i, int low) {
    if (rank(i) >= low) return;
    complain(named(i) + " has rank " + std::to_string(rank(i)) + ", less than " +
             std::to_string(low));
  }
  void rankIs(int i, int wanted) {
    if (rank(i) == wanted) return;
    complain(named(i) + " has rank " + std::to_string(rank(i)) + ", not " + std::to_string(wanted));
  }
  // An index that the kernel checks and reads again later: no output may overwrite it in between.
  void index(int i, const Shape& shape) {
    has(i, I32, shape);
    indices.push_back(i);
  }
  // Threads write the elements of an output in any order, so each needs a place of its own.
  void output(int i) {
    outputs.push_back(i);
    for (int d = 0; d < rank(i); d++)
      if (view(i).stride[d] == 0 && view(i).shape[d] > 1)
        complain(named(i) + " is an output and has stride 0 along axis " + std::to_string(d));
  }
  void output(int i, DType dtype, const Shape& shape) {
    has(i, dtype, shape);
    output(i);
  }
  void indicesApartFromOutputs() {
    for (int i : indices)
      for (int o : outputs)
        if (!apart(view(i), view(o)))
          complain(named(o) + " is an output and overlaps the index in " + named(i));
  }

private:
  static std::string named(int view) { return "view " + std::to_string(view); }

  const Command& c;
  std::vector<int> indices, outputs;
};

Shape lead(Shape shape) { // without the last dimension
  if (!shape.empty()) shape.pop_back();
  return shape;
}

Shape replaced(Shape shape, int axis, int64_t size) {
  if (axis >= 0 && axis < (int)shape.size()) shape[axis] = size;
  return shape;
}

// x's shape with `axis` replaced by all of index's dimensions.
Shape gathered(const Check& c, int x, int index, int axis) {
  Shape shape = c.shape(x);
  if (axis >= (int)shape.size()) return shape;
  const Shape inner = c.shape(index);
  shape.erase(shape.begin() + axis);
  shape.insert(shape.begin() + axis, inner.begin(), inner.end());
  return shape;
}

// (op, dst, a, b, c) from attr `first` on; returns the attr after the last.
int instructions(Check& c, int first, int64_t count, int rank) {
  for (int64_t i = 0; i < count && c.error.empty(); i++, first += 5) {
    const bool index = c.integer(first, 0, (int64_t)MicroOp::count - 1) == (int64_t)MicroOp::index;
    c.integer(first + 1, 0, MAX_REGISTERS - 1);
    c.integer(first + 2, 0, index ? rank - 1 : MAX_REGISTERS - 1);
    c.integer(first + 3, 0, MAX_REGISTERS - 1);
    c.integer(first + 4, 0, MAX_REGISTERS - 1);
  }
  return first;
}

void elementwise(Check& c) {
  const int64_t nIn = c.integer(0, 0, MAX_REGISTERS), nOut = c.integer(1, 1, MAX_REGISTERS);
  const int64_t nInstr = c.integer(2, 0, MAX_INSTRUCTIONS);
  c.views(nIn + nOut);
  c.attrs(3 + 5 * nInstr + nOut);
  if (!c.error.empty()) return;
  const int results = instructions(c, 3, nInstr, c.rank(0));
  for (int i = 0; i < nOut; i++) c.integer(results + i, 0, MAX_REGISTERS - 1);
  for (int i = 1; i < nIn + nOut; i++) c.has(i, c.shape(0));
  for (int i = 0; i < nOut; i++) c.output((int)nIn + i);
}

void reduce(Check& c) {
  const int64_t op = c.integer(0, 0, 5), keptRank = c.integer(2, 0, c.rank(0));
  c.integer(1, 0, 2);
  const int64_t nIn = c.integer(3, 1, MAX_REGISTERS), nInstr = c.integer(4, 0, MAX_INSTRUCTIONS);
  c.views(nIn + 1);
  c.attrs(5 + 5 * nInstr + 1);
  if (!c.error.empty()) return;
  c.integer(instructions(c, 5, nInstr, c.rank(0)), 0, MAX_REGISTERS - 1);
  Shape kept = c.shape(0);
  kept.resize((size_t)keptRank);
  for (int i = 1; i < nIn; i++) c.has(i, c.shape(0));
  if (op >= 4) c.has((int)nIn, I32);
  c.has((int)nIn, kept);
  c.output((int)nIn);
}

void cumulative(Check& c) {
  c.views(2);
  c.attrs(2);
  c.rankFrom(0, 1);
  c.integer(0, 0, 2);
  c.axis(1, 0);
  c.output(1, c.view(0).dtype, c.shape(0));
}

void sort(Check& c) {
  c.views(3);
  c.attrs(1);
  c.flag(0);
  c.rankFrom(0, 1);
  c.output(1, c.view(0).dtype, c.shape(0));
  c.output(2, I32, c.shape(0));
}

void topk(Check& c) {
  c.views(3);
  c.attrs(2);
  c.flag(1);
  c.rankFrom(0, 1);
  const int64_t k = c.integer(0, 0, c.dim(0, c.rank(0) - 1));
  const Shape best = replaced(c.shape(0), c.rank(0) - 1, k);
  c.output(1, c.view(0).dtype, best);
  c.output(2, I32, best);
}

void take(Check& c) {
  c.views(3);
  c.attrs(1);
  c.rankFrom(0, 1);
  c.index(1, c.shape(1));
  c.output(2, c.view(0).dtype, gathered(c, 0, 1, c.axis(0, 0)));
}

void scatter(Check& c) {
  c.views(4);
  c.attrs(1);
  c.rankFrom(0, 1);
  c.index(1, c.shape(1));
  c.has(2, c.view(0).dtype, gathered(c, 0, 1, c.axis(0, 0)));
  c.output(3, c.view(0).dtype, c.shape(0));
}
void scatterAdd(Check& c) { scatter(c); }
void scatterSet(Check& c) { scatter(c); }

void foldWindow(Check& c) {
  c.views(2);
  const int d = (int)c.integer(0, 1, MAX_RANK / 2);
  c.attrs(1 + 2 * d);
  c.rankFrom(0, 2 * d);
  c.rankIs(1, c.rank(0) - d);
  c.has(1, c.view(0).dtype);
  c.output(1);
  if (!c.error.empty()) return;
  const int first = c.rank(0) - 2 * d;
  for (int i = 0; i < first; i++)
    c.require(c.dim(0, i) == c.dim(1, i), "the leading dimensions differ");
  for (int i = 0; i < d; i++) {
    const int64_t stride = c.integer(1 + i, 1, INT32_MAX),
                  dilation = c.integer(1 + d + i, 1, INT32_MAX);
    const int64_t places = c.dim(0, first + i), taps = c.dim(0, first + d + i);
    const double reach =
        (double)(places - 1) * (double)stride + (double)(taps - 1) * (double)dilation + 1;
    if (places > 0 && taps > 0 && reach > (double)c.dim(1, first + i))
      c.complain("the windows reach past the end of axis " + std::to_string(first + i));
  }
}

// `part` slides along one axis of `whole`.
void slide(Check& c, int part, int whole, int offset) {
  c.views(3);
  c.attrs(1);
  c.rankFrom(whole, 1);
  const int axis = c.axis(0, whole);
  c.single(offset, I32);
  c.has(part, c.view(whole).dtype, replaced(c.shape(whole), axis, c.dim(part, axis)));
  c.require(c.dim(part, axis) <= c.dim(whole, axis), "the slice is longer than what it is part of");
}
void copyAt(Check& c) {
  slide(c, 0, 1, 2);
  c.output(1);
}
void sliceAt(Check& c) {
  slide(c, 2, 0, 1);
  c.output(2);
}

void matmul(Check& c) {
  c.flag(0);
  c.attrs(2);
  const bool hasBias = c.flag(1);
  c.views(hasBias ? 4 : 3);
  c.rankFrom(0, 2);
  const int r = c.rank(0);
  const Shape a = c.shape(0);
  const int64_t N = c.dim(1, r - 1);
  c.has(0, F32);
  c.has(1, F32, replaced(replaced(a, r - 2, a.empty() ? 0 : a.back()), r - 1, N));
  const Shape out = replaced(a, r - 1, N);
  if (hasBias) c.has(2, F32, out);
  c.output(hasBias ? 3 : 2, F32, out);
}

// Images (B, C, H, W) in view x, weights (O, C/G, Kh, Kw) in view w, and their convolution in view y.
void convolutionOf(Check& c, int x, int w, int y, int result) {
  c.views(3);
  c.attrs(9);
  const int64_t groups = c.integer(8, 1, INT32_MAX);
  for (int i = 0; i < 3; i++) {
    c.rankIs(i, 4);
    c.has(i, F32);
  }
  if (!c.error.empty()) return;
  Shape places{c.dim(x, 0), c.dim(w, 0)};
  double memory = 1; // of an image with the zeros around it
  for (int i = 0; i < 2; i++) {
    const int64_t stride = c.integer(i, 1, INT32_MAX), dilation = c.integer(6 + i, 1, INT32_MAX);
    const int64_t before = c.integer(2 + i, 0, INT32_MAX), behind = c.integer(4 + i, 0, INT32_MAX);
    const double size = (double)c.dim(x, 2 + i) + (double)before + (double)behind;
    const double reach = ((double)c.dim(w, 2 + i) - 1) * (double)dilation + 1;
    memory *= size;
    if (size > INT32_MAX || c.dim(w, 2 + i) < 1 || reach > size)
      return c.complain("the windows do not fit into axis " + std::to_string(2 + i));
    places.push_back((int64_t)((size - reach) / (double)stride) + 1);
  }
  c.require(c.dim(w, 0) % groups == 0 && (double)c.dim(w, 1) * (double)groups == (double)c.dim(x, 1),
            "the groups do not divide the channels");
  for (int i = 0; i < 2; i++) memory *= std::max(1.0, (double)c.dim(w, i));
  c.require(memory * (double)std::max<int64_t>(1, c.dim(x, 0)) < 1e15, "the images are too large");
  c.has(y, places);
  c.output(result);
}
void convolution(Check& c) { convolutionOf(c, 0, 1, 2, 2); }
void convolutionInput(Check& c) { convolutionOf(c, 2, 1, 0, 2); }
void convolutionWeight(Check& c) { convolutionOf(c, 0, 2, 1, 2); }

// Images (B, C, H, W) in view x, the results of windows over them in view y.
void windows(Check& c, int x, int y) {
  c.views(3);
  c.attrs(10);
  c.rankIs(x, 4);
  if (!c.error.empty()) return;
  Shape places{c.dim(x, 0), c.dim(x, 1)};
  double memory = 1; // of a channel with the places around it
  for (int i = 0; i < 2; i++) {
    const int64_t kernel = c.integer(i, 1, 1 << 15), stride = c.integer(2 + i, 1, INT32_MAX);
    const int64_t before = c.integer(4 + i, 0, INT32_MAX), behind = c.integer(6 + i, 0, INT32_MAX);
    const double size = (double)c.dim(x, 2 + i) + (double)before + (double)behind;
    const double reach = (double)(kernel - 1) * (double)c.integer(8 + i, 1, INT32_MAX) + 1;
    memory *= size;
    if (size > INT32_MAX || reach > size)
      return c.complain("the windows do not fit into axis " + std::to_string(2 + i));
    places.push_back((int64_t)((size - reach) / (double)stride) + 1);
  }
  c.require(memory < 1e15, "the images are too large");
  c.has(y, places);
}
void maxPool(Check& c) {
  windows(c, 0, 1);
  c.has(0, F32);
  c.output(1, F32, c.shape(1));
  c.output(2, I32, c.shape(1));
}
void maxPoolBackward(Check& c) {
  windows(c, 2, 0);
  c.index(0, c.shape(0));
  c.has(1, F32, c.shape(0));
  c.has(2, F32);
  c.output(2);
}

// Blocks along the last axis of view `i`; returns how many numbers they hold.
int64_t numbersInBlocks(Check& c, int i, int attr) {
  const BlockSize size = blockSizes[c.integer(attr, 0, BLOCK_FORMATS - 1)];
  c.rankFrom(i, 1);
  c.has(i, DType::u8);
  const int64_t bytes = c.dim(i, c.rank(i) - 1);
  c.require(bytes % size.bytes == 0, "the bytes are no whole blocks");
  return bytes / size.bytes * size.numbers;
}

void matmulQuantized(Check& c) {
  c.attrs(2);
  const bool hasBias = c.flag(1);
  c.views(hasBias ? 4 : 3);
  c.rankFrom(0, 1);
  c.rankIs(1, 2);
  const int64_t N = c.dim(1, 0);
  c.has(0, F32, replaced(c.shape(0), c.rank(0) - 1, numbersInBlocks(c, 1, 0)));
  c.require(c.view(1).contiguous(), "the weights are not adjacent");
  if (hasBias) c.has(2, F32, {N});
  c.output(hasBias ? 3 : 2, F32, replaced(c.shape(0), c.rank(0) - 1, N));
}

void dequantize(Check& c) {
  c.views(2);
  c.attrs(1);
  const int64_t numbers = numbersInBlocks(c, 0, 0);
  c.output(1, F32, replaced(c.shape(0), c.rank(0) - 1, numbers));
}

void softmax(Check& c) {
  c.views(2);
  c.attrs(1);
  c.flag(0);
  c.rankFrom(0, 1);
  c.has(0, F32);
  c.output(1, F32, c.shape(0));
}

void softmaxBackward(Check& c) {
  c.views(3);
  c.attrs(1);
  c.flag(0);
  c.rankFrom(0, 1);
  c.has(0, F32);
  c.has(1, F32, c.shape(0));
  c.output(2, F32, c.shape(0));
}

// Views: x, `weights` vectors of length C.
void normInputs(Check& c, int weights) {
  c.rankFrom(0, 1);
  c.has(0, F32);
  for (int i = 1; i <= weights; i++) c.has(i, F32, {c.dim(0, c.rank(0) - 1)});
}
// What a norm's forward pass keeps of each row.
Shape rows(const Check& c) { return lead(c.shape(0)); }
Shape channels(const Check& c) { return {c.dim(0, c.rank(0) - 1)}; }

void layerNorm(Check& c) {
  c.views(6);
  c.attrs(1);
  normInputs(c, 2);
  c.output(3, F32, c.shape(0));
  c.output(4, F32, rows(c));
  c.output(5, F32, rows(c));
}

void layerNormBackward(Check& c) {
  c.views(8);
  c.attrs(0);
  normInputs(c, 1);
  c.has(2, F32, rows(c));
  c.has(3, F32, rows(c));
  c.has(4, F32, c.shape(0));
  c.output(5, F32, c.shape(0));
  c.output(6, F32, channels(c));
  c.output(7, F32, channels(c));
}

// Views: x (B, C, P) and `weights` vectors of length C. Attrs: eps, groups or 0. What is kept: of each group.
Shape channelGroups(Check& c, int weights) {
  c.attrs(2);
  c.rankIs(0, 3);
  c.has(0, F32);
  const int64_t channels = c.dim(0, 1), groups = c.integer(1, 0, INT32_MAX);
  for (int i = 1; i <= weights; i++) c.has(i, F32, {channels});
  if (groups == 0) return {channels};
  c.require(channels % groups == 0, "the groups do not divide the channels");
  return {c.dim(0, 0), groups};
}

void channelNorm(Check& c) {
  c.views(6);
  const Shape kept = channelGroups(c, 2);
  c.output(3, F32, c.shape(0));
  c.output(4, F32, kept);
  c.output(5, F32, kept);
}

void channelNormBackward(Check& c) {
  c.views(8);
  const Shape kept = channelGroups(c, 1);
  c.has(2, F32, kept);
  c.has(3, F32, kept);
  c.has(4, F32, c.shape(0));
  c.output(5, F32, c.shape(0));
  c.output(6, F32, {c.dim(0, 1)});
  c.output(7, F32, {c.dim(0, 1)});
}

void rmsNorm(Check& c) {
  c.views(4);
  c.attrs(1);
  normInputs(c, 1);
  c.output(2, F32, c.shape(0));
  c.output(3, F32, rows(c));
}

void rmsNormBackward(Check& c) {
  c.views(6);
  c.attrs(0);
  normInputs(c, 1);
  c.has(2, F32, rows(c));
  c.has(3, F32, c.shape(0));
  c.output(4, F32, c.shape(0));
  c.output(5, F32, channels(c));
}

void crossEntropyInputs(Check& c) {
  c.attrs(2);
  c.integer(0, INT32_MIN, INT32_MAX);
  c.rankIs(0, 2);
  c.has(0, F32);
  c.index(1, rows(c));
}

void crossEntropy(Check& c) {
  c.views(4);
  crossEntropyInputs(c);
  c.output(2, F32, rows(c));
  c.output(3, F32, rows(c));
}

void crossEntropyBackward(Check& c) {
  c.views(5);
  crossEntropyInputs(c);
  c.has(2, F32, rows(c));
  c.has(3, F32, rows(c));
  c.output(4, F32, c.shape(0));
}

// q, k, v from view 0 on and the optional inputs from `optional` on; returns the first output.
int attentionInputs(Check& c, int optional) {
  c.attrs(6);
  const bool bias = c.flag(2), mask = c.flag(3), length = c.flag(4), dropout = c.number(5) != 0;
  c.flag(1);
  for (int i = 0; i < 3; i++) {
    c.rankIs(i, 4);
    c.has(i, F32);
  }
  const int64_t B = c.dim(0, 0), H = c.dim(0, 1), T = c.dim(0, 2), D = c.dim(0, 3);
  const int64_t Hk = c.dim(1, 1), S = c.dim(1, 2), Dv = c.dim(2, 3);
  c.has(1, Shape{B, Hk, S, D});
  c.has(2, Shape{B, Hk, S, Dv});
  c.require(Hk > 0 ? H % Hk == 0 : H == 0, "the query heads are no multiple of the key heads");
  if (bias) c.has(optional++, F32, {B, H, T, S});
  if (mask) c.has(optional++, DType::boolean, {B, H, T, S});
  if (length) c.single(optional++, I32);
  if (dropout) c.single(optional++, U32);
  if (dropout) c.single(optional++, U32);
  return optional;
}
Shape attentionOutput(const Check& c) {
  return {c.dim(0, 0), c.dim(0, 1), c.dim(0, 2), c.dim(2, 3)};
}

void attention(Check& c) {
  const int out = attentionInputs(c, 3);
  c.views(out + 2);
  c.output(out, F32, attentionOutput(c));
  c.output(out + 1, F32, rows(c));
}

void attentionBackward(Check& c) {
  const int dq = attentionInputs(c, 6);
  const bool bias = c.flag(2);
  c.views(dq + 3 + bias);
  c.has(3, F32, attentionOutput(c));
  c.has(4, F32, rows(c));
  c.has(5, F32, attentionOutput(c));
  for (int i = 0; i < 3; i++) c.output(dq + i, F32, c.shape(i));
  if (bias) c.output(dq + 3, F32, c.shape(6));
}

void adamw(Check& c) {
  c.views(15);
  c.attrs(0);
  c.has(0, F32);
  for (int i = 1; i < 4; i++) c.has(i, F32, c.shape(0));
  for (int i = 4; i < 12; i++) c.single(i, F32);
  for (int i = 12; i < 15; i++) c.output(i, F32, c.shape(0));
}

void probe(Check& c) {
  c.views(2);
  c.attrs(2);
  c.integer(0, 0, 2);
  c.integer(1, 1, 1 << 30);
  c.rankIs(1, 1);
  c.require(c.view(0).contiguous() && c.view(0).count() >= 2, "takes adjacent memory");
  c.has(0, F32);
  c.output(1, F32, {c.dim(1, 0)});
}

#define HEED_ENTRY(name) name,
void (*const checks[KERNEL_COUNT])(Check&) = {HEED_KERNELS(HEED_ENTRY)};
#undef HEED_ENTRY

} // namespace

std::string validate(const Command& command) {
  Check check(command);
  checks[command.kernel](check);
  check.indicesApartFromOutputs();
  return check.error;
}

} // namespace heed
