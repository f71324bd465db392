// One problem for attention_prefill or attention_decode: random sequences, contiguous or paged, with NaN in all memory
// that is not theirs.
#pragma once

#include <numeric>

#include "reference/attention.hpp"
#include "test_util.hpp"

namespace test {

struct AttentionShape {
  std::vector<int32_t> queries, keys;  ///< per sequence
  int q_heads = 1, kv_heads = 1, head_dim = 8;
  bool causal = false;
  int page_size = 0;  ///< 0 = contiguous
  int64_t pad = 0;    ///< added to the row strides
  int32_t dtype = TOPV_F32;
  float scale = 0;  ///< 0 = 1 / sqrt(D)
  float size = 1;   ///< of q and k
};

inline std::string describe(const AttentionShape& s) {
  std::string text = "q";
  for (const int32_t n : s.queries) text += " " + std::to_string(n);
  text += " k";
  for (const int32_t n : s.keys) text += " " + std::to_string(n);
  return text + " heads " + std::to_string(s.q_heads) + "/" + std::to_string(s.kv_heads) + " D " +
         std::to_string(s.head_dim) + (s.causal ? " causal" : "") + " page " + std::to_string(s.page_size) +
         " dtype " + std::to_string(s.dtype);
}

/// F16 is for devices.
inline std::vector<int32_t> attention_dtypes() {
  if (device_backend() == nullptr) return {TOPV_F32, TOPV_BF16};
  return {TOPV_F32, TOPV_BF16, TOPV_F16};
}

class AttentionCase {
 public:
  explicit AttentionCase(const AttentionShape& shape, uint64_t seed = 1)
      : s(shape),
        cu_q(cumulative(s.queries)),
        cu_k(cumulative(s.keys)),
        batch(static_cast<int>(s.queries.size())),
        q_width(int64_t{s.q_heads} * s.head_dim),
        kv_width(int64_t{s.kv_heads} * s.head_dim),
        q(cu_q.back() * (q_width + s.pad), s.dtype),
        k(key_rows() * (kv_width + key_pad()), s.dtype),
        v(key_rows() * (kv_width + key_pad()), s.dtype),
        out(cu_q.back() * (q_width + s.pad), s.dtype),
        lse(static_cast<size_t>(cu_q.back() * s.q_heads), std::numeric_limits<float>::quiet_NaN()) {
    Random random(seed);
    q.fill(random, cu_q.back(), q_width, q_width + s.pad, s.size);
    if (s.page_size > 0) table = shuffled_pages(random);
    for (int b = 0; b < batch; ++b) {
      for (int32_t j = 0; j < s.keys[static_cast<size_t>(b)]; ++j) {
        const int64_t row = key_row(b, j) * (kv_width + key_pad());
        for (int64_t i = 0; i < kv_width; ++i) {
          k.set(row + i, s.size * random.normal());
          v.set(row + i, random.normal());
        }
      }
    }
    params.q = q.data();
    params.k = k.data();
    params.v = v.data();
    params.out = out.data();
    params.lse = lse.data();
    params.cu_seqlens_q = cu_q.data();
    params.ldq = params.ldo = q_width + s.pad;
    params.batch = batch;
    params.max_seqlen_q = largest(s.queries);
    params.max_seqlen_k = largest(s.keys);
    params.q_heads = s.q_heads;
    params.kv_heads = s.kv_heads;
    params.head_dim = s.head_dim;
    params.causal = s.causal ? 1 : 0;
    params.scale = s.scale != 0 ? s.scale : 1 / std::sqrt(static_cast<float>(s.head_dim));
    params.dtype = s.dtype;
    if (s.page_size > 0) {
      params.seqlens_k = s.keys.data();
      params.block_table = table.data();
      params.page_size = s.page_size;
      params.max_pages = pages_each();
      params.page_count = pages();
    } else {
      params.cu_seqlens_k = cu_k.data();
      params.ldk = params.ldv = kv_width + s.pad;
    }
  }
  AttentionCase(const AttentionCase&) = delete;
  AttentionCase& operator=(const AttentionCase&) = delete;

