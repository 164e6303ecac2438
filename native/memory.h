// Counted memory: every byte that a buffer, a program or the arena holds is known, and limited by
// the budget.
#pragma once
#include <cstddef>
#include <cstdint>
#include "program.h"
#include <memory>

namespace heed {

struct MemoryUse {
  int64_t live;    // bytes of buffers and programs
  int64_t peak;    // most bytes held at once, arena included, since resetMemoryPeak
  int64_t arena;   // bytes of the arena that runs share
  int64_t budget;  // most bytes that may be held at once
  int64_t buffers; // buffers alive
};
MemoryUse memoryUse();
void resetMemoryPeak();
void setMemoryBudget(int64_t bytes);

// A device buffer: zero-filled at first, 64-byte aligned. Shared by its handle and the runs that
// use it.
class Block {
public:
  static std::shared_ptr<Block> allocate(size_t bytes); // null when budget or system have no more
  ~Block();
  void* const data;
  const size_t bytes;
  uint64_t lastUse =
      0; // number of the last job that was submitted with it; for its owner's thread alone

private:
  Block(void* data, size_t bytes) : data(data), bytes(bytes) {}
};

// The memory for intermediates that runs borrow in turn. Only the runner thread touches it.
class Arena {
public:
  ~Arena() { release(); }
  void* borrow(size_t bytes); // null when budget or system have no more; contents undefined

private:
  void release();
  void shrinkWhenUnused(size_t wanted);
  void* data = nullptr;
  size_t bytes = 0;
  int borrowed = 0;   // since the last look at the sizes in use
  size_t largest = 0; // of these
};

// Moves the program to the heap, counted; null when the budget has no room.
std::shared_ptr<const Program> keep(Program&& program);

bool withinBudget(size_t bytes);

} // namespace heed
