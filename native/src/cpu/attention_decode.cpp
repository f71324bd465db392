// Attention of one query per sequence: every key and value is read once, for all query heads that share its KV head.
//
// A task is kChunk keys of one KV head of one sequence and leaves, per query head, a maximum, a sum and an unscaled
// result; a second loop combines them. So several threads have work even with one sequence and one KV head, and since
// the chunks are always the same, the number of threads changes nothing. Bound: bandwidth of the cache.
// Scratch: D + 2 floats per query head and chunk.
#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "cpu/attention.hpp"
#include "cpu/tile.hpp"

namespace topv::cpu::TOPV_ISA {
namespace {

constexpr int kChunk = 128;  // keys of a task
constexpr int kHeads = 4;    // query heads that go over the keys together
constexpr int kMostDim = 256;
constexpr int64_t kGrainBytes = 131072;  // of keys and values that are worth a thread
constexpr float kInfinity = std::numeric_limits<float>::infinity();

struct Task {
  int b, head;
  int64_t begin;
};

// ---- scores

/// sum[i] += a row of keys times the query, as partial sums in lanes.
inline F partial_dot(const float* key, const float* query, int dim) {
  F sum = zero();
  int d = 0;
  for (; d + kLanes <= dim; d += kLanes) sum = fma(load(key + d), load(query + d), sum);
  return d < dim ? fma(load_n(key + d, dim - d), load_n(query + d, dim - d), sum) : sum;
}

inline F partial_dot(const bf16* key, const bf16* query, int dim) {
  F sum = zero();
  int d = 0;
  for (; d + 2 * kLanes <= dim; d += 2 * kLanes) sum = dot(load_pairs(key + d), load_pairs(query + d), sum);
  return d < dim ? dot(load_pairs_n(key + d, dim - d), load_pairs_n(query + d, dim - d), sum) : sum;
}

/// scores[j] = factor * key j * query, for count keys rounded up to kLanes; the rest is -inf.
template <typename T>
void score(const T* const* keys, int count, const T* query, int dim, float factor, float* scores) {
  for (int j = 0; j < count; j += kLanes) {
    F sums[kLanes];
    const int here = std::min(count - j, kLanes);
    for (int i = 0; i < kLanes; ++i) sums[i] = i < here ? partial_dot(keys[j + i], query, dim) : zero();
    transpose(sums);
    for (int step = kLanes / 2; step > 0; step /= 2) {
      for (int i = 0; i < step; ++i) sums[i] += sums[i + step];
    }
    store(scores + j, sums[0] * broadcast(factor));
    for (int i = here; i < kLanes; ++i) scores[j + i] = -kInfinity;
  }
}

/// scores[j] = 2^(scores[j] - maximum); returns maximum and sum.
inline void exponentiate(float* scores, int count, float* maximum, float* sum) {
  F most = load(scores);
  for (int j = kLanes; j < count; j += kLanes) most = max(most, load(scores + j));
  *maximum = reduce_max(most);
  F total = zero();
  for (int j = 0; j < count; j += kLanes) {
    const F weight = exp2<false>(load(scores + j) - broadcast(*maximum));
    store(scores + j, weight);
    total += weight;
  }
  *sum = reduce_add(total);
}

// ---- results

/// result[h, d .. d + width] = sum_j weights[h, j] values[j, d ..] for `heads` heads; the slice is `vectors` wide.
template <int heads, int vectors, typename T>
void accumulate(const T* const* values, int count, const float* weights, int d, int last, float* result) {
  F sum[heads][vectors];
  for (auto& row : sum) {
    for (F& x : row) x = zero();
  }
  for (int j = 0; j < count; ++j) {
    F value[vectors];
    for (int i = 0; i + 1 < vectors; ++i) value[i] = load(values[j] + d + i * kLanes);
    value[vectors - 1] = load_n(values[j] + d + (vectors - 1) * kLanes, last);
    for (int h = 0; h < heads; ++h) {
      const F weight = broadcast(weights[h * kChunk + j]);
      for (int i = 0; i < vectors; ++i) sum[h][i] = fma(weight, value[i], sum[h][i]);
    }
  }
  for (int h = 0; h < heads; ++h) {
    for (int i = 0; i + 1 < vectors; ++i) store(result + h * kMostDim + d + i * kLanes, sum[h][i]);
    store_n(result + h * kMostDim + d + (vectors - 1) * kLanes, sum[h][vectors - 1], last);
  }
}

template <int heads, typename T>
void accumulate(const T* const* values, int count, const float* weights, int dim, float* result) {
  constexpr int kVectors = heads == 1 ? 4 : 2;  // as many sums as the registers of AVX2 hold
  int d = 0;
  for (; d + kVectors * kLanes <= dim; d += kVectors * kLanes) {
    accumulate<heads, kVectors>(values, count, weights, d, kLanes, result);
  }
  for (; d < dim; d += kLanes)
    accumulate<heads, 1>(values, count, weights, d, std::min(kLanes, dim - d), result);
}

// ---- a call

template <typename T>
class Decode {
 public:
  Decode(Team& team, const topv_attention_params& p)
      : team_(team), p_(p), group_(p.q_heads / p.kv_heads), width_(p.head_dim + 2) {}

