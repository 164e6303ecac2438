// Made by `npm run generate:kernels` from src/schedule/kernel-schemas.ts: do not edit.
// For each kernel: its operands and attributes by name, read once per call, and the check of a
// command of it.
// clang-format off
#pragma once
#include "arguments.h"
#include "block-sizes.h"

// Every kernel by name, once. The scheduler looks up their numbers by name (see kernelNames).
#define HEED_KERNELS(K) \
  K(elementwise) \
  K(reduce) \
  K(cumulative) \
  K(sort) \
  K(topk) \
  K(take) \
  K(scatterAdd) \
  K(scatterSet) \
  K(foldWindow) \
  K(copyAt) \
  K(sliceAt) \
  K(matmul) \
  K(convolution) \
  K(convolutionInput) \
  K(convolutionWeight) \
  K(maxPool) \
  K(maxPoolBackward) \
  K(matmulQuantized) \
  K(dequantize) \
  K(softmax) \
  K(softmaxBackward) \
  K(layerNorm) \
  K(layerNormBackward) \
  K(rmsNorm) \
  K(rmsNormBackward) \
  K(channelNorm) \
  K(channelNormBackward) \
  K(crossEntropy) \
  K(crossEntropyBackward) \
  K(attention) \
  K(attentionBackward) \
  K(adamw) \
  K(probe)

// Their arguments, in the same order.
#define HEED_KERNEL_ARGS(K) \
  K(ElementwiseArgs) \
  K(ReduceArgs) \
  K(CumulativeArgs) \
  K(SortArgs) \
  K(TopkArgs) \
  K(TakeArgs) \
  K(ScatterAddArgs) \
  K(ScatterSetArgs) \
  K(FoldWindowArgs) \
  K(CopyAtArgs) \
  K(SliceAtArgs) \
  K(MatmulArgs) \
  K(ConvolutionArgs) \
  K(ConvolutionInputArgs) \
  K(ConvolutionWeightArgs) \
  K(MaxPoolArgs) \
  K(MaxPoolBackwardArgs) \
  K(MatmulQuantizedArgs) \
  K(DequantizeArgs) \
  K(SoftmaxArgs) \
  K(SoftmaxBackwardArgs) \
  K(LayerNormArgs) \
  K(LayerNormBackwardArgs) \
  K(RmsNormArgs) \
  K(RmsNormBackwardArgs) \
  K(ChannelNormArgs) \
  K(ChannelNormBackwardArgs) \
  K(CrossEntropyArgs) \
  K(CrossEntropyBackwardArgs) \
  K(AttentionArgs) \
  K(AttentionBackwardArgs) \
  K(AdamwArgs) \
  K(ProbeArgs)

namespace heed {

#define HEED_COUNT(name) +1
constexpr int KERNEL_COUNT = 0 HEED_KERNELS(HEED_COUNT);
#undef HEED_COUNT

struct ElementwiseArgs {
  Views inputs; // any type (...)
  Views outputs; // output: any type (...)
  MicroWords program;

  explicit ElementwiseArgs(const Command& command)
      : ElementwiseArgs(Arguments(command, 0, 2)) {}

  static constexpr bool HAND_CHECKED = true;
  template <class Check> static void check(Check& c) {
    c.start(0, 2);
    c.program("program");
    c.inputs("inputs", {LEAD});
    c.outputs("outputs", {LEAD}, c.anyInput());
    c.end();
  }

private:
  explicit ElementwiseArgs(Arguments in)
      : inputs(in.list()), outputs(in.list()), program(in.program()) {}
};

struct ReduceArgs {
  enum class Reduction { sum, prod, amax, amin, argmax, argmin };
  enum class Lanes { f32, i32, u32 };
  Views inputs; // any type (...)
  const View& out; // output: any type (*)
  Reduction reduction;
  Lanes lanes;
  int64_t kept;
  MicroWords program;

  explicit ReduceArgs(const Command& command)
      : ReduceArgs(Arguments(command, 0, 1)) {}

  static constexpr bool HAND_CHECKED = true;
  template <class Check> static void check(Check& c) {
    c.start(0, 1);
    c.integer("reduction", 0, 5);
    c.integer("lanes", 0, 2);
    c.integer("kept", 0, 8);
    c.program("program");
    c.inputs("inputs", {LEAD});
    c.output("out", {ANY_SHAPE});
    c.end();
  }

private:
  explicit ReduceArgs(Arguments in)
      : inputs(in.list()), out(in.required()), reduction((Reduction)in.integer()),
        lanes((Lanes)in.integer()), kept(in.integer()), program(in.program()) {}
};

struct CumulativeArgs {
  enum class Operation { sum, prod, max };
  const View& x; // any type (...)
  const View& y; // output: as x (...)
  Operation operation;
  int axis;

  explicit CumulativeArgs(const Command& command)
      : CumulativeArgs(Arguments(command, 0, 0)) {}

  static constexpr bool HAND_CHECKED = false;
  template <class Check> static void check(Check& c) {
    c.start(0, 0);
    c.integer("operation", 0, 2);
    const int64_t axis = c.integer("axis", 0, MAX_RANK - 1);
    const View& x = c.input("x", {LEAD});
    c.output("y", x.dtype, {LEAD});
    c.axis("axis", axis, x);
    c.end();
  }

private:
  explicit CumulativeArgs(Arguments in)
      : x(in.required()), y(in.required()), operation((Operation)in.integer()),
        axis((int)in.integer()) {}
};

struct SortArgs {
  const View& x; // any type (... N)
  const View& values; // output: as x (... N)
  const View& indices; // output: i32 (... N)
  bool descending;

