#include "host.h"
#include <algorithm>
#include <cstdlib>
#include <vector>
#define WIN32_LEAN_AND_MEAN
#define NOMINMAX
#include <windows.h>

namespace heed {

int availableCores() {
  DWORD_PTR allowed = 0, all = 0;
  GetProcessAffinityMask(GetCurrentProcess(), &allowed, &all);
  DWORD bytes = 0;
  GetLogicalProcessorInformation(nullptr, &bytes);
  std::vector<SYSTEM_LOGICAL_PROCESSOR_INFORMATION> parts(bytes / sizeof parts[0]);
  int cores = 0;
  if (!parts.empty() && GetLogicalProcessorInformation(parts.data(), &bytes))
    for (const auto& part : parts)
      cores += part.Relationship == RelationProcessorCore &&
               (allowed == 0 || (part.ProcessorMask & allowed));
  if (cores > 0) return cores;
  SYSTEM_INFO system;
  GetSystemInfo(&system);
  return std::max(1, (int)system.dwNumberOfProcessors);
}

int64_t availableMemory() {
  MEMORYSTATUSEX status;
  status.dwLength = sizeof status;
  return GlobalMemoryStatusEx(&status) ? (int64_t)status.ullTotalPhys : INT64_MAX / 2;
}

// Windows has no fine-grained priorities: any HEED_NICE above 0 means "below normal".
void enterComputeThread(int) {
  const char* wanted = getenv("HEED_NICE");
  if (!wanted || !*wanted || atoi(wanted) > 0)
    SetThreadPriority(GetCurrentThread(), THREAD_PRIORITY_BELOW_NORMAL);
}

void pinLibrary() {
  HMODULE library;
  GetModuleHandleExW(GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS | GET_MODULE_HANDLE_EX_FLAG_PIN,
                     (LPCWSTR)(void*)pinLibrary, &library);
}

} // namespace heed
