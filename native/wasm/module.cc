// The exports of the WebAssembly build, for src/runtime/wasm/. One memory may have several
// instances: the main thread of the host allocates and decodes, one worker runs jobs, and the
// others help it.
#include "pool.h"
#include <algorithm>
#include <cstdlib>
#include <cstring>

#define EXPORT(name) extern "C" __attribute__((export_name(#name)))

namespace heed {

namespace HEED_ISA {
extern const Kernel kernels[];
}

namespace {

WasmPool pool;
Failure failure;
std::string complaint; // the error of the last invalid program

// Memory for intermediates, which one run at a time borrows.
class Arena {
public:
  size_t bytes = 0;

  void* borrow(size_t wanted, size_t limit) {
    shrinkWhenUnused(wanted);
    if (wanted <= bytes) return data;
    release(); // first, so that the old and the new arena never exist at the same time
    if (wanted > limit || posix_memalign(&data, 64, (wanted + 63) / 64 * 64) != 0) return nullptr;
    bytes = wanted;
    return data;
  }

private:
  void* data = nullptr;
  int borrowed = 0;   // number of runs since the last check of the size
  size_t largest = 0; // largest size that these runs needed

  void release() {
    if (bytes > 0) free(data);
    bytes = 0;
  }

  // Reallocates the arena with a smaller size after many runs that used less than half of it.
  void shrinkWhenUnused(size_t wanted) {
    constexpr int RUNS = 128;
    largest = std::max(largest, wanted);
    if (++borrowed < RUNS) return;
    if (largest < bytes / 2) release();
    borrowed = 0;
    largest = wanted;
  }
};

Arena arena;

} // namespace

// A job in the layout that the host writes.
struct Job {
  const Program* program;
  int32_t threads;
  uint32_t arenaBytes; // size in the shared arena; 0: buffers[0] is given
  uint32_t arenaLimit; // maximum size of the shared arena
  void* buffers[];     // arena, scalars, inputs, outputs
};

// Allocates zero-filled memory, aligned to 64 bytes. Returns null if there is no more.
EXPORT(allocate) void* allocate(size_t bytes) {
  void* memory = nullptr;
  const size_t size = (bytes + 63) / 64 * 64;
  if (size < bytes || posix_memalign(&memory, 64, size > 0 ? size : 64) != 0) return nullptr;
  return memset(memory, 0, size);
}
EXPORT(release) void release(void* memory) { free(memory); }

// Returns null if the words are invalid; `malformed` then returns the reason.
EXPORT(decode) const Program* decodeProgram(const double* words, size_t count) {
  Program* const program = new Program;
  complaint = decode(words, count, *program);
  if (complaint.empty()) return program;
  delete program;
  return nullptr;
}
EXPORT(malformed) const char* malformed() { return complaint.c_str(); }
EXPORT(releaseProgram) void releaseProgram(const Program* program) { delete program; }

EXPORT(bytesOf) size_t bytesOf(const Program* program) { return program->bytes; }
EXPORT(commandsOf) size_t commandsOf(const Program* program) { return program->commands.size(); }
EXPORT(kernelOf) int32_t kernelOf(const Program* program, size_t command) {
  return program->commands[command].kernel;
}
// Number of bytes that the program needs in a buffer; -1 after the last buffer.
EXPORT(extentOf) double extentOf(const Program* program, size_t buffer) {
  return buffer < program->extents.size() ? (double)program->extents[buffer] : -1;
}

// Prepares a job before its commands run. Returns false if there is no memory for its
// intermediates.
EXPORT(begin) bool begin(Job* job) {
  failure.happened.store(false);
  pool.use(job->threads);
  if (job->arenaBytes > 0) job->buffers[0] = arena.borrow(job->arenaBytes, job->arenaLimit);
  return job->arenaBytes == 0 || job->buffers[0];
}
EXPORT(arenaBytes) size_t arenaBytes() { return arena.bytes; }
// Runs one command. Returns false if it fails; `failed` then returns the reason.
EXPORT(run) bool run(const Job* job, size_t command) {
  const Run run{job->buffers, pool, &failure};
  const Command& c = job->program->commands[command];
  HEED_ISA::kernels[c.kernel](c, run);
  return !run.failed();
}
EXPORT(failed) const char* failed() { return failure.message; }

// Helps the thread that runs jobs. Never returns.
EXPORT(help) void help(int32_t thread) { pool.work(thread); }

EXPORT(kernelName) const char* kernelName(size_t i) { return kernelNames[i]; } // null at the end
EXPORT(microOpName) const char* microOpName(size_t i) { return microOpNames[i]; }

} // namespace heed
