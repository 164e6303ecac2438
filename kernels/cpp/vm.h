// The register machine inside `elementwise` and `reduce`. It runs micro-programs on blocks of
// lanes. Each instruction processes a whole block before the next one, so that registers stay in L1
// and the cost of interpretation is divided by hundreds of lanes.
#pragma once
#include "lanes.h"
#include "list.h"
#include "micro-functions.h"
#include "threefry.h"

namespace heed {
namespace HEED_ISA {

// A decoded instruction.
struct Step {
  MicroFunction function; // null for ops that depend on the position
  MicroOp op;
  uint8_t dst, a, b, c;
  bool constantKey; // random: both key words are the same for all lanes
  uint32_t key[2];
};

struct MicroProgram {
  int inputs = 0, registers = 0;
  bool positional = false; // an instruction depends on the position of an element
  List<Step> steps;
  List<uint8_t> results;  // registers
  List<uint8_t> constant; // for each register: is it a one-element input that is never overwritten
  int64_t size[MAX_RANK],
      inner[MAX_RANK]; // size of each axis, and distance of its elements

  // `v` has the shape over which the program iterates.
  MicroProgram(const MicroWords& program, const Views& views, const View& v, int outputs,
               const Run& run)
      : inputs((int)views.count) {
    registers = inputs;
    const double* word = program.words;
    for (int64_t i = 0; i < program.instructions; i++, word += 5) steps.push(decode(word));
    for (int i = 0; i < outputs; i++) results.push(registerAt(word[i]));
    findConstants(views);
    for (Step& s : steps) specialise(s, views, run);
    int64_t stride = 1;
    for (int i = v.rank - 1; i >= 0; i--) {
      size[i] = v.shape[i];
      inner[i] = stride;
      stride *= v.shape[i];
    }
  }

  static MicroProgram copy() {
    MicroProgram p;
    p.inputs = 1;
    return p;
  }
  static MicroProgram zero() {
    MicroProgram p;
    p.steps.push({run_xor_u32, MicroOp::xor_u32, 0, 0, 0, 0, false, {}});
    return p;
  }

private:
  MicroProgram() : registers(1) {
    results.push(0);
    constant.push(0);
  }

  uint8_t registerAt(double number) {
    const int r = (int)number;
    if (r >= registers) registers = r + 1;
    return (uint8_t)r;
  }

  Step decode(const double* word) {
    Step s = {};
    s.op = (MicroOp)(int)word[0];
    s.function = microFunctions[(int)s.op];
    s.dst = registerAt(word[1]);
    s.a = s.op == MicroOp::index ? (uint8_t)word[2] : registerAt(word[2]);
    s.b = registerAt(word[3]);
    s.c = registerAt(word[4]);
    positional |= !s.function;
    return s;
  }

  void findConstants(const Views& views) {
    for (int r = 0; r < registers; r++) constant.push(0);
    for (int i = 0; i < inputs; i++) {
      const View& v = views[i];
      bool one = true;
      for (int d = 0; d < v.rank; d++) one &= v.shape[d] == 1 || v.stride[d] == 0;
      constant[i] = one;
    }
    for (const Step& s : steps) constant[s.dst] = 0;
  }

  // Chooses faster instructions that the values of scalar inputs allow, once per run.
  void specialise(Step& s, const Views& views, const Run& run) {
    if (s.op == MicroOp::random && constant[s.a] && constant[s.b]) {
      s.constantKey = true;
      s.key[0] = constantBits(s.a, views, run);
      s.key[1] = constantBits(s.b, views, run);
    }
    if (s.op != MicroOp::pow_f32 || !constant[s.b]) return;
    const uint32_t word = constantBits(s.b, views, run);
    float exponent;
    memcpy(&exponent, &word, 4);
    if (exponent == 2) s.function = run_square;
    if (exponent == 3) s.function = run_cube;
    if (exponent == 1) s.function = run_copy;
    if (exponent == -1) s.function = run_recip_f32;
  }
  static uint32_t constantBits(int r, const Views& views, const Run& run) {
    const View& v = views[r];
    return sizeOf(v.dtype) == 4 ? *run.at<uint32_t>(v) : *run.at<uint8_t>(v);
  }
};

// The registers of one thread. The caller sets at[0..inputs) to the lanes of the inputs, or fills
// own().
class Machine {
public:
  static constexpr int64_t PITCH =
      BLOCK + 32; // not a power of two: registers would share cache sets
  const uint32_t* at[MAX_REGISTERS];

