// out = softmax(scale q k^T + mask) v for bfloat16 and float16, on the tensor cores of Hopper (wgmma).
//
// Grid: heads x tiles of kRows queries, see PrefillTile. Two consumer warpgroups have 64 queries each: scores, weights and
// results are in registers, and the next tile's scores are multiplied while this tile's weights still multiply V. A
// producer warpgroup brings K and V in tiles of kKeys keys through a ring in shared memory: by TMA where all keys of a
// tile exist, page by page if need be; by cp.async, with zeros, where the sequence ends and where pages are of odd sizes.
// Bound: tensor cores. Limits: D <= 128 (zeros fill up to kDim), scale > 0, 16-byte aligned rows.
#include "attention_prefill.cuh"
#include "attention_softmax.cuh"
#include "common/elements.cuh"

namespace topv::cuda {
namespace {

constexpr int kConsumers = 2;  // warpgroups
constexpr int kThreads = (kConsumers + 1) * 128;
constexpr int kGroupRows = 64, kRows = kConsumers * kGroupRows;
constexpr int kKeys = 128;
constexpr int kStages = 4;

/// Tiles as TMA leaves them and wgmma reads them: slabs of 64 columns, 128 bytes per row, pieces of 16 bytes swizzled.
template <int kDim>
struct Slabs {
  static constexpr int kCount = (kDim + 63) / 64;
  static constexpr int kKeyBytes = kKeys * 128, kQueryBytes = kGroupRows * 128;  // of one slab
  static constexpr int kStageBytes = kCount * kKeyBytes;
  static constexpr size_t kShared =
      kStages * kStageBytes + kConsumers * kCount * kQueryBytes + 2 * kStages * 8;

  /// Piece of 16 bytes of a row.
  __device__ static __forceinline__ unsigned char* piece(unsigned char* tile, int slab_bytes, int row,
                                                         int piece) {
    return tile + piece / 8 * slab_bytes + row * 128 + ((piece ^ row) & 7) * 16;
  }

  /// Copies rows by cp.async with 128 threads: source(i) names row i in global memory (nullptr: zeros). Elements from dim
  /// on are zero.
  template <typename T, typename Source>
  __device__ static __forceinline__ void copy(unsigned char* tile, int slab_bytes, int rows, int dim,
                                              const Source& source) {
    constexpr int kPieces = kDim / 8, kStep = 128 / kPieces;  // rows at a time; the threads left over idle
    const int thread = static_cast<int>(threadIdx.x) % 128, column = thread % kPieces;
    if (thread >= kStep * kPieces) return;
#pragma unroll 2
    for (int i = thread / kPieces; i < rows; i += kStep) {
      const T* from = source(i);
      const bool valid = from != nullptr && column * 8 < dim;
      unsigned char* const to = piece(tile, slab_bytes, i, column);
      ptx::cp_async_16(to, valid ? static_cast<const void*>(from + column * 8) : to, valid);
    }
  }
};

#if TOPV_SM90A
constexpr int kProducerWarps = 4;
enum Barrier { kBlock, kQueries, kTurn = kQueries + kConsumers };  // named barriers; one per consumer

/// Tiles of K and V on their way from the producer to the consumers, in the order in which these use them:
/// K0, K1, V0, K2, V1, ... A tile's number says where it lies, and which phase of the barriers is its own.
struct Ring {
  unsigned char* base;
  uint64_t *full, *empty;
  int stage_bytes;

  __device__ __forceinline__ unsigned char* at(int n) const { return base + n % kStages * stage_bytes; }
  __device__ __forceinline__ void wait_full(int n) const {
    ptx::mbar_wait(full + n % kStages, n / kStages & 1);
  }
  __device__ __forceinline__ void wait_empty(int n) const {
    ptx::mbar_wait(empty + n % kStages, (n / kStages & 1) ^ 1);
  }
};

template <typename T, int kDim>
class Producer {
  using Tile = Slabs<kDim>;

 public:
  __device__ __forceinline__ Producer(const Attention& p, const Sequence& s, int kv_head, int box_rows,
                                      Ring ring)
      : p_(p), s_(s), kv_head_(kv_head), box_rows_(box_rows), ring_(ring) {}

