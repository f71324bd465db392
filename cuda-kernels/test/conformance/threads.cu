// Warps, blocks, the grid: barriers, the order of memory, arithmetic.
#include "conformance.hpp"

namespace topv::cuda::conformance {
namespace {

/// Two halves of a block hand values to each other by named barriers, then the blocks by grid_sync.
__global__ void barrier_kernel(float* x, float* y) {
  TOPV_SHARED(float, tile, [64]);
  const int half = threadIdx.x / 64, i = threadIdx.x % 64;
  if (half == 0) {
    tile[i] = float(blockIdx.x * 64 + i);
    ptx::bar_arrive(1, 128);
  } else {
    ptx::bar_sync(1, 128);
    x[blockIdx.x * 64 + i] = tile[63 - i];
    ptx::bar_sync(2, 64);
  }
  ptx::grid_sync();
  const unsigned other = gridDim.x - 1 - blockIdx.x;
  if (half == 0) y[blockIdx.x * 64 + i] = x[other * 64 + i];
}
void barrier_case() {
  const Buffer<float> x(256), y(256);
  launch(test_run(), {dim3(4), dim3(128), 0, 1, true}, barrier_kernel, x.data(), y.data());
  std::vector<double> expected;
  for (int block = 0; block < 4; block++)
    for (int i = 0; i < 64; i++) expected.push_back((3 - block) * 64 + 63 - i);
  compare("bar.sync, bar.arrive, grid", y.read(), expected, 0);
}

/// The blocks add themselves up in the order of their tickets.
__global__ void memory_kernel(uint32_t* state, uint64_t* wide, float* y) {
  if (threadIdx.x != 0) return;
  const uint32_t ticket = ptx::atomic_add_acq_rel(state, 1);
  while (ptx::ld_acquire(state + 1) < ticket) ptx::poll();
  y[ticket] = float(ticket == 0 ? 0 : y[ticket - 1] + ticket);
  ptx::red_release_add(state + 1, 1);
  if (ticket == gridDim.x - 1) {
    ptx::st_release(wide, uint64_t{1} << 40 | ticket);
    ptx::st_release(state + 2, uint32_t(ptx::ld_acquire(wide) >> 32));
  }
}
void memory_case() {
  const Buffer<uint32_t> state(std::vector<uint32_t>(3));
  const Buffer<uint64_t> wide(std::vector<uint64_t>(1));
  const Buffer<float> y(32);
  launch(test_run(), {dim3(32), dim3(32)}, memory_kernel, state.data(), wide.data(), y.data());
  std::vector<double> expected;
  for (int i = 0; i < 32; i++) expected.push_back(i * (i + 1) / 2);
  std::vector<float> actual = y.read();
  for (const uint32_t word : state.read()) actual.push_back(float(word));
  for (const double word : {32.0, 32.0, 256.0}) expected.push_back(word);
  compare("acquire, release, red, atom", actual, expected, 0);
}

__global__ void arithmetic_kernel(const float* x, float* y, int count) {
  for (int i = threadIdx.x; i < count; i += 32) {
    y[i] = ptx::ex2(x[i]);
    y[count + i] = ptx::lg2(ptx::ex2(x[i]));
    y[2 * count + i] = ptx::round_tf32(x[i] * 1.0001f);
    const uint32_t bits = ptx::pack<__nv_bfloat16>(x[i] * 1.01f, 0),
                   half = ptx::pack<__half>(0, x[i] * 1.001f);
    y[3 * count + i] = __uint_as_float(bits << 16);
    y[4 * count + i] = float(half >> 16);
  }
}
void arithmetic_case() {
  Numbers numbers;
  const std::vector<float> x = numbers.array<float>(200);
  const Buffer<float> in(x), out(1000);
  launch(test_run(), {dim3(1), dim3(32)}, arithmetic_kernel, in.data(), out.data(), 200);
  const std::vector<float> all = out.read();
  std::vector<double> powers, logarithms, rounded;
  for (const float v : x) powers.push_back(std::exp2(double(v)));
  for (const float v : x) logarithms.push_back(v);
  for (const float v : x) {
    uint32_t bits;
    const float scaled = v * 1.0001f;
    std::memcpy(&bits, &scaled, 4);
    bits = (bits + 0x1000) & 0xffffe000u;
    float nearest;
    std::memcpy(&nearest, &bits, 4);
    rounded.push_back(nearest);
  }
  for (const float v : x) rounded.push_back(value(__float2bfloat16_rn(v * 1.01f)));
  for (const float v : x) {
    const __half half = __float2half_rn(v * 1.001f);
    uint16_t bits;
    std::memcpy(&bits, &half, 2);
    rounded.push_back(bits);
  }
  // 2 ulp of results below 2, and what that is in the logarithm of the smallest, 1/2.
  compare("ex2", {all.begin(), all.begin() + 200}, powers, 2 * std::ldexp(1.0, -23));
  compare("lg2", {all.begin() + 200, all.begin() + 400}, logarithms, std::ldexp(1.0, -20));
  compare("round_tf32, pack", {all.begin() + 400, all.end()}, rounded, 0);
}

}  // namespace

void threads() {
  barrier_case();
  memory_case();
  arithmetic_case();
}

}  // namespace topv::cuda::conformance
