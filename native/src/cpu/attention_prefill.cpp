// out = softmax(scale q k^T + mask) v by online softmax, for any number of queries.
//
// The heads that share a KV head are rows of one problem: row r is query r / G of head r % G. A task is kColumns such
// rows; it walks over the keys in blocks of kBlock and keeps everything transposed, [keys, rows] and [D, rows], so that
// rows lie in vector lanes: maxima and sums need no horizontal step, K is the left operand as it lies in memory, and V
// is transposed once per KV head. The reference maximum of a row moves only when it would grow by more than 2^8: a
// power of two below that costs no precision, and the sums so far seldom have to be rescaled.
// Bound: arithmetic; with AMX, the exponentials. Scratch: K and V of as many KV heads as fit kGroupBytes.
#include <algorithm>
#include <atomic>
#include <cmath>
#include <limits>
#include <vector>

#include "cpu/attention.hpp"
#include "cpu/tile.hpp"

namespace topv::cpu::TOPV_ISA {
namespace {

constexpr int kBlock = 64;  // keys per step: the scores of a block stay in L1
constexpr int kMostDim = 256;
constexpr int64_t kGroupBytes = 16 << 20;
constexpr float kSlack = 8.0f;     // log2 of how far a score may rise above the reference maximum
constexpr float kLowest = -1e30f;  // reference maximum before the first key
constexpr float kInfinity = std::numeric_limits<float>::infinity();

/// One KV head of one sequence.
struct Unit {
  int b, head;
  Sequence s;
  int64_t packed;  // offset of its K in the scratch; V follows
};

template <typename Tile, typename T>
class Prefill {
  using Element = typename Tile::Element;

 public:
  Prefill(Team& team, const topv_attention_params& p)
      : team_(team),
        p_(p),
        group_(p.q_heads / p.kv_heads),
        depth_(round_up(p.head_dim, Tile::kDepthStep)),
        rows_(round_up(p.head_dim, Tile::kRowStep)),
        total_queries_(p.cu_seqlens_q[p.batch]) {
    // The factor of the scores, as a power of two; a factor that is not positive goes into q.
    const float scale = std::fabs(p.scale);
    sign_ = p.scale > 0 ? 1.0f : p.scale < 0 ? -1.0f : 0.0f;
    factor_ = scale > 0 ? scale * 1.44269504f : 1.0f;
  }

  void run() {
    std::vector<Unit> units;
    for (int b = 0; b < p_.batch; ++b) {
      const Sequence s = sequence(p_, b);
      if (s.queries == 0) continue;
      for (int h = 0; h < p_.kv_heads; ++h) units.push_back({b, h, s, 0});
    }
    int64_t most = 0;
    const auto groups = split(units, most);
    packed_ = team_.scratch<Element>(most);
    for (size_t g = 0; g + 1 < groups.size(); ++g) {
      process(units.data() + groups[g], static_cast<int>(groups[g + 1] - groups[g]));
    }
  }

 private:
  static int64_t blocks(const Unit& u) { return (u.s.keys + kBlock - 1) / kBlock; }
  int64_t row_blocks(const Unit& u) const { return (u.s.queries * group_ + kColumns - 1) / kColumns; }
  int64_t key_elements(const Unit& u) const { return blocks(u) * kBlock * depth_; }
  int64_t elements(const Unit& u) const { return blocks(u) * kBlock * (depth_ + rows_); }

  /// Cuts the units into groups whose packed K and V fit kGroupBytes; sets most to the elements of the largest.
  std::vector<size_t> split(std::vector<Unit>& units, int64_t& most) const {
    std::vector<size_t> starts{0};
    int64_t size = 0;
    for (size_t i = 0; i < units.size(); ++i) {
      const int64_t more = elements(units[i]);
      if (size > 0 && (size + more) * static_cast<int64_t>(sizeof(Element)) > kGroupBytes) {
        starts.push_back(i);
        size = 0;
      }
      units[i].packed = size;
      size += more;
      most = std::max(most, size);
    }
    starts.push_back(units.size());
    return starts;
  }

