// Decoded programs: a flat list of commands over strided views. Shared by all instruction sets, the
// Node addon and the WebAssembly build; independent of JavaScript.
#pragma once
#include <atomic>
#include <cstdarg>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <string>
#include <type_traits>
#include <vector>

namespace heed {

constexpr int MAX_RANK = 8;
constexpr int MAX_REGISTERS = 256;        // of a micro-program
constexpr int MAX_INSTRUCTIONS = 1 << 16; // of a micro-program

enum class DType : uint8_t { f32, i32, u32, u8, boolean }; // boolean is stored as one byte, 0 or 1

inline int64_t sizeOf(DType t) { return t == DType::u8 || t == DType::boolean ? 1 : 4; }

// A strided view of one of the buffers of a run. Offset and strides are in elements; strides may be
// 0 (broadcast) or negative (flip).
struct View {
  int32_t buffer =
      0; // 0 is the arena, 1 the scalars; inputs and outputs of the program follow in order
  DType dtype = DType::f32;
  int32_t rank = 0;
  int64_t offset = 0;
  int64_t shape[MAX_RANK] = {};
  int64_t stride[MAX_RANK] = {};

  int64_t count() const {
    int64_t n = 1;
    for (int i = 0; i < rank; i++) n *= shape[i];
    return n;
  }
  // The smallest and the largest offset of an element, unless the view is empty.
  int64_t first() const {
    int64_t at = offset;
    for (int i = 0; i < rank; i++) at += stride[i] < 0 ? (shape[i] - 1) * stride[i] : 0;
    return at;
  }
  int64_t last() const {
    int64_t at = offset;
    for (int i = 0; i < rank; i++) at += stride[i] > 0 ? (shape[i] - 1) * stride[i] : 0;
    return at;
  }
  bool contiguous() const {
    int64_t expected = 1;
    for (int i = rank - 1; i >= 0; i--) {
      if (shape[i] != 1 && stride[i] != expected) return false;
      expected *= shape[i];
    }
    return true;
  }
};

// A kernel call. Kernels read its operands through the structs in kernel-schemas.h.
struct Command {
  int32_t kernel = 0;        // index into kernelNames
  std::vector<View> views;   // the operands that are present: inputs first, then outputs
  std::vector<double> attrs; // numbers that are part of the structure (axis, flags, micro-programs)
};

struct Program {
  std::vector<Command> commands;
  std::vector<int64_t> extents; // bytes that the views need in each buffer
  size_t bytes = 0;             // memory of the program itself
};

// Decodes the words of a program (src/runtime/cpu/encode.ts): for each command
//   kernel, number of views, number of attrs,
//   for each view: buffer, dtype, offset, rank, shape[rank], stride[rank],
//   attrs.
// Returns an error message, or an empty string if the words are valid. A valid program that runs
// with buffers of at least `extents` bytes accesses no memory outside them, whatever they contain.
std::string decode(const double* words, size_t count, Program& out);

// Checks number, dtypes, shapes and ranges of the views and attrs of a command. Returns an error
// message, or an empty string if they are valid (see kernel-schemas.h and validate.cc).
std::string validate(const Command& command);

// Threads that run the tasks of one command at a time. There is one pool per process.
class Pool {
public:
  virtual ~Pool() = default;
  virtual int threads() const = 0;
  // Calls body(state, task, thread) once for each task in [0, tasks), on any thread in [0,
  // threads()), and returns when all are done. Results must not depend on which thread runs a task:
  // cut work by shape alone, never by the number of threads.
  virtual void each(int64_t tasks, void (*body)(void* state, int64_t task, int thread),
                    void* state) = 0;
  // At least `bytes` of scratch memory of this thread, aligned to 64 bytes and kept between calls.
  // The contents are undefined. Nested helpers use different slots (0 to 3).
  virtual void* scratch(int thread, int slot, size_t bytes) = 0;
};

// pool.each with a lambda: parallel(pool, n, [&](int64_t task, int thread) { ... })
template <class F> inline void parallel(Pool& pool, int64_t tasks, F&& body) {
  pool.each(
      tasks,
      [](void* f, int64_t task, int thread) {
        (*(typename std::remove_reference<F>::type*)f)(task, thread);
      },
      (void*)&body);
}

// The failure of a run. The first message is kept, from whichever thread.
struct Failure {
  std::atomic<bool> happened{false};
  char message[256] = "";
};

// The run of a program, as kernels see it: addresses of the buffers, threads, and error reporting.
struct Run {
  void* const* buffers;
  Pool& pool;
  Failure* failure = nullptr; // null: failures are ignored

  template <class T> T* at(const View& v) const { return (T*)buffers[v.buffer] + v.offset; }

  // Reports an error in the data (an index out of range). May be called from any thread. The kernel
  // may continue, but must not access memory outside its views. The program stops after this
  // command.
  __attribute__((format(printf, 2, 3))) void fail(const char* format, ...) const {
    if (!failure || failure->happened.exchange(true)) return;
    va_list values;
    va_start(values, format);
    vsnprintf(failure->message, sizeof failure->message, format, values);
    va_end(values);
  }
  bool failed() const { return failure && failure->happened.load(std::memory_order_relaxed); }
};

using Kernel = void (*)(const Command&, const Run&);

extern const char* const kernelNames[];  // ends with nullptr
extern const char* const microOpNames[]; // instructions of elementwise and reduce; same format

// One per instruction set: the kernels in the order of kernelNames.
struct Isa {
  const char* name;
  bool (*supported)();
  const Kernel* kernels;
};
extern const Isa* const isas[]; // best first, ends with nullptr

} // namespace heed
