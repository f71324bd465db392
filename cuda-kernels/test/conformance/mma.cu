// mma, ldmatrix: D = A B with A row-major [16, k] and B [k, 8] in shared memory.
#include "tensor_cores.hpp"

namespace topv::cuda::conformance {
namespace {

enum class MmaForm { bf16, f16, tf32 };

template <MmaForm kForm, typename T>
__global__ void mma_kernel(const T* a, const T* b, float* out) {
  constexpr int depth = kForm == MmaForm::tf32 ? 8 : 16;
  const int lane = threadIdx.x, g = lane / 4, t = lane % 4;
  float d[4] = {};
  if constexpr (kForm == MmaForm::tf32) {
    const float a_regs[4] = {a[g * depth + t], a[(g + 8) * depth + t], a[g * depth + t + 4],
                             a[(g + 8) * depth + t + 4]};
    const float b_regs[2] = {b[t * 8 + g], b[(t + 4) * 8 + g]};
    ptx::mma_m16n8k8_tf32(d, a_regs, b_regs);
  } else {
    // ldmatrix feeds it: A as it lies, B transposed on the way.
    TOPV_SHARED(uint4, tiles, [16 * 16 / 8 + 16 * 8 / 8]);
    auto* a_tile = reinterpret_cast<T*>(tiles);
    auto* b_tile = a_tile + 256;
    for (int i = lane; i < 256; i += 32) a_tile[i] = a[i];
    for (int i = lane; i < 128; i += 32) b_tile[i] = b[i];
    __syncwarp();
    uint32_t a_regs[4], b_regs[2];
    ptx::ldmatrix_x4<false>(a_regs, a_tile + lane % 16 * 16 + lane / 16 * 8);
    ptx::ldmatrix_x2<true>(b_regs, b_tile + lane % 16 * 8);
    ptx::mma_m16n8k16<T>(d, a_regs, b_regs);
  }
  for (int i = 0; i < 4; i++) out[(g + i / 2 * 8) * 8 + 2 * t + i % 2] = d[i];
}

template <MmaForm kForm, typename T>
void mma_case(bool rounds) {
  constexpr int depth = kForm == MmaForm::tf32 ? 8 : 16;
  Numbers numbers;
  std::vector<T> a = numbers.array<T>(16 * depth), b = numbers.array<T>(depth * 8);
  if (rounds) spread(a), spread(b);
  const Buffer<T> a_device(a), b_device(b);
  const Buffer<float> out(128);
  launch(test_run(), {dim3(1), dim3(32)}, mma_kernel<kForm, T>, a_device.data(), b_device.data(), out.data());
  std::vector<double> expected(128, 0.0);
  for (int m = 0; m < 16; m++)
    for (int n = 0; n < 8; n++)
      for (int k = 0; k < depth; k++)
        expected[m * 8 + n] += double(value(a[m * depth + k])) * value(b[k * 8 + n]);
  if (rounds)
    expected = sums_of_steps(a, b, 16, 8, depth, test_hopper() ? depth : depth / 2, test_hopper() ? 25 : 24);
  compare(
      std::string("mma ") + (kForm == MmaForm::tf32 ? "tf32" : type_name<T>()) + (rounds ? " cut off" : ""),
      out.read(), expected, 0);
}

/// Each lane's registers, as they come.
template <int kTiles, bool kTransposed>
__global__ void ldmatrix_kernel(const uint32_t* x, uint32_t* y) {
  TOPV_SHARED(uint4, tiles, [32]);
  for (int i = threadIdx.x; i < 128; i += 32) reinterpret_cast<uint32_t*>(tiles)[i] = x[i];
  __syncwarp();
  uint32_t r[kTiles];
  const void* row = tiles + threadIdx.x % (8 * kTiles);
  if constexpr (kTiles == 4)
    ptx::ldmatrix_x4<kTransposed>(r, row);
  else
    ptx::ldmatrix_x2<kTransposed>(r, row);
  for (int i = 0; i < kTiles; i++) y[i * 32 + threadIdx.x] = r[i];
}
template <int kTiles, bool kTransposed>
void ldmatrix_case() {
  std::vector<uint32_t> x(128);
  for (uint32_t i = 0; i < 128; i++) x[i] = (2 * i + 1) << 16 | 2 * i;  // element e of all tiles is e
  const Buffer<uint32_t> in(x), out(kTiles * 32);
  launch(test_run(), {dim3(1), dim3(32)}, ldmatrix_kernel<kTiles, kTransposed>, in.data(), out.data());
  std::vector<float> actual;
  std::vector<double> expected;
  const std::vector<uint32_t> registers = out.read();
  for (int i = 0; i < kTiles * 32; i++)
    for (int half = 0; half < 2; half++) {
      const int row = i % 32 / 4, column = i % 4 * 2 + half;
      actual.push_back(float(registers[size_t(i)] >> 16 * half & 0xffff));
      expected.push_back(i / 32 * 64 + (kTransposed ? column * 8 + row : row * 8 + column));
    }
  compare("ldmatrix x" + std::to_string(kTiles) + (kTransposed ? " trans" : ""), actual, expected, 0);
}

}  // namespace

void mma() {
  for (const bool rounds : {false, true}) {
    mma_case<MmaForm::bf16, __nv_bfloat16>(rounds);
    mma_case<MmaForm::f16, __half>(rounds);
    mma_case<MmaForm::tf32, float>(rounds);
  }
  ldmatrix_case<4, false>();
  ldmatrix_case<4, true>();
  ldmatrix_case<2, false>();
  ldmatrix_case<2, true>();
}

}  // namespace topv::cuda::conformance
