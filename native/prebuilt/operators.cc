// Allocation operators that are private to this library. Those of zig's C++ library would be
// visible to the whole process, and on macOS would replace those of other libraries. Compiled with
// -fvisibility-global-new-delete=force-hidden.
#include "aligned.h"
#include <cstdio>
#include <new>

namespace {

void* orEnd(void* memory) {
  if (memory) return memory;
  fprintf(stderr, "heed: out of memory\n");
  abort();
}
void* plain(size_t bytes) { return malloc(bytes > 0 ? bytes : 1); }

} // namespace

void* operator new(size_t bytes) { return orEnd(plain(bytes)); }
void* operator new[](size_t bytes) { return orEnd(plain(bytes)); }
void operator delete(void* memory) noexcept { free(memory); }
void operator delete[](void* memory) noexcept { free(memory); }
void operator delete(void* memory, size_t) noexcept { free(memory); }
void operator delete[](void* memory, size_t) noexcept { free(memory); }

// No type of Heed has an alignment above 64 bytes.
void* operator new(size_t bytes, std::align_val_t) { return orEnd(heed::allocateAligned(bytes)); }
void* operator new[](size_t bytes, std::align_val_t) { return orEnd(heed::allocateAligned(bytes)); }
void operator delete(void* memory, std::align_val_t) noexcept { heed::freeAligned(memory); }
void operator delete[](void* memory, std::align_val_t) noexcept { heed::freeAligned(memory); }
void operator delete(void* memory, size_t, std::align_val_t) noexcept { heed::freeAligned(memory); }
void operator delete[](void* memory, size_t, std::align_val_t) noexcept {
  heed::freeAligned(memory);
}
