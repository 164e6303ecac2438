// A library of Windows that wine 8 lacks and that programs in Rust (rolldown, below vitest) need: one function, which
// fills memory with random bytes. RtlGenRandom of advapi32 has the name SystemFunction036.
extern "C" {
__declspec(dllimport) unsigned char SystemFunction036(void*, unsigned long);

__declspec(dllexport) int ProcessPrng(unsigned char* bytes, unsigned long long size) {
  constexpr unsigned long long MOST = 1 << 30;
  while (size > 0) {
    const unsigned long long part = size < MOST ? size : MOST;
    if (!SystemFunction036(bytes, (unsigned long)part)) return 0;
    bytes += part;
    size -= part;
  }
  return 1;
}

// Where a library begins: there is no C library in it.
int DllMainCRTStartup(void*, unsigned long, void*) { return 1; }
}
