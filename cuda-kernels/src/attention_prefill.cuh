// The forms of attention_prefill: one launcher each.
#pragma once

#include <type_traits>

#include "attention.cuh"

namespace topv::cuda {

/// Blocks of a prefill kernel: x = KV head by KV head of all sequences, y = tiles of queries, the last tile first. All
/// the heavy tiles of a causal mask so go first, and the heads that share keys side by side.
struct PrefillTile {
  int b, head;
  int first;  ///< query
};

inline dim3 prefill_grid(const Attention& p, int rows) {
  const int64_t tiles = ceil_div(p.max_seqlen_q, rows);
  if (tiles > 65535) fail(TOPV_UNSUPPORTED, "attention_prefill: max_seqlen_q = %d", p.max_seqlen_q);
  return dim3(static_cast<unsigned>(int64_t{p.batch} * p.q_heads), static_cast<unsigned>(tiles));
}

__device__ __forceinline__ PrefillTile prefill_tile(const Attention& p, int rows) {
  const int b = static_cast<int>(blockIdx.x) / p.q_heads;
  return {b, static_cast<int>(blockIdx.x) - b * p.q_heads,
          static_cast<int>(gridDim.y - 1 - blockIdx.y) * rows};
}

/// Calls body(element, width): one of the 16-bit type, and the least width of the tensor core forms that a head fits, as an
/// std::integral_constant.
template <typename Body>
void for_head_size(const Attention& p, const Body& body) {
  const auto of_type = [&](auto element) {
    p.head_dim <= 64   ? body(element, std::integral_constant<int, 64>())
    : p.head_dim <= 80 ? body(element, std::integral_constant<int, 80>())
    : p.head_dim <= 96 ? body(element, std::integral_constant<int, 96>())
                       : body(element, std::integral_constant<int, 128>());
  };
  p.dtype == TOPV_BF16 ? of_type(__nv_bfloat16()) : of_type(__half());
}

/// Every shape, alignment and type.
void attention_prefill_simt(const Run& run, const Attention& p);
/// bfloat16 and float16, D <= 128, scale > 0, rows of q, k, v and out 16-byte aligned.
void attention_prefill_mma(const Run& run, const Attention& p);
/// The same on Hopper, where there are keys.
void attention_prefill_wgmma(const Run& run, const Attention& p);

}  // namespace topv::cuda
