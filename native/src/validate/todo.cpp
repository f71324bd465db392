#include "validate.hpp"

namespace topv {
void validate_weight(const topv_weight_params&) {}
#define TOPV_TODO(name, Params) \
  void validate_##name(const Params&) {}
TOPV_OPS(TOPV_TODO)
}  // namespace topv