  explicit SortArgs(const Command& command)
      : SortArgs(Arguments(command, 0, 0)) {}

  static constexpr bool HAND_CHECKED = false;
  template <class Check> static void check(Check& c) {
    enum { N };
    c.start(0, 0);
    c.integer("descending", 0, 1);
    const View& x = c.input("x", {LEAD, N});
    c.output("values", x.dtype, {LEAD, N});
    c.output("indices", DType::i32, {LEAD, N});
    c.end();
  }

private:
  explicit SortArgs(Arguments in)
      : x(in.required()), values(in.required()), indices(in.required()), descending(in.flag()) {}
};

struct TopkArgs {
  const View& x; // any type (... N)
  const View& values; // output: as x (... k)
  const View& indices; // output: i32 (... k)
  int64_t k;
  bool largest;

  explicit TopkArgs(const Command& command)
      : TopkArgs(Arguments(command, 0, 0)) {}

  static constexpr bool HAND_CHECKED = false;
  template <class Check> static void check(Check& c) {
    enum { N, k };
    c.start(0, 0);
    c.size(k, c.integer("k", 0, LARGEST));
    c.integer("largest", 0, 1);
    const View& x = c.input("x", {LEAD, N});
    c.output("values", x.dtype, {LEAD, k});
    c.output("indices", DType::i32, {LEAD, k});
    c.atMost("k", k, N);
    c.end();
  }

private:
  explicit TopkArgs(Arguments in)
      : x(in.required()), values(in.required()), indices(in.required()), k(in.integer()),
        largest(in.flag()) {}
};

struct TakeArgs {
  const View& x; // any type (*)
  const View& index; // i32 (*)
  const View& out; // output: as x (*)
  int axis;

  explicit TakeArgs(const Command& command)
      : TakeArgs(Arguments(command, 0, 0)) {}

  static constexpr bool HAND_CHECKED = true;
  template <class Check> static void check(Check& c) {
    c.start(0, 0);
    const int64_t axis = c.integer("axis", 0, MAX_RANK - 1);
    const View& x = c.input("x", {ANY_SHAPE});
    c.input("index", DType::i32, {ANY_SHAPE});
    c.output("out", x.dtype, {ANY_SHAPE});
    c.axis("axis", axis, x);
    c.end();
  }

private:
  explicit TakeArgs(Arguments in)
      : x(in.required()), index(in.required()), out(in.required()), axis((int)in.integer()) {}
};

struct ScatterAddArgs {
  const View& base; // any type (...)
  const View& index; // i32 (*)
  const View& source; // as base (*)
  const View& out; // output: as base (...)
  int axis;

  explicit ScatterAddArgs(const Command& command)
      : ScatterAddArgs(Arguments(command, 0, 0)) {}

  static constexpr bool HAND_CHECKED = true;
  template <class Check> static void check(Check& c) {
    c.start(0, 0);
    const int64_t axis = c.integer("axis", 0, MAX_RANK - 1);
    const View& base = c.input("base", {LEAD});
    c.input("index", DType::i32, {ANY_SHAPE});
    c.input("source", base.dtype, {ANY_SHAPE});
    c.output("out", base.dtype, {LEAD}, &base);
    c.axis("axis", axis, base);
    c.end();
  }

private:
  explicit ScatterAddArgs(Arguments in)
      : base(in.required()), index(in.required()), source(in.required()), out(in.required()),
        axis((int)in.integer()) {}
};

struct ScatterSetArgs {
  const View& base; // any type (...)
  const View& index; // i32 (*)
  const View& source; // as base (*)
  const View& out; // output: as base (...)
  int axis;

  explicit ScatterSetArgs(const Command& command)
      : ScatterSetArgs(Arguments(command, 0, 0)) {}

  static constexpr bool HAND_CHECKED = true;
  template <class Check> static void check(Check& c) {
    c.start(0, 0);
    const int64_t axis = c.integer("axis", 0, MAX_RANK - 1);
    const View& base = c.input("base", {LEAD});
    c.input("index", DType::i32, {ANY_SHAPE});
    c.input("source", base.dtype, {ANY_SHAPE});
    c.output("out", base.dtype, {LEAD}, &base);
    c.axis("axis", axis, base);
    c.end();
  }

private:
  explicit ScatterSetArgs(Arguments in)
      : base(in.required()), index(in.required()), source(in.required()), out(in.required()),
        axis((int)in.integer()) {}
};

struct FoldWindowArgs {
  const View& windows; // any type (*)
  const View& out; // output: as windows (*)
  Integers stride;
  Integers dilation;

  explicit FoldWindowArgs(const Command& command)
      : FoldWindowArgs(Arguments(command, 0, 0)) {}

