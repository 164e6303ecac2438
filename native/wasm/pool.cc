#include "pool.h"
#include <algorithm>
#include <cstdlib>

namespace heed {

namespace {

constexpr int64_t MOST_TASKS = UINT32_MAX; // the low half of a ticket

// Number of checks rather than a time, because reading a clock is a call into JavaScript. About 40
// microseconds, which is longer than the gap between two kernels of a program.
constexpr int SPIN = 20000;

thread_local int insideTask = -1; // index of the thread while it runs a task

uint32_t epochOf(uint64_t ticket) { return (uint32_t)(ticket >> 32); }
uint32_t tasksLeft(uint64_t ticket) { return (uint32_t)ticket; }

template <class Ready> bool spinUntil(Ready&& ready) {
  for (int i = 0; i < SPIN; i++)
    if (ready()) return true;
  return false;
}

void sleepWhile(std::atomic<int>& word, int value) {
  __builtin_wasm_memory_atomic_wait32((int*)&word, value, -1);
}
void wakeAll(std::atomic<int>& word) {
  word.fetch_add(1);
  __builtin_wasm_memory_atomic_notify((int*)&word, UINT32_MAX);
}

} // namespace

void WasmPool::each(int64_t tasks, void (*run)(void*, int64_t, int), void* argument) {
  const bool nested = insideTask >= 0;
  const int thread = nested ? insideTask : 0;
  if (nested || tasks <= 1 || used == 1 || tasks > MOST_TASKS) {
    insideTask = thread;
    for (int64_t task = 0; task < tasks; task++) run(argument, task, thread);
    if (!nested) insideTask = -1;
    return;
  }
  body.store(run, std::memory_order_relaxed);
  state.store(argument, std::memory_order_relaxed);
  total.store(tasks, std::memory_order_relaxed);
  invited.store(used, std::memory_order_relaxed);
  completed.store(0, std::memory_order_relaxed);
  const uint64_t open = (uint64_t)(epochOf(ticket.load()) + 1) << 32 | (uint64_t)tasks;
  ticket.store(
      open); // sequentially consistent with `sleepers`: one of the two sides sees the other
  if (sleepers.load() > 0) wakeAll(rounds);
  completed.fetch_add(takeTasks(open, 0));
  awaitOthers(tasks);
}

void* WasmPool::scratch(int thread, int slot, size_t bytes) {
  Member& member = members[thread];
  if (member.capacity[slot] >= bytes) return member.scratch[slot];
  const size_t capacity = (std::max(bytes, 2 * member.capacity[slot]) + 63) / 64 * 64;
  free(member.scratch[slot]);
  member.capacity[slot] = 0;
  if (posix_memalign(&member.scratch[slot], 64, capacity) != 0)
    abort(); // kernels cannot continue without it
  member.capacity[slot] = capacity;
  return member.scratch[slot];
}

void WasmPool::work(int index) {
  uint32_t seen = 0;
  while (true) {
    const uint64_t open = awaitTasks(seen);
    seen = epochOf(open);
    const int64_t taken = takeTasks(open, index);
    if (taken == 0) continue;
    completed.fetch_add(taken);
    if (callerSleeps.load()) wakeAll(ends);
  }
}

// Waits for an epoch other than `seen` with tasks left, and returns its ticket. Spins first, then
// sleeps.
uint64_t WasmPool::awaitTasks(uint32_t seen) {
  uint64_t open = 0;
  const auto ready = [&] {
    open = ticket.load();
    return tasksLeft(open) > 0 && epochOf(open) != seen;
  };
  if (spinUntil(ready)) return open;
  sleepers.fetch_add(1);
  while (true) {
    const int round = rounds.load();
    if (ready()) break;
    sleepWhile(rounds, round);
  }
  sleepers.fetch_sub(1);
  return open;
}

// Runs tasks of the epoch of `open` until none is left. Returns the number of tasks that it ran.
int64_t WasmPool::takeTasks(uint64_t open, int thread) {
  const uint32_t epoch = epochOf(open);
  int64_t taken = 0;
  insideTask = thread;
  while (epochOf(open) == epoch && tasksLeft(open) > 0) {
    if (invited.load() <= thread) break; // this run uses fewer threads than exist
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

void WasmPool::awaitOthers(int64_t tasks) {
  const auto done = [&] { return completed.load() == tasks; };
  if (spinUntil(done)) return;
  callerSleeps.store(true);
  while (true) {
    const int end = ends.load();
    if (done()) break;
    sleepWhile(ends, end);
  }
  callerSleeps.store(false);
}

} // namespace heed