  void process(const Unit* units, int count) {
    each(
        units, count, [&](const Unit& u) { return blocks(u); },
        [&](const Unit& u, int64_t i) { pack(u, i); });
    each(
        units, count, [&](const Unit& u) { return row_blocks(u); },
        [&](const Unit& u, int64_t i) {
          attend(u, row_blocks(u) - 1 - i);  // under a causal mask the last rows cost most, so they go first
        });
  }

  /// Runs body(unit, i) for i in [0, size(unit)) of every unit, in turn on whichever thread is free.
  template <typename Size, typename Body>
  void each(const Unit* units, int count, const Size& size, const Body& body) {
    std::vector<int64_t> starts(count + 1, 0);
    for (int u = 0; u < count; ++u) starts[u + 1] = starts[u] + size(units[u]);
    std::atomic<int64_t> next{0};
    parallel_for(team_, team_.threads(), 1, [&](int64_t, int64_t, int) {
      TileScope scope;
      int u = 0;
      for (int64_t task; (task = next.fetch_add(1, std::memory_order_relaxed)) < starts[count];) {
        while (task >= starts[u + 1]) ++u;
        body(units[u], task - starts[u]);
      }
    });
  }

  // ---- packing

  void pack(const Unit& u, int64_t block) {
    const int64_t begin = block * kBlock;
    const int count = static_cast<int>(std::min<int64_t>(kBlock, u.s.keys - begin));
    Element* keys = packed_ + u.packed + begin * depth_;
    Element* values = packed_ + u.packed + key_elements(u) + begin * rows_;
    const T* k = static_cast<const T*>(p_.k);
    const T* v = static_cast<const T*>(p_.v);
    const T* rows[kBlock];
    for (int j = 0; j < count; ++j) {
      copy_row(k + key_offset(p_, p_.ldk, u.b, u.s.first_key, begin + j, u.head), keys + j * depth_);
      rows[j] = v + key_offset(p_, p_.ldv, u.b, u.s.first_key, begin + j, u.head);
    }
    // Zeros beyond the last key: its scores are masked, but 0 * NaN is not 0.
    std::fill(keys + count * depth_, keys + kBlock * depth_, Element{});
    transpose_values(rows, count, values);
  }

  void copy_row(const T* src, Element* dst) const {
    int d = 0;
    for (; d < p_.head_dim; d += 8) copy8(src + d, dst + d);
    for (; d < depth_; ++d) dst[d] = Element{};
  }

  static void copy8(const T* src, Element* dst) {
    if constexpr (sizeof(T) == sizeof(Element)) {
      std::memcpy(dst, src, 8 * sizeof(T));
    } else {
      store_n(dst, load_n(src, 8), 8);
    }
  }

  /// values[d, j] = rows[j][d], zero outside.
  void transpose_values(const T* const* rows, int count, Element* values) const {
    for (int j = 0; j < kBlock; j += kLanes * Tile::kGroup) {
      for (int d = 0; d < rows_; d += kLanes) {
        const int width = std::clamp(p_.head_dim - d, 0, kLanes);
        F square[kLanes];
        for (int i = 0; i < kLanes; ++i) square[i] = words(rows, count, j + i * Tile::kGroup, d, width);
        transpose(square);
        for (int i = 0; i < kLanes && d + i < rows_; ++i) {
          std::memcpy(static_cast<void*>(values + (d + i) * kBlock + j), &square[i], sizeof(F));
        }
      }
    }
  }

  /// kLanes words: elements d.. of row j, or of rows j and j + 1 side by side.
  static F words(const T* const* rows, int count, int j, int d, int width) {
    if constexpr (Tile::kGroup == 1) {
      return j < count ? load_n(rows[j] + d, width) : zero();
    } else {
      const auto row = [&](int i) { return i < count ? load_n(rows[i] + d, width) : zero(); };
      return Tile::join(row(j), row(j + 1));
    }
  }

  /// The queries of rows begin .. begin + count as right operand: [depth / group, kColumns, group].
  void pack_queries(const Unit& u, int64_t begin, int count, Element* packed) const {
    constexpr int kStep = kLanes * Tile::kGroup;  // elements of a vector
    for (int c = 0; c < kColumns; c += kLanes) {
      for (int d = 0; d < depth_; d += kStep) {
        const int width = std::clamp(p_.head_dim - d, 0, kStep);
        F square[kLanes];
        for (int i = 0; i < kLanes; ++i)
          square[i] = c + i < count ? query(u, begin + c + i, d, width) : zero();
        transpose(square);
        for (int i = 0; i < kLanes && d + i * Tile::kGroup < depth_; ++i) {
          Element* row = packed + (d / Tile::kGroup + i) * kColumns * Tile::kGroup;
          std::memcpy(static_cast<void*>(row + c * Tile::kGroup), &square[i], sizeof(F));
        }
      }
    }
  }

