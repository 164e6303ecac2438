// The instruction sets of this build, best first: the build defines HEED_ISAS as a list of X(name).
// Compiled for the plainest processor, unlike the kernels: it decides which of them may run.
#include "program.h"

namespace heed {

namespace {

#if defined(__x86_64__)
[[maybe_unused]] bool supports_avx2() {
  return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
}
[[maybe_unused]] bool supports_avx512() {
  return supports_avx2() && __builtin_cpu_supports("avx512f") &&
         __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") &&
         __builtin_cpu_supports("avx512vl");
}
#endif
[[maybe_unused]] bool supports_baseline() { return true; }
#define supports_neon supports_baseline // part of every 64-bit ARM processor
#define supports_wasm supports_baseline // the loader has chosen
#define supports_wasm_relaxed supports_baseline

} // namespace

#define X(name)                  \
  namespace name {               \
  extern const Kernel kernels[]; \
  }
HEED_ISAS
#undef X

namespace {
#define X(name) const Isa isa_##name = {#name, supports_##name, name::kernels};
HEED_ISAS
#undef X
} // namespace

#define X(name) &isa_##name,
const Isa* const isas[] = {HEED_ISAS nullptr};
#undef X

} // namespace heed
