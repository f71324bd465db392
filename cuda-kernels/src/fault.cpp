#include "fault.hpp"

#include <cstdio>

namespace topv::cuda {
namespace {

// The faults of attention carry operation and index array in the low two bits of a.
const char* attention_op(const Fault& f) { return (f.a & 1) != 0 ? "attention_decode" : "attention_prefill"; }
const char* attention_field(const Fault& f) { return (f.a & 2) != 0 ? "cu_seqlens_k" : "cu_seqlens_q"; }

}  // namespace

topv_status describe(const Fault& f, std::string& words) {
  char text[512];
  switch (f.kind) {
    case FaultKind::none:
      words.clear();
      return TOPV_OK;
#define TOPV_FAULT_CASE(name, status, ...)         \
  case FaultKind::name:                            \
    std::snprintf(text, sizeof text, __VA_ARGS__); \
    words = text;                                  \
    return status;
      TOPV_FAULTS(TOPV_FAULT_CASE)
#undef TOPV_FAULT_CASE
  }
  words = "unknown fault " + std::to_string(static_cast<int>(f.kind));
  return TOPV_INTERNAL;
}

}  // namespace topv::cuda
