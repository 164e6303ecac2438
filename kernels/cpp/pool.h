// The thread pool of the native build. Workers sleep and wake for one kernel at a time.
#pragma once
#include "program.h"
#include <condition_variable>
#include <mutex>
#include <pthread.h>

namespace heed {

// Only one thread at a time may call `each`; it works as thread 0. A nested `each` inside a task
// runs on the calling thread.
class ThreadPool final : public Pool {
public:
  // `onStart` is called on each new thread with its index (name, priority).
  ThreadPool(int threads, void (*onStart)(int index));
  ~ThreadPool() override;

  const int requested; // threads; the system may have allowed fewer
  int threads() const override { return (int)members.size(); }
  void each(int64_t tasks, void (*body)(void* state, int64_t task, int thread),
            void* state) override;
  void* scratch(int thread, int slot, size_t bytes) override;

private:
  static constexpr int SLOTS = 4;

  struct Member {
    ThreadPool* pool = nullptr;
    int index = 0;
    pthread_t handle{};
    void* scratch[SLOTS] = {};
    size_t capacity[SLOTS] = {};
  };

  static void* enter(void* member);
  void work(Member& member);
  uint64_t awaitTasks(uint32_t seen);
  int64_t takeTasks(uint64_t seen, int thread);
  void wake(int64_t helpers);
  void finish(int64_t completed);
  void awaitOthers(int64_t tasks);

  void (*onStart)(int index);
  std::vector<Member> members; // [0] is the caller

  // Epoch in the high half, number of tasks not yet taken in the low half. Taking a task is a
  // compare-and-swap of the whole word, so a worker that missed an epoch cannot take a task of the
  // next one by mistake.
  alignas(64) std::atomic<uint64_t> ticket{0};
  // Written only while no task is left; read only with a ticket that has tasks left.
  std::atomic<void (*)(void*, int64_t, int)> body{nullptr};
  std::atomic<void*> state{nullptr};
  std::atomic<int64_t> total{0};
  alignas(64) std::atomic<int64_t> completed{0};

  alignas(64) std::mutex mutex;
  std::condition_variable moreTasks, allDone;
  std::atomic<int> sleepers{0};
  std::atomic<bool> callerSleeps{false}, stopping{false};
};

} // namespace heed
