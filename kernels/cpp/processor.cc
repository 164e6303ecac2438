// Compiled for the oldest processor. It executes CPUID and XGETBV itself, because the functions of
// compilers differ: with zig, __builtin_cpu_supports always returns false.
#include "processor.h"
#if defined(__x86_64__)
#include <cpuid.h>
#endif

namespace heed {

namespace {

#if defined(__x86_64__)

struct Answer {
  unsigned eax = 0, ebx = 0, ecx = 0, edx = 0;
};

Answer ask(unsigned leaf) {
  Answer to;
  __get_cpuid_count(leaf, 0, &to.eax, &to.ebx, &to.ecx, &to.edx);
  return to;
}

// Mask of the registers that the system saves when it switches threads.
unsigned savedRegisters() {
  unsigned low, high;
  __asm__("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return low;
}

bool has(unsigned word, int bit) { return word >> bit & 1; }

Processor detect() {
  constexpr unsigned YMM = 0x6, ZMM = 0xe6;
  const Answer one = ask(1), seven = ask(7);
  const bool asksSystem = has(one.ecx, 27); // OSXSAVE: without it, XGETBV is invalid
  const unsigned saved = asksSystem ? savedRegisters() : 0;
  Processor to;
  const bool fma = has(one.ecx, 12), avx = has(one.ecx, 28);
  to.avx2 = (saved & YMM) == YMM && avx && fma && has(seven.ebx, 5);
  const bool f = has(seven.ebx, 16), dq = has(seven.ebx, 17), bw = has(seven.ebx, 30),
             vl = has(seven.ebx, 31);
  to.avx512 = (saved & ZMM) == ZMM && to.avx2 && f && dq && bw && vl;
  to.vnni = to.avx512 && has(seven.ecx, 11);
  return to;
}

#else

Processor detect() { return {}; }

#endif

} // namespace

const Processor& processor() {
  static const Processor here = detect();
  return here;
}

} // namespace heed
