// flash_attn_varlen_fwd is attention_prefill or attention_decode as it is. flash_attn_with_kvcache first brings its
// arguments into their form:
//   1. index arrays: cu_seqlens_q, the keys of each sequence, and a page table in which a cache that is not paged has one
//      page per sequence; one thread per sequence;
//   2. rotates q into scratch memory, and k into the cache; copies v there; one warp per head of a token;
//   3. attention; 4. the log-sum-exp from [heads, tokens] to [batch, heads, seqlen_q].
// Bound: latency of the launches: in decode all of this moves some kilobytes.
#include "flash_attn.hpp"

#include <cmath>

#include "attention.cuh"
#include "common/elements.cuh"
#include "kernels.h"

namespace topv::cuda {
namespace {

constexpr int kThreads = 128, kWarps = kThreads / 32;

/// Arguments of the kernels that prepare a call of flash_attn_with_kvcache.
struct Cache : flash_attn_kvcache_params {
  Fault* fault;
  int32_t* cu_seqlens_q;  ///< [batch + 1]
  int32_t* seqlens_k;     ///< [batch]: after the append; 0 where cache_seqlens is wrong
  int32_t* table;         ///< [batch, max_blocks]
  void* rotated_q;        ///< as q; q itself where nothing is rotated
  int64_t capacity;       ///< keys that a sequence has room for
};

__device__ __forceinline__ bool fits(const Cache& c, int b) {
  const int64_t keys = c.cache_seqlens[b];
  return keys >= 0 && keys + c.seqlen_new <= c.capacity;
}

__global__ void __launch_bounds__(kThreads) flash_attn_index_kernel(Cache c) {
  const int b = static_cast<int>(blockIdx.x) * kThreads + static_cast<int>(threadIdx.x);
  if (b <= c.batch) c.cu_seqlens_q[b] = b * c.seqlen_q;
  if (b >= c.batch) return;
  c.seqlens_k[b] = fits(c, b) ? c.cache_seqlens[b] + c.seqlen_new : 0;
  if (!fits(c, b)) {
    report(c.fault, FaultKind::flash_attn_cache_seqlens, b, c.cache_seqlens[b], c.capacity - c.seqlen_new);
  }
  if (c.block_table != nullptr) return;
  const int32_t index = c.cache_batch_idx != nullptr ? c.cache_batch_idx[b] : b;
  c.table[b] = index;
  if (index >= 0 && index < c.cache_batch) return;
  c.seqlens_k[b] = 0;
  report(c.fault, FaultKind::flash_attn_cache_batch_idx, b, index, c.cache_batch);
}

/// Element d of a head after rotation to a position.
template <typename T>
__device__ __forceinline__ float rotated(const Cache& c, const T* head, int d, int position) {
  const float x = to_float(head[d]);
  if (d >= c.rotary_dim) return x;
  const int half = c.rotary_dim / 2;
  const bool first = c.rotary_interleaved != 0 ? d % 2 == 0 : d < half;
  const int pair = c.rotary_interleaved != 0 ? d / 2 : d % half;
  const float other = to_float(head[c.rotary_interleaved != 0 ? d ^ 1 : first ? d + half : d - half]);
  const int64_t at = int64_t{position} * half + pair;
  const float cosine = to_float(static_cast<const T*>(c.rotary_cos)[at]);
  const float sine = to_float(static_cast<const T*>(c.rotary_sin)[at]);
  return first ? x * cosine - other * sine : x * cosine + other * sine;
}

/// Rows are the heads of the new keys (values go along), then the heads of the queries where these are rotated.
template <typename T>
__global__ void __launch_bounds__(kThreads) flash_attn_append_kernel(Cache c) {
  int64_t row = int64_t{blockIdx.x} * kWarps + threadIdx.x / 32;
  const int lane = static_cast<int>(threadIdx.x) % 32;
  const bool rotates = c.rotary_cos != nullptr;
  const int64_t key_rows = int64_t{c.batch} * c.seqlen_new * c.heads_k;
  const bool is_key = row < key_rows;
  if (!is_key) row -= key_rows;
  const int heads = is_key ? c.heads_k : c.heads, length = is_key ? c.seqlen_new : c.seqlen_q;
  const int head = static_cast<int>(row % heads), i = static_cast<int>(row / heads % length);
  const int64_t b64 = row / heads / length;
  if (b64 >= c.batch || (!is_key && !rotates)) return;
  const int b = static_cast<int>(b64);
  if (!fits(c, b)) return;  // reported
  const bool own = is_key || c.causal != 0 || c.window_left >= 0 || c.window_right >= 0;
  const int position = c.cache_seqlens[b] + (own ? i : 0);
  if (rotates && position >= c.rotary_seqlen) {
    report(c.fault, FaultKind::flash_attn_rotary_seqlen, position, c.rotary_seqlen);
    return;
  }
  if (!is_key) {
    const T* from = static_cast<const T*>(c.q) + row * c.head_dim;
    T* to = static_cast<T*>(c.rotated_q) + row * c.head_dim;
    for (int d = lane; d < c.head_dim; d += 32) to[d] = from_float<T>(rotated(c, from, d, position));
    return;
  }
  const int page_index = position / c.page_size;
  const int32_t page = c.table[int64_t{b} * c.max_blocks + page_index];
  if (page < 0 || page >= c.blocks) {
    report(c.fault, FaultKind::flash_attn_block_table, b, page_index, page, c.blocks);
    return;
  }
  const int64_t slot = int64_t{page} * c.page_size + position % c.page_size;
  const int64_t to = (slot * c.heads_k + head) * c.head_dim;
  const T *k = static_cast<const T*>(c.k) + row * c.head_dim,
          *v = static_cast<const T*>(c.v) + row * c.head_dim;
  for (int d = lane; d < c.head_dim; d += 32) {
    static_cast<T*>(c.k_cache)[to + d] = rotates ? from_float<T>(rotated(c, k, d, position)) : k[d];
    static_cast<T*>(c.v_cache)[to + d] = v[d];
  }
}

/// to[b, h, i] = from[h, b, i]
__global__ void __launch_bounds__(kThreads)
    flash_attn_lse_kernel(const float* from, float* to, int batch, int heads, int length) {
  const int64_t at = int64_t{blockIdx.x} * kThreads + threadIdx.x;
  if (at >= int64_t{batch} * heads * length) return;
  const int64_t i = at % length, h = at / length % heads, b = at / length / heads;
  to[at] = from[(h * batch + b) * length + i];
}

Shape blocks_of(int64_t threads) {
  return {dim3(static_cast<unsigned>(ceil_div(threads, kThreads))), dim3(kThreads)};
}

/// Window, cap and scale of either params struct.
template <typename Params>
AttentionParams with_masks(topv_attention_params p, const Params& from) {
  p.q_heads = from.heads;
  p.kv_heads = from.heads_k;
  p.head_dim = from.head_dim;
  p.dtype = from.dtype;
  p.batch = from.batch;
  p.causal = from.causal;
  p.scale = from.softmax_scale != 0 ? from.softmax_scale : 1 / std::sqrt(static_cast<float>(from.head_dim));
  AttentionParams all(p);
  if (from.window_left >= 0) all.window_left = from.window_left;
  if (from.window_right >= 0 && from.causal == 0) all.window_right = from.window_right;
  all.softcap = from.softcap;
  return all;
}

/// One query per sequence is decode, whatever the lengths of the caches.
void attend(const Run& run, const AttentionParams& p, bool one_query_each) {
  one_query_each ? attention_decode(run, p) : attention_forward(run, p);
}

template <typename T>
void append(const Run& run, const Cache& c) {
  const int64_t rows = int64_t{c.batch} * (int64_t{c.seqlen_new} * c.heads_k +
                                           (c.rotary_cos != nullptr ? int64_t{c.seqlen_q} * c.heads : 0));
  launch(run, blocks_of(rows * 32), flash_attn_append_kernel<T>, c);
}

}  // namespace

void flash_attn_varlen_fwd(const Run& run, const flash_attn_varlen_params& params) {
  if (params.batch == 0 || params.total_q == 0) return;
  const int64_t q_row = int64_t{params.heads} * params.head_dim,
                k_row = int64_t{params.heads_k} * params.head_dim;
  const auto stride = [](int64_t given, int64_t dense) { return given != 0 ? given : dense; };
  topv_attention_params p = {};
  p.q = params.q;
  p.k = params.k;
  p.v = params.v;
  p.out = params.out;
  p.lse = params.softmax_lse;
  p.cu_seqlens_q = params.cu_seqlens_q;
  p.cu_seqlens_k = params.cu_seqlens_k;
  p.seqlens_k = params.seqused_k;
  p.block_table = params.block_table;
  p.ldq = stride(params.q_row_stride, q_row);
  p.ldk = stride(params.k_row_stride, k_row);
  p.ldv = stride(params.v_row_stride, k_row);
  p.ldo = stride(params.o_row_stride, q_row);
  p.max_seqlen_q = params.max_seqlen_q;
  p.max_seqlen_k = params.max_seqlen_k;
  p.page_size = params.page_size;
  p.max_pages = params.max_blocks;
  p.page_count = params.blocks;
  attend(run, with_masks(p, params), params.max_seqlen_q == 1 && params.total_q == params.batch);
}

void flash_attn_with_kvcache(const Run& run, const flash_attn_kvcache_params& params) {
  if (params.batch == 0 || params.seqlen_q == 0) return;
  const int64_t tokens = int64_t{params.batch} * params.seqlen_q;
  Cache c = {};
  static_cast<flash_attn_kvcache_params&>(c) = params;
  c.fault = run.fault;
  c.cu_seqlens_q = run.scratch.take<int32_t>(params.batch + 1);
  c.seqlens_k = run.scratch.take<int32_t>(params.batch);
  if (params.k == nullptr) c.seqlen_new = 0;
  if (params.block_table == nullptr) {
    c.page_size = params.seqlen_cache;
    c.blocks = params.cache_batch;
    c.max_blocks = 1;
    c.table = run.scratch.take<int32_t>(params.batch);
  } else {
    c.table = const_cast<int32_t*>(params.block_table);  // read only
  }
  c.capacity = int64_t{c.max_blocks} * c.page_size;
  c.rotated_q = const_cast<void*>(params.q);
  if (params.rotary_cos != nullptr) {
    const int64_t element = params.dtype == FLASH_ATTN_F32 ? 4 : 2;
    c.rotated_q = run.scratch.take<unsigned char>(tokens * params.heads * params.head_dim * element);
  }
  launch(run, blocks_of(params.batch + 1), flash_attn_index_kernel, c);
  params.dtype == FLASH_ATTN_F32    ? append<float>(run, c)
  : params.dtype == FLASH_ATTN_BF16 ? append<__nv_bfloat16>(run, c)
                                    : append<__half>(run, c);

  const bool transposes = params.softmax_lse != nullptr && params.batch > 1;
  topv_attention_params p = {};
  p.q = c.rotated_q;
  p.k = params.k_cache;
  p.v = params.v_cache;
  p.out = params.out;
  p.lse = transposes ? run.scratch.take<float>(tokens * params.heads) : params.softmax_lse;
  p.cu_seqlens_q = c.cu_seqlens_q;
  p.seqlens_k = c.seqlens_k;
  p.block_table = c.table;
  p.ldq = p.ldo = int64_t{params.heads} * params.head_dim;
  p.max_seqlen_q = params.seqlen_q;
  p.max_seqlen_k = static_cast<int32_t>(c.capacity < INT32_MAX ? c.capacity : INT32_MAX);
  p.page_size = c.page_size;
  p.max_pages = c.max_blocks;
  p.page_count = c.blocks;
  attend(run, with_masks(p, params), params.seqlen_q == 1);
  if (transposes) {
    launch(run, blocks_of(tokens * params.heads), flash_attn_lse_kernel, p.lse, params.softmax_lse,
           params.batch, params.heads, params.seqlen_q);
  }
}

}  // namespace topv::cuda