  /// Tile n of the ring: keys first .. first + kKeys of `base`.
  __device__ __forceinline__ void load(int n, const ptx::TensorMap* map, const void* base, int64_t ld,
                                       int first) {
    ring_.wait_empty(n);
    const bool whole = box_rows_ > 0 && first + kKeys <= s_.keys;
    const int offset = static_cast<int>(threadIdx.x) % 32 * box_rows_;  // of this lane's box
    const bool mine = whole && offset < kKeys;
    const int64_t row = mine ? key_row<AttentionOp::prefill>(p_, s_, first + offset) : -1;
    if (whole && __all_sync(~0u, !mine || row >= 0)) {
      finish();
      load_boxes(n, map, offset, static_cast<int>(row));
    } else {
      load_rows(n, static_cast<const T*>(base) + kv_head_ * p_.head_dim, ld, first);
    }
  }

  /// Every tile has come, or is announced.
  __device__ __forceinline__ void finish() {
    if (pending_ < 0) return;
    ptx::cp_async_wait<0>();
    arrive();
  }

 private:
  /// Each lane of the first warp that has a row to start from brings a box.
  __device__ __forceinline__ void load_boxes(int n, const ptx::TensorMap* map, int offset, int row) const {
    uint64_t* const full = ring_.full + n % kStages;
    const bool lead = threadIdx.x % 32 == 0;
    if (threadIdx.x % 128 >= 32) {
      if (lead) ptx::mbar_arrive(full);
      return;
    }
    if (lead) ptx::mbar_arrive_expect(full, Tile::kStageBytes);
    __syncwarp();
    if (row < 0) return;
    unsigned char* const to = ring_.at(n) + offset * 128;
    for (int slab = 0; slab < Tile::kCount; ++slab) {
      ptx::tma_load_3d(to + slab * Tile::kKeyBytes, map, slab * 64, kv_head_, row, full);
    }
  }

  __device__ __forceinline__ void load_rows(int n, const T* base, int64_t ld, int first) {
    Tile::template copy<T>(ring_.at(n), Tile::kKeyBytes, kKeys, p_.head_dim, [&](int i) -> const T* {
      const int64_t row = first + i < s_.keys ? key_row<AttentionOp::prefill>(p_, s_, first + i) : -1;
      return row < 0 ? nullptr : base + row * ld;
    });
    ptx::cp_async_commit();
    if (pending_ >= 0) {
      ptx::cp_async_wait<1>();
      arrive();
    }
    pending_ = n;
  }

  __device__ __forceinline__ void arrive() {
    ptx::fence_proxy_async();
    __syncwarp();
    if (threadIdx.x % 32 == 0) ptx::mbar_arrive(ring_.full + pending_ % kStages);
    pending_ = -1;
  }

  const Attention& p_;
  const Sequence& s_;
  const int kv_head_, box_rows_;
  const Ring ring_;
  int pending_ = -1;  // tile that cp.async is still bringing
};

/// A consumer: what a warpgroup's registers hold.
template <typename T, int kDim>
struct Consumer {
  using Tile = Slabs<kDim>;
  float scores[kKeys / 2];
  uint32_t weights[kKeys / 4];
  float result[kDim / 2] = {};
  Softmax softmax;

  __device__ __forceinline__ void multiply_keys(const unsigned char* queries, const unsigned char* keys) {
#pragma unroll
    for (int d = 0; d < kDim; d += 16) {
      const int slab = d / 64;
      const auto a = ptx::wg_desc(queries + slab * Tile::kQueryBytes),
                 b = ptx::wg_desc(keys + slab * Tile::kKeyBytes);
      ptx::wgmma<kKeys, T>(scores, ptx::wg_advance(a, d % 64 * 2), ptx::wg_advance(b, d % 64 * 2), d > 0);
    }
    ptx::wgmma_commit();
  }

  __device__ __forceinline__ void multiply_values(const unsigned char* values) {
    const auto b = ptx::wg_desc_mn(values, Tile::kKeyBytes);
#pragma unroll
    for (int j = 0; j < kKeys; j += 16) {
      ptx::wgmma<kDim, T, ptx::Major::mn>(result, reinterpret_cast<uint32_t(&)[4]>(weights[j / 4]),
                                          ptx::wg_advance(b, j * 128));
    }
    ptx::wgmma_commit();
  }

  __device__ __forceinline__ void rescale(const float (&by)[2]) {
#pragma unroll
    for (int i = 0; i < kDim / 2; ++i) result[i] *= by[i % 4 / 2];
  }

