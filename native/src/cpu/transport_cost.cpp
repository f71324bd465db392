// C = alpha * Cf + beta * Cs + gamma * Ce per image, and the norms of the features.
//
// Cf needs only differences of the distances |S_i - T_j|^2, so each side is centred on its own mean first: with
// s = S - m_S, t = T - m_T, d = m_S - m_T
//   |S_i - T_j|^2 - |d|^2 = (|s_i|^2 + 2 d s_i) + (|t_j|^2 - 2 d t_j) - 2 s_i t_j,
// which does not cancel where the features share large components. The product s t runs over chunks of features that
// stay in L2: in float32, or with AMX on halves of bfloat16, s = high + low, leaving out low * low (2^-17 per product).
// Bound: arithmetic. Scratch: one chunk of both sides per thread, and the products.
#include <algorithm>
#include <cmath>
#include <limits>

#include "cpu/kernel.hpp"
#include "cpu/tile.hpp"

namespace topv::cpu::TOPV_ISA {
namespace {

/// How features enter the product: kParts vectors per kWidth features; term i of the product is part kLeft[i] times
/// part kRight[i]. kChunk features at a time.
struct FloatParts {
  using Tile = FloatTile;
  static constexpr int64_t kChunk = 256;
  static constexpr int kTerms = 1, kParts = 1, kWidth = kLanes;
  static constexpr int kLeft[kTerms] = {0}, kRight[kTerms] = {0};
  static void split(const F* x, F (&parts)[kParts]) { parts[0] = x[0]; }
};
#if defined(__AMX_BF16__)
struct Bf16Parts {
  using Tile = Bf16Tile;
  static constexpr int64_t kChunk = 64;
  static constexpr int kTerms = 3, kParts = 2, kWidth = 2 * kLanes;
  static constexpr int kLeft[kTerms] = {0, 1, 0}, kRight[kTerms] = {0, 0, 1};
  static void split(const F* x, F (&parts)[kParts]) {
    const F high[2] = {rounded(x[0]), rounded(x[1])};
    parts[0] = pack(high[0], high[1]);
    parts[1] = pack(x[0] - high[0], x[1] - high[1]);
  }

 private:
  static F pack(F low, F high) { return {_mm512_castsi512_ps((__m512i)_mm512_cvtne2ps_pbh(high.v, low.v))}; }
  static F rounded(F x) {
    const __m512i bits = _mm512_castps_si512(x.v);
    const __m512i odd = _mm512_and_si512(_mm512_srli_epi32(bits, 16), _mm512_set1_epi32(1));
    const __m512i sum = _mm512_add_epi32(bits, _mm512_add_epi32(odd, _mm512_set1_epi32(0x7fff)));
    return {_mm512_castsi512_ps(_mm512_and_si512(sum, _mm512_set1_epi32(static_cast<int>(0xffff0000u))))};
  }
};
#endif

template <typename Parts>
constexpr int64_t kDepth = Parts::kChunk* Parts::kTerms;

/// Rows of features of one image, on one side of the transport.
template <typename T>
struct Side {
  const T* data;
  int64_t ld;
  const int32_t* index;  // nullable
  int64_t first, n, cols;
  float* mean;    // [cols]
  float* linear;  // [n]: the part of the distance that depends on this side alone

