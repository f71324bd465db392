// rope(q), rope(k), then kv_append(k, v), bit for bit, in one pass over the fused rows.
//
// Grid: threads over tokens and packs of pairs of their heads, those of q, then k, then v. A thread of k stores its pairs
// in place and in the cache, one of v copies them. Bound: memory bandwidth: q, k, v read and written once, k twice.
#include "common/report.cuh"
#include "kernels.h"
#include "rope.cuh"

namespace topv::cuda {
namespace {

template <typename T, int V>
__global__ void __launch_bounds__(256) rope_append_kernel(topv_rope_append_params p, Fault* fault) {
  const int half = p.head_dim / 2, packs = half / V;
  const int64_t item = item_index();
  const int64_t row_head = item / packs;
  if (row_head >= int64_t{p.q_heads} + 2 * int64_t{p.kv_heads}) return;
  const int i = static_cast<int>(item % packs) * V;
  const bool query = row_head < p.q_heads, key = !query && row_head < int64_t{p.q_heads} + p.kv_heads;
  const int64_t head = query ? row_head : row_head - p.q_heads - (key ? 0 : p.kv_heads);
  const int64_t within = head * p.head_dim + i, width = int64_t{p.kv_heads} * p.head_dim;

  for (int64_t t = first_row(); t < p.tokens; t += row_step()) {
    const int32_t position = p.positions[t], slot = p.slots[t];
    if (position < 0 || position >= p.max_positions) {
      if (item == 0) report(fault, FaultKind::rope_append_position, t, position, p.max_positions);
      continue;
    }
    if (slot < -1 || slot >= p.cache_slots) {
      if (item == 0) report(fault, FaultKind::rope_append_slot, t, slot, p.cache_slots);
      continue;
    }
    if (query || key) {
      T* x = static_cast<T*>(query ? p.q : p.k) + t * (query ? p.ldq : p.ldk) + within;
      float low[V], high[V];
      rotate(x, half, p.cos_sin + int64_t{position} * p.head_dim + i, low, high);
      store(x, low);
      store(x + half, high);
      if (key && slot >= 0) {
        T* cached = static_cast<T*>(p.k_cache) + slot * width + within;
        store(cached, low);
        store(cached + half, high);
      }
    } else if (slot >= 0) {
      using Packs = Pack<T, V>;
      const T* v = static_cast<const T*>(p.v) + t * p.ldv + within;
      T* cached = static_cast<T*>(p.v_cache) + slot * width + within;
      const Packs low = *reinterpret_cast<const Packs*>(v), high = *reinterpret_cast<const Packs*>(v + half);
      *reinterpret_cast<Packs*>(cached) = low;
      *reinterpret_cast<Packs*>(cached + half) = high;
    }
  }
}

template <typename T, int V>
void start_packs(const Run& run, const topv_rope_append_params& p) {
  const int64_t heads = int64_t{p.q_heads} + 2 * int64_t{p.kv_heads};
  launch(run, over(p.tokens, heads * (p.head_dim / 2 / V)), rope_append_kernel<T, V>, p, run.fault);
}

template <typename T>
void start(const Run& run, const topv_rope_append_params& p) {
  const int64_t size = sizeof(T), pack = rope_pack<T>(p.head_dim), bytes = pack * size;
  const bool wide = aligned(p.q, p.ldq * size, bytes) && aligned(p.k, p.ldk * size, bytes) &&
                    aligned(p.v, p.ldv * size, bytes) && aligned(p.k_cache, 0, bytes) &&
                    aligned(p.v_cache, 0, bytes) && aligned(p.cos_sin, 0);
  if (!wide) return start_packs<T, 1>(run, p);
  pack == kPack<T> ? start_packs<T, kPack<T>>(run, p) : start_packs<T, 4>(run, p);
}

}  // namespace

void rope_append(const Run& run, const topv_rope_append_params& p) {
  p.dtype == TOPV_F32 ? start<float>(run, p) : start<__nv_bfloat16>(run, p);
}

}  // namespace topv::cuda
