// The form in which a program reaches the kernels: a flat list of commands over strided views.
// Shared by every instruction set, the Node addon and the WebAssembly build; knows nothing of
// JavaScript.
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
constexpr int MAX_INSTRUCTIONS = 1 << 16; // likewise

enum class DType : uint8_t { f32, i32, u32, u8, boolean }; // boolean is stored as one byte, 0 or 1

inline int64_t sizeOf(DType t) { return t == DType::u8 || t == DType::boolean ? 1 : 4; }

// A strided window onto one of the run's buffers. Offset and strides count elements, not bytes;
// strides may be 0 (broadcast) or negative (flip).
struct View {
  int32_t buffer =
      0; // 0 is the arena, 1 the run's scalars, then inputs and outputs in the program's order
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
  // The least and the greatest offset of an element, unless the view is empty.
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

// Kernels read it by the names of kernel-schemas.h.
struct Command {
  int32_t kernel = 0;        // index into kernelNames
  std::vector<View> views;   // the operands that are present: inputs first, then outputs
  std::vector<double> attrs; // numbers that are part of the structure (axis, flags, micro-programs)
};

struct Program {
  std::vector<Command> commands;
  std::vector<int64_t> extents; // bytes that the views need of each buffer
  size_t bytes = 0;             // memory that the program itself takes
};

// Reads the words that the scheduler wrote: for each command
//   kernel, number of views, number of attrs,
//   for each view: buffer, dtype, offset, rank, shape[rank], stride[rank],
//   attrs.
// Returns an error message, empty when the words are well formed. A program that passes, run with
// buffers of at least `extents` bytes, touches no memory outside them, whatever they hold.
std::string decode(const double* words, size_t count, Program& out);

// Whether views and attrs are what the command's kernel takes: number, dtypes, shapes, ranges.
// Returns an error message, empty when they are (see kernel-schemas.h and validate.cc).
std::string validate(const Command& command);

// Threads that take tiles of one command at a time. One pool per process.
class Pool {
public:
  virtual ~Pool() = default;
  virtual int threads() const = 0;
  // Calls body(state, task, thread) once for each task in [0, tasks), on any thread in [0,
  // threads()), and returns when all are done. Which thread takes a task must never change a
  // result: cut work by shape alone, never by the number of threads.
  virtual void each(int64_t tasks, void (*body)(void* state, int64_t task, int thread),
                    void* state) = 0;
  // At least `bytes` of 64-byte aligned scratch memory of this thread's own, kept between calls,
  // contents undefined. Slot 0..3: so that nested helpers do not share.
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

// What went wrong in a run: the first message wins, whichever thread it comes from.
struct Failure {
  std::atomic<bool> happened{false};
  char message[256] = "";
};

// What a kernel sees of a run: where each buffer lies, the threads, and where to complain.
struct Run {
  void* const* buffers;
  Pool& pool;
  Failure* failure = nullptr; // null: nobody listens

  template <class T> T* at(const View& v) const { return (T*)buffers[v.buffer] + v.offset; }

  // For what only the data can show (an index out of range). May be called from any thread; the
  // kernel then returns when it likes, without touching memory outside its views, and the program
  // stops after this command.
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
extern const char* const microOpNames[]; // the instructions of elementwise and reduce, likewise

// One per instruction set: the kernels in the order of kernelNames.
struct Isa {
  const char* name;
  bool (*supported)();
  const Kernel* kernels;
};
extern const Isa* const isas[]; // best first, ends with nullptr

} // namespace heed