  const T* row(int64_t i) const { return data + (index != nullptr ? index[i] : first + i) * ld; }
};

template <typename T>
F load_some(const T* p, int64_t left) {
  return left >= kLanes ? load(p) : load_n(p, static_cast<int>(std::max<int64_t>(left, 0)));
}

/// Column means, summed in double: rows that are all equal centre to exactly zero.
template <typename T>
void mean(Team& team, const Side<T>& side) {
  constexpr int64_t kBlock = 64;
  parallel_for(team, (side.cols + kBlock - 1) / kBlock, 4, [&](int64_t begin, int64_t end, int) {
    for (int64_t c = begin * kBlock; c < std::min(end * kBlock, side.cols); c += kBlock) {
      const int width = static_cast<int>(std::min(kBlock, side.cols - c));
      double sum[kBlock] = {};
      alignas(64) float row[kBlock] = {};
      for (int64_t i = 0; i < side.n; ++i) {
        const T* x = side.row(i) + c;
        for (int j = 0; j < width; j += kLanes) store(row + j, load_some(x + j, width - j));
        for (int j = 0; j < kBlock; ++j) sum[j] += static_cast<double>(row[j]);
      }
      for (int j = 0; j < width; ++j)
        side.mean[c + j] = static_cast<float>(sum[j] / static_cast<double>(side.n));
    }
  });
}

/// norm[i] = |x_i|; linear[i] = |x_i - mean|^2 + 2 (mean - other)(x_i - mean).
template <typename T>
void moments(Team& team, const Side<T>& side, const float* other, float* norm) {
  parallel_for(team, side.n, 16, [&](int64_t begin, int64_t end, int) {
    for (int64_t i = begin; i < end; ++i) {
      const T* row = side.row(i);
      double square = 0, linear = 0;
      constexpr int64_t kRun = 256;  // summed in float32
      for (int64_t c = 0; c < side.cols; c += kRun) {
        F a = zero(), b = zero();
        for (int64_t j = c; j < std::min(c + kRun, side.cols); j += kLanes) {
          const int64_t left = side.cols - j;
          const F x = load_some(row + j, left), m = load_some(side.mean + j, left);
          const F centred = x - m, shift = m - load_some(other + j, left);
          a = fma(x, x, a);
          b = fma(centred, centred + shift + shift, b);
        }
        square += static_cast<double>(reduce_add(a));
        linear += static_cast<double>(reduce_add(b));
      }
      norm[i] = static_cast<float>(std::sqrt(square));
      side.linear[i] = static_cast<float>(linear);
    }
  });
}

/// kWidth centred features of a row (NULL: zeros) from feature c on, split; zero outside.
template <typename Parts, typename T>
inline __attribute__((always_inline)) void centred(const Side<T>& side, const T* row, int64_t c,
                                                   F (&parts)[Parts::kParts]) {
  F x[Parts::kWidth / kLanes];
  for (int h = 0; h < Parts::kWidth / kLanes; ++h) {
    const int64_t at = c + h * kLanes, left = side.cols - at;
    x[h] = row == nullptr || left <= 0 ? zero() : load_some(row + at, left) - load_some(side.mean + at, left);
  }
  Parts::split(x, parts);
}

/// Rows begin .. end as left operand: [end - begin, kDepth].
template <typename Parts, typename T>
void pack_left(const Side<T>& side, int64_t begin, int64_t end, int64_t chunk,
               typename Parts::Tile::Element* packed) {
  for (int64_t i = begin; i < end; ++i) {
    const T* features = i < side.n ? side.row(i) : nullptr;
    auto* row = packed + (i - begin) * kDepth<Parts>;
    for (int64_t c = 0; c < Parts::kChunk; c += Parts::kWidth) {
      F parts[Parts::kParts];
      centred<Parts>(side, features, chunk + c, parts);
      for (int term = 0; term < Parts::kTerms; ++term) {
        std::memcpy(static_cast<void*>(row + term * Parts::kChunk + c), &parts[Parts::kLeft[term]],
                    sizeof(F));
      }
    }
  }
}

/// Rows j .. j + kColumns as right operand: [kDepth / kGroup, kColumns, kGroup].
template <typename Parts, typename T>
void pack_right(const Side<T>& side, int64_t j, int64_t chunk, typename Parts::Tile::Element* packed) {
  constexpr int kGroup = Parts::Tile::kGroup;
  for (int64_t half = 0; half < kColumns; half += kLanes) {
    for (int64_t c = 0; c < Parts::kChunk; c += Parts::kWidth) {
      F squares[Parts::kParts][kLanes];
      for (int i = 0; i < kLanes; ++i) {
        const int64_t token = j + half + i;
        F parts[Parts::kParts];
        centred<Parts>(side, token < side.n ? side.row(token) : nullptr, chunk + c, parts);
        for (int part = 0; part < Parts::kParts; ++part) squares[part][i] = parts[part];
      }
      for (auto& square : squares) transpose(square);
      for (int term = 0; term < Parts::kTerms; ++term) {
        auto* at = packed + (term * Parts::kChunk + c) * kColumns + half * kGroup;
        for (int i = 0; i < kLanes; ++i) {
          std::memcpy(static_cast<void*>(at + i * kColumns * kGroup), &squares[Parts::kRight[term]][i],
                      sizeof(F));
        }
      }
    }
  }
}

/// distance[i, j] = linear_i + linear_j - 2 s_i t_j for all pairs, with its extremes per row.
template <typename Parts, typename T>
void distances(Team& team, const Side<T>& source, const Side<T>& target, float* distance, float* least,
               float* most, float* packed, int64_t packed_per_thread, float* products) {
  using Element = typename Parts::Tile::Element;
  const int64_t n = source.n, columns = round_up(n, kColumns);
  constexpr int64_t kRows = 32;
  const int64_t rows = round_up(n, kRows);
  parallel_for(team, rows / kRows, 1, [&](int64_t first, int64_t last, int thread) {
    TileScope scope;
    const int64_t begin = first * kRows, end = last * kRows;
    Element* right = reinterpret_cast<Element*>(packed + thread * packed_per_thread);
    Element* left = right + kColumns * kDepth<Parts>;
    for (int64_t chunk = 0; chunk < source.cols; chunk += Parts::kChunk) {
      pack_left<Parts>(source, begin, end, chunk, left);
      for (int64_t j = 0; j < columns; j += kColumns) {
        pack_right<Parts>(target, j, chunk, right);
        Parts::Tile::multiply(left, kDepth<Parts>, static_cast<int>(end - begin), right,
                              static_cast<int>(kDepth<Parts>), products + j * rows + begin * kColumns,
                              chunk > 0);
      }
    }
    for (int64_t i = begin; i < std::min(end, n); ++i) {
      F low = broadcast(std::numeric_limits<float>::infinity()), high = zero() - low;
      for (int64_t j = 0; j < n; j += kLanes) {
        const int width = static_cast<int>(std::min<int64_t>(kLanes, n - j));
        const F product = load(products + j / kColumns * kColumns * rows + i * kColumns + j % kColumns);
        const F value =
            fma(broadcast(-2.0f), product, broadcast(source.linear[i]) + load_n(target.linear + j, width));
        store_n(distance + i * n + j, value, width);
        if (width == kLanes) {
          low = min(low, value);
          high = max(high, value);
        } else {
          low = min(low, load_n(distance + i * n + j, width, std::numeric_limits<float>::infinity()));
          high = max(high, load_n(distance + i * n + j, width, -std::numeric_limits<float>::infinity()));
        }
      }
      least[i] = reduce_min(low);
      most[i] = reduce_max(high);
    }
  });
}

/// bell[size - 1 + d] = exp(-d^2 / (2 sigma^2)) for |d| < size.
void fill_bell(float* bell, int size, float sigma) {
  for (int d = 0; d < size; ++d) {
    const double ratio = d / static_cast<double>(sigma);
    bell[size - 1 + d] = bell[size - 1 - d] = static_cast<float>(std::exp(-0.5 * ratio * ratio));
  }
}

/// Turns distances into costs, in place. The Gaussian of a distance is the product of those along x and y.
void finish(Team& team, const topv_transport_cost_params& p, int w, int h, float lowest, float highest,
            float* bell, float* cost) {
  const int64_t n = int64_t{w} * h;
  const float range = highest - lowest;
  const float scale = range > 0 ? p.alpha / range : 0.0f;  // all equal: Cf = 0
  const float beta = p.beta;
  float* bell_x = bell;
  float* bell_y = bell + 2 * w - 1;
  fill_bell(bell_x, w, p.sigma);
  fill_bell(bell_y, h, p.sigma);
  parallel_for(team, n, 65536 / n + 1, [&](int64_t begin, int64_t end, int) {
    for (int64_t i = begin; i < end; ++i) {
      const int x = static_cast<int>(i % w), y = static_cast<int>(i / w);
      const double cx = x - (w - 1) / 2.0, cy = y - (h - 1) / 2.0;
      const float central = p.gamma * static_cast<float>(std::sqrt(cx * cx + cy * cy));
      float* row = cost + i * n;
      for (int v = 0; v < h; ++v, row += w) {
        const float* along_x = bell_x + (w - 1 - x);
        const float along_y = bell_y[h - 1 + v - y];
        for (int u = 0; u < w; ++u) {
          row[u] = (row[u] - lowest) * scale + beta * (1.0f - along_x[u] * along_y) + central;
        }
      }
    }
  });
}

template <typename Parts, typename T>
void run(Team& team, const topv_transport_cost_params& p) {
  int64_t most_tokens = 0, most_side = 0;
  for (int m = 0; m < p.images; ++m) {
    most_tokens = std::max(most_tokens, int64_t{p.grid_w[m]} * p.grid_h[m]);
    most_side = std::max(most_side, int64_t{p.grid_w[m]} + p.grid_h[m]);
  }
  const int64_t rows = round_up(most_tokens, 64);
  const int64_t means = round_up(p.cols, 64);
  const int64_t bells = round_up(2 * most_side, 64);
  const int64_t packed = (rows + kColumns) * kDepth<Parts> / Parts::Tile::kGroup;  // floats per thread
  float* scratch = team.scratch<float>(2 * means + 4 * rows + bells + rows * rows + team.threads() * packed);
  float* linear = scratch + 2 * means;
  float* bell = linear + 4 * rows;
  float* products = bell + bells;

  int64_t first = 0;
  float* cost = p.cost;
  for (int m = 0; m < p.images; ++m) {
    const int64_t n = int64_t{p.grid_w[m]} * p.grid_h[m];
    const int32_t* index = p.row_index != nullptr ? p.row_index + first : nullptr;
    const Side<T> source{
        static_cast<const T*>(p.source), p.ld_source, index, first, n, p.cols, scratch, linear};
    const Side<T> target{static_cast<const T*>(p.target),
                         p.ld_target,
                         index,
                         first,
                         n,
                         p.cols,
                         scratch + means,
                         linear + rows};
    mean(team, source);
    mean(team, target);
    moments(team, source, target.mean, p.source_norm + first);
    moments(team, target, source.mean, p.target_norm + first);
    float *least = linear + 2 * rows, *most = linear + 3 * rows;
    distances<Parts>(team, source, target, cost, least, most, products + rows * rows, packed, products);
    finish(team, p, p.grid_w[m], p.grid_h[m], *std::min_element(least, least + n),
           *std::max_element(most, most + n), bell, cost);
    first += n;
    cost += n * n;
  }
}

}  // namespace

void transport_cost(Team& team, const topv_transport_cost_params& p) {
  int64_t tokens = 0;
  for (int m = 0; m < p.images; ++m) tokens += int64_t{p.grid_w[m]} * p.grid_h[m];
  for (int64_t t = 0; p.row_index != nullptr && t < tokens; ++t) {
    if (p.row_index[t] < 0 || p.row_index[t] >= p.rows) {
      fail(TOPV_INVALID_ARGUMENT, "transport_cost: row_index[%lld] = %d is not in [0, %lld)",
           static_cast<long long>(t), p.row_index[t], static_cast<long long>(p.rows));
    }
  }
#if defined(__AMX_BF16__)
  // The error of the halves averages out over the features; where these are few, the product is cheap anyway.
  if (p.cols >= 256)
    return p.dtype == TOPV_F32 ? run<Bf16Parts, float>(team, p) : run<Bf16Parts, bf16>(team, p);
#endif
  p.dtype == TOPV_F32 ? run<FloatParts, float>(team, p) : run<FloatParts, bf16>(team, p);
}

}  // namespace topv::cpu::TOPV_ISA