  F query(const Unit& u, int64_t row, int d, int width) const {
    const T* q = static_cast<const T*>(p_.q) + (u.s.first_query + row / group_) * p_.ldq +
                 (u.head * group_ + row % group_) * int64_t{p_.head_dim} + d;
    if (sign_ == 0.0f) return zero();
    if constexpr (Tile::kGroup == 1) {
      return load_n(q, width) * broadcast(sign_);
    } else {
      return Tile::words(load_pairs_n(q, width), sign_ < 0.0f);
    }
  }

  // ---- one task

  struct Row {  // of kColumns rows, one per lane
    alignas(64) float maximum[kColumns];
    alignas(64) float sum[kColumns];
    alignas(64) float limit[kColumns];  // last key that the row sees
  };

  void attend(const Unit& u, int64_t row_block) {
    const int64_t begin = row_block * kColumns;
    const int count = static_cast<int>(std::min<int64_t>(kColumns, u.s.queries * group_ - begin));
    alignas(64) Element queries[kMostDim * kColumns];
    alignas(64) float scores[kBlock * kColumns];
    alignas(64) Element weights[kBlock * kColumns];
    alignas(64) float result[kMostDim * kColumns];
    pack_queries(u, begin, count, queries);

    Row row;
    const int64_t offset = u.s.keys - u.s.queries;
    int64_t least = u.s.keys - 1, most = least;
    if (p_.causal != 0) {
      least = std::min(least, begin / group_ + offset);
      most = std::min(most, (begin + count - 1) / group_ + offset);
    }
    for (int i = 0; i < kColumns; ++i) {
      const int64_t last = p_.causal != 0 ? std::min(most, (begin + i) / group_ + offset) : most;
      row.limit[i] = static_cast<float>(last);
      row.maximum[i] = kLowest;
      row.sum[i] = 0.0f;
    }

    const Element* keys = packed_ + u.packed;
    const Element* values = keys + key_elements(u);
    std::fill(result, result + rows_ * kColumns, 0.0f);
    for (int64_t j = 0; j <= most; j += kBlock) {
      const int n = static_cast<int>(std::min<int64_t>(kBlock, round_up(most + 1 - j, 32)));
      Tile::multiply(keys + j * depth_, depth_, n, queries, depth_, scores, false);
      if (j + n - 1 > least) mask(row, j, std::max<int64_t>(0, least + 1 - j), n, scores);
      raise(row, scores, n, result);
      exponentiate(row, scores, n, weights);
      Tile::multiply(values + j * rows_, kBlock, rows_, weights, n, result, true);
    }
    write(u, begin, count, row, result);
  }

  /// Scores of keys that a row does not see become -inf.
  static void mask(const Row& row, int64_t j, int64_t from, int n, float* scores) {
    for (int64_t i = from; i < n; ++i) {
      const F key = broadcast(static_cast<float>(j + i));
      for (int c = 0; c < kColumns; c += kLanes) {
        float* at = scores + i * kColumns + c;
        store(at, select_less(load(row.limit + c), key, broadcast(-kInfinity), load(at)));
      }
    }
  }

  /// Raises the reference maxima where these scores exceed them too far, and rescales what was summed so far.
  void raise(Row& row, const float* scores, int n, float* result) const {
    F top0 = load(scores), top1 = load(scores + kLanes);
    for (int i = 1; i < n; ++i) {
      top0 = max(top0, load(scores + i * kColumns));
      top1 = max(top1, load(scores + i * kColumns + kLanes));
    }
    const F tops[2] = {top0 * broadcast(factor_), top1 * broadcast(factor_)};
    float excess = -kInfinity;
    for (int h = 0; h < 2; ++h)
      excess = std::max(excess, reduce_max(tops[h] - load(row.maximum + h * kLanes)));
    if (!(excess > kSlack)) return;
    for (int h = 0; h < 2; ++h) {
      const int c = h * kLanes;
      const F before = load(row.maximum + c), after = max(before, tops[h]);
      const F rescale = exp2<false>(before - after);
      store(row.maximum + c, after);
      store(row.sum + c, load(row.sum + c) * rescale);
      for (int d = 0; d < rows_; ++d) {
        float* at = result + d * kColumns + c;
        store(at, load(at) * rescale);
      }
    }
  }

