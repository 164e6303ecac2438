// Waits without sleeping, for gaps that are shorter than the time to wake up.
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

// Longer than the time between two runs of a loop in JavaScript, but too short to be noticed.
// Waking up takes about as long again: a third of the time of 64 small products on two threads.
constexpr auto SPIN = std::chrono::microseconds(200);

// Spins until ready() is true. Returns false after the time limit.
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
