// An array of plain values. Kernels use it in place of std::vector: the linker keeps only one copy
// of the functions of std::vector<int>, possibly the one compiled for an instruction set that this
// machine lacks. For the same reason, std algorithms are used only with types of this namespace.
#pragma once
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <type_traits>

namespace heed {
namespace HEED_ISA {

template <class T> class List {
  static_assert(std::is_trivially_copyable<T>::value, "is moved by memcpy");

public:
  List() = default;
  explicit List(size_t n) { grow(n), count = n; } // contents undefined
  List(const List& other) : List(other.count) {
    if (count) memcpy((void*)items, other.items, count * sizeof(T));
  }
  List& operator=(const List&) = delete;
  ~List() { free((void*)items); }

  void push(const T& item) {
    if (count == room) grow(count < 4 ? 4 : 2 * count);
    items[count++] = item;
  }
  void fill(const T& item) {
    for (T& i : *this) i = item;
  }

  bool empty() const { return count == 0; }
  size_t size() const { return count; }
  T& operator[](size_t i) { return items[i]; }
  const T& operator[](size_t i) const { return items[i]; }
  T* begin() { return items; }
  T* end() { return items + count; }
  const T* begin() const { return items; }
  const T* end() const { return items + count; }
  const T& back() const { return items[count - 1]; }

private:
  T* items = nullptr;
  size_t count = 0, room = 0;

  void grow(size_t n) {
    if (n == 0) return;
    items = (T*)realloc((void*)items, n * sizeof(T));
    if (!items) abort();
    room = n;
  }
};

} // namespace HEED_ISA
} // namespace heed
