// Penalties on the logits of tokens that have been seen, as native/src/sampling.hpp defines them.
//
// Grid: a thread per entry; the first ones check the settings of the rows. Bound: launch latency; 12 bytes in and a
// sector of logits out and in per entry.
#include "common/report.cuh"
#include "kernels.h"
#include "launch.hpp"
#include "sampling.hpp"

namespace topv::cuda {
namespace {

constexpr int kThreads = 256;

__device__ bool finite(float x) { return fabsf(x) < INFINITY; }

/// Whether the settings of row b are in range; tells where they are not.
__device__ bool valid(const topv_penalize_params& p, int64_t b, Fault* fault) {
  const float repetition = p.repetition[b], presence = p.presence[b], frequency = p.frequency[b];
  if (!(repetition > 0) || !finite(repetition)) {
    report(fault, FaultKind::penalize_repetition, b, 0, 0, repetition);
    return false;
  }
  if (!finite(presence)) {
    report(fault, FaultKind::penalize_presence, b, 0, 0, presence);
    return false;
  }
  if (!finite(frequency)) {
    report(fault, FaultKind::penalize_frequency, b, 0, 0, frequency);
    return false;
  }
  return true;
}

__global__ void __launch_bounds__(kThreads) penalize_kernel(topv_penalize_params p, Fault* fault) {
  const int64_t i = int64_t{blockIdx.x} * kThreads + threadIdx.x;
  if (i < p.batch) valid(p, i, fault);
  if (i >= p.count) return;
  const int32_t b = p.rows[i], id = p.ids[i], times = p.times[i];
  if (b < 0 || b >= p.batch) return report(fault, FaultKind::penalize_row, i, b, p.batch);
  if (id < 0 || id >= p.vocab) return report(fault, FaultKind::penalize_id, i, id, p.vocab);
  if (times < 0) return report(fault, FaultKind::penalize_times, i, times);
  if (!valid(p, b, fault)) return;
  float& logit = p.logits[b * p.ldl + id];
  logit = sampling::penalized(logit, times, p.repetition[b], p.presence[b], p.frequency[b]);
}

}  // namespace

void penalize(const Run& run, const topv_penalize_params& p) {
  const int64_t threads = p.count > p.batch ? p.count : p.batch;
  launch(run, {dim3(static_cast<unsigned>(ceil_div(threads, kThreads))), dim3(kThreads)}, penalize_kernel, p,
         run.fault);
}

}  // namespace topv::cuda
