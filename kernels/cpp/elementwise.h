// elementwise: runs a micro-program (see vm.h) on every element. All inputs and outputs have the
// same shape. An output may have exactly the same view as an input.
#pragma once
#include "transposed.h"

namespace heed {
namespace HEED_ISA {

// Orders axes by decreasing stride, so that elements are visited in the order of memory.
static Order byStride(const View& v) {
  Order order;
  for (int d = 0; d < v.rank; d++) {
    if (v.shape[d] == 1) continue;
    const int64_t step = v.stride[d] < 0 ? -v.stride[d] : v.stride[d];
    int at = order.rank++;
    for (; at > 0; at--) {
      const int64_t other = v.stride[order.axis[at - 1]];
      if ((other < 0 ? -other : other) >= step) break;
      order.axis[at] = order.axis[at - 1];
    }
    order.axis[at] = d;
  }
  return order;
}

static void runLinear(const MicroProgram& program, const View* views, const Order& order,
                      const Run& run) {
  constexpr int64_t TASK = 32 * BLOCK;
  const int64_t count = views[0].count();
  const int outputs = (int)program.results.size();
  List<Cursor> inputs, outs;
  for (int i = 0; i < program.inputs; i++) inputs.push(Cursor(run, views[i], order));
  for (int o = 0; o < outputs; o++) outs.push(Cursor(run, views[program.inputs + o], order));

  int last = -1; // the output to which the last instruction may write directly
  bool mayPoint = true;
  for (int o = outputs - 1; o >= 0; o--) {
    if (!program.steps.empty() && program.results[o] == program.steps.back().dst) last = o;
    // If an output is a copy of an input, the input must be loaded before another output overwrites
    // it.
    if (outputs > 1 && program.results[o] < program.inputs) mayPoint = false;
  }

  parallel(run.pool, ceilDiv(count, TASK), [&](int64_t task, int thread) {
    Machine machine(program, run.pool, thread);
    Feed feed(program, inputs, machine);
    List<Cursor> to = outs;
    const int64_t first = task * TASK, end = least(count, first + TASK);
    for (Cursor& cursor : to) cursor.seek(first);
    for (int64_t start = first; start < end; start += BLOCK) {
      const int64_t n = least(BLOCK, end - start);
      feed.load(start, n, mayPoint);
      uint32_t* target = last >= 0 && n % VL == 0 ? to[last].direct(n) : nullptr;
      machine.execute(start, n, target);
      for (int o = 0; o < outputs; o++)
        if (o != last || !target) to[o].store(n, machine.at[program.results[o]]);
    }
  });
}

// `views` holds the inputs, then the outputs.
static void runProgram(const MicroProgram& program, const View* views, const Run& run) {
  if (views[0].count() == 0) return;
  if (program.positional) return runLinear(program, views, Order::natural(views[0].rank), run);
  const Order order = byStride(views[program.inputs]);
  const Tiling tiling(views, order, program.inputs, (int)program.results.size());
  if (tiling.worthwhile()) runTiled(program, tiling, views, run);
  else runLinear(program, views, order, run);
}

static void elementwise(const Command& command, const Run& run) {
  const ElementwiseArgs args(command);
  const MicroProgram program(args.program, args.inputs, args.outputs[0], (int)args.outputs.count,
                             run);
  runProgram(program, args.inputs.first, run);
}

static void copyView(const View& from, const View& to, const Run& run) {
  const View views[] = {from, to};
  runProgram(MicroProgram::copy(), views, run);
}
static void zeroView(const View& to, const Run& run) { runProgram(MicroProgram::zero(), &to, run); }

} // namespace HEED_ISA
} // namespace heed