  static constexpr bool HAND_CHECKED = true;
  template <class Check> static void check(Check& c) {
    enum { D };
    c.start(0, 0);
    c.integers("stride", c.length("stride", D, 4), 1, 2147483647);
    c.integers("dilation", c.length("dilation", D, 4), 1, 2147483647);
    const View& windows = c.input("windows", {ANY_SHAPE});
    c.output("out", windows.dtype, {ANY_SHAPE});
    c.end();
  }

private:
  explicit FoldWindowArgs(Arguments in)
      : windows(in.required()), out(in.required()), stride(in.integers()),
        dilation(in.integers()) {}
};

struct CopyAtArgs {
  const View& source; // any type (*)
  const View& offset; // i32 (1)
  const View& target; // output: as source (*)
  int axis;

  explicit CopyAtArgs(const Command& command)
      : CopyAtArgs(Arguments(command, 0, 0)) {}

  static constexpr bool HAND_CHECKED = true;
  template <class Check> static void check(Check& c) {
    c.start(0, 0);
    const int64_t axis = c.integer("axis", 0, MAX_RANK - 1);
    const View& source = c.input("source", {ANY_SHAPE});
    c.input("offset", DType::i32, {SINGLE});
    const View& target = c.output("target", source.dtype, {ANY_SHAPE});
    c.axis("axis", axis, target);
    c.end();
  }

private:
  explicit CopyAtArgs(Arguments in)
      : source(in.required()), offset(in.required()), target(in.required()),
        axis((int)in.integer()) {}
};

struct SliceAtArgs {
  const View& x; // any type (*)
  const View& offset; // i32 (1)
  const View& out; // output: as x (*)
  int axis;

  explicit SliceAtArgs(const Command& command)
      : SliceAtArgs(Arguments(command, 0, 0)) {}

  static constexpr bool HAND_CHECKED = true;
  template <class Check> static void check(Check& c) {
    c.start(0, 0);
    const int64_t axis = c.integer("axis", 0, MAX_RANK - 1);
    const View& x = c.input("x", {ANY_SHAPE});
    c.input("offset", DType::i32, {SINGLE});
    c.output("out", x.dtype, {ANY_SHAPE});
    c.axis("axis", axis, x);
    c.end();
  }

private:
  explicit SliceAtArgs(Arguments in)
      : x(in.required()), offset(in.required()), out(in.required()), axis((int)in.integer()) {}
};

struct MatmulArgs {
  const View& a; // f32 (... M K)
  const View& b; // f32 (... K N)
  const View* bias; // f32 (... M N)
  const View& out; // output: f32 (... M N)

  explicit MatmulArgs(const Command& command)
      : MatmulArgs(Arguments(command, 1, 0)) {}

  static constexpr bool HAND_CHECKED = false;
  template <class Check> static void check(Check& c) {
    enum { M, K, N };
    c.start(1, 0);
    c.input("a", DType::f32, {LEAD, M, K});
    c.input("b", DType::f32, {LEAD, K, N});
    c.inputIfPresent("bias", DType::f32, {LEAD, M, N});
    c.output("out", DType::f32, {LEAD, M, N});
    c.end();
  }

private:
  explicit MatmulArgs(Arguments in)
      : a(in.required()), b(in.required()), bias(in.optional()), out(in.required()) {}
};

struct ConvolutionArgs {
  const View& x; // f32 (B C H W)
  const View& w; // f32 (O I Y X)
  const View& y; // output: f32 (B O P Q)
  Integers stride;
  Integers before;
  Integers behind;
  Integers dilation;
  int64_t groups;

  explicit ConvolutionArgs(const Command& command)
      : ConvolutionArgs(Arguments(command, 0, 0)) {}

  static constexpr bool HAND_CHECKED = true;
  template <class Check> static void check(Check& c) {
    enum { B, C, H, W, O, I, Y, X, P, Q };
    c.start(0, 0);
    c.integers("stride", 2, 1, 2147483647);
    c.integers("before", 2, 0, 2147483647);
    c.integers("behind", 2, 0, 2147483647);
    c.integers("dilation", 2, 1, 2147483647);
    c.integer("groups", 1, 2147483647);
    c.input("x", DType::f32, {B, C, H, W});
    c.input("w", DType::f32, {O, I, Y, X});
    c.output("y", DType::f32, {B, O, P, Q});
    c.end();
  }

private:
  explicit ConvolutionArgs(Arguments in)
      : x(in.required()), w(in.required()), y(in.required()), stride(in.integers(2)),
        before(in.integers(2)), behind(in.integers(2)), dilation(in.integers(2)),
        groups(in.integer()) {}
};

struct ConvolutionInputArgs {
  const View& dy; // f32 (B O P Q)
  const View& w; // f32 (O I Y X)
  const View& dx; // output: f32 (B C H W)
  Integers stride;
  Integers before;
  Integers behind;
  Integers dilation;
  int64_t groups;

  explicit ConvolutionInputArgs(const Command& command)
      : ConvolutionInputArgs(Arguments(command, 0, 0)) {}

