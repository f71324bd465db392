// Penalties on the logits of tokens that have been seen, entry by entry. Bound: the checks.
#include <cmath>

#include "cpu/kernel.hpp"
#include "sampling.hpp"

namespace topv::cpu::TOPV_ISA {
namespace {

void check(const topv_penalize_params& p) {
  for (int64_t b = 0; b < p.batch; ++b) {
    const long long row = b;
    if (!(p.repetition[b] > 0) || std::isinf(p.repetition[b])) {
      fail(TOPV_INVALID_ARGUMENT, "penalize: repetition[%lld] = %g is not finite and above 0", row,
           static_cast<double>(p.repetition[b]));
    }
    if (!std::isfinite(p.presence[b])) {
      fail(TOPV_INVALID_ARGUMENT, "penalize: presence[%lld] = %g is not finite", row,
           static_cast<double>(p.presence[b]));
    }
    if (!std::isfinite(p.frequency[b])) {
      fail(TOPV_INVALID_ARGUMENT, "penalize: frequency[%lld] = %g is not finite", row,
           static_cast<double>(p.frequency[b]));
    }
  }
  for (int64_t i = 0; i < p.count; ++i) {
    const long long entry = i;
    if (p.rows[i] < 0 || p.rows[i] >= p.batch) {
      fail(TOPV_INVALID_ARGUMENT, "penalize: rows[%lld] = %d is not in [0, batch = %lld)", entry, p.rows[i],
           static_cast<long long>(p.batch));
    }
    if (p.ids[i] < 0 || p.ids[i] >= p.vocab) {
      fail(TOPV_INVALID_ARGUMENT, "penalize: ids[%lld] = %d is not in [0, vocab = %lld)", entry, p.ids[i],
           static_cast<long long>(p.vocab));
    }
    if (p.times[i] < 0)
      fail(TOPV_INVALID_ARGUMENT, "penalize: times[%lld] = %d is below 0", entry, p.times[i]);
  }
}

}  // namespace

void penalize(Team&, const topv_penalize_params& p) {
  check(p);
  for (int64_t i = 0; i < p.count; ++i) {
    const int32_t b = p.rows[i];
    float& logit = p.logits[b * p.ldl + p.ids[i]];
    logit = sampling::penalized(logit, p.times[i], p.repetition[b], p.presence[b], p.frequency[b]);
  }
}

}  // namespace topv::cpu::TOPV_ISA
