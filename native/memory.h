// Memory accounting: all memory of buffers, programs and the arena is counted, and limited by a
// budget.
#pragma once
#include <cstddef>
#include <cstdint>
#include "program.h"
#include <memory>

namespace heed {

struct MemoryUse {
  int64_t live;    // bytes of buffers and programs
  int64_t peak;    // maximum of live + arena since resetMemoryPeak
  int64_t arena;   // bytes of the arena that runs share
  int64_t budget;  // upper limit of live + arena
  int64_t buffers; // number of buffers
};
MemoryUse memoryUse();
void resetMemoryPeak();
void setMemoryBudget(int64_t bytes);

// A buffer of the device, zero-filled and aligned to 64 bytes. Shared by its handle and the runs
// that use it.
class Block {
public:
  // Returns null if the memory exceeds the budget or the system has no more.
  static std::shared_ptr<Block> allocate(size_t bytes);
  ~Block();
  void* const data;
  const size_t bytes;
  uint64_t lastUse =
      0; // number of the last submitted job that uses it; only for the thread of its owner

private:
  Block(void* data, size_t bytes) : data(data), bytes(bytes) {}
};

// Memory for intermediates, which one run at a time borrows. Only the runner thread uses it.
class Arena {
public:
  ~Arena() { release(); }
  // The contents are undefined. Returns null if the memory exceeds the budget or the system has no
  // more.
  void* borrow(size_t bytes);

private:
  void release();
  void shrinkWhenUnused(size_t wanted);
  void* data = nullptr;
  size_t bytes = 0;
  int borrowed = 0;   // number of runs since the last check of the size
  size_t largest = 0; // largest size that these runs needed
};

// Moves the program to the heap and counts its memory. Returns null if it exceeds the budget.
std::shared_ptr<const Program> keep(Program&& program);

bool withinBudget(size_t bytes);

} // namespace heed