  Machine(const MicroProgram& program, Pool& pool, int thread) : program(program) {
    memory = (uint32_t*)pool.scratch(thread, 0, (size_t)(program.registers * PITCH) * 4);
    for (int r = 0; r < program.registers; r++) at[r] = own(r);
  }
  uint32_t* own(int r) const { return memory + r * PITCH; }

  // Processes lanes [start, start + n) of the iteration space. If `target` is given, the last
  // instruction writes to it. Unless n is a multiple of VL, all inputs must be in their own
  // registers, which have room for whole vectors.
  void execute(int64_t start, int64_t n, uint32_t* target) {
    for (const Step* s = program.steps.begin(); s < program.steps.end(); s++) {
      uint32_t* to = s + 1 == program.steps.end() && target ? target : own(s->dst);
      if (s->function) s->function(to, at[s->a], at[s->b], at[s->c], padded(n));
      else position(*s, start, n, to);
      at[s->dst] = to;
    }
  }

private:
  const MicroProgram& program;
  uint32_t* memory;

  void position(const Step& s, int64_t start, int64_t n, uint32_t* to) {
    if (s.op == MicroOp::index) return indices(start, n, program.inner[s.a], program.size[s.a], to);
    if (s.op == MicroOp::linear) return indices(start, n, 1, INT64_MAX, to);
    if (s.constantKey) return randomBits(s.key[0], s.key[1], (uint64_t)start, n, to);
    for (int64_t j = 0; j < n; j++) {
      const uint64_t i = (uint64_t)(start + j);
      uint32_t words[2];
      threefry2x32(at[s.a][j], at[s.b][j], (uint32_t)(i >> 1), (uint32_t)(i >> 33), words);
      to[j] = words[i & 1];
    }
  }

  // to[j] = (start + j) / inner % size
  static void indices(int64_t start, int64_t n, int64_t inner, int64_t size, uint32_t* to) {
    int64_t index = start / inner % size, within = start % inner;
    for (int64_t j = 0; j < n;) {
      const int64_t length = least(n - j, inner == 1 ? size - index : inner - within);
      if (inner == 1)
        for (int64_t i = 0; i < length; i++) to[j + i] = (uint32_t)(index + i);
      else fillLanes((uint32_t)index, to + j, length);
      j += length;
      index += inner == 1 ? length : 1;
      if (index == size) index = 0;
      within = 0;
    }
  }
};

// Loads the inputs of a machine in the linear order of the iteration space.
class Feed {
public:
  // Fills the registers of constants once.
  Feed(const MicroProgram& program, const List<Cursor>& inputs, Machine& machine)
      : program(program), machine(machine), cursors(inputs) {
    for (int i = 0; i < program.inputs; i++) {
      if (!program.constant[i]) continue;
      cursors[i].seek(0);
      cursors[i].load(1, machine.own(i));
      fillLanes(machine.own(i)[0], machine.own(i), Machine::PITCH);
    }
  }

  // Loads lanes [start, start + n), n <= BLOCK.
  void load(int64_t start, int64_t n, bool mayPoint = true) {
    const bool point = mayPoint && (n % VL == 0 || program.steps.empty());
    for (int i = 0; i < program.inputs; i++) {
      if (program.constant[i]) continue;
      Cursor& cursor = cursors[i];
      if (start != next) cursor.seek(start);
      const uint32_t* lanes = point ? cursor.direct(n) : nullptr;
      if (!lanes) {
        cursor.load(n, machine.own(i));
        for (int64_t j = n; j < padded(n); j++) machine.own(i)[j] = 0;
        lanes = machine.own(i);
      }
      machine.at[i] = lanes;
    }
    next = start + n;
  }

private:
  const MicroProgram& program;
  Machine& machine;
  List<Cursor> cursors;
  int64_t next = -1;
};

} // namespace HEED_ISA
} // namespace heed
