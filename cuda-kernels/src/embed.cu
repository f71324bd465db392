// y[t, :] = table[ids[t], :], converted.
//
// Grid: threads over tokens and packs of 8 elements. Bound: memory bandwidth, one element read and one written.
#include "common/report.cuh"
#include "common/vectors.cuh"
#include "kernels.h"

namespace topv::cuda {
namespace {

template <typename From, typename To, int V>
__global__ void __launch_bounds__(256) embed_kernel(topv_embed_params p, Fault* fault) {
  const int64_t j = item_index() * V;
  if (j >= p.cols) return;
  for (int64_t t = first_row(); t < p.tokens; t += row_step()) {
    const int32_t id = p.ids[t];
    if (id < 0 || id >= p.vocab) {
      if (j == 0) report(fault, FaultKind::embed_id, t, id, p.vocab);
      continue;
    }
    float x[V];
    load(static_cast<const From*>(p.table) + id * p.cols + j, p.cols - j, x);
    store(static_cast<To*>(p.y) + t * p.ldy + j, p.cols - j, x);
  }
}

template <typename From, typename To>
void start(const Run& run, const topv_embed_params& p) {
  constexpr int V = 8;
  const int64_t from = sizeof(From), to = sizeof(To);
  if (aligned(p.table, p.cols * from) && aligned(p.y, p.ldy * to)) {
    return launch(run, over(p.tokens, ceil_div(p.cols, V)), embed_kernel<From, To, V>, p, run.fault);
  }
  launch(run, over(p.tokens, p.cols), embed_kernel<From, To, 1>, p, run.fault);
}

template <typename From>
void start(const Run& run, const topv_embed_params& p) {
  p.dtype == TOPV_F32 ? start<From, float>(run, p) : start<From, __nv_bfloat16>(run, p);
}

}  // namespace

void embed(const Run& run, const topv_embed_params& p) {
  with_element(p.table_dtype, [&](auto element) { start<decltype(element)>(run, p); });
}

}  // namespace topv::cuda
