// Waiting without sleeping, for gaps that are shorter than waking up takes.
#pragma once
#include <chrono>

namespace heed {

inline void pauseProcessor() {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ volatile("yield");
#endif
}

// Longer than JavaScript takes from one run of a loop to the next, shorter than anybody would
// notice: waking up takes as long again, and a third of the time of 64 small products with two
// threads.
constexpr auto SPIN = std::chrono::microseconds(200);

// Whether it became ready in time.
template <class Ready> bool spinUntil(Ready&& ready) {
  const auto end = std::chrono::steady_clock::now() + SPIN;
  do {
    for (int i = 0; i < 32; i++) {
      if (ready()) return true;
      pauseProcessor();
    }
  } while (std::chrono::steady_clock::now() < end);
  return ready();
}

} // namespace heed
