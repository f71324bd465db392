// The copy engine of Hopper: boxes of a tensor, and plain bulk copies, between global and shared memory.
//
// A TensorMap is made on the host by make_tensor_map(), and given to the kernel by value:
//   __global__ void k(const __grid_constant__ ptx::TensorMap map, ...)
// One thread issues a load; its bytes are counted by an mbarrier, which must expect them: the whole box, also where it
// hangs over the edge of the tensor. What is outside is zero. Shared memory: 128-byte aligned, 1024 with swizzle.
#pragma once

#include <cuda.h>

#include <initializer_list>

#include "common/ptx/address.cuh"

namespace topv::ptx {

using TensorMap = CUtensorMap;

/// b128: within 1024 bytes, 16-byte piece c of 128-byte row r is at piece c ^ r (r in 0..7): what wgmma reads.
enum class Swizzle { none, b128 };

/// A tensor of up to 4 dimensions in global memory, fastest first. stride: of dimensions 1.., in elements. base and strides
/// are multiples of 16 bytes. box: what one load brings, at most 256 each; box[0] is 128 bytes (or less) with b128.
template <typename T>
TensorMap make_tensor_map(const T* base, std::initializer_list<int64_t> extent,
                          std::initializer_list<int64_t> stride, std::initializer_list<int> box,
                          Swizzle swizzle = Swizzle::b128) {
  static const auto encode = [] {
    void* entry = nullptr;
    cudaDriverEntryPointQueryResult found;
    cuda::check(
        cudaGetDriverEntryPointByVersion("cuTensorMapEncodeTiled", &entry, 12000, cudaEnableDefault, &found),
        "cuTensorMapEncodeTiled");
    return reinterpret_cast<decltype(&cuTensorMapEncodeTiled)>(entry);
  }();
  if (encode == nullptr) fail(TOPV_BACKEND_ERROR, "the CUDA driver has no cuTensorMapEncodeTiled");
  constexpr CUtensorMapDataType type = std::is_same_v<T, float>    ? CU_TENSOR_MAP_DATA_TYPE_FLOAT32
                                       : std::is_same_v<T, __half> ? CU_TENSOR_MAP_DATA_TYPE_FLOAT16
                                                                   : CU_TENSOR_MAP_DATA_TYPE_BFLOAT16;
  static_assert(std::is_same_v<T, float> || std::is_same_v<T, __half> || std::is_same_v<T, __nv_bfloat16>);
  cuuint64_t extents[4], strides[4];
  cuuint32_t boxes[4], steps[4] = {1, 1, 1, 1};
  int rank = 0;
  for (const int64_t n : extent) extents[rank++] = static_cast<cuuint64_t>(n);
  int i = 0;
  for (const int64_t n : stride) strides[i++] = static_cast<cuuint64_t>(n) * sizeof(T);
  i = 0;
  for (const int n : box) boxes[i++] = static_cast<cuuint32_t>(n);
  TensorMap map;
  const CUresult result =
      encode(&map, type, static_cast<cuuint32_t>(rank), const_cast<T*>(base), extents, strides, boxes, steps,
             CU_TENSOR_MAP_INTERLEAVE_NONE,
             swizzle == Swizzle::b128 ? CU_TENSOR_MAP_SWIZZLE_128B : CU_TENSOR_MAP_SWIZZLE_NONE,
             CU_TENSOR_MAP_L2_PROMOTION_L2_256B, CU_TENSOR_MAP_FLOAT_OOB_FILL_NONE);
  if (result != CUDA_SUCCESS)
    fail(TOPV_BACKEND_ERROR, "cuTensorMapEncodeTiled: error %d", static_cast<int>(result));
  return map;
}

#if TOPV_SM90

/// Makes what was written to shared memory in the ordinary way visible to wgmma and the copy engine: by the writer, before
/// the barrier after which another thread issues those.
__device__ __forceinline__ void fence_proxy_async() {
  asm volatile("fence.proxy.async.shared::cta;" ::: "memory");
}

/// Fetches the map itself ahead of its first use.
__device__ __forceinline__ void tma_prefetch(const TensorMap* map) {
  asm volatile("prefetch.tensormap [%0];" ::"l"(map) : "memory");
}

/// The box at element (x, y, ...), fastest first, may start outside the tensor.
__device__ __forceinline__ void tma_load_2d(void* dst, const TensorMap* map, int x, int y, uint64_t* bar) {
  asm volatile(
      "cp.async.bulk.tensor.2d.shared::cluster.global.mbarrier::complete_tx::bytes [%0], [%1, {%2, %3}], "
      "[%4];" ::"r"(smem_u32(dst)),
      "l"(map), "r"(x), "r"(y), "r"(smem_u32(bar))
      : "memory");
}
__device__ __forceinline__ void tma_load_3d(void* dst, const TensorMap* map, int x, int y, int z,
                                            uint64_t* bar) {
  asm volatile(
      "cp.async.bulk.tensor.3d.shared::cluster.global.mbarrier::complete_tx::bytes [%0], [%1, {%2, %3, %4}], "
      "[%5];" ::"r"(smem_u32(dst)),
      "l"(map), "r"(x), "r"(y), "r"(z), "r"(smem_u32(bar))
      : "memory");
}
__device__ __forceinline__ void tma_load_4d(void* dst, const TensorMap* map, int x, int y, int z, int w,
                                            uint64_t* bar) {
  asm volatile(
      "cp.async.bulk.tensor.4d.shared::cluster.global.mbarrier::complete_tx::bytes [%0], [%1, {%2, %3, %4, "
      "%5}], "
      "[%6];" ::"r"(smem_u32(dst)),
      "l"(map), "r"(x), "r"(y), "r"(z), "r"(w), "r"(smem_u32(bar))
      : "memory");
}
/// To the same place in every block of the cluster whose bit is set in `ranks`, counted by the barrier there.
__device__ __forceinline__ void tma_load_2d_multicast(void* dst, const TensorMap* map, int x, int y,
                                                      uint64_t* bar, uint16_t ranks) {
  asm volatile(
      "cp.async.bulk.tensor.2d.shared::cluster.global.mbarrier::complete_tx::bytes.multicast::cluster [%0], "
      "[%1, {%2, "
      "%3}], [%4], %5;" ::"r"(smem_u32(dst)),
      "l"(map), "r"(x), "r"(y), "r"(smem_u32(bar)), "h"(ranks)
      : "memory");
}
/// Shared memory to the box at (x, y); what is outside is dropped. In a group, see bulk_commit().
__device__ __forceinline__ void tma_store_2d(const TensorMap* map, int x, int y, const void* src) {
  asm volatile("cp.async.bulk.tensor.2d.global.shared::cta.bulk_group [%0, {%1, %2}], [%3];" ::"l"(map),
               "r"(x), "r"(y), "r"(smem_u32(src))
               : "memory");
}

/// `bytes` (a multiple of 16) from global to shared memory; addresses 16-byte aligned.
__device__ __forceinline__ void bulk_load(void* dst, const void* src, uint32_t bytes, uint64_t* bar) {
  asm volatile(
      "cp.async.bulk.shared::cluster.global.mbarrier::complete_tx::bytes [%0], [%1], %2, [%3];" ::"r"(
          smem_u32(dst)),
      "l"(src), "r"(bytes), "r"(smem_u32(bar))
      : "memory");
}
/// From this block's shared memory to that of block `rank`, counted by the barrier there.
__device__ __forceinline__ void bulk_send(void* dst, const void* src, uint32_t bytes, uint64_t* bar,
                                          uint32_t rank) {
  asm volatile(
      "{\n"
      ".reg .b32 d, m;\n"
      "mapa.shared::cluster.u32 d, %0, %4;\n"
      "mapa.shared::cluster.u32 m, %3, %4;\n"
      "cp.async.bulk.shared::cluster.shared::cta.mbarrier::complete_tx::bytes [d], [%1], %2, [m];\n"
      "}" ::"r"(smem_u32(dst)),
      "r"(smem_u32(src)), "r"(bytes), "r"(smem_u32(bar)), "r"(rank)
      : "memory");
}
/// From shared to global memory, in a group.
__device__ __forceinline__ void bulk_store(void* dst, const void* src, uint32_t bytes) {
  asm volatile("cp.async.bulk.global.shared::cta.bulk_group [%0], [%1], %2;" ::"l"(dst), "r"(smem_u32(src)),
               "r"(bytes)
               : "memory");
}
/// Ends a group of stores. bulk_wait_read<N>: until at most N groups still read shared memory (needed before it is
/// written again, and before the block exits); bulk_wait<N>: until at most N are under way at all.
__device__ __forceinline__ void bulk_commit() { asm volatile("cp.async.bulk.commit_group;" ::: "memory"); }
template <int N>
__device__ __forceinline__ void bulk_wait_read() {
  asm volatile("cp.async.bulk.wait_group.read %0;" ::"n"(N) : "memory");
}
template <int N>
__device__ __forceinline__ void bulk_wait() {
  asm volatile("cp.async.bulk.wait_group %0;" ::"n"(N) : "memory");
}

#endif

}  // namespace topv::ptx
