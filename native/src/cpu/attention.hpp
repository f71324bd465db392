// What the two attention kernels share: where a key lies, the checks of the index arrays, and 2^x.
#pragma once

#include "cpu/kernel.hpp"
#include "cpu/simd.hpp"

namespace topv::cpu::TOPV_ISA {

/// Queries and keys of one sequence.
struct Sequence {
  int64_t first_query, queries, first_key, keys;
};

inline Sequence sequence(const topv_attention_params& p, int b) {
  const int64_t first = p.cu_seqlens_q[b], queries = p.cu_seqlens_q[b + 1] - first;
  if (p.block_table != nullptr) return {first, queries, 0, p.seqlens_k[b]};
  return {first, queries, p.cu_seqlens_k[b], int64_t{p.cu_seqlens_k[b + 1]} - p.cu_seqlens_k[b]};
}

/// Element offset of key j of sequence b, KV head h, in k (or in v, with its row stride).
inline int64_t key_offset(const topv_attention_params& p, int64_t ld, int b, int64_t first_key, int64_t j,
                          int h) {
  if (p.block_table == nullptr) return (first_key + j) * ld + int64_t{h} * p.head_dim;
  const int64_t page = p.block_table[int64_t{b} * p.max_pages + j / p.page_size];
  return ((page * p.page_size + j % p.page_size) * p.kv_heads + h) * p.head_dim;
}

inline void check_cumulative(const char* op, const char* field, const int32_t* cu, int batch, int32_t most) {
  if (cu[0] != 0) fail(TOPV_INVALID_ARGUMENT, "%s: %s[0] = %d, expected 0", op, field, cu[0]);
  for (int b = 0; b < batch; ++b) {
    if (cu[b + 1] < cu[b]) {
      fail(TOPV_INVALID_ARGUMENT, "%s: %s[%d] = %d is below %s[%d] = %d", op, field, b + 1, cu[b + 1], field,
           b, cu[b]);
    }
    if (cu[b + 1] - cu[b] > most) {
      fail(TOPV_INVALID_ARGUMENT, "%s: %s[%d] = %d makes a sequence of %d, more than the maximum %d given",
           op, field, b + 1, cu[b + 1], cu[b + 1] - cu[b], most);
    }
  }
}

/// Throws where p asks for what this backend lacks, or an index array of p breaks the contract.
inline void check_call(const char* op, const topv_attention_params& p) {
  if (p.dtype == TOPV_F16) fail(TOPV_UNSUPPORTED, "%s: dtype = F16 is not for the CPU: F32 or BF16", op);
  check_cumulative(op, "cu_seqlens_q", p.cu_seqlens_q, p.batch, p.max_seqlen_q);
  if (p.block_table == nullptr) {
    check_cumulative(op, "cu_seqlens_k", p.cu_seqlens_k, p.batch, p.max_seqlen_k);
    return;
  }
  for (int b = 0; b < p.batch; ++b) {
    const int64_t room = int64_t{p.max_pages} * p.page_size;
    const int64_t most = room < p.max_seqlen_k ? room : p.max_seqlen_k;
    if (p.seqlens_k[b] < 0 || p.seqlens_k[b] > most) {
      fail(TOPV_INVALID_ARGUMENT, "%s: seqlens_k[%d] = %d is not in [0, %lld]", op, b, p.seqlens_k[b],
           static_cast<long long>(most));
    }
    for (int64_t i = 0; i * p.page_size < p.seqlens_k[b]; ++i) {
      const int32_t page = p.block_table[int64_t{b} * p.max_pages + i];
      if (page < 0 || page >= p.page_count) {
        fail(TOPV_INVALID_ARGUMENT, "%s: block_table[%d, %lld] = %d is not in [0, %d)", op, b,
             static_cast<long long>(i), page, p.page_count);
      }
    }
  }
}

/// 2^x, 0 for -inf. Relative error 2e-7, or 3e-6 when the result is to be rounded to bfloat16 anyway (coarse).
template <bool coarse>
inline F exp2(F x) {
#if defined(__AVX512F__)
  const F r = {_mm512_reduce_ps(x.v, _MM_FROUND_TO_NEG_INF)};  // x - floor(x); scalef takes the floor itself
#else
  x = max(broadcast(-300.0f), x);
  const F n = {_mm256_floor_ps(x.v)};
  const F r = x - n;
#endif
  F p;
  if (coarse) {
    p = fma(broadcast(0.0135206f), r, broadcast(0.05203743f));
    p = fma(p, r, broadcast(0.24142749f));
    p = fma(p, r, broadcast(0.69300662f));
    p = fma(p, r, broadcast(1.00000252f));
  } else {
    p = fma(broadcast(2.16906092e-4f), r, broadcast(1.24430815e-3f));
    p = fma(p, r, broadcast(9.67847255e-3f));
    p = fma(p, r, broadcast(5.54835247e-2f));
    p = fma(p, r, broadcast(2.40229796e-1f));
    p = fma(p, r, broadcast(6.93146987e-1f));
    p = fma(p, r, broadcast(1.0f));
  }
#if defined(__AVX512F__)
  return scale2(p, x);
#else
  return scale2(p, n);
#endif
}

}  // namespace topv::cpu::TOPV_ISA
