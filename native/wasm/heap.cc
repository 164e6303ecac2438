// Makes the allocator of the C library thread-safe: its build for WebAssembly has no locks. The
// linker redirects all calls to these functions (--wrap), which call the real ones.
#include <atomic>
#include <cstddef>
#include <cstdlib>
#include <new>

namespace {

// A spin lock. It is held only briefly, so that even the main thread of a browser, which must not
// sleep, can wait for it.
class Lock {
public:
  Lock() {
    while (taken.test_and_set(std::memory_order_acquire)) {}
  }
  ~Lock() { taken.clear(std::memory_order_release); }

private:
  static std::atomic_flag taken;
};

std::atomic_flag Lock::taken = ATOMIC_FLAG_INIT;

} // namespace

extern "C" {
void* __real_malloc(size_t bytes);
void* __real_calloc(size_t count, size_t bytes);
void* __real_realloc(void* memory, size_t bytes);
int __real_posix_memalign(void** memory, size_t alignment, size_t bytes);
void __real_free(void* memory);

void* __wrap_malloc(size_t bytes) {
  Lock lock;
  return __real_malloc(bytes);
}
void* __wrap_calloc(size_t count, size_t bytes) {
  Lock lock;
  return __real_calloc(count, bytes);
}
void* __wrap_realloc(void* memory, size_t bytes) {
  Lock lock;
  return __real_realloc(memory, bytes);
}
int __wrap_posix_memalign(void** memory, size_t alignment, size_t bytes) {
  Lock lock;
  return __real_posix_memalign(memory, alignment, bytes);
}
void __wrap_free(void* memory) {
  Lock lock;
  __real_free(memory);
}
}

// The versions of the standard library need handlers that write to files. Here a failure traps,
// which the host reports.
void* operator new(size_t bytes) {
  void* const memory = malloc(bytes > 0 ? bytes : 1);
  if (!memory) __builtin_trap();
  return memory;
}
void operator delete(void* memory) noexcept { free(memory); }
void operator delete(void* memory, size_t) noexcept { free(memory); }
void operator delete(void* memory, size_t, std::align_val_t) noexcept { free(memory); }

namespace std {
inline namespace _LIBCPP_ABI_NAMESPACE {
[[noreturn]] void __libcpp_verbose_abort(const char*, ...) { __builtin_trap(); }
} // namespace _LIBCPP_ABI_NAMESPACE
} // namespace std