  static constexpr bool HAND_CHECKED = true;
  template <class Check> static void check(Check& c) {
    enum { B, O, P, Q, I, Y, X, C, H, W };
    c.start(0, 0);
    c.integers("stride", 2, 1, 2147483647);
    c.integers("before", 2, 0, 2147483647);
    c.integers("behind", 2, 0, 2147483647);
    c.integers("dilation", 2, 1, 2147483647);
    c.integer("groups", 1, 2147483647);
    c.input("dy", DType::f32, {B, O, P, Q});
    c.input("w", DType::f32, {O, I, Y, X});
    c.output("dx", DType::f32, {B, C, H, W});
    c.end();
  }

private:
  explicit ConvolutionInputArgs(Arguments in)
      : dy(in.required()), w(in.required()), dx(in.required()), stride(in.integers(2)),
        before(in.integers(2)), behind(in.integers(2)), dilation(in.integers(2)),
        groups(in.integer()) {}
};

struct ConvolutionWeightArgs {
  const View& x; // f32 (B C H W)
  const View& dy; // f32 (B O P Q)
  const View& dw; // output: f32 (O I Y X)
  Integers stride;
  Integers before;
  Integers behind;
  Integers dilation;
  int64_t groups;

  explicit ConvolutionWeightArgs(const Command& command)
      : ConvolutionWeightArgs(Arguments(command, 0, 0)) {}

  static constexpr bool HAND_CHECKED = true;
  template <class Check> static void check(Check& c) {
    enum { B, C, H, W, O, P, Q, I, Y, X };
    c.start(0, 0);
    c.integers("stride", 2, 1, 2147483647);
    c.integers("before", 2, 0, 2147483647);
    c.integers("behind", 2, 0, 2147483647);
    c.integers("dilation", 2, 1, 2147483647);
    c.integer("groups", 1, 2147483647);
    c.input("x", DType::f32, {B, C, H, W});
    c.input("dy", DType::f32, {B, O, P, Q});
    c.output("dw", DType::f32, {O, I, Y, X});
    c.end();
  }

private:
  explicit ConvolutionWeightArgs(Arguments in)
      : x(in.required()), dy(in.required()), dw(in.required()), stride(in.integers(2)),
        before(in.integers(2)), behind(in.integers(2)), dilation(in.integers(2)),
        groups(in.integer()) {}
};

struct MaxPoolArgs {
  const View& x; // f32 (B C H W)
  const View& y; // output: f32 (B C P Q)
  const View& taps; // output: i32 (B C P Q)
  Integers kernel;
  Integers stride;
  Integers before;
  Integers behind;
  Integers dilation;

  explicit MaxPoolArgs(const Command& command)
      : MaxPoolArgs(Arguments(command, 0, 0)) {}

  static constexpr bool HAND_CHECKED = true;
  template <class Check> static void check(Check& c) {
    enum { B, C, H, W, P, Q };
    c.start(0, 0);
    c.integers("kernel", 2, 1, 32768);
    c.integers("stride", 2, 1, 2147483647);
    c.integers("before", 2, 0, 2147483647);
    c.integers("behind", 2, 0, 2147483647);
    c.integers("dilation", 2, 1, 2147483647);
    c.input("x", DType::f32, {B, C, H, W});
    c.output("y", DType::f32, {B, C, P, Q});
    c.output("taps", DType::i32, {B, C, P, Q});
    c.end();
  }

private:
  explicit MaxPoolArgs(Arguments in)
      : x(in.required()), y(in.required()), taps(in.required()), kernel(in.integers(2)),
        stride(in.integers(2)), before(in.integers(2)), behind(in.integers(2)),
        dilation(in.integers(2)) {}
};

struct MaxPoolBackwardArgs {
  const View& taps; // i32 (B C P Q)
  const View& dy; // f32 (B C P Q)
  const View& dx; // output: f32 (B C H W)
  Integers kernel;
  Integers stride;
  Integers before;
  Integers behind;
  Integers dilation;

  explicit MaxPoolBackwardArgs(const Command& command)
      : MaxPoolBackwardArgs(Arguments(command, 0, 0)) {}

  static constexpr bool HAND_CHECKED = true;
  template <class Check> static void check(Check& c) {
    enum { B, C, P, Q, H, W };
    c.start(0, 0);
    c.integers("kernel", 2, 1, 32768);
    c.integers("stride", 2, 1, 2147483647);
    c.integers("before", 2, 0, 2147483647);
    c.integers("behind", 2, 0, 2147483647);
    c.integers("dilation", 2, 1, 2147483647);
    c.input("taps", DType::i32, {B, C, P, Q});
    c.input("dy", DType::f32, {B, C, P, Q});
    c.output("dx", DType::f32, {B, C, H, W});
    c.end();
  }

private:
  explicit MaxPoolBackwardArgs(Arguments in)
      : taps(in.required()), dy(in.required()), dx(in.required()), kernel(in.integers(2)),
        stride(in.integers(2)), before(in.integers(2)), behind(in.integers(2)),
        dilation(in.integers(2)) {}
};

struct MatmulQuantizedArgs {
  const View& x; // f32 (... K)
  const View& w; // u8 adjacent (N bytes)
  const View* bias; // f32 (N)
  const View& out; // output: f32 (... N)
  BlockFormat format;

  explicit MatmulQuantizedArgs(const Command& command)
      : MatmulQuantizedArgs(Arguments(command, 1, 0)) {}