  /// weights = 2^(factor * score - maximum), and their sums.
  void exponentiate(Row& row, const float* scores, int n, Element* weights) const {
    const F factor = broadcast(factor_);
    const F max0 = zero() - load(row.maximum), max1 = zero() - load(row.maximum + kLanes);
    F sum0 = load(row.sum), sum1 = load(row.sum + kLanes);
    if constexpr (Tile::kGroup == 1) {
      for (int i = 0; i < n; ++i) {
        const F p0 = exp2<false>(fma(load(scores + i * kColumns), factor, max0));
        const F p1 = exp2<false>(fma(load(scores + i * kColumns + kLanes), factor, max1));
        sum0 += p0;
        sum1 += p1;
        store(weights + i * kColumns, p0);
        store(weights + i * kColumns + kLanes, p1);
      }
    } else {
      for (int i = 0; i < n; i += 2) {
        const float* s = scores + i * kColumns;
        const F p00 = exp2<true>(fma(load(s), factor, max0)),
                p01 = exp2<true>(fma(load(s + kLanes), factor, max1));
        const F p10 = exp2<true>(fma(load(s + kColumns), factor, max0)),
                p11 = exp2<true>(fma(load(s + kColumns + kLanes), factor, max1));
        sum0 += p00 + p10;
        sum1 += p01 + p11;
        Tile::store_joined(weights + i * kColumns, p00, p10);
        Tile::store_joined(weights + i * kColumns + kColumns, p01, p11);
      }
    }
    store(row.sum, sum0);
    store(row.sum + kLanes, sum1);
  }

  void write(const Unit& u, int64_t begin, int count, const Row& row, const float* result) const {
    T* out = static_cast<T*>(p_.out);
    for (int c = 0; c < kColumns; c += kLanes) {
      const F sum = load(row.sum + c);
      // A row that saw no key has sum 0, and a result of zeros.
      const F inverse = broadcast(1.0f) / max(broadcast(1e-30f), sum);
      for (int d = 0; d < p_.head_dim; d += kLanes) {
        const int width = std::min(p_.head_dim - d, kLanes);
        F square[kLanes];
        for (int i = 0; i < kLanes; ++i) {
          square[i] = i < width ? load(result + (d + i) * kColumns + c) * inverse : zero();
        }
        transpose(square);
        for (int i = 0; i < kLanes && c + i < count; ++i) {
          const int64_t r = begin + c + i;
          store_n(out + (u.s.first_query + r / group_) * p_.ldo +
                      (u.head * group_ + r % group_) * int64_t{p_.head_dim} + d,
                  square[i], width);
        }
      }
    }
    if (p_.lse == nullptr) return;
    for (int i = 0; i < count; ++i) {
      const int64_t r = begin + i, head = u.head * group_ + r % group_;
      p_.lse[head * total_queries_ + u.s.first_query + r / group_] =
          row.sum[i] == 0.0f ? -kInfinity : (row.maximum[i] + std::log2(row.sum[i])) * 0.69314718f;
    }
  }

  Team& team_;
  const topv_attention_params& p_;
  const int64_t group_;  // query heads per KV head
  const int64_t depth_;  // D as depth of the first product
  const int64_t rows_;   // D as rows of the second
  const int64_t total_queries_;
  float factor_, sign_;
  Element* packed_ = nullptr;
};

}  // namespace

void attention_prefill(Team& team, const topv_attention_params& p) {
  if (p.batch == 0) return;
  check_call("attention_prefill", p);
  if (p.dtype == TOPV_F32) {
    Prefill<FloatTile, float>(team, p).run();
  } else {
#if defined(__AVX512BF16__)
    Prefill<Bf16Tile, bf16>(team, p).run();
#else
    Prefill<FloatTile, bf16>(team, p).run();
#endif
  }
}

}  // namespace topv::cpu::TOPV_ISA
