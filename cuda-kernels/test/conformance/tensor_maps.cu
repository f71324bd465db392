// TMA: boxes of tensors to shared memory, to that of two blocks, and back.
#include "conformance.hpp"

namespace topv::cuda::conformance {
namespace {

/// A box of a tensor of 2 to 4 dimensions, in the order of shared memory.
template <int kRank, typename T>
__global__ void tma_load_kernel(const __grid_constant__ ptx::TensorMap map, int x, int y, int z, int w,
                                int count, float* out) {
#if TOPV_SM90
  TOPV_ARENA(arena);
  T* tile = arena.take<T>(size_t(count), 1024);
  TOPV_SHARED(uint64_t, full, [1]);
  if (threadIdx.x == 0) {
    ptx::mbar_init(full, 1);
    ptx::mbar_init_fence();
    ptx::tma_prefetch(&map);
  }
  __syncthreads();
  if (threadIdx.x == 0) {
    ptx::mbar_arrive_expect(full, uint32_t(count * sizeof(T)));
    if (kRank == 2) ptx::tma_load_2d(tile, &map, x, y, full);
    if (kRank == 3) ptx::tma_load_3d(tile, &map, x, y, z, full);
    if (kRank == 4) ptx::tma_load_4d(tile, &map, x, y, z, w, full);
  }
  ptx::mbar_wait(full, 0);
  for (int i = threadIdx.x; i < count; i += blockDim.x) out[i] = to_float(tile[i]);
#endif
}

/// Extents 80 x 5 x 3 x 2; the box hangs over the edges of the tensor on both sides.
template <int kRank, typename T>
void tma_load_case(ptx::Swizzle swizzle) {
  const bool swizzled = swizzle == ptx::Swizzle::b128;
  const int64_t extent[4] = {80, 5, kRank > 2 ? 3 : 1, kRank > 3 ? 2 : 1};
  const int box[4] = {swizzled ? 128 / int(sizeof(T)) : 32, 8, kRank > 2 ? 2 : 1, kRank > 3 ? 2 : 1};
  const int at[4] = {64, -2, kRank > 2 ? 2 : 0, kRank > 3 ? -1 : 0};
  Numbers numbers;
  const std::vector<T> values = numbers.array<T>(size_t(80 * 5 * extent[2] * extent[3]));
  const Buffer<T> in(values);
  const int count = box[0] * box[1] * box[2] * box[3];
  const Buffer<float> out{size_t(count)};
  const ptx::TensorMap map =
      kRank == 2 ? ptx::make_tensor_map(in.data(), {80, 5}, {80}, {box[0], 8}, swizzle)
      : kRank == 3
          ? ptx::make_tensor_map(in.data(), {80, 5, 3}, {80, 400}, {box[0], 8, 2}, swizzle)
          : ptx::make_tensor_map(in.data(), {80, 5, 3, 2}, {80, 400, 1200}, {box[0], 8, 2, 2}, swizzle);
  launch(test_run(), {dim3(1), dim3(128), size_t(count) * sizeof(T)}, tma_load_kernel<kRank, T>, map, at[0],
         at[1], at[2], at[3], count, out.data());
  std::vector<double> expected(size_t(count), 0.0);
  for (int i = 0; i < count; i++) {
    const int b[4] = {i % box[0], i / box[0] % box[1], i / (box[0] * box[1]) % box[2],
                      i / (box[0] * box[1] * box[2])};
    bool inside = true;
    int64_t from = 0, stride = 1;
    for (int k = 0; k < 4; k++) {
      inside = inside && at[k] + b[k] >= 0 && at[k] + b[k] < extent[k];
      from += (at[k] + b[k]) * stride;
      stride *= extent[k];
    }
    size_t place = size_t(i);
    if (swizzled) {  // 16-byte pieces of a row of 128 bytes change places
      const size_t byte = size_t(i) * sizeof(T);
      place = (byte ^ (byte >> 7 & 7) << 4) / sizeof(T);
    }
    if (inside) expected[place] = value(values[size_t(from)]);
  }
  compare("tma load " + std::to_string(kRank) + "d " + type_name<T>() + (swizzled ? " b128" : ""), out.read(),
          expected, 0);
}

__global__ void tma_store_kernel(const __grid_constant__ ptx::TensorMap map, const float* x) {
#if TOPV_SM90
  TOPV_ARENA(arena);
  float* tile = arena.take<float>(256, 1024);
  for (int i = threadIdx.x; i < 256; i += 32) tile[i ^ (i >> 5 & 7) << 2] = x[i];  // the swizzle, in floats
  ptx::fence_proxy_async();
  __syncthreads();
  if (threadIdx.x == 0) {
    ptx::tma_store_2d(&map, 32, -2, tile);
    ptx::bulk_commit();
    ptx::bulk_wait<0>();
  }
#endif
}
void tma_store_case() {
  Numbers numbers;
  const std::vector<float> x = numbers.array<float>(256);
  const Buffer<float> in(x), out(std::vector<float>(48 * 5, -9.0f));
  const auto map = ptx::make_tensor_map(out.data(), {48, 5}, {48}, {32, 8});
  launch(test_run(), {dim3(1), dim3(32), 1024}, tma_store_kernel, map, in.data());
  std::vector<double> expected(48 * 5, -9.0);
  for (int row = 2; row < 7; row++)
    for (int column = 0; column < 16; column++)
      expected[size_t((row - 2) * 48 + 32 + column)] = x[size_t(row * 32 + column)];
  compare("tma store 2d f32 b128", out.read(), expected, 0);
}

__global__ void multicast_kernel(const __grid_constant__ ptx::TensorMap map, float* y) {
#if TOPV_SM90
  TOPV_ARENA(arena);
  float* tile = arena.take<float>(256, 1024);
  TOPV_SHARED(uint64_t, full, [1]);
  const uint32_t rank = ptx::cluster_rank();
  if (threadIdx.x == 0) {
    ptx::mbar_init(full, 1);
    ptx::mbar_init_fence();
    ptx::mbar_arrive_expect(full, 1024);
  }
  ptx::cluster_sync();
  // Each of the two brings half of the rows, to both.
  if (threadIdx.x == 0) ptx::tma_load_2d_multicast(tile + rank * 128, &map, 0, int(rank) * 4, full, 3);
  ptx::mbar_wait(full, 0);
  for (int i = threadIdx.x; i < 256; i += 32) y[rank * 256 + i] = tile[i];
  ptx::cluster_sync();
#endif
}
void multicast_case() {
  Numbers numbers;
  const std::vector<float> x = numbers.array<float>(256);
  const Buffer<float> in(x), out(512);
  const auto map = ptx::make_tensor_map(in.data(), {32, 8}, {32}, {32, 4}, ptx::Swizzle::none);
  launch(test_run(), {dim3(2), dim3(32), 1024, 2}, multicast_kernel, map, out.data());
  std::vector<double> expected;
  for (size_t i = 0; i < 512; i++) expected.push_back(x[i % 256]);
  compare("tma multicast 2d", out.read(), expected, 0);
}

}  // namespace

void tensor_maps() {
  multicast_case();
  tma_store_case();
  for (const ptx::Swizzle swizzle : {ptx::Swizzle::none, ptx::Swizzle::b128}) {
    tma_load_case<2, float>(swizzle);
    tma_load_case<2, __nv_bfloat16>(swizzle);
    tma_load_case<3, __half>(swizzle);
    tma_load_case<4, __nv_bfloat16>(swizzle);
  }
}

}  // namespace topv::cuda::conformance
