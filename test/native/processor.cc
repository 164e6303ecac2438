// Prints the instruction sets of this processor, as the kernels detect them and as the compiler's
// library does.
#include "processor.h"
#include <cstdio>

static void print(bool avx2, bool avx512, bool vnni) {
  std::printf("%s%s%sbaseline\n", vnni ? "vnni " : "", avx512 ? "avx512 " : "",
              avx2 ? "avx2 " : "");
}

int main() {
  const heed::Processor& own = heed::processor();
  print(own.avx2, own.avx512, own.vnni);
  __builtin_cpu_init();
  const bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
  const bool avx512 = avx2 && __builtin_cpu_supports("avx512f") &&
                      __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512bw") &&
                      __builtin_cpu_supports("avx512vl");
  print(avx2, avx512, avx512 && __builtin_cpu_supports("avx512vnni"));
}
