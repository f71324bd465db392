// Which instruction set level to use.
#pragma once

#include <string>

#include "cpu/kernel.hpp"

namespace topv::cpu {

/// Ascending: each level includes those below it.
enum class Level { kNone = -1, kAvx2, kAvx512, kAvx512Bf16, kAmx };

/// The highest level that CPU and operating system offer.
Level best_level();

/// The level for topv_context_params.isa (NULL: the best). Throws where the name is unknown or above the
/// best.
Level choose_level(const char* name);

const char* level_name(Level level);

const Kernels& kernels_of(Level level);

/// Brand and feature names of this CPU, as the kernel reports them.
std::string cpu_model();
std::string cpu_flags();

/// Cores this process may use: affinity, lowered by a cgroup quota.
int usable_cores();

}  // namespace topv::cpu
