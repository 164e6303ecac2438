// The instruction sets of this build, best first: the build defines HEED_ISAS as a list of X(name).
// Compiled for the plainest processor, unlike the kernels: it decides which of them may run.
#include "processor.h"
#include "program.h"

namespace heed {

namespace {

[[maybe_unused]] bool supports_avx2() { return processor().avx2; }
[[maybe_unused]] bool supports_avx512() { return processor().avx512; }
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
