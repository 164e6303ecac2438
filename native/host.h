// What the addon asks of the operating system.
#pragma once
#include <cstdint>

namespace heed {

// Physical cores that this process may use: CPU affinity, hyper-threads and a container's quota
// count.
int availableCores();

// Memory that this process may use: the machine's, or its container's where that is less.
int64_t availableMemory();

// The calling thread computes: it is named, and gives way to the threads that answer people
// (priority HEED_NICE, 5 when unset).
void enterComputeThread(int index);

// Keeps this library mapped for good: its threads outlive the worker that loaded it.
void pinLibrary();

} // namespace heed