  static constexpr bool HAND_CHECKED = true;
  template <class Check> static void check(Check& c) {
    enum { K, N, bytes };
    c.start(1, 0);
    c.integer("format", 0, BLOCK_FORMATS - 1);
    c.input("x", DType::f32, {LEAD, K});
    const View& w = c.input("w", DType::u8, {N, bytes});
    c.adjacent("w", w, 0);
    c.inputIfPresent("bias", DType::f32, {N});
    c.output("out", DType::f32, {LEAD, N});
    c.end();
  }

private:
  explicit MatmulQuantizedArgs(Arguments in)
      : x(in.required()), w(in.required()), bias(in.optional()), out(in.required()),
        format((BlockFormat)in.integer()) {}
};

struct DequantizeArgs {
  const View& blocks; // u8 (... bytes)
  const View& out; // output: f32 (... N)
  BlockFormat format;

  explicit DequantizeArgs(const Command& command)
      : DequantizeArgs(Arguments(command, 0, 0)) {}

  static constexpr bool HAND_CHECKED = true;
  template <class Check> static void check(Check& c) {
    enum { bytes, N };
    c.start(0, 0);
    c.integer("format", 0, BLOCK_FORMATS - 1);
    c.input("blocks", DType::u8, {LEAD, bytes});
    c.output("out", DType::f32, {LEAD, N});
    c.end();
  }

private:
  explicit DequantizeArgs(Arguments in)
      : blocks(in.required()), out(in.required()), format((BlockFormat)in.integer()) {}
};

struct SoftmaxArgs {
  const View& x; // f32 (... C)
  const View& y; // output: f32 (... C)
  bool logarithm;

  explicit SoftmaxArgs(const Command& command)
      : SoftmaxArgs(Arguments(command, 0, 0)) {}

  static constexpr bool HAND_CHECKED = false;
  template <class Check> static void check(Check& c) {
    enum { C };
    c.start(0, 0);
    c.integer("logarithm", 0, 1);
    c.input("x", DType::f32, {LEAD, C});
    c.output("y", DType::f32, {LEAD, C});
    c.end();
  }

private:
  explicit SoftmaxArgs(Arguments in)
      : x(in.required()), y(in.required()), logarithm(in.flag()) {}
};

struct SoftmaxBackwardArgs {
  const View& y; // f32 (... C)
  const View& dy; // f32 (... C)
  const View& dx; // output: f32 (... C)
  bool logarithm;

  explicit SoftmaxBackwardArgs(const Command& command)
      : SoftmaxBackwardArgs(Arguments(command, 0, 0)) {}

  static constexpr bool HAND_CHECKED = false;
  template <class Check> static void check(Check& c) {
    enum { C };
    c.start(0, 0);
    c.integer("logarithm", 0, 1);
    c.input("y", DType::f32, {LEAD, C});
    c.input("dy", DType::f32, {LEAD, C});
    c.output("dx", DType::f32, {LEAD, C});
    c.end();
  }

private:
  explicit SoftmaxBackwardArgs(Arguments in)
      : y(in.required()), dy(in.required()), dx(in.required()), logarithm(in.flag()) {}
};

struct LayerNormArgs {
  const View& x; // f32 (... C)
  const View& gamma; // f32 (C)
  const View& beta; // f32 (C)
  const View& y; // output: f32 (... C)
  const View& mean; // output: f32 (...)
  const View& rstd; // output: f32 (...)
  float eps;

  explicit LayerNormArgs(const Command& command)
      : LayerNormArgs(Arguments(command, 0, 0)) {}

  static constexpr bool HAND_CHECKED = false;
  template <class Check> static void check(Check& c) {
    enum { C };
    c.start(0, 0);
    c.real("eps");
    c.input("x", DType::f32, {LEAD, C});
    c.input("gamma", DType::f32, {C});
    c.input("beta", DType::f32, {C});
    c.output("y", DType::f32, {LEAD, C});
    c.output("mean", DType::f32, {LEAD});
    c.output("rstd", DType::f32, {LEAD});
    c.end();
  }

private:
  explicit LayerNormArgs(Arguments in)
      : x(in.required()), gamma(in.required()), beta(in.required()), y(in.required()),
        mean(in.required()), rstd(in.required()), eps(in.real()) {}
};

struct LayerNormBackwardArgs {
  const View& x; // f32 (... C)
  const View& gamma; // f32 (C)
  const View& mean; // f32 (...)
  const View& rstd; // f32 (...)
  const View& dy; // f32 (... C)
  const View& dx; // output: f32 (... C)
  const View& dgamma; // output: f32 (C)
  const View& dbeta; // output: f32 (C)

  explicit LayerNormBackwardArgs(const Command& command)
      : LayerNormBackwardArgs(Arguments(command, 0, 0)) {}

  static constexpr bool HAND_CHECKED = false;
  template <class Check> static void check(Check& c) {
    enum { C };
    c.start(0, 0);
    c.input("x", DType::f32, {LEAD, C});
    c.input("gamma", DType::f32, {C});
    c.input("mean", DType::f32, {LEAD});
    c.input("rstd", DType::f32, {LEAD});
    c.input("dy", DType::f32, {LEAD, C});
    c.output("dx", DType::f32, {LEAD, C});
    c.output("dgamma", DType::f32, {C});
    c.output("dbeta", DType::f32, {C});
    c.end();
  }

private:
  explicit LayerNormBackwardArgs(Arguments in)
      : x(in.required()), gamma(in.required()), mean(in.required()), rstd(in.required()),
        dy(in.required()), dx(in.required()), dgamma(in.required()), dbeta(in.required()) {}
};

struct RmsNormArgs {
  const View& x; // f32 (... C)
  const View& gamma; // f32 (C)
  const View& y; // output: f32 (... C)
  const View& rstd; // output: f32 (...)
  float eps;

