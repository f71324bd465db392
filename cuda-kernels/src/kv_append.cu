// k_cache[slots[t]] = k[t], v_cache[slots[t]] = v[t]: rows of Hkv * D elements.
//
// Grid: threads over tokens and units of up to 16 bytes, four per thread in flight; keys and values in z. Bound: memory
// bandwidth, one element read and one written.
#include "common/copy.cuh"
#include "common/report.cuh"
#include "kernels.h"

namespace topv::cuda {
namespace {

/// Rows and their cache, counted in units.
struct Side {
  const void* rows;
  void* cache;
  int64_t stride;
};

template <typename Unit>
__global__ void __launch_bounds__(256)
    kv_append_kernel(topv_kv_append_params p, Side keys, Side values, int64_t width, Fault* fault) {
  const bool key = blockIdx.z == 0;
  const Unit* rows = static_cast<const Unit*>(key ? keys.rows : values.rows);
  Unit* cache = static_cast<Unit*>(key ? keys.cache : values.cache);
  const int64_t stride = key ? keys.stride : values.stride;
  for (int64_t t = first_row(); t < p.tokens; t += row_step()) {
    const int32_t slot = p.slots[t];
    if (slot < -1 || slot >= p.cache_slots) {
      if (key && item_index() == 0) report(fault, FaultKind::kv_append_slot, t, slot, p.cache_slots);
      continue;
    }
    if (slot >= 0) copy_row(cache + slot * width, rows + t * stride, width, item_index(), row_lanes());
  }
}

template <typename Unit>
void start(const Run& run, const topv_kv_append_params& p, int64_t element) {
  const int64_t unit = sizeof(Unit), width = element * p.kv_heads * p.head_dim / unit;
  Shape shape = over_copies(p.tokens, width);
  shape.grid.z = 2;
  launch(run, shape, kv_append_kernel<Unit>, p, Side{p.k, p.k_cache, p.ldk * element / unit},
         Side{p.v, p.v_cache, p.ldv * element / unit}, width, run.fault);
}

}  // namespace

void kv_append(const Run& run, const topv_kv_append_params& p) {
  const int64_t element = p.dtype == TOPV_F32 ? 4 : 2;
  const int unit = copy_unit({address(p.k), address(p.v), address(p.k_cache), address(p.v_cache),
                              p.ldk * element, p.ldv * element, element * p.kv_heads * p.head_dim});
  unit == 16  ? start<uint4>(run, p, element)
  : unit == 4 ? start<uint32_t>(run, p, element)
              : start<uint16_t>(run, p, element);
}

}  // namespace topv::cuda
