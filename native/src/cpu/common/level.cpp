#include "cpu/common/level.hpp"

#include <cpuid.h>
#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <fstream>
#include <sstream>

extern "C" {
extern const topv::cpu::Kernels topv_kernels_avx2, topv_kernels_avx512, topv_kernels_avx512_bf16,
    topv_kernels_amx;
}

namespace topv::cpu {
namespace {

constexpr const char* kNames[] = {"avx2", "avx512", "avx512_bf16", "amx"};

struct Registers {
  uint32_t eax = 0, ebx = 0, ecx = 0, edx = 0;
};

Registers cpuid(uint32_t leaf, uint32_t subleaf) {
  Registers r;
  __get_cpuid_count(leaf, subleaf, &r.eax, &r.ebx, &r.ecx, &r.edx);
  return r;
}

bool has(uint32_t word, std::initializer_list<int> bits) {
  return std::all_of(bits.begin(), bits.end(), [&](int bit) { return (word >> bit & 1) != 0; });
}

/// The register states that the operating system saves (XCR0).
uint64_t saved_states() {
  uint32_t low, high;
  __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return static_cast<uint64_t>(high) << 32 | low;
}

/// Linux gives tile registers to a process only on request.
bool request_tiles() {
  constexpr int kRequestPermission = 0x1023, kTileData = 18;
  return syscall(SYS_arch_prctl, kRequestPermission, kTileData) == 0;
}

Level detect() {
  const Registers basic = cpuid(1, 0), extended = cpuid(7, 0), more = cpuid(7, 1);
  const bool osxsave = has(basic.ecx, {27});
  const uint64_t states = osxsave ? saved_states() : 0;
  const bool fma_f16c = has(basic.ecx, {12, 28, 29});
  if ((states & 0x6) != 0x6 || !fma_f16c || !has(extended.ebx, {5, 8})) return Level::kNone;
  // AVX-512 F, DQ, BW, VL.
  if ((states & 0xe6) != 0xe6 || !has(extended.ebx, {16, 17, 30, 31})) return Level::kAvx2;
  if (!has(more.eax, {5})) return Level::kAvx512;
  const bool tiles = has(extended.edx, {22, 24}) && (states & 0x60000) == 0x60000;
  return tiles && request_tiles() ? Level::kAmx : Level::kAvx512Bf16;
}

/// The value of the first line of /proc/cpuinfo with this key.
std::string cpuinfo(const char* key) {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);) {
    const size_t colon = line.find(": ");
    if (line.compare(0, std::strlen(key), key) == 0 && colon != std::string::npos)
      return line.substr(colon + 2);
  }
  return "unknown";
}

/// Cores that the cgroup's quota (version 2, else 1) amounts to; 0 = no limit.
double quota_cores() {
  std::string quota;
  double period = 0;
  std::ifstream unified("/sys/fs/cgroup/cpu.max");
  if (!(unified >> quota >> period)) {
    std::ifstream legacy_quota("/sys/fs/cgroup/cpu/cpu.cfs_quota_us"),
        legacy_period("/sys/fs/cgroup/cpu/cpu.cfs_period_us");
    if (!(legacy_quota >> quota) || !(legacy_period >> period)) return 0;
  }
  const double value = std::atof(quota.c_str());  // "max" and -1 mean none
  return value > 0 && period > 0 ? value / period : 0;
}

}  // namespace

Level best_level() {
  static const Level level = detect();
  return level;
}

Level choose_level(const char* name) {
  const Level best = best_level();
  if (best == Level::kNone)
    fail(TOPV_UNSUPPORTED, "context: this CPU lacks AVX2, FMA or F16C, which the cpu backend needs");
  if (name == nullptr || *name == '\0') return best;
  for (int i = 0; i < 4; ++i) {
    if (std::strcmp(name, kNames[i]) != 0) continue;
    if (i > static_cast<int>(best)) {
      fail(TOPV_UNSUPPORTED, "context: isa = \"%s\" is more than this CPU has (%s)", name, level_name(best));
    }
    return static_cast<Level>(i);
  }
  fail(TOPV_INVALID_ARGUMENT, "context: isa = \"%.40s\" is none of avx2, avx512, avx512_bf16, amx", name);
}

const char* level_name(Level level) {
  return level == Level::kNone ? "none" : kNames[static_cast<int>(level)];
}

const Kernels& kernels_of(Level level) {
  switch (level) {
    case Level::kAmx:
      return topv_kernels_amx;
    case Level::kAvx512Bf16:
      return topv_kernels_avx512_bf16;
    case Level::kAvx512:
      return topv_kernels_avx512;
    default:
      return topv_kernels_avx2;
  }
}

std::string cpu_model() { return cpuinfo("model name"); }

std::string cpu_flags() { return cpuinfo("flags"); }

int usable_cores() {
  cpu_set_t set;
  int cores = sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set)
                                                          : static_cast<int>(sysconf(_SC_NPROCESSORS_ONLN));
  const double quota = quota_cores();
  if (quota > 0) cores = std::min(cores, std::max(1, static_cast<int>(std::ceil(quota))));
  return std::max(1, cores);
}

}  // namespace topv::cpu
