// Data that is wrong in device memory (an id, a slot, a weight): a kernel finds it, skips it and leaves the first one
// here; the host reads it when it synchronizes, and says in words what the CPU backend would have said.
#pragma once

#include <cstdint>
#include <string>

#include "topv/topv.h"

namespace topv::cuda {

/// Everything that can be wrong: X(name, status, printf format over a, b, c and x of Fault).
#define TOPV_FAULTS(X)                                                                                     \
  X(embed_id, TOPV_INVALID_ARGUMENT, "embed: ids[%lld] = %lld is not in [0, vocab = %lld)", f.a, f.b, f.c) \
  X(rope_position, TOPV_INVALID_ARGUMENT, "rope: positions[%lld] = %lld is not in [0, %lld)", f.a, f.b, f.c)

enum class FaultKind : int32_t {
  none,
#define TOPV_FAULT_NAME(name, ...) name,
  TOPV_FAULTS(TOPV_FAULT_NAME)
#undef TOPV_FAULT_NAME
};

/// In device memory, one per stream; all zero when nothing is wrong.
struct Fault {
  FaultKind kind;
  int32_t reserved;
  long long a, b, c;
  double x;
};

/// Status and words of a fault that has been copied to the host.
topv_status describe(const Fault& fault, std::string& words);

}  // namespace topv::cuda
