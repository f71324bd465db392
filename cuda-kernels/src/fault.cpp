#include "fault.hpp"

#include <cstdio>

namespace topv::cuda {

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