  __device__ __forceinline__ void pack() {
#pragma unroll
    for (int i = 0; i < kKeys / 4; ++i) weights[i] = ptx::pack<T>(scores[2 * i], scores[2 * i + 1]);
  }
};
#endif

template <typename T, int kDim>
__global__ void __launch_bounds__(kThreads, 1)
    attention_prefill_wgmma_kernel(const __grid_constant__ ptx::TensorMap key_map,
                                   const __grid_constant__ ptx::TensorMap value_map,
                                   const __grid_constant__ Attention p, int box_rows) {
#if TOPV_SM90A
  using Tile = Slabs<kDim>;
  TOPV_ARENA(arena);
  Ring ring;
  ring.base = arena.take<unsigned char>(kStages * Tile::kStageBytes, 1024);
  unsigned char* const all_queries =
      arena.take<unsigned char>(kConsumers * Tile::kCount * Tile::kQueryBytes, 1024);
  ring.full = arena.take<uint64_t>(kStages);
  ring.empty = arena.take<uint64_t>(kStages);
  ring.stage_bytes = Tile::kStageBytes;

  const PrefillTile tile = prefill_tile(p, kRows);
  Sequence s;
  if (!load_sequence<AttentionOp::prefill>(p, tile.b, s) || tile.first >= s.queries) return;
  const int rows = s.queries - tile.first < kRows ? s.queries - tile.first : kRows;
  const Window window = cuda::window(p, s);
  const int begin = window.of(tile.first).begin / kKeys * kKeys;
  const int end = window.of(tile.first + rows - 1).end;
  const int tiles = end > begin ? (end - begin + kKeys - 1) / kKeys : 0;

  if (threadIdx.x == 0) {
    for (int i = 0; i < kStages; ++i) {
      ptx::mbar_init(ring.full + i, kProducerWarps);
      ptx::mbar_init(ring.empty + i, kConsumers);
    }
    ptx::mbar_init_fence();
  }
  __syncthreads();

  const int group = __shfl_sync(~0u, static_cast<int>(threadIdx.x) / 128, 0);
  if (group == kConsumers) {
    ptx::setmaxnreg_dec<56>();
    if (threadIdx.x % 128 == 0) {
      ptx::tma_prefetch(&key_map);
      ptx::tma_prefetch(&value_map);
    }
    Producer<T, kDim> producer(p, s, tile.head / p.group, box_rows, ring);
    int n = 0;
    for (int i = 0; i <= tiles; ++i) {
      if (i < tiles) producer.load(n++, &key_map, p.k, p.ldk, begin + i * kKeys);
      if (i > 0) producer.load(n++, &value_map, p.v, p.ldv, begin + (i - 1) * kKeys);
    }
    producer.finish();
    return;
  }

  ptx::setmaxnreg_inc<224>();
  const int dim = p.head_dim, thread = static_cast<int>(threadIdx.x) % 128, warp = thread / 32,
            lane = thread % 32;
  const int group_first = tile.first + group * kGroupRows;
  const int group_rows = rows - group * kGroupRows < kGroupRows ? rows - group * kGroupRows : kGroupRows;
  const int row = warp * 16 + lane / 4;  // of this group: of the first two registers
  unsigned char* const queries = all_queries + group * Tile::kCount * Tile::kQueryBytes;
  const T* const q =
      static_cast<const T*>(p.q) + int64_t{s.first_query + group_first} * p.ldq + tile.head * dim;
  Tile::template copy<T>(queries, Tile::kQueryBytes, kGroupRows, dim,
                         [&](int i) { return i < group_rows ? q + i * p.ldq : nullptr; });
  ptx::cp_async_commit();
  ptx::cp_async_wait<0>();
  ptx::fence_proxy_async();
  ptx::bar_sync(kQueries + group, 128);

  const int last = group_rows > 0 ? group_first + group_rows - 1 : group_first;
  const int full_begin = window.of(last).begin,
            full_end = window.of(group_first).end;  // keys that every row sees
  const float factor = score_factor(p);
  Consumer<T, kDim> c;
  const auto use = [&](int i, float(&rescale)[2]) {  // scores become weights
    const int first = begin + i * kKeys;
    if (p.softcap > 0) cap(p, c.scores);
    if (first < full_begin || first + kKeys > full_end) mask(window, group_first + row, first, c.scores);
    const bool moved = c.softmax.raise(c.scores, factor, rescale);
    c.softmax.weigh(c.scores, factor);
    return moved;
  };
  const auto release = [&](int n) {  // the products of the whole warpgroup are done
    if (thread == 0) ptx::mbar_arrive(ring.empty + n % kStages);
  };

  if (tiles > 0) {
    // The groups issue their products in turn, so that one computes weights while the other multiplies.
    if (group == 1 && tiles > 1) ptx::bar_arrive(kTurn, 256);
    float rescale[2];
    int n = 0;  // in the ring
    ring.wait_full(n);
    ptx::wgmma_fence();
    c.multiply_keys(queries, ring.at(n));
    ptx::wgmma_wait<0>(c.scores);
    release(n++);
    use(0, rescale);
    c.pack();
    for (int i = 1; i < tiles; ++i) {
      ring.wait_full(n);
      ptx::bar_sync(kTurn + group, 256);
      ptx::wgmma_fence();
      c.multiply_keys(queries, ring.at(n));
      ring.wait_full(n + 1);
      ptx::wgmma_fence(c.result, c.weights);
      c.multiply_values(ring.at(n + 1));
      if (group == 0 || i + 1 < tiles) ptx::bar_arrive(kTurn + 1 - group, 256);
      ptx::wgmma_wait<1>(c.scores);
      release(n++);
      const bool moved = use(i, rescale);
      ptx::wgmma_wait<0>(c.result);
      release(n++);
      if (moved) c.rescale(rescale);
      c.pack();
    }
    ring.wait_full(n);
    ptx::wgmma_fence(c.result, c.weights);
    c.multiply_values(ring.at(n));
    ptx::wgmma_wait<0>(c.result);
    release(n);
  }

  // By way of shared memory, where the queries were (other warps have to be done with them too), to write whole rows.
  ptx::bar_sync(kQueries + group, 128);
  c.softmax.finish();
#pragma unroll
  for (int h = 0; h < 2; ++h) {
    const float inverse = c.softmax.inverse(h);
#pragma unroll
    for (int j = 0; j < kDim / 8; ++j) {
      const float* const two = c.result + 4 * j + 2 * h;
      unsigned char* const to = Tile::piece(queries, Tile::kQueryBytes, row + 8 * h, j) + lane % 4 * 4;
      *reinterpret_cast<uint32_t*>(to) = ptx::pack<T>(two[0] * inverse, two[1] * inverse);
    }
    if (p.lse != nullptr && lane % 4 == 0 && row + 8 * h < group_rows) {
      p.lse[int64_t{tile.head} * p.cu_seqlens_q[p.batch] + s.first_query + group_first + row + 8 * h] =
          c.softmax.lse(h, factor);
    }
  }
  __syncwarp();
  T* const out = static_cast<T*>(p.out) + int64_t{s.first_query + group_first} * p.ldo + tile.head * dim;
  for (int i = lane; i < 16 * (kDim / 8); i += 32) {
    const int at = warp * 16 + i / (kDim / 8), j = i % (kDim / 8);
    if (at < group_rows && j * 8 < dim) {
      *reinterpret_cast<uint4*>(out + at * p.ldo + j * 8) =
          *reinterpret_cast<const uint4*>(Tile::piece(queries, Tile::kQueryBytes, at, j));
    }
  }
#endif
}

/// Rows that one TMA load can bring: a tile, or a page that divides it; 0 for pages of other sizes.
int box_rows(const Attention& p) {
  if (p.block_table == nullptr || p.page_size % kKeys == 0) return kKeys;
  return kKeys % p.page_size == 0 && p.page_size % 8 == 0 ? p.page_size : 0;
}

template <typename T, int kDim>
void start(const Run& run, const Attention& p) {
  // A load is within rows that the sequence has, so that an upper bound of their number serves.
  const int64_t rows =
      p.block_table == nullptr ? int64_t{p.batch} * p.max_seqlen_k : int64_t{p.page_count} * p.page_size;
  const int box = box_rows(p);
  const auto map = [&](const void* base, int64_t ld) {
    return ptx::make_tensor_map(static_cast<const T*>(base), {p.head_dim, p.kv_heads, rows}, {p.head_dim, ld},
                                {64, 1, box > 0 ? box : kKeys});
  };
  launch(run, {prefill_grid(p, kRows), dim3(kThreads), Slabs<kDim>::kShared},
         attention_prefill_wgmma_kernel<T, kDim>, map(p.k, p.ldk), map(p.v, p.ldv), p, box);
}

}  // namespace

void attention_prefill_wgmma(const Run& run, const Attention& p) {
  for_head_size(p,
                [&](auto element, auto width) { start<decltype(element), decltype(width)::value>(run, p); });
}

}  // namespace topv::cuda
