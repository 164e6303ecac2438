// The instruction sets of this build, best first. The build defines HEED_ISAS as a list of X(name).
// Unlike the kernels, this file is compiled for the oldest processor: it decides which of them can
// run.
#include "processor.h"
#include "program.h"

namespace heed {

namespace {

[[maybe_unused]] bool supports_avx2() { return processor().avx2; }
[[maybe_unused]] bool supports_avx512() { return processor().avx512; }
[[maybe_unused]] bool supports_baseline() { return true; }
#define supports_neon supports_baseline // part of every 64-bit ARM processor
#define supports_wasm supports_baseline // the loader has chosen the module
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
