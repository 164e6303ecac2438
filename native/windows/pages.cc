#include "pages.h"
#include "aligned.h"
#include <algorithm>
#include <cstdint>
#include <cstring>
#define WIN32_LEAN_AND_MEAN
#define NOMINMAX
#include <windows.h>

namespace heed {

namespace {

constexpr size_t ALONE = 1 << 20; // smaller blocks are allocated on the heap

} // namespace

// The system returns zeroed pages. Huge pages need a privilege that users do not have.
void* allocatePages(size_t bytes) {
  if (bytes > SIZE_MAX / 2) return nullptr;
  if (bytes >= ALONE) return VirtualAlloc(nullptr, bytes, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE);
  const size_t size = (std::max<size_t>(bytes, 1) + 63) / 64 * 64;
  void* const memory = allocateAligned(size);
  return memory ? memset(memory, 0, size) : nullptr;
}

void freePages(void* memory, size_t bytes) {
  if (bytes >= ALONE) VirtualFree(memory, 0, MEM_RELEASE);
  else freeAligned(memory);
}

} // namespace heed
