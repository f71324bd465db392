// Every head of a token, in place: (x[i], x[i + D/2]) rotated by the angle i of the token's position.
//
// Grid: threads over tokens and packs of pairs of their heads; a pack is 16 bytes of either half (8 where D is not a
// multiple of 16 in BF16). Bound: memory bandwidth, one element read and one written; the table comes from the caches.
#include "rope.cuh"

#include "common/report.cuh"
#include "kernels.h"

namespace topv::cuda {
namespace {

template <typename T, int V>
__global__ void __launch_bounds__(256) rope_kernel(topv_rope_params p, Fault* fault) {
  const int half = p.head_dim / 2, packs = half / V;
  const int64_t item = item_index();
  if (item >= int64_t{p.heads} * packs) return;
  const int64_t head = item / packs;
  const int i = static_cast<int>(item % packs) * V;
  for (int64_t t = first_row(); t < p.tokens; t += row_step()) {
    const int32_t position = p.positions[t];
    if (position < 0 || position >= p.max_positions) {
      if (item == 0) report(fault, FaultKind::rope_position, t, position, p.max_positions);
      continue;
    }
    T* x = static_cast<T*>(p.x) + t * p.ldx + head * p.head_dim + i;
    float low[V], high[V];
    rotate(x, half, p.cos_sin + int64_t{position} * p.head_dim + i, low, high);
    store(x, low);
    store(x + half, high);
  }
}

template <typename T, int V>
void start_packs(const Run& run, const topv_rope_params& p) {
  const int64_t packs = int64_t{p.heads} * (p.head_dim / 2 / V);
  launch(run, over(p.tokens, packs), rope_kernel<T, V>, p, run.fault);
}

template <typename T>
void start(const Run& run, const topv_rope_params& p) {
  const int64_t size = sizeof(T);
  const int pack = rope_pack<T>(p.head_dim);
  if (!aligned(p.x, p.ldx * size, pack * size) || !aligned(p.cos_sin, 0)) return start_packs<T, 1>(run, p);
  pack == kPack<T> ? start_packs<T, kPack<T>>(run, p) : start_packs<T, 4>(run, p);
}

}  // namespace

void rope(const Run& run, const topv_rope_params& p) {
  p.dtype == TOPV_F32 ? start<float>(run, p) : start<__nv_bfloat16>(run, p);
}

}  // namespace topv::cuda
