// Functions of the operating system that the addon needs.
#pragma once
#include <cstdint>

namespace heed {

// Number of physical cores that this process may use, given CPU affinity, hyper-threads and the
// quota of a container.
int availableCores();

// Memory that this process may use, in bytes: that of the machine, or the limit of the container if
// it is lower.
int64_t availableMemory();

// Prepares the calling thread for computing: sets its name, and a lower priority than that of
// interactive threads (HEED_NICE, default 5).
void enterComputeThread(int index);

// Prevents this library from being unloaded, because its threads outlive the worker that loaded it.
void pinLibrary();

} // namespace heed
