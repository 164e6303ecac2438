#include "pool.h"
#include "aligned.h"
#include "spin.h"
#include <algorithm>
#include <cstdlib>

namespace heed {

namespace {

constexpr int64_t MOST_TASKS = UINT32_MAX; // the low half of a ticket

thread_local int insideTask = -1; // index of the thread while it runs a task

uint32_t epochOf(uint64_t ticket) { return (uint32_t)(ticket >> 32); }
uint32_t tasksLeft(uint64_t ticket) { return (uint32_t)ticket; }

} // namespace

ThreadPool::ThreadPool(int threads, void (*onStart)(int))
    : requested(threads), onStart(onStart), members((size_t)std::max(1, threads)) {
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setstacksize(&attributes,
                            4 << 20); // the default of musl, 128 KiB, is too small for kernels
  for (size_t i = 0; i < members.size(); i++) {
    members[i].pool = this;
    members[i].index = (int)i;
    if (i == 0) continue;
    if (pthread_create(&members[i].handle, &attributes, enter, &members[i]) == 0) continue;
    members.resize(i); // the system refuses more threads: the existing ones share the tasks
    break;
  }
  pthread_attr_destroy(&attributes);
}

ThreadPool::~ThreadPool() {
  stopping.store(true);
  { std::lock_guard<std::mutex> lock(mutex); }
  moreTasks.notify_all();
  for (size_t i = 1; i < members.size(); i++) pthread_join(members[i].handle, nullptr);
  for (Member& member : members)
    for (void* memory : member.scratch) freeAligned(memory);
}

void ThreadPool::each(int64_t tasks, void (*run)(void*, int64_t, int), void* argument) {
  const bool nested = insideTask >= 0;
  const int thread = nested ? insideTask : 0;
  if (nested || tasks <= 1 || members.size() == 1) {
    insideTask = thread;
    for (int64_t task = 0; task < tasks; task++) run(argument, task, thread);
    if (!nested) insideTask = -1;
    return;
  }
  if (tasks > MOST_TASKS) { // no kernel has this many; a single thread is slow, but correct
    for (int64_t task = 0; task < tasks; task++) run(argument, task, thread);
    return;
  }
  // Release stores: a worker that reads these values under the previous epoch then also sees that
  // all tasks of that epoch are taken, and takes none.
  body.store(run, std::memory_order_release);
  state.store(argument, std::memory_order_release);
  total.store(tasks, std::memory_order_release);
  completed.store(0, std::memory_order_relaxed);
  const uint64_t open = (uint64_t)(epochOf(ticket.load()) + 1) << 32 | (uint64_t)tasks;
  ticket.store(
      open); // sequentially consistent with `sleepers`, so that one of the two sides sees the other
  wake(tasks - 1);
  const int64_t mine = takeTasks(open, 0);
  completed.fetch_add(mine, std::memory_order_acq_rel);
  awaitOthers(tasks);
}

void* ThreadPool::scratch(int thread, int slot, size_t bytes) {
  Member& member = members[thread];
  if (member.capacity[slot] >= bytes) return member.scratch[slot];
  const size_t capacity = (std::max(bytes, 2 * member.capacity[slot]) + 63) / 64 * 64;
  freeAligned(member.scratch[slot]);
  member.scratch[slot] = allocateAligned(capacity);
  if (!member.scratch[slot]) {
    fprintf(stderr, "heed: out of memory: %zu bytes of scratch memory\n", capacity);
    abort(); // kernels cannot continue without it
  }
  member.capacity[slot] = capacity;
  return member.scratch[slot];
}

void* ThreadPool::enter(void* argument) {
  Member& member = *(Member*)argument;
  member.pool->onStart(member.index);
  member.pool->work(member);
  return nullptr;
}

void ThreadPool::work(Member& member) {
  uint32_t seen = 0;
  while (true) {
    const uint64_t open = awaitTasks(seen);
    if (stopping.load()) return;
    seen = epochOf(open);
    finish(takeTasks(open, member.index));
  }
}

// Waits for an epoch other than `seen` with tasks left, and returns its ticket. Spins first, then
// sleeps.
uint64_t ThreadPool::awaitTasks(uint32_t seen) {
  uint64_t open = 0;
  const auto ready = [&] {
    open = ticket.load();
    return (tasksLeft(open) > 0 && epochOf(open) != seen) ||
           stopping.load(std::memory_order_relaxed);
  };
  if (spinUntil(ready)) return open;
  std::unique_lock<std::mutex> lock(mutex);
  sleepers.fetch_add(1);
  while (!ready()) moreTasks.wait(lock);
  sleepers.fetch_sub(1);
  return open;
}

// Runs tasks of the epoch of `open` until none is left. Returns the number of tasks that it ran.
int64_t ThreadPool::takeTasks(uint64_t open, int thread) {
  const uint32_t epoch = epochOf(open);
  int64_t taken = 0;
  insideTask = thread;
  while (epochOf(open) == epoch && tasksLeft(open) > 0) {
    const auto run = body.load(std::memory_order_acquire);
    void* const argument = state.load(std::memory_order_acquire);
    const int64_t task = total.load(std::memory_order_acquire) - tasksLeft(open);
    if (!ticket.compare_exchange_weak(open, open - 1)) continue;
    run(argument, task, thread);
    taken++;
    open = ticket.load(std::memory_order_acquire);
  }
  insideTask = -1;
  return taken;
}

void ThreadPool::wake(int64_t helpers) {
  const int asleep = sleepers.load();
  if (asleep == 0) return;
  {
    std::lock_guard<std::mutex> lock(mutex);
  } // a worker between its last check and its wait holds the mutex
  if (helpers >= asleep) return moreTasks.notify_all();
  for (int64_t i = 0; i < helpers; i++) moreTasks.notify_one();
}

void ThreadPool::finish(int64_t count) {
  if (count == 0) return;
  completed.fetch_add(count);
  if (!callerSleeps.load()) return;
  { std::lock_guard<std::mutex> lock(mutex); }
  allDone.notify_one();
}

void ThreadPool::awaitOthers(int64_t tasks) {
  const auto done = [&] { return completed.load() == tasks; };
  if (spinUntil(done)) return;
  std::unique_lock<std::mutex> lock(mutex);
  callerSleeps.store(true);
  while (!done()) allDone.wait(lock);
  callerSleeps.store(false);
}

} // namespace heed