  explicit RmsNormArgs(const Command& command)
      : RmsNormArgs(Arguments(command, 0, 0)) {}

  static constexpr bool HAND_CHECKED = false;
  template <class Check> static void check(Check& c) {
    enum { C };
    c.start(0, 0);
    c.real("eps");
    c.input("x", DType::f32, {LEAD, C});
    c.input("gamma", DType::f32, {C});
    c.output("y", DType::f32, {LEAD, C});
    c.output("rstd", DType::f32, {LEAD});
    c.end();
  }

private:
  explicit RmsNormArgs(Arguments in)
      : x(in.required()), gamma(in.required()), y(in.required()), rstd(in.required()),
        eps(in.real()) {}
};

struct RmsNormBackwardArgs {
  const View& x; // f32 (... C)
  const View& gamma; // f32 (C)
  const View& rstd; // f32 (...)
  const View& dy; // f32 (... C)
  const View& dx; // output: f32 (... C)
  const View& dgamma; // output: f32 (C)

  explicit RmsNormBackwardArgs(const Command& command)
      : RmsNormBackwardArgs(Arguments(command, 0, 0)) {}

  static constexpr bool HAND_CHECKED = false;
  template <class Check> static void check(Check& c) {
    enum { C };
    c.start(0, 0);
    c.input("x", DType::f32, {LEAD, C});
    c.input("gamma", DType::f32, {C});
    c.input("rstd", DType::f32, {LEAD});
    c.input("dy", DType::f32, {LEAD, C});
    c.output("dx", DType::f32, {LEAD, C});
    c.output("dgamma", DType::f32, {C});
    c.end();
  }

private:
  explicit RmsNormBackwardArgs(Arguments in)
      : x(in.required()), gamma(in.required()), rstd(in.required()), dy(in.required()),
        dx(in.required()), dgamma(in.required()) {}
};

struct ChannelNormArgs {
  const View& x; // f32 (B C P)
  const View& gamma; // f32 (C)
  const View& beta; // f32 (C)
  const View& y; // output: f32 (B C P)
  const View& mean; // output: f32 (C), or (B groups) unless groups is 0
  const View& variance; // output: f32 (C), or (B groups) unless groups is 0
  float eps;
  int64_t groups;

  explicit ChannelNormArgs(const Command& command)
      : ChannelNormArgs(Arguments(command, 0, 0)) {}

  static constexpr bool HAND_CHECKED = false;
  template <class Check> static void check(Check& c) {
    enum { B, C, P, groups };
    c.start(0, 0);
    c.real("eps");
    c.size(groups, c.integer("groups", 0, 2147483647));
    c.input("x", DType::f32, {B, C, P});
    c.input("gamma", DType::f32, {C});
    c.input("beta", DType::f32, {C});
    c.output("y", DType::f32, {B, C, P});
    if (c.size(groups) == 0) c.output("mean", DType::f32, {C});
    else c.output("mean", DType::f32, {B, groups});
    if (c.size(groups) == 0) c.output("variance", DType::f32, {C});
    else c.output("variance", DType::f32, {B, groups});
    c.divides("groups", groups, C);
    c.end();
  }

private:
  explicit ChannelNormArgs(Arguments in)
      : x(in.required()), gamma(in.required()), beta(in.required()), y(in.required()),
        mean(in.required()), variance(in.required()), eps(in.real()), groups(in.integer()) {}
};

struct ChannelNormBackwardArgs {
  const View& x; // f32 (B C P)
  const View& gamma; // f32 (C)
  const View& mean; // f32 (C), or (B groups) unless groups is 0
  const View& variance; // f32 (C), or (B groups) unless groups is 0
  const View& dy; // f32 (B C P)
  const View& dx; // output: f32 (B C P)
  const View& dgamma; // output: f32 (C)
  const View& dbeta; // output: f32 (C)
  float eps;
  int64_t groups;

  explicit ChannelNormBackwardArgs(const Command& command)
      : ChannelNormBackwardArgs(Arguments(command, 0, 0)) {}

  static constexpr bool HAND_CHECKED = false;
  template <class Check> static void check(Check& c) {
    enum { B, C, P, groups };
    c.start(0, 0);
    c.real("eps");
    c.size(groups, c.integer("groups", 0, 2147483647));
    c.input("x", DType::f32, {B, C, P});
    c.input("gamma", DType::f32, {C});
    if (c.size(groups) == 0) c.input("mean", DType::f32, {C});
    else c.input("mean", DType::f32, {B, groups});
    if (c.size(groups) == 0) c.input("variance", DType::f32, {C});
    else c.input("variance", DType::f32, {B, groups});
    c.input("dy", DType::f32, {B, C, P});
    c.output("dx", DType::f32, {B, C, P});
    c.output("dgamma", DType::f32, {C});
    c.output("dbeta", DType::f32, {C});
    c.divides("groups", groups, C);
    c.end();
  }

private:
  explicit ChannelNormBackwardArgs(Arguments in)
      : x(in.required()), gamma(in.required()), mean(in.required()), variance(in.required()),
        dy(in.required()), dx(in.required()), dgamma(in.required()), dbeta(in.required()),
        eps(in.real()), groups(in.integer()) {}
};

struct CrossEntropyArgs {
  const View& logits; // f32 (N V)
  const View& target; // i32 (N)
  const View& loss; // output: f32 (N)
  const View& lse; // output: f32 (N)
  int64_t ignoreIndex;
  float labelSmoothing;

