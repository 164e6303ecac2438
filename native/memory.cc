#include "memory.h"
#include "host.h"
#include "pages.h"
#include <algorithm>
#include <mutex>

namespace heed {

namespace {

// The memory account of the process. Never destroyed, because threads may outlive the exit of the
// main thread.
struct Account {
  std::mutex mutex;
  MemoryUse use{0, 0, 0, availableMemory(), 0};

  bool fits(int64_t bytes) const { return bytes <= use.budget - use.live - use.arena; }
  bool add(int64_t& part, int64_t bytes) {
    std::lock_guard<std::mutex> lock(mutex);
    if (bytes > 0 && !fits(bytes)) return false;
    part += bytes;
    use.peak = std::max(use.peak, use.live + use.arena);
    return true;
  }
  void countBuffer(int change) {
    std::lock_guard<std::mutex> lock(mutex);
    use.buffers += change;
  }
};

Account& account() {
  static Account* const one = new Account;
  return *one;
}

constexpr size_t MOST = (size_t)1 << 50;

} // namespace

MemoryUse memoryUse() {
  std::lock_guard<std::mutex> lock(account().mutex);
  return account().use;
}

void resetMemoryPeak() {
  std::lock_guard<std::mutex> lock(account().mutex);
  account().use.peak = account().use.live + account().use.arena;
}

void setMemoryBudget(int64_t bytes) {
  std::lock_guard<std::mutex> lock(account().mutex);
  account().use.budget = bytes;
}

bool withinBudget(size_t bytes) {
  std::lock_guard<std::mutex> lock(account().mutex);
  return bytes < MOST && account().fits((int64_t)bytes);
}

std::shared_ptr<Block> Block::allocate(size_t bytes) {
  if (bytes > MOST || !account().add(account().use.live, (int64_t)bytes)) return nullptr;
  void* const data = allocatePages(bytes);
  if (!data) {
    account().add(account().use.live, -(int64_t)bytes);
    return nullptr;
  }
  account().countBuffer(1);
  return std::shared_ptr<Block>(new Block(data, bytes));
}

Block::~Block() {
  freePages(data, bytes);
  account().add(account().use.live, -(int64_t)bytes);
  account().countBuffer(-1);
}

void* Arena::borrow(size_t wanted) {
  shrinkWhenUnused(wanted);
  if (wanted <= bytes && data) return data;
  release(); // first, so that the old and the new arena never exist at the same time
  if (wanted > MOST || !account().add(account().use.arena, (int64_t)wanted)) return nullptr;
  data = allocatePages(wanted);
  if (data) bytes = wanted;
  else account().add(account().use.arena, -(int64_t)wanted);
  return data;
}

void Arena::release() {
  if (!data) return;
  freePages(data, bytes);
  account().add(account().use.arena, -(int64_t)bytes);
  data = nullptr;
  bytes = 0;
}

// Reallocates the arena with a smaller size after many runs that used less than half of it.
void Arena::shrinkWhenUnused(size_t wanted) {
  constexpr int RUNS = 128;
  largest = std::max(largest, wanted);
  if (++borrowed < RUNS) return;
  if (largest < bytes / 2) release();
  borrowed = 0;
  largest = wanted;
}

std::shared_ptr<const Program> keep(Program&& program) {
  if (!account().add(account().use.live, (int64_t)program.bytes)) return nullptr;
  return std::shared_ptr<const Program>(new Program(std::move(program)), [](const Program* p) {
    account().add(account().use.live, -(int64_t)p->bytes);
    delete p;
  });
}

} // namespace heed
