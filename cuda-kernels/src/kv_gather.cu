// cache_l[dst_slots[i]] = cache_l[src_slots[i]] for K and V of every layer l, as if for i = 0, 1, 2, ... one after the
// other. In place: rows that are read may be overwritten.
//
// Grid: slices of 8 units (128 bytes) of a row in x, caches in y; one launch for up to 128 layers. A block owns its slice
// of its cache, so no two blocks touch the same bytes, and goes through the rows in tiles of 256: it reads a whole tile
// into registers, waits, and writes it. That is the sequential result unless a row of the tile is read after (RAW), or
// written twice within (WAW), the same tile: no compaction does so, in whatever order its pages lie. The block finds out
// with a hash table of the tile's destinations in shared memory, and copies such a tile row by row.
// Bound: memory bandwidth, each byte read and written once; 32 KB per block in flight.
#include "common/copy.cuh"
#include "common/report.cuh"
#include "kernels.h"

namespace topv::cuda {
namespace {

constexpr int kThreads = 512;
constexpr int kLanes = 8;                       // threads, and units, of a row's slice
constexpr int kRowsAtOnce = kThreads / kLanes;  // rows of which each thread has one unit
constexpr int kFlight = 4;                      // units of a thread in flight
constexpr int kTile = kRowsAtOnce * kFlight;    // rows
constexpr int kBits = 9, kTable = 1 << kBits;   // hash table, twice as large as a tile
constexpr int kMostLayers = 128;                // of one launch
static_assert(kTable == kThreads, "a thread clears one entry");

struct Caches {
  void* at[2 * kMostLayers];  // K and V of layer 0, of layer 1, ...
};

/// Destinations of a tile: which row of the tile writes a slot.
struct Destinations {
  int* table;         // [kTable] row in the tile, -1 = empty
  const int32_t* to;  // [kTile]

  static __device__ __forceinline__ unsigned hash(int32_t slot) {
    return static_cast<unsigned>(slot) * 2654435761u >> (32 - kBits);
  }
  /// False where another row writes the same slot.
  __device__ __forceinline__ bool insert(int row) const {
    for (unsigned h = hash(to[row]);; h = (h + 1) % kTable) {
      const int other = atomicCAS(&table[h], -1, row);
      if (other == -1) return true;
      if (to[other] == to[row]) return false;
    }
  }
  /// The row that writes slot, or -1.
  __device__ __forceinline__ int find(int32_t slot) const {
    for (unsigned h = hash(slot); table[h] != -1; h = (h + 1) % kTable) {
      if (to[table[h]] == slot) return table[h];
    }
    return -1;
  }
};

template <typename Unit>
__global__ void __launch_bounds__(kThreads)
    kv_gather_kernel(topv_kv_gather_params p, Caches caches, int64_t width, Fault* fault) {
  TOPV_SHARED(int32_t, from, [kTile]);
  TOPV_SHARED(int32_t, to, [kTile]);
  TOPV_SHARED(int, table, [kTable]);
  const int thread = threadIdx.x, first = thread / kLanes;
  const int64_t unit = int64_t{blockIdx.x} * kLanes + thread % kLanes;
  const bool inside = unit < width, reports = blockIdx.x == 0 && blockIdx.y == 0;
  Unit* cache = static_cast<Unit*>(caches.at[blockIdx.y]) + (inside ? unit : 0);
  const Destinations destinations = {&table[0], &to[0]};
  const auto valid = [&](const int32_t* slots, int64_t i, FaultKind kind) {
    if (slots[i] >= 0 && slots[i] < p.cache_slots) return true;
    if (reports) report(fault, kind, i, slots[i], p.cache_slots);
    return false;
  };

  for (int64_t begin = 0; begin < p.count; begin += kTile) {
    const int rows = static_cast<int>(p.count - begin < kTile ? p.count - begin : kTile);
    table[thread] = -1;
    if (thread < rows) {
      const bool good = valid(p.src_slots, begin + thread, FaultKind::kv_gather_source) &&
                        valid(p.dst_slots, begin + thread, FaultKind::kv_gather_destination);
      from[thread] = good ? p.src_slots[begin + thread] : -1;
      to[thread] = good ? p.dst_slots[begin + thread] : -1;
    }
    __syncthreads();  // and the last tile has been written
    const bool moves = thread < rows && from[thread] != to[thread];
    bool ordered = moves && !destinations.insert(thread);
    __syncthreads();
    if (moves) {
      const int writer = destinations.find(from[thread]);
      ordered = ordered || (writer >= 0 && writer < thread);
    }
    if (__syncthreads_or(ordered)) {
      // Here the thread that owns a unit of the rows reads what it has written itself.
      for (int r = 0; first == 0 && inside && r < rows; ++r) {
        if (from[r] != to[r]) cache[to[r] * width] = cache[from[r] * width];
      }
    } else {
      Unit held[kFlight];
#pragma unroll
      for (int h = 0; h < kFlight; ++h) {
        const int r = h * kRowsAtOnce + first;
        if (inside && r < rows && from[r] != to[r]) held[h] = cache[from[r] * width];
      }
      __syncthreads();
#pragma unroll
      for (int h = 0; h < kFlight; ++h) {
        const int r = h * kRowsAtOnce + first;
        if (inside && r < rows && from[r] != to[r]) cache[to[r] * width] = held[h];
      }
    }
    __syncthreads();  // from, to and the table have been read
  }
}

template <typename Unit>
void start(const Run& run, const topv_kv_gather_params& p, int64_t row_bytes) {
  const int64_t width = row_bytes / int64_t{sizeof(Unit)};
  for (int first = 0; first < p.layer_count; first += kMostLayers) {
    const int layers = p.layer_count - first < kMostLayers ? p.layer_count - first : kMostLayers;
    Caches caches = {};
    for (int l = 0; l < layers; ++l) {
      caches.at[2 * l] = p.k_caches[first + l];
      caches.at[2 * l + 1] = p.v_caches[first + l];
    }
    const dim3 grid(static_cast<unsigned>(ceil_div(width, kLanes)), static_cast<unsigned>(2 * layers));
    launch(run, {grid, dim3(kThreads)}, kv_gather_kernel<Unit>, p, caches, width, run.fault);
  }
}

}  // namespace

void kv_gather(const Run& run, const topv_kv_gather_params& p) {
  if (p.count == 0) return;
  const int64_t row_bytes = (p.dtype == TOPV_F32 ? int64_t{4} : int64_t{2}) * p.kv_heads * p.head_dim;
  int64_t bits = row_bytes;
  for (int l = 0; l < p.layer_count; ++l) bits |= address(p.k_caches[l]) | address(p.v_caches[l]);
  const int unit = copy_unit({bits});
  unit == 16  ? start<uint4>(run, p, row_bytes)
  : unit == 4 ? start<uint32_t>(run, p, row_bytes)
              : start<uint16_t>(run, p, row_bytes);
}

}  // namespace topv::cuda
