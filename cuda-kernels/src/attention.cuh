// What the attention kernels share: sequences, windows, and where a key lies.
#pragma once

#include "attention.hpp"
#include "common/report.cuh"
#include "launch.hpp"

namespace topv::cuda {

/// n / divisor for 0 <= n < 2^31 without a division.
struct Divider {
  uint32_t multiplier = 0, divisor = 1;
  int32_t shift = 0;

  Divider() = default;
  explicit Divider(int32_t by) : divisor(static_cast<uint32_t>(by)) {
    while ((int64_t{1} << shift) < by) ++shift;
    multiplier = static_cast<uint32_t>(((uint64_t{1} << (31 + shift)) + divisor - 1) / divisor);
    shift += 31;
  }
  __device__ __forceinline__ int divide(int n) const {
    return static_cast<int>(uint64_t{static_cast<uint32_t>(n)} * multiplier >> shift);
  }
};

/// The arguments of an attention kernel.
struct Attention : AttentionParams {
  Attention(const Run& run, const AttentionParams& p)
      : AttentionParams(p), fault(run.fault), group(q_heads / kv_heads) {
    if (block_table != nullptr) {
      pages = Divider(page_size);
      ldk = ldv = int64_t{kv_heads} * head_dim;
    }
  }
  Divider pages;
  Fault* fault;
  int32_t group;  ///< query heads per KV head
};

enum class AttentionOp { prefill, decode };

/// Queries and keys of one sequence.
struct Sequence {
  int b;
  int first_query, first_key;  ///< rows; first_key is 0 when paged
  int queries, keys;
};

/// cu[b] .. cu[b + 1], or false (and a fault) where that is not a sequence.
__device__ __forceinline__ bool check_cumulative(const int32_t* cu, int b, int batch, int32_t most, int code,
                                                 Fault* fault) {
  const int32_t begin = cu[b], end = cu[b + 1];
  const long long at = 4 * (b + 1ll) + code;
  if (cu[0] != 0) {
    report(fault, FaultKind::attention_start, code, cu[0]);
  } else if (end < begin) {
    report(fault, FaultKind::attention_order, at, end, begin);
  } else if (begin < 0 || begin > int64_t{b} * most) {
    // An earlier sequence is wrong, and says so.
  } else if (end - begin > most) {
    report(fault, FaultKind::attention_length, at, end, end - begin, most);
  } else if (end > cu[batch]) {
    // A later one is, and says so; this one would read behind the last row.
  } else {
    return true;
  }
  return false;
}

/// False where the index arrays break the contract: the sequence is to be skipped.
template <AttentionOp op>
__device__ __forceinline__ bool load_sequence(const Attention& p, int b, Sequence& s) {
  constexpr int kOp = static_cast<int>(op), kKeys = 2;
  if (!check_cumulative(p.cu_seqlens_q, b, p.batch, p.max_seqlen_q, kOp, p.fault)) return false;
  s.b = b;
  s.first_query = p.cu_seqlens_q[b];
  s.queries = p.cu_seqlens_q[b + 1] - p.cu_seqlens_q[b];
  if (p.block_table == nullptr) {
    if (!check_cumulative(p.cu_seqlens_k, b, p.batch, p.max_seqlen_k, kOp + kKeys, p.fault)) return false;
    s.first_key = p.cu_seqlens_k[b];
    s.keys = p.cu_seqlens_k[b + 1] - p.cu_seqlens_k[b];
    return true;
  }
  const int64_t room = int64_t{p.max_pages} * p.page_size;
  const int64_t most = room < p.max_seqlen_k ? room : p.max_seqlen_k;
  s.first_key = 0;
  s.keys = p.seqlens_k[b];
  if (s.keys >= 0 && s.keys <= most) return true;
  report(p.fault, FaultKind::attention_keys, 4ll * b + kOp, s.keys, most);
  return false;
}

/// Row of key j of a sequence in k and v; -1 (and a fault) where its page does not exist.
template <AttentionOp op>
__device__ __forceinline__ int64_t key_row(const Attention& p, const Sequence& s, int j) {
  if (p.block_table == nullptr) return int64_t{s.first_key} + j;
  const int i = p.pages.divide(j);
  const int32_t page = p.block_table[int64_t{s.b} * p.max_pages + i];
  if (page < 0 || page >= p.page_count) {
    report(p.fault, FaultKind::attention_page, 4ll * s.b + static_cast<int>(op), i, page, p.page_count);
    return -1;
  }
  return int64_t{page} * p.page_size + (j - i * p.page_size);
}

/// The keys [begin, end) that a query sees; none where end <= begin.
struct Visible {
  int begin, end;
};

/// The same for all queries i of a sequence: keys begin + i .. end + i, as far as they exist. Far less than 2^30 of each.
struct Window {
  int begin, end, keys;

  __device__ __forceinline__ Visible of(int i) const {
    return {begin + i > 0 ? begin + i : 0, end + i < keys ? end + i : keys};
  }
};
__device__ __forceinline__ Window window(const Attention& p, const Sequence& s) {
  constexpr int kFar = 1 << 30;
  const int own = s.keys - s.queries;
  return {p.window_left < kFar ? own - p.window_left : -kFar,
          p.window_right < kFar ? own + p.window_right + 1 : kFar, s.keys};
}
__device__ __forceinline__ Visible visible(const Attention& p, const Sequence& s, int i) {
  return window(p, s).of(i);
}

}  // namespace topv::cuda
