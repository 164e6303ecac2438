#include "pages.h"
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <map>
#include <mutex>
#include <sys/mman.h>
#include <unistd.h>

namespace heed {

namespace {

constexpr size_t HUGE_PAGE = 2 << 20;
constexpr size_t SHARED = 64 << 10, ALONE = 32 << 20, REGION = 64 << 20;

size_t roundUp(size_t bytes, size_t unit) { return (bytes + unit - 1) / unit * unit; }
size_t wholePages(size_t bytes) { return roundUp(bytes, (size_t)sysconf(_SC_PAGESIZE)); }

// Maps `size` bytes at a multiple of `unit`: maps more, and unmaps the excess on both sides.
char* map(size_t size, size_t unit) {
  char* const mapped =
      (char*)mmap(nullptr, size + unit, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANON, -1, 0);
  if (mapped == MAP_FAILED) return nullptr;
  char* const start = (char*)roundUp((size_t)mapped, unit);
  if (start > mapped) munmap(mapped, (size_t)(start - mapped));
  if (start < mapped + unit) munmap(start + size, (size_t)(mapped + unit - start));
#ifdef MADV_HUGEPAGE
  madvise(start, size, MADV_HUGEPAGE);
#endif
  return start;
}

// Regions of memory, at multiples of their size, from which blocks are allocated. The first gap
// that is large enough is used, so that gaps accumulate at the end. One empty region is kept.
class Regions {
public:
  char* take(size_t size) {
    std::lock_guard<std::mutex> lock(mutex);
    auto gap = std::find_if(gaps.begin(), gaps.end(), [&](auto& g) { return g.second >= size; });
    if (gap == gaps.end()) {
      char* const region = map(REGION, REGION);
      if (!region) return nullptr;
      gap = gaps.emplace(region, REGION).first;
    }
    char* const block = gap->first;
    if (gap->second > size) gaps.emplace(block + size, gap->second - size);
    gaps.erase(gap);
    return block;
  }

  void give(char* block, size_t size) {
    std::lock_guard<std::mutex> lock(mutex);
    auto gap = gaps.emplace(block, size).first;
    if (const auto next = std::next(gap); next != gaps.end()) join(gap, next);
    if (gap != gaps.begin()) gap = join(std::prev(gap), gap);
    if (size >= HUGE_PAGE) letGo(*gap, block, size);
    const bool spare = std::any_of(gaps.begin(), gaps.end(), [&](auto& g) {
      return g.second == REGION && g.first != gap->first;
    });
    if (gap->second < REGION || !spare) return;
    munmap(gap->first, REGION);
    gaps.erase(gap);
  }

private:
  using Gaps = std::map<char*, size_t>; // address -> bytes
  Gaps gaps;
  std::mutex mutex;

  // Merges two gaps if they are adjacent in the same region. Returns the gap that contains the
  // second.
  Gaps::iterator join(Gaps::iterator first, Gaps::iterator second) {
    const bool touch = first->first + first->second == second->first;
    if (!touch || (size_t)second->first % REGION == 0) return second;
    first->second += second->second;
    gaps.erase(second);
    return first;
  }

  // Returns the huge pages of a large block to the system, including those at its ends if they are
  // entirely in the gap.
  static void letGo(const Gaps::value_type& gap, char* block, size_t size) {
    const size_t start = (size_t)gap.first, end = start + gap.second, first = (size_t)block;
    const size_t from = std::max(roundUp(start, HUGE_PAGE), first / HUGE_PAGE * HUGE_PAGE);
    const size_t to = std::min(end / HUGE_PAGE * HUGE_PAGE, roundUp(first + size, HUGE_PAGE));
    if (from < to) madvise((char*)from, to - from, MADV_DONTNEED);
  }
};

// Never destroyed, because threads may outlive the exit of the main thread.
Regions& regions() {
  static Regions* const one = new Regions;
  return *one;
}

} // namespace

void* allocatePages(size_t bytes) {
  if (bytes > SIZE_MAX / 2) return nullptr;
  if (bytes >= ALONE) return map(wholePages(bytes), HUGE_PAGE);
  void* memory = nullptr;
  const size_t size = bytes < SHARED ? roundUp(std::max<size_t>(bytes, 1), 64) : wholePages(bytes);
  if (bytes >= SHARED) memory = regions().take(size);
  else if (posix_memalign(&memory, 64, size) != 0) return nullptr;
  return memory ? memset(memory, 0, size) : nullptr;
}

void freePages(void* memory, size_t bytes) {
  if (bytes < SHARED) return free(memory);
  const size_t size = wholePages(bytes);
  if (bytes < ALONE) regions().give((char*)memory, size);
  else munmap(memory, size);
}

} // namespace heed