  explicit CrossEntropyArgs(const Command& command)
      : CrossEntropyArgs(Arguments(command, 0, 0)) {}

  static constexpr bool HAND_CHECKED = false;
  template <class Check> static void check(Check& c) {
    enum { N, V };
    c.start(0, 0);
    c.integer("ignoreIndex", -2147483648, 2147483647);
    c.real("labelSmoothing", 0, 1);
    c.input("logits", DType::f32, {N, V});
    c.input("target", DType::i32, {N});
    c.output("loss", DType::f32, {N});
    c.output("lse", DType::f32, {N});
    c.end();
  }

private:
  explicit CrossEntropyArgs(Arguments in)
      : logits(in.required()), target(in.required()), loss(in.required()), lse(in.required()),
        ignoreIndex(in.integer()), labelSmoothing(in.real()) {}
};

struct CrossEntropyBackwardArgs {
  const View& logits; // f32 (N V)
  const View& target; // i32 (N)
  const View& lse; // f32 (N)
  const View& dloss; // f32 (N)
  const View& dlogits; // output: f32 (N V)
  int64_t ignoreIndex;
  float labelSmoothing;

  explicit CrossEntropyBackwardArgs(const Command& command)
      : CrossEntropyBackwardArgs(Arguments(command, 0, 0)) {}

  static constexpr bool HAND_CHECKED = false;
  template <class Check> static void check(Check& c) {
    enum { N, V };
    c.start(0, 0);
    c.integer("ignoreIndex", -2147483648, 2147483647);
    c.real("labelSmoothing", 0, 1);
    c.input("logits", DType::f32, {N, V});
    c.input("target", DType::i32, {N});
    c.input("lse", DType::f32, {N});
    c.input("dloss", DType::f32, {N});
    c.output("dlogits", DType::f32, {N, V});
    c.end();
  }

private:
  explicit CrossEntropyBackwardArgs(Arguments in)
      : logits(in.required()), target(in.required()), lse(in.required()), dloss(in.required()),
        dlogits(in.required()), ignoreIndex(in.integer()), labelSmoothing(in.real()) {}
};

struct AttentionArgs {
  const View& q; // f32 (B H T D)
  const View& k; // f32 (B G S D)
  const View& v; // f32 (B G S E)
  const View* bias; // f32 (B H T S)
  const View* mask; // bool (B H T S)
  const View* length; // i32 (1)
  const View* seed; // u32 (1)
  const View* draw; // u32 (1)
  const View& out; // output: f32 (B H T E)
  const View& lse; // output: f32 (B H T)
  float scale;
  bool causal;
  float dropout;

  explicit AttentionArgs(const Command& command)
      : AttentionArgs(Arguments(command, 5, 0)) {}

  static constexpr bool HAND_CHECKED = true;
  template <class Check> static void check(Check& c) {
    enum { B, H, T, D, G, S, E };
    c.start(5, 0);
    c.real("scale");
    c.integer("causal", 0, 1);
    c.real("dropout", 0, 1);
    c.input("q", DType::f32, {B, H, T, D});
    c.input("k", DType::f32, {B, G, S, D});
    c.input("v", DType::f32, {B, G, S, E});
    c.inputIfPresent("bias", DType::f32, {B, H, T, S});
    c.inputIfPresent("mask", DType::boolean, {B, H, T, S});
    c.inputIfPresent("length", DType::i32, {SINGLE});
    const View* seed = c.inputIfPresent("seed", DType::u32, {SINGLE});
    const View* draw = c.inputIfPresent("draw", DType::u32, {SINGLE});
    c.together("draw", draw, "seed", seed);
    c.output("out", DType::f32, {B, H, T, E});
    c.output("lse", DType::f32, {B, H, T});
    c.end();
  }

private:
  explicit AttentionArgs(Arguments in)
      : q(in.required()), k(in.required()), v(in.required()), bias(in.optional()),
        mask(in.optional()), length(in.optional()), seed(in.optional()), draw(in.optional()),
        out(in.required()), lse(in.required()), scale(in.real()), causal(in.flag()),
        dropout(in.real()) {}
};

struct AttentionBackwardArgs {
  const View& q; // f32 (B H T D)
  const View& k; // f32 (B G S D)
  const View& v; // f32 (B G S E)
  const View& out; // f32 (B H T E)
  const View& lse; // f32 (B H T)
  const View& dout; // f32 (B H T E)
  const View* bias; // f32 (B H T S)
  const View* mask; // bool (B H T S)
  const View* length; // i32 (1)
  const View* seed; // u32 (1)
  const View* draw; // u32 (1)
  const View& dq; // output: f32 (B H T D)
  const View& dk; // output: f32 (B G S D)
  const View& dv; // output: f32 (B G S E)
  const View* dbias; // output: f32 (B H T S)
  float scale;
  bool causal;
  float dropout;