  /// Compares out and lse with the reference.
  void check(const reference::AttentionExtras& extras = {}) const {
    const reference::Attention expected = reference::attention(params, extras);
    // A score may be off by a few roundings of its terms, and its weight by as much, relatively. With bfloat16 (half)
    // the weights are rounded to that too (half an ulp, 2^-8 or 2^-11), each by itself.
    const double exponent = expected.largest * 4 * std::ldexp(1.0, -24) * (2 + s.head_dim / 16.0);
    const double weight = exponent + std::ldexp(1.0, s.dtype == TOPV_BF16  ? -8
                                                     : s.dtype == TOPV_F16 ? -11
                                                                           : -20);
    const std::string name = describe(s);
    for (int64_t t = 0; t < cu_q.back(); ++t) {
      for (int64_t i = 0; i < q_width; ++i) {
        const size_t at = static_cast<size_t>(t * q_width + i);
        const double e = expected.out[at], arithmetic = expected.terms[at] * weight;
        const double rounding = s.dtype == TOPV_F32 ? 0 : 0.5 * ulp(std::fabs(e) + arithmetic, s.dtype);
        CLOSE(out.get(t * params.ldo + i), e, arithmetic + rounding + 1e-30, name);
      }
      for (int h = 0; h < s.q_heads; ++h) {
        const size_t at = static_cast<size_t>(h * cu_q.back() + t);
        const double e = expected.lse[at];
        CLOSE(lse[at], e, std::isinf(e) ? 0 : exponent + 1e-6 * (2 + std::fabs(e)), name + " lse");
      }
    }
    PADDING_UNTOUCHED(out, cu_q.back(), q_width, params.ldo);
  }

  AttentionShape s;
  std::vector<int32_t> cu_q, cu_k, table;
  int batch;
  int64_t q_width, kv_width;
  Array q, k, v, out;
  std::vector<float> lse;
  topv_attention_params params = {};

 private:
  static std::vector<int32_t> cumulative(const std::vector<int32_t>& counts) {
    std::vector<int32_t> sums(1, 0);
    for (const int32_t n : counts) sums.push_back(sums.back() + n);
    return sums;
  }
  static int32_t largest(const std::vector<int32_t>& counts) {
    int32_t most = 0;
    for (const int32_t n : counts) most = std::max(most, n);
    return most;
  }
  int pages_each() const {
    return s.page_size > 0 ? (largest(s.keys) + s.page_size - 1) / s.page_size + 1 : 0;
  }
  int pages() const { return pages_each() * batch + 2; }
  int64_t key_pad() const { return s.page_size > 0 ? 0 : s.pad; }
  int64_t key_rows() const { return s.page_size > 0 ? int64_t{pages()} * s.page_size : cu_k.back(); }
  int64_t key_row(int b, int32_t j) const {
    if (s.page_size == 0) return cu_k[static_cast<size_t>(b)] + j;
    return int64_t{table[static_cast<size_t>(b * pages_each() + j / s.page_size)]} * s.page_size +
           j % s.page_size;
  }
  /// A random page for each entry that is needed, and nonsense in those that must not be read.
  std::vector<int32_t> shuffled_pages(Random& random) const {
    std::vector<int32_t> order(static_cast<size_t>(pages()));
    std::iota(order.begin(), order.end(), 0);
    for (size_t i = order.size(); i > 1; --i) {
      std::swap(order[i - 1], order[static_cast<size_t>(random.below(static_cast<int64_t>(i)))]);
    }
    order.resize(static_cast<size_t>(pages_each() * batch));
    for (int b = 0; b < batch; ++b) {
      for (int i = 0; i < pages_each(); ++i) {
        if (i * s.page_size >= s.keys[static_cast<size_t>(b)])
          order[static_cast<size_t>(b * pages_each() + i)] = -7777;
      }
    }
    return order;
  }
};

}  // namespace test
