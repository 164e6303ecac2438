#include "host.h"
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <dlfcn.h>
#include <pthread.h>
#include <set>
#include <string>
#include <unistd.h>
#ifdef __linux__
#include <sched.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#else
#include <sys/sysctl.h>
#endif

namespace heed {

namespace {

#ifdef __linux__
std::string readLine(const std::string& path) {
  char line[512] = "";
  if (FILE* file = fopen(path.c_str(), "r")) {
    if (!fgets(line, sizeof line, file)) line[0] = 0;
    fclose(file);
  }
  line[strcspn(line, "\n")] = 0;
  return line;
}

// Visits the folders of this process's control group and of its parents. In a container the path
// often names a folder that is not mounted, so the root is always included.
template <class F> void eachGroup(const char* controller, F&& visit) {
  std::string root = "/sys/fs/cgroup", path;
  if (FILE* file = fopen("/proc/self/cgroup", "r")) {
    char line[4096];
    while (fgets(line, sizeof line, file)) {
      line[strcspn(line, "\n")] = 0;
      const char* names = strchr(line, ':');
      const char* folder = names ? strchr(names + 1, ':') : nullptr;
      if (!folder) continue;
      const std::string controllers(names + 1, folder);
      const bool version2 = controllers.empty();
      if (!version2 &&
          ("," + controllers + ",").find(std::string(",") + controller + ",") == std::string::npos)
        continue;
      path = folder + 1;
      if (!version2) root = std::string("/sys/fs/cgroup/") + controller;
      if (!version2)
        break; // a version 1 controller is more specific than the empty version 2 group
    }
    fclose(file);
  }
  while (!path.empty() && path != "/") {
    visit(root + path);
    path.resize(path.rfind('/') == std::string::npos ? 0 : path.rfind('/'));
  }
  visit(root);
}

double cpuQuota() {
  double quota = INFINITY;
  eachGroup("cpu", [&](const std::string& folder) {
    double most = 0, period = 0;
    if (sscanf(readLine(folder + "/cpu.max").c_str(), "%lf %lf", &most, &period) != 2) {
      most = atof(readLine(folder + "/cpu.cfs_quota_us").c_str());
      period = atof(readLine(folder + "/cpu.cfs_period_us").c_str());
    }
    if (most > 0 && period > 0) quota = std::min(quota, most / period);
  });
  return quota;
}

// Number of cores in the affinity mask. Hyper-threads of a core have the same list of siblings.
int allowedCores() {
  const int most = (int)std::max(1L, sysconf(_SC_NPROCESSORS_CONF));
  cpu_set_t* allowed = CPU_ALLOC(most);
  const size_t size = CPU_ALLOC_SIZE(most);
  std::set<std::string> cores;
  if (sched_getaffinity(0, size, allowed) == 0)
    for (int cpu = 0; cpu < most; cpu++) {
      if (!CPU_ISSET_S(cpu, size, allowed)) continue;
      const std::string number = std::to_string(cpu);
      const std::string siblings =
          readLine("/sys/devices/system/cpu/cpu" + number + "/topology/thread_siblings_list");
      cores.insert(siblings.empty() ? number : siblings);
    }
  CPU_FREE(allowed);
  return cores.empty() ? (int)std::max(1L, sysconf(_SC_NPROCESSORS_ONLN)) : (int)cores.size();
}
#endif

} // namespace

int availableCores() {
#ifdef __linux__
  return std::max(1, std::min(allowedCores(), (int)std::ceil(std::min(cpuQuota(), 1e6))));
#else
  int cores = 0;
  size_t size = sizeof cores;
  if (sysctlbyname("hw.perflevel0.physicalcpu", &cores, &size, nullptr, 0) != 0 || cores < 1)
    sysctlbyname("hw.physicalcpu", &cores, &size, nullptr, 0);
  return std::max(1, cores);
#endif
}

int64_t availableMemory() {
#ifdef __linux__
  int64_t bytes = (int64_t)sysconf(_SC_PHYS_PAGES) * sysconf(_SC_PAGESIZE);
  eachGroup("memory", [&](const std::string& folder) {
    for (const char* file : {"/memory.max", "/memory.limit_in_bytes"}) {
      const double limit = atof(readLine(folder + file).c_str()); // "max" reads as 0
      if (limit > 0 && limit < (double)bytes) bytes = (int64_t)limit;
    }
  });
  return bytes;
#else
  int64_t bytes = 0;
  size_t size = sizeof bytes;
  sysctlbyname("hw.memsize", &bytes, &size, nullptr, 0);
  return bytes;
#endif
}

void enterComputeThread(int index) {
#ifdef __linux__
  char name[16];
  snprintf(name, sizeof name, "heed-%d", index);
  pthread_setname_np(pthread_self(), name);
  const char* wanted = getenv("HEED_NICE");
  const int priority = wanted && *wanted ? atoi(wanted) : 5;
  if (priority != 0) setpriority(PRIO_PROCESS, (id_t)syscall(SYS_gettid), priority);
#else
  (void)index;
#endif
}

void pinLibrary() {
  Dl_info library;
  if (dladdr((void*)pinLibrary, &library))
    dlopen(library.dli_fname, RTLD_NOW | RTLD_NOLOAD | RTLD_NODELETE);
}

} // namespace heed