  explicit AttentionBackwardArgs(const Command& command)
      : AttentionBackwardArgs(Arguments(command, 6, 0)) {}

  static constexpr bool HAND_CHECKED = true;
  template <class Check> static void check(Check& c) {
    enum { B, H, T, D, G, S, E };
    c.start(6, 0);
    c.real("scale");
    c.integer("causal", 0, 1);
    c.real("dropout", 0, 1);
    c.input("q", DType::f32, {B, H, T, D});
    c.input("k", DType::f32, {B, G, S, D});
    c.input("v", DType::f32, {B, G, S, E});
    c.input("out", DType::f32, {B, H, T, E});
    c.input("lse", DType::f32, {B, H, T});
    c.input("dout", DType::f32, {B, H, T, E});
    const View* bias = c.inputIfPresent("bias", DType::f32, {B, H, T, S});
    c.inputIfPresent("mask", DType::boolean, {B, H, T, S});
    c.inputIfPresent("length", DType::i32, {SINGLE});
    const View* seed = c.inputIfPresent("seed", DType::u32, {SINGLE});
    const View* draw = c.inputIfPresent("draw", DType::u32, {SINGLE});
    c.together("draw", draw, "seed", seed);
    c.output("dq", DType::f32, {B, H, T, D});
    c.output("dk", DType::f32, {B, G, S, D});
    c.output("dv", DType::f32, {B, G, S, E});
    const View* dbias = c.outputIfPresent("dbias", DType::f32, {B, H, T, S});
    c.together("dbias", dbias, "bias", bias);
    c.end();
  }

private:
  explicit AttentionBackwardArgs(Arguments in)
      : q(in.required()), k(in.required()), v(in.required()), out(in.required()),
        lse(in.required()), dout(in.required()), bias(in.optional()), mask(in.optional()),
        length(in.optional()), seed(in.optional()), draw(in.optional()), dq(in.required()),
        dk(in.required()), dv(in.required()), dbias(in.optional()), scale(in.real()),
        causal(in.flag()), dropout(in.real()) {}
};

struct AdamwArgs {
  const View& parameter; // f32 (...)
  const View& gradient; // f32 (...)
  const View& mean; // f32 (...)
  const View& variance; // f32 (...)
  const View& lr; // f32 (1)
  const View& beta1; // f32 (1)
  const View& beta2; // f32 (1)
  const View& eps; // f32 (1)
  const View& decay; // f32 (1)
  const View& correction1; // f32 (1)
  const View& correction2; // f32 (1)
  const View& gradScale; // f32 (1)
  const View& nextParameter; // output: f32 (...)
  const View& nextMean; // output: f32 (...)
  const View& nextVariance; // output: f32 (...)

  explicit AdamwArgs(const Command& command)
      : AdamwArgs(Arguments(command, 0, 0)) {}

  static constexpr bool HAND_CHECKED = false;
  template <class Check> static void check(Check& c) {
    c.start(0, 0);
    c.input("parameter", DType::f32, {LEAD});
    c.input("gradient", DType::f32, {LEAD});
    c.input("mean", DType::f32, {LEAD});
    c.input("variance", DType::f32, {LEAD});
    c.input("lr", DType::f32, {SINGLE});
    c.input("beta1", DType::f32, {SINGLE});
    c.input("beta2", DType::f32, {SINGLE});
    c.input("eps", DType::f32, {SINGLE});
    c.input("decay", DType::f32, {SINGLE});
    c.input("correction1", DType::f32, {SINGLE});
    c.input("correction2", DType::f32, {SINGLE});
    c.input("gradScale", DType::f32, {SINGLE});
    c.output("nextParameter", DType::f32, {LEAD}, c.anyInput());
    c.output("nextMean", DType::f32, {LEAD}, c.anyInput());
    c.output("nextVariance", DType::f32, {LEAD}, c.anyInput());
    c.end();
  }

private:
  explicit AdamwArgs(Arguments in)
      : parameter(in.required()), gradient(in.required()), mean(in.required()),
        variance(in.required()), lr(in.required()), beta1(in.required()), beta2(in.required()),
        eps(in.required()), decay(in.required()), correction1(in.required()),
        correction2(in.required()), gradScale(in.required()), nextParameter(in.required()),
        nextMean(in.required()), nextVariance(in.required()) {}
};

struct ProbeArgs {
  enum class Kind { multiplyAdd, read, readWrite };
  const View& memory; // output: f32 adjacent (*)
  const View& out; // output: f32 (N)
  Kind kind;
  int64_t times;

  explicit ProbeArgs(const Command& command)
      : ProbeArgs(Arguments(command, 0, 0)) {}

  static constexpr bool HAND_CHECKED = false;
  template <class Check> static void check(Check& c) {
    enum { N };
    c.start(0, 0);
    c.integer("kind", 0, 2);
    c.integer("times", 1, 1073741824);
    const View& memory = c.output("memory", DType::f32, {ANY_SHAPE});
    c.adjacent("memory", memory, 2);
    c.output("out", DType::f32, {N});
    c.end();
  }

private:
  explicit ProbeArgs(Arguments in)
      : memory(in.required()), out(in.required()), kind((Kind)in.integer()), times(in.integer()) {}
};

} // namespace heed