  void run() {
    std::vector<Task> tasks;
    std::vector<int64_t> starts;  // first task of every sequence
    for (int b = 0; b < p_.batch; ++b) {
      starts.push_back(static_cast<int64_t>(tasks.size()));
      // The heads of a key lie side by side in memory, so they come one after the other.
      for (int64_t j = 0; j < sequence(p_, b).keys; j += kChunk) {
        for (int h = 0; h < p_.kv_heads; ++h) tasks.push_back({b, h, j});
      }
    }
    starts.push_back(static_cast<int64_t>(tasks.size()));
    partial_ = team_.scratch<float>(static_cast<int64_t>(tasks.size()) * group_ * width_);

    const int64_t bytes_per_task = 2 * int64_t{kChunk} * p_.head_dim * static_cast<int64_t>(sizeof(T));
    const auto size = static_cast<int64_t>(tasks.size());
    parallel_for(team_, size, kGrainBytes / bytes_per_task + 1, [&](int64_t begin, int64_t end, int) {
      for (int64_t t = begin; t < end; ++t)
        attend(tasks[static_cast<size_t>(t)], partial_ + t * group_ * width_);
    });
    const int64_t heads = int64_t{p_.batch} * p_.q_heads;
    const int64_t floats_per_head = (size / heads + 1) * width_;
    parallel_for(team_, heads, kGrainBytes / floats_per_head + 1, [&](int64_t begin, int64_t end, int) {
      for (int64_t i = begin; i < end; ++i) {
        const int64_t b = i / p_.q_heads;
        combine(b, i % p_.q_heads, starts[static_cast<size_t>(b)], starts[static_cast<size_t>(b) + 1]);
      }
    });
  }

 private:
  /// Rows begin .. begin + count of the keys or values of a task.
  void find_rows(const Task& task, const Sequence& s, const void* data, int64_t ld, int count,
                 const T** rows) const {
    const T* base = static_cast<const T*>(data);
    if (p_.block_table == nullptr) {
      for (int j = 0; j < count; ++j)
        rows[j] = base + key_offset(p_, ld, task.b, s.first_key, task.begin + j, task.head);
      return;
    }
    const int64_t stride = int64_t{p_.kv_heads} * p_.head_dim;
    for (int j = 0; j < count;) {
      const int64_t key = task.begin + j;
      const int run = std::min<int>(count - j, static_cast<int>(p_.page_size - key % p_.page_size));
      const T* row = base + key_offset(p_, ld, task.b, 0, key, task.head);
      for (int i = 0; i < run; ++i, ++j, row += stride) rows[j] = row;
    }
  }

