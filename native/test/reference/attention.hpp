// attention_prefill and attention_decode in double precision, with the whole row of scores in memory.
#pragma once

#include <algorithm>
#include <limits>
#include <vector>

#include "reference/dtype.hpp"

namespace reference {

struct Attention {
  std::vector<double> out;    ///< [Tq, Hq, D] dense
  std::vector<double> terms;  ///< [Tq, Hq, D]: the sum of |weight * v|, the scale of rounding errors
  std::vector<double> lse;    ///< [Hq, Tq]
  double largest = 0;         ///< of the sums of |scale * q * k|
};

/// What topv.h does not have: a window of keys round the query's own position, and scores capped by tanh.
struct AttentionExtras {
  int32_t left = INT32_MAX, right = INT32_MAX;
  double softcap = 0;
};

inline Attention attention(const topv_attention_params& p, const AttentionExtras& extras = {}) {
  const int64_t tokens = p.cu_seqlens_q[p.batch], d = p.head_dim;
  Attention result;
  result.out.assign(static_cast<size_t>(tokens * p.q_heads * d), 0.0);
  result.terms = result.out;
  result.lse.assign(static_cast<size_t>(tokens * p.q_heads), -std::numeric_limits<double>::infinity());
  for (int b = 0; b < p.batch; ++b) {
    const int64_t first = p.cu_seqlens_q[b], lq = p.cu_seqlens_q[b + 1] - first;
    const int64_t first_key = p.block_table != nullptr ? 0 : p.cu_seqlens_k[b];
    const int64_t lk = p.block_table != nullptr ? p.seqlens_k[b] : p.cu_seqlens_k[b + 1] - first_key;
    for (int h = 0; h < p.q_heads; ++h) {
      const int kv_head = h / (p.q_heads / p.kv_heads);
      const auto offset = [&](int64_t ld, int64_t j) {
        if (p.block_table == nullptr) return (first_key + j) * ld + kv_head * d;
        const int64_t page = p.block_table[int64_t{b} * p.max_pages + j / p.page_size];
        return ((page * p.page_size + j % p.page_size) * p.kv_heads + kv_head) * d;
      };
      for (int64_t i = 0; i < lq; ++i) {
        const int64_t own = i + lk - lq, right = p.causal != 0 ? 0 : extras.right;
        const int64_t begin = std::max<int64_t>(0, own - extras.left), end = std::min(lk, own + right + 1);
        if (begin >= end) continue;
        std::vector<double> scores;
        for (int64_t j = begin; j < end; ++j) {
          double sum = 0, size = 0;
          for (int64_t x = 0; x < d; ++x) {
            const double product =
                at(p.q, p.dtype, (first + i) * p.ldq + h * d + x) * at(p.k, p.dtype, offset(p.ldk, j) + x);
            sum += product;
            size += std::fabs(product);
          }
          sum *= static_cast<double>(p.scale);
          scores.push_back(extras.softcap > 0 ? extras.softcap * std::tanh(sum / extras.softcap) : sum);
          result.largest = std::max(result.largest, size * std::fabs(static_cast<double>(p.scale)));
        }
        const double most = *std::max_element(scores.begin(), scores.end());
        double total = 0;
        for (double& score : scores) total += score = std::exp(score - most);
        result.lse[static_cast<size_t>(h * tokens + first + i)] = most + std::log(total);
        for (int64_t j = begin; j < end; ++j) {
          for (int64_t x = 0; x < d; ++x) {
            const size_t to = static_cast<size_t>(((first + i) * p.q_heads + h) * d + x);
            const double term =
                scores[static_cast<size_t>(j - begin)] / total * at(p.v, p.dtype, offset(p.ldv, j) + x);
            result.out[to] += term;
            result.terms[to] += std::fabs(term);
          }
        }
      }
    }
  }
  return result;
}

}  // namespace reference
