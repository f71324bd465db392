// Where the tensor cores expect what, after CUTLASS and not after ourselves: layouts as CUTLASS 4.7.0 prints them, against
// the descriptors that kernels make, the order in which boxes arrive, and what the emulation does with both. The names are
// CuTe's; tile_to_shape() made the tiles of shared memory, make_gmma_desc() their offsets.
//
// A layout is a list of modes, shape:stride, the fastest first; a coordinate of several modes counts through them. What
// CUTLASS has no layout for is a last slab of 64 columns n that is not full (n = 80, 96); JAX multiplies so: n = 8 and 16 of
// a slab with 128-byte swizzle (tests/mosaic/gpu_test.py, test_narrow_n).
#include <cmath>
#include <cstdio>

#include "common/elements.cuh"
#include "simt/bulk.hpp"
#include "simt/tensor_core.hpp"
#include "simt/wgmma.hpp"
#include "test_run.hpp"

namespace topv::cuda {
namespace {

int failures = 0;
void expect(bool holds, const char* what, int a, int b, int c = 0) {
  if (holds) return;
  if (++failures < 20) std::printf("FAILED %s: %d, %d, %d\n", what, a, b, c);
}

struct Mode {
  int shape, stride;
};
using Modes = std::vector<Mode>;
int at(const Modes& modes, int i) {
  int index = 0;
  for (const Mode& mode : modes) {
    index += i % mode.shape * mode.stride;
    i /= mode.shape;
  }
  return index;
}

// ---- operands in shared memory

/// An operand of 16-bit elements: index of (mn, k), in elements, before Sw<3,4,3>; what make_gmma_desc() says, in units of 16
/// bytes; and samples of element addresses, in bytes.
struct Tile {
  const char* name;
  bool mn_major;
  int size, depth;  // mn, k
  Modes mn, k;
  int leading, stride;  // leading -1: of no matter
  struct {
    int mn, k, address;
  } samples[6];
};
const Tile kTiles[] = {
    // tile_to_shape(Layout_K_SW128_Atom<bfloat16_t>{}, (size, depth))
    {"K 64x64",
     false,
     64,
     64,
     {{8, 64}, {8, 512}},
     {{64, 1}},
     1,
     64,
     {{1, 0, 144}, {1, 8, 128}, {7, 33, 946}, {8, 63, 1150}, {37, 17, 4850}, {63, 63, 8078}}},
    {"K 96x64",
     false,
     96,
     64,
     {{8, 64}, {12, 512}},
     {{64, 1}},
     1,
     64,
     {{1, 0, 144}, {1, 8, 128}, {7, 33, 946}, {8, 63, 1150}, {37, 17, 4850}, {95, 63, 12174}}},
    {"K 128x128",
     false,
     128,
     128,
     {{8, 64}, {16, 512}},
     {{64, 1}, {2, 8192}},
     1,
     64,
     {{1, 0, 144}, {7, 127, 17294}, {9, 127, 17646}, {37, 127, 21166}, {127, 33, 16306}, {127, 127, 32654}}},
    // tile_to_shape(Layout_MN_SW128_Atom<bfloat16_t>{}, (size, depth), Step<_2, _1>)
    {"MN 64x128",
     true,
     64,
     128,
     {{64, 1}},
     {{8, 64}, {16, 512}},
     -1,
     64,
     {{0, 1, 144}, {8, 1, 128}, {37, 33, 4314}, {63, 0, 126}, {63, 7, 910}, {63, 127, 16270}}},
    {"MN 128x128",
     true,
     128,
     128,
     {{64, 1}, {2, 8192}},
     {{8, 64}, {16, 512}},
     1024,
     64,
     {{0, 1, 144}, {37, 33, 4314}, {127, 0, 16510}, {127, 1, 16622}, {127, 33, 20718}, {127, 127, 32654}}},
    {"MN 192x64",
     true,
     192,
     64,
     {{64, 1}, {3, 4096}},
     {{8, 64}, {8, 512}},
     512,
     64,
     {{0, 1, 144}, {37, 33, 4314}, {63, 63, 8078}, {191, 0, 16510}, {191, 7, 17294}, {191, 63, 24462}}},
};
constexpr int kBits = 16;  // of an element

/// Byte address of (mn, k): Sw<3,4,3> flips bits 4 to 6 by bits 7 to 9.
int address(const Tile& tile, int mn, int k) {
  const int byte = (at(tile.mn, mn) + at(tile.k, k)) * kBits / 8;
  return byte ^ (byte >> 7 & 7) << 4;
}

void operands() {
  for (const Tile& tile : kTiles) {
    for (const auto& sample : tile.samples)
      expect(address(tile, sample.mn, sample.k) == sample.address, tile.name, sample.mn, sample.k,
             sample.address);
    constexpr uint32_t kStart = 0x2c400;
    const uint32_t slab = uint32_t(tile.mn_major ? tile.depth : tile.size) * 128;
    for (int step = 0; step < tile.depth / 16; step++) {
      // As the kernels do: a descriptor per slab of 64 columns k, advanced within; one for an MN-major tile.
      const uint64_t bits =
          tile.mn_major ? ptx::advanced(ptx::descriptor_mn(kStart, slab), step * 2048)
                        : ptx::advanced(ptx::descriptor_k(kStart + uint32_t(step / 4) * slab), step % 4 * 32);
      const int begin = (at(tile.mn, 0) + at(tile.k, step * 16)) * kBits / 8;
      expect(bits % 0x4000 == (kStart + uint32_t(begin)) / 16, "start of a step", step, begin);
      expect(tile.leading < 0 || int(bits >> 16 & 0x3fff) == tile.leading, "leading offset", step,
             tile.leading);
      expect(int(bits >> 32 & 0x3fff) == tile.stride, "stride offset", step, tile.stride);
      expect(bits >> 46 == uint64_t{1} << 16, "base offset 0, layout type B128", step, int(bits >> 62));
      for (int mn = 0; mn < tile.size; mn++)
        for (int k = 0; k < 16; k++)
          expect(simt::operand_address(bits, tile.mn_major, mn, k) ==
                     kStart + uint32_t(address(tile, mn, step * 16 + k)),
                 tile.name, mn, step * 16 + k);
    }
    // The boxes that bring such a tile: [rows, 64] of a row-major matrix, slab by slab.
    const int rows = tile.mn_major ? tile.depth : tile.size, columns = tile.mn_major ? tile.size : tile.depth;
    std::vector<__half> matrix(size_t(rows) * size_t(columns));
    const auto map = ptx::make_tensor_map(matrix.data(), {columns, rows}, {columns}, {64, rows});
    alignas(1024) static unsigned char shared[1 << 16];
    for (int column = 0; column < columns; column += 64)
      simt::for_each_piece(
          map, {column, 0, 0, 0}, shared + size_t(column / 64) * slab,
          [&](const unsigned char* to, const unsigned char* from, int) {
            const int i = int(reinterpret_cast<const __half*>(from) - matrix.data());
            const int row = i / columns, c = i % columns;
            expect(to - shared == (tile.mn_major ? address(tile, c, row) : address(tile, row, c)), "box", row,
                   c, int(to - shared));
          });
  }
}

// ---- fragments: which element a thread's register holds, as row + rows * column

struct Fragment {
  const char* name;
  int rows;
  Modes thread, value;
};
// MMA_Traits<SM90_64xNx16_F32F16F16_*>: CLayout_64xN, for all N; ALayout_64x16.
const Fragment kWarpgroupC = {"CLayout_64xN", 64, {{4, 128}, {8, 1}, {4, 16}}, {{2, 64}, {2, 8}, {32, 512}}};
const Fragment kWarpgroupA = {"ALayout_64x16", 64, {{4, 128}, {8, 1}, {4, 16}}, {{2, 64}, {2, 8}, {2, 512}}};
// MMA_Traits<SM80_16x8x16_F32F16F16F32_TN>
const Fragment kWarpA = {"16x8x16 A", 16, {{4, 32}, {8, 1}}, {{2, 16}, {2, 8}, {2, 128}}};
const Fragment kWarpB = {"16x8x16 B", 8, {{4, 16}, {8, 1}}, {{2, 8}, {2, 64}}};  // n + 8 k
const Fragment kWarpC = {"16x8x16 C", 16, {{4, 32}, {8, 1}}, {{2, 16}, {2, 8}}};
// MMA_Traits<SM80_16x8x8_F32TF32TF32F32_TN>
const Fragment kTf32A = {"16x8x8 A", 16, {{4, 16}, {8, 1}}, {{2, 8}, {2, 64}}};
const Fragment kTf32B = {"16x8x8 B", 8, {{4, 8}, {8, 1}}, {{2, 32}}};

int element(const Fragment& fragment, int thread, int value) {
  return at(fragment.thread, thread) + at(fragment.value, value);
}

/// Row and column of an element, as a product shows them: D = A B with A = (1, row) and B = (64 column; 1).
float shown(const Fragment& fragment, int thread, int value) {
  const int index = element(fragment, thread, value);
  return float(index / fragment.rows * 64 + index % fragment.rows);
}

/// A from shared memory or from registers, B in shared memory (K-major or MN-major).
template <int N, ptx::Major kMajor, bool kRegisters>
__global__ void product_kernel(const uint32_t* a, float* out) {
  TOPV_ARENA(arena);
  constexpr int slab = 64 * 128;
  auto* a_tile = arena.take<unsigned char>(slab, 1024);
  auto* b_tile = arena.take<unsigned char>((N + 63) / 64 * slab, 1024);
  const auto put = [](unsigned char* tile, int byte, float x) {
    *reinterpret_cast<__half*>(tile + (byte ^ (byte >> 7 & 7) << 4)) = __float2half_rn(x);
  };
  const int thread = int(threadIdx.x);
  for (int row = thread; row < 64; row += 128)
    for (int k = 0; k < 16; k++) put(a_tile, row * 128 + k * 2, k == 0 ? 1 : k == 1 ? float(row) : 0);
  for (int n = thread; n < (N + 63) / 64 * 64; n += 128)
    for (int k = 0; k < 16; k++)
      put(b_tile, kMajor == ptx::Major::k ? n * 128 + k * 2 : n / 64 * slab + n % 64 * 2 + k * 128,
          k == 0   ? 64 * float(n)
          : k == 1 ? 1
                   : 0);
  ptx::fence_proxy_async();
  __syncthreads();
  float d[N / 2];
  uint32_t registers[4];
  for (int r = 0; r < 4; r++) registers[r] = a[4 * thread + r];
  const auto b = kMajor == ptx::Major::k ? ptx::wg_desc(b_tile) : ptx::wg_desc_mn(b_tile, slab);
  ptx::wgmma_fence(d, registers);
  if constexpr (kRegisters)
    ptx::wgmma<N, __half, kMajor>(d, registers, b, 0);
  else
    ptx::wgmma<N, __half, kMajor>(d, ptx::wg_desc(a_tile), b, 0);
  ptx::wgmma_commit();
  ptx::wgmma_wait<0>(d);
  for (int i = 0; i < N / 2; i++) out[thread * (N / 2) + i] = d[i];
}

uint32_t pair(float low, float high) {
  const auto bits = [](float x) {
    const __half half = __float2half_rn(x);
    uint16_t word;
    std::memcpy(&word, &half, 2);
    return uint32_t{word};
  };
  return bits(low) | bits(high) << 16;
}
/// The registers of A = (1, row) by the fragment's own layout.
std::vector<uint32_t> a_registers(const Fragment& fragment, int threads) {
  std::vector<uint32_t> registers;
  const auto value = [&](int thread, int i) {
    const int index = element(fragment, thread, i), row = index % fragment.rows, k = index / fragment.rows;
    return k == 0 ? 1.0f : k == 1 ? float(row) : 0.0f;
  };
  for (int thread = 0; thread < threads; thread++)
    for (int r = 0; r < 4; r++) registers.push_back(pair(value(thread, 2 * r), value(thread, 2 * r + 1)));
  return registers;
}

template <int N, ptx::Major kMajor, bool kRegisters>
void warpgroup_product() {
  const Buffer<uint32_t> a(a_registers(kWarpgroupA, 128));
  const Buffer<float> out(64 * N);
  launch(test_run(), {dim3(1), dim3(128), size_t(1 + (N + 63) / 64) * 64 * 128},
         product_kernel<N, kMajor, kRegisters>, a.data(), out.data());
  const std::vector<float> d = out.read();
  for (int thread = 0; thread < 128; thread++)
    for (int i = 0; i < N / 2; i++)
      expect(d[size_t(thread * (N / 2) + i)] == shown(kWarpgroupC, thread, i),
             kRegisters ? "wgmma, A in registers" : "wgmma", N, thread, i);
}
template <int N>
void warpgroup_products() {
  warpgroup_product<N, ptx::Major::k, false>();
  warpgroup_product<N, ptx::Major::mn, false>();
  warpgroup_product<N, ptx::Major::mn, true>();
}

__global__ void warp_kernel(const uint32_t* a, const uint32_t* b, float* out) {
  const int lane = int(threadIdx.x);
  uint32_t a_regs[4], b_regs[2];
  for (int r = 0; r < 4; r++) a_regs[r] = a[4 * lane + r];
  for (int r = 0; r < 2; r++) b_regs[r] = b[2 * lane + r];
  float d[4] = {};
  ptx::mma_m16n8k16<__half>(d, a_regs, b_regs);
  for (int i = 0; i < 4; i++) out[4 * lane + i] = d[i];
}
__global__ void tf32_kernel(const float* a, const float* b, float* out) {
  const int lane = int(threadIdx.x);
  float a_regs[4], b_regs[2], d[4] = {};
  for (int r = 0; r < 4; r++) a_regs[r] = a[4 * lane + r];
  for (int r = 0; r < 2; r++) b_regs[r] = b[2 * lane + r];
  ptx::mma_m16n8k8_tf32(d, a_regs, b_regs);
  for (int i = 0; i < 4; i++) out[4 * lane + i] = d[i];
}
void check_warp(const char* what, const std::vector<float>& d) {
  for (int lane = 0; lane < 32; lane++)
    for (int i = 0; i < 4; i++) expect(d[size_t(4 * lane + i)] == shown(kWarpC, lane, i), what, lane, i);
}
void warp_products() {
  const auto b_value = [](const Fragment& fragment, int lane, int i) {
    const int index = element(fragment, lane, i), n = index % 8, k = index / 8;
    return k == 0 ? 64.0f * float(n) : k == 1 ? 1.0f : 0.0f;
  };
  std::vector<uint32_t> b;
  std::vector<float> a_tf32, b_tf32;
  for (int lane = 0; lane < 32; lane++) {
    for (int r = 0; r < 2; r++)
      b.push_back(pair(b_value(kWarpB, lane, 2 * r), b_value(kWarpB, lane, 2 * r + 1)));
    for (int r = 0; r < 2; r++) b_tf32.push_back(b_value(kTf32B, lane, r));
    for (int r = 0; r < 4; r++) {
      const int index = element(kTf32A, lane, r), k = index / 16;
      a_tf32.push_back(k == 0 ? 1.0f : k == 1 ? float(index % 16) : 0.0f);
    }
  }
  const Buffer<uint32_t> a(a_registers(kWarpA, 32)), b_device(b);
  const Buffer<float> a_float(a_tf32), b_float(b_tf32), out(128);
  launch(test_run(), {dim3(1), dim3(32)}, warp_kernel, a.data(), b_device.data(), out.data());
  check_warp("mma m16n8k16", out.read());
  launch(test_run(), {dim3(1), dim3(32)}, tf32_kernel, a_float.data(), b_float.data(), out.data());
  check_warp("mma m16n8k8", out.read());
}

// ---- sums, after the model that MMA-Sim (arXiv:2511.10909) found equal to the hardware bit by bit

void sums() {
  const struct {
    float c, product;
    int count, bits;
    float sum;
  } samples[] = {
      {1, 0x1p-25f, 16, 25, 1 + 0x1p-21f},  // Hopper keeps 25 bits of each
      {1, 0x1p-26f, 16, 25, 1},             // and no more
      {1, 0x1p-25f, 8, 24, 1},              // Ampere keeps 24
      {1, 0x1p-25f, 3, 25, 1},              // the sum is cut off, too, not rounded
      {-1, -0x1p-25f, 3, 25, -1},
      {1, -0x1p-25f, 1, 25, 1 - 0x1p-24f},
  };
  for (const auto& sample : samples) {
    float a[16] = {}, b[16] = {}, d = sample.c;
    for (int k = 0; k < sample.count; k++) a[k] = 0x1p-12f, b[k] = sample.product * 0x1p12f;
    simt::multiply_add(a, b, &d, 1, 1, 16, sample.bits, -14);
    expect(d == sample.sum, "sum", sample.count, sample.bits);
  }
}

}  // namespace
}  // namespace topv::cuda

int main() {
  using namespace topv::cuda;
  try {
    operands();
    warpgroup_products<8>();
    warpgroup_products<64>();
    warpgroup_products<80>();
    warpgroup_products<96>();
    warpgroup_products<128>();
    warpgroup_products<192>();
    warpgroup_products<256>();
    warp_products();
    sums();
  } catch (const std::exception& error) {
    std::printf("FAILED %s\n", error.what());
    return 1;
  }
  std::printf("%d failures\n", failures);
  return failures == 0 ? 0 : 1;
}