  /// partial[g] = result [D], maximum, sum of query head g of the group.
  void attend(const Task& task, float* partial) const {
    const Sequence s = sequence(p_, task.b);
    const int count = static_cast<int>(std::min<int64_t>(kChunk, s.keys - task.begin));
    const T *keys[kChunk], *values[kChunk];
    find_rows(task, s, p_.k, p_.ldk, count, keys);
    find_rows(task, s, p_.v, p_.ldv, count, values);
    const T* queries =
        static_cast<const T*>(p_.q) + task.b * p_.ldq + int64_t{task.head} * group_ * p_.head_dim;
    alignas(64) float weights[kHeads * kChunk];
    alignas(64) float result[kHeads * kMostDim];
    for (int g = 0; g < group_; g += kHeads) {
      const int heads = std::min(kHeads, group_ - g);
      for (int h = 0; h < heads; ++h) {
        float* at = partial + (g + h) * width_ + p_.head_dim;
        score(keys, count, queries + (g + h) * int64_t{p_.head_dim}, p_.head_dim, p_.scale * 1.44269504f,
              weights + h * kChunk);
        exponentiate(weights + h * kChunk, count, at, at + 1);
      }
      if (heads == kHeads) {
        accumulate<kHeads>(values, count, weights, p_.head_dim, result);
      } else {
        for (int h = 0; h < heads; ++h) {
          accumulate<1>(values, count, weights + h * kChunk, p_.head_dim, result + h * kMostDim);
        }
      }
      for (int h = 0; h < heads; ++h) {
        std::copy(result + h * kMostDim, result + h * kMostDim + p_.head_dim, partial + (g + h) * width_);
      }
    }
  }

  /// Query head h of sequence b, whose tasks are begin .. end: every kv_heads-th is one of this head.
  void combine(int64_t b, int64_t h, int64_t begin, int64_t end) const {
    const int64_t first = begin + h / group_, last = begin < end ? end : first;
    const auto part = [&](int64_t task) { return partial_ + (task * group_ + h % group_) * width_; };
    const int dim = p_.head_dim;
    float maximum = -kInfinity, sum = 0;
    for (int64_t t = first; t < last; t += p_.kv_heads) maximum = std::max(maximum, part(t)[dim]);
    alignas(64) float result[kMostDim] = {};
    for (int64_t t = first; t < last; t += p_.kv_heads) {
      const float* x = part(t);
      const float weight = std::exp2(x[dim] - maximum);
      sum += weight * x[dim + 1];
      for (int d = 0; d < dim; ++d) result[d] += weight * x[d];
    }
    T* out = static_cast<T*>(p_.out) + b * p_.ldo + h * dim;
    const F inverse = broadcast(first < last ? 1.0f / sum : 0.0f);
    for (int d = 0; d < dim; d += kLanes)
      store_n(out + d, load(result + d) * inverse, std::min(kLanes, dim - d));
    if (p_.lse != nullptr) {
      p_.lse[h * p_.batch + b] = first < last ? (maximum + std::log2(sum)) * 0.69314718f : -kInfinity;
    }
  }

  Team& team_;
  const topv_attention_params& p_;
  const int group_;
  const int64_t width_;
  float* partial_ = nullptr;
};

}  // namespace

void attention_decode(Team& team, const topv_attention_params& p) {
  if (p.batch == 0) return;
  for (int b = 0; b <= p.batch; ++b) {
    if (p.cu_seqlens_q[b] != b) {
      fail(TOPV_INVALID_ARGUMENT,
           "attention_decode: cu_seqlens_q[%d] = %d, expected %d: one query per sequence", b,
           p.cu_seqlens_q[b], b);
    }
  }
  check_call("attention_decode", p);
  p.dtype == TOPV_F32 ? Decode<float>(team, p).run() : Decode<bf16>(team, p).run();
}

}  // namespace topv::cpu::TOPV_ISA
