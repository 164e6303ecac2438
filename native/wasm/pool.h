// The thread pool of the WebAssembly build: instances of one module with one shared memory, each on
// a worker of the host. Threads sleep and wake with the wait and notify instructions of
// WebAssembly.
#pragma once
#include "program.h"

namespace heed {

// Only one thread at a time may call `each`; it works as thread 0. A nested `each` inside a task
// runs on the calling thread. Helpers may start late; the existing ones share the tasks.
class WasmPool final : public Pool {
public:
  static constexpr int MOST_THREADS = 64;

  void use(int threads) { used = threads; } // for later calls of `each`; at most MOST_THREADS
  void work(int index);                     // the loop of a helper, which never returns

  int threads() const override { return used; }
  void each(int64_t tasks, void (*body)(void* state, int64_t task, int thread),
            void* state) override;
  void* scratch(int thread, int slot, size_t bytes) override;

private:
  static constexpr int SLOTS = 4;

  struct alignas(64) Member {
    void* scratch[SLOTS] = {};
    size_t capacity[SLOTS] = {};
  };

  uint64_t awaitTasks(uint32_t seen);
  int64_t takeTasks(uint64_t seen, int thread);
  void awaitOthers(int64_t tasks);

  Member members[MOST_THREADS];
  int used = 1;

  // Epoch in the high half, number of tasks not yet taken in the low half. Taking a task is a
  // compare-and-swap of the whole word, so a helper that missed an epoch cannot take a task of the
  // next one by mistake.
  alignas(64) std::atomic<uint64_t> ticket{0};
  // Written only while no task is left; read only with a ticket that has tasks left.
  std::atomic<void (*)(void*, int64_t, int)> body{nullptr};
  std::atomic<void*> state{nullptr};
  std::atomic<int64_t> total{0};
  std::atomic<int> invited{1}; // number of threads that may take tasks
  alignas(64) std::atomic<int64_t> completed{0};

  alignas(64) std::atomic<int> rounds{0}; // helpers wait for a change, which each `each` makes
  std::atomic<int> sleepers{0};
  alignas(64) std::atomic<int> ends{0}; // the caller waits for a change
  std::atomic<bool> callerSleeps{false};
};

} // namespace heed
