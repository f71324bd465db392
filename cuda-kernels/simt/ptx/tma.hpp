#pragma once

#include "simt/ptx/mbarrier.hpp"

namespace topv::ptx {

using TensorMap = simt::TensorMap;
enum class Swizzle { none, b128 };

template <typename T>
TensorMap make_tensor_map(const T* base, std::initializer_list<int64_t> extent,
                          std::initializer_list<int64_t> stride, std::initializer_list<int> box,
                          Swizzle swizzle = Swizzle::b128) {
  static_assert(std::is_same_v<T, float> || std::is_same_v<T, __half> || std::is_same_v<T, __nv_bfloat16>);
  return simt::make_tensor_map(base, sizeof(T), extent, stride, box, swizzle == Swizzle::b128);
}

inline void fence_proxy_async() { simt::self().copies.fence(); }
inline void tma_prefetch(const TensorMap*) {}

inline void tma_load_2d(void* dst, const TensorMap* map, int x, int y, uint64_t* bar, SIMT_SITE) {
  simt::send_box(dst, *map, 2, {x, y, 0, 0}, mbarrier(bar), {file, line});
}
inline void tma_load_3d(void* dst, const TensorMap* map, int x, int y, int z, uint64_t* bar, SIMT_SITE) {
  simt::send_box(dst, *map, 3, {x, y, z, 0}, mbarrier(bar), {file, line});
}
inline void tma_load_4d(void* dst, const TensorMap* map, int x, int y, int z, int w, uint64_t* bar,
                        SIMT_SITE) {
  simt::send_box(dst, *map, 4, {x, y, z, w}, mbarrier(bar), {file, line});
}
inline void tma_load_2d_multicast(void* dst, const TensorMap* map, int x, int y, uint64_t* bar,
                                  uint16_t ranks, SIMT_SITE) {
  for (unsigned rank = 0; rank < 16; rank++)
    if ((ranks >> rank & 1) != 0)
      simt::send_box(map_rank(static_cast<char*>(dst), rank, file, line), *map, 2, {x, y, 0, 0},
                     mbarrier(map_rank(bar, rank, file, line)), {file, line});
}
inline void tma_store_2d(const TensorMap* map, int x, int y, const void* src, SIMT_SITE) {
  simt::self().stores.add_box(*map, 2, {x, y, 0, 0}, src, file, line);
}

inline void bulk_load(void* dst, const void* src, uint32_t bytes, uint64_t* bar, SIMT_SITE) {
  simt::send_bytes(dst, src, bytes, mbarrier(bar), {file, line});
}
inline void bulk_send(void* dst, const void* src, uint32_t bytes, uint64_t* bar, uint32_t rank, SIMT_SITE) {
  simt::send_bytes(map_rank(static_cast<char*>(dst), rank, file, line), src, bytes,
                   mbarrier(map_rank(bar, rank, file, line)), {file, line});
}
inline void bulk_store(void* dst, const void* src, uint32_t bytes, SIMT_SITE) {
  simt::self().stores.add_bytes(dst, src, bytes, file, line);
}
inline void bulk_commit() { simt::self().stores.commit(); }
template <int N>
void bulk_wait_read() {
  simt::self().stores.wait_read(N);
}
template <int N>
void bulk_wait() {
  simt::self().stores.wait(N);
}

}  // namespace topv::ptx
