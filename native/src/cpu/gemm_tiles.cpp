// c [m, n] = epilogue(a [m, k] W [n, k]^T) in bfloat16 on AMX tiles, for many rows.
//
// Both operands are cut into steps of 32 of k: two tiles, 2 KiB that lie together. A block of 32 x 32 of c is four tile
// registers over all steps. A thread takes a chunk of W that stays in its L2 cache and runs all blocks of a past it, so W
// comes from memory once. The epilogue of a block is done row by row between the steps of the next one, where the vector
// units are idle. Prefetching the next chunk was tried; it took more from the tile loads than it gave.
// Bound: tile loads from L2 (1.5 of the 3.5 TFLOP/s of a core's tile unit), and memory.
#include <algorithm>
#include <atomic>

#include "cpu/epilogue.hpp"
#include "cpu/kernel.hpp"
#include "cpu/tile.hpp"

namespace topv::cpu::TOPV_ISA {

#if defined(__AMX_BF16__)

namespace {

constexpr int kSide = 32;                     // rows and columns of a block, and k of a step
constexpr int64_t kStepSize = kSide * kSide;  // elements of a step
constexpr int64_t kChunkBytes = 640 << 10;    // of W
constexpr int64_t kPartSteps = 64;            // k is cut so that a chunk has enough columns

constexpr int64_t ceil_div(int64_t a, int64_t b) { return (a + b - 1) / b; }

/// Sums that wait for their epilogue.
template <typename C>
struct Pending {
  alignas(64) float sums[2][kStepSize];
  int current = 0;
  int row = 0, rows = 0, columns = 0;
  int64_t column = 0;
  C* c = nullptr;

  void finish_row(const Epilogue& e, int64_t ldc) {
    finish(e, sums[current] + row * kSide, column, c + row * ldc, columns);
    ++row;
  }
};

template <typename C>
class Product {
 public:
  Product(Team& team, const GemmTilesParams& p)
      : team_(team),
        g_(*p.gemm),
        packed_(static_cast<const bf16*>(p.packed)),
        n_(p.n),
        k_(p.k),
        steps_(ceil_div(p.k, kSide)),
        blocks_(ceil_div(p.gemm->m, kSide)),
        panels_(ceil_div(p.n, kSide)),
        parts_(ceil_div(steps_, kPartSteps)),
        epilogue_{p.gemm->bias, p.gemm->activation, p.gemm->accumulate} {
    const int64_t fitting = std::max<int64_t>(1, kChunkBytes / (ceil_div(steps_, parts_) * kStepSize * 2));
    // Chunks of one size, and as many for each thread.
    const int64_t chunks = round_up(ceil_div(panels_, fitting), 2 * team.threads());
    chunk_ = ceil_div(panels_, std::min(panels_, chunks));
  }

  void run() {
    const int64_t sums = parts_ > 1 ? blocks_ * chunk_ * kStepSize : 0;
    char* scratch = team_.scratch<char>(blocks_ * steps_ * kStepSize * 2 + team_.threads() * sums * 4);
    rows_ = reinterpret_cast<bf16*>(scratch);
    auto* partial = reinterpret_cast<float*>(scratch + blocks_ * steps_ * kStepSize * 2);
    parallel_for(team_, blocks_, 4, [&](int64_t begin, int64_t end, int) {
      for (int64_t i = begin; i < end; ++i) pack_rows(i);
    });
    std::atomic<int64_t> next{0};
    const int64_t chunks = ceil_div(panels_, chunk_);
    parallel_for(team_, team_.threads(), 1, [&](int64_t begin, int64_t, int) {
      TileScope scope;
      Pending<C> pending;
      float* own = partial + begin * sums;
      for (int64_t chunk; (chunk = next.fetch_add(1, std::memory_order_relaxed)) < chunks;) {
        run_chunk(chunk, own, pending);
      }
      while (pending.row < pending.rows) pending.finish_row(epilogue_, g_.ldc);
    });
  }

 private:
  void pack_rows(int64_t block) {
    const bf16* a = static_cast<const bf16*>(g_.a) + block * kSide * g_.lda;
    const int rows = static_cast<int>(std::min<int64_t>(kSide, g_.m - block * kSide));
    bf16* to = rows_ + block * steps_ * kStepSize;
    for (int r = 0; r < kSide; ++r, to += kSide) {
      for (int64_t s = 0; s < steps_; ++s) {
        const int count = r < rows ? static_cast<int>(std::min<int64_t>(kSide, k_ - s * kSide)) : 0;
        const Pairs x = load_pairs_n(a + (count > 0 ? r * g_.lda + s * kSide : 0), count);
        std::memcpy(static_cast<void*>(to + s * kStepSize), &x, sizeof x);
      }
    }
  }

