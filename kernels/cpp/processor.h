// What the processor can do and the operating system lets programs use.
#pragma once

namespace heed {

struct Processor {
  bool avx2 = false;   // with FMA
  bool avx512 = false; // F, BW, DQ and VL
  bool vnni = false;   // of AVX-512: vpdpbusd and vpdpwssd
};

// Asked once.
const Processor& processor();

} // namespace heed
