// Features that the processor has and the operating system supports.
#pragma once

namespace heed {

struct Processor {
  bool avx2 = false;   // with FMA
  bool avx512 = false; // F, BW, DQ and VL
  bool vnni = false;   // vpdpbusd and vpdpwssd of AVX-512
};

// Detects the features on the first call.
const Processor& processor();

} // namespace heed