  void run_chunk(int64_t chunk, float* own, Pending<C>& pending) {
    const int64_t first = chunk * chunk_, last = std::min(panels_, first + chunk_);
    for (int64_t part = 0; part < parts_; ++part) {
      const int64_t begin = steps_ * part / parts_, end = steps_ * (part + 1) / parts_;
      const bool more = part + 1 < parts_;
      for (int64_t i = 0; i < blocks_; ++i) {
        const int rows = static_cast<int>(std::min<int64_t>(kSide, g_.m - i * kSide));
        for (int64_t j = first; j < last; ++j) {
          float* sums = own + (i * chunk_ + j - first) * kStepSize;  // where there are parts
          const float* from = part > 0 ? sums : nullptr;
          float* to = more ? sums : pending.sums[pending.current ^ 1];
          const bf16* left = rows_ + (i * steps_ + begin) * kStepSize;
          const bf16* right = packed_ + (j * steps_ + begin) * kStepSize;
          if (rows > kSide / 2) {
            block<true>(left, right, end - begin, from, to, pending);
          } else {
            block<false>(left, right, end - begin, from, to, pending);
          }
          if (more) continue;
          while (pending.row < pending.rows) pending.finish_row(epilogue_, g_.ldc);
          pending.current ^= 1;
          pending.row = 0;
          pending.rows = rows;
          pending.column = j * kSide;
          pending.columns = static_cast<int>(std::min<int64_t>(kSide, n_ - j * kSide));
          pending.c = static_cast<C*>(g_.c) + i * kSide * g_.ldc + j * kSide;
        }
      }
    }
  }

  /// to = (from or 0) + a w over so many steps; kBoth: both halves of the rows are in use.
  template <bool kBoth>
  void block(const bf16* a, const bf16* w, int64_t steps, const float* from, float* to,
             Pending<C>& pending) const {
    constexpr int64_t kRow = kSide * 4;  // bytes
    constexpr int kHalf = kSide / 2;
    if (from != nullptr) {
      _tile_loadd(0, from, kRow);
      _tile_loadd(1, from + kHalf, kRow);
      if (kBoth) {
        _tile_loadd(2, from + kHalf * kSide, kRow);
        _tile_loadd(3, from + kHalf * kSide + kHalf, kRow);
      }
    } else {
      _tile_zero(0);
      _tile_zero(1);
      _tile_zero(2);
      _tile_zero(3);
    }
    for (int64_t s = 0; s < steps; ++s, a += kStepSize, w += kStepSize) {
      _tile_loadd(4, a, 64);
      _tile_loadd(6, w, 64);
      _tile_dpbf16ps(0, 4, 6);
      _tile_loadd(7, w + kStepSize / 2, 64);
      _tile_dpbf16ps(1, 4, 7);
      if (kBoth) {
        _tile_loadd(5, a + kStepSize / 2, 64);
        _tile_dpbf16ps(2, 5, 6);
        _tile_dpbf16ps(3, 5, 7);
      }
      if (pending.row < pending.rows) pending.finish_row(epilogue_, g_.ldc);
    }
    _tile_stored(0, to, kRow);
    _tile_stored(1, to + kHalf, kRow);
    if (kBoth) {
      _tile_stored(2, to + kHalf * kSide, kRow);
      _tile_stored(3, to + kHalf * kSide + kHalf, kRow);
    }
  }

  Team& team_;
  const topv_gemm_params& g_;
  const bf16* packed_;
  const int64_t n_, k_;
  const int64_t steps_, blocks_, panels_;  // of k, of rows of a, of rows of W
  const int64_t parts_;                    // of the steps
  const Epilogue epilogue_;
  int64_t chunk_;  // panels
  bf16* rows_ = nullptr;
};

}  // namespace

void pack_tiles(Team& team, const PackTilesParams& p) {
  const int64_t steps = ceil_div(p.k, kSide);
  parallel_for(team, ceil_div(p.n, kSide), 1, [&](int64_t begin, int64_t end, int) {
    for (int64_t panel = begin; panel < end; ++panel) {
      const bf16* rows[kSide];
      for (int64_t j = 0; j < kSide; ++j) {
        int64_t row = panel * kSide + j;
        int b = 0;
        while (b < p.block_count && row >= p.blocks[b].rows) row -= p.blocks[b++].rows;
        rows[j] = b < p.block_count ? static_cast<const bf16*>(p.blocks[b].data) + row * p.k : nullptr;
      }
      bf16* to = static_cast<bf16*>(p.packed) + panel * steps * kStepSize;
      for (int64_t s = 0; s < steps; ++s) {
        const int count = static_cast<int>(std::min<int64_t>(kSide, p.k - s * kSide));
        for (int half = 0; half < 2; ++half, to += kStepSize / 2) {
          F square[kLanes];
          for (int i = 0; i < kLanes; ++i) {
            const bf16* row = rows[half * kLanes + i];
            square[i] =
                row != nullptr ? Bf16Words::words(load_pairs_n(row + s * kSide, count), false) : zero();
          }
          transpose(square);
          std::memcpy(static_cast<void*>(to), square, sizeof square);
        }
      }
    }
  });
}

void gemm_tiles(Team& team, const GemmTilesParams& p) {
  p.gemm->c_dtype == TOPV_F32 ? Product<float>(team, p).run() : Product<bf16>(team, p).run();
}

#else

void pack_tiles(Team&, const PackTilesParams&) { fail(TOPV_INTERNAL, "pack_tiles: no AMX at this level"); }
void gemm_tiles(Team&, const GemmTilesParams&) { fail(TOPV_INTERNAL, "gemm_tiles: no AMX at this level"); }

#endif

}  // namespace topv::cpu::TOPV_ISA
