#pragma once

namespace topv::ptx {

enum class Major { k, mn };

inline uint64_t wg_desc(const void* tile, SIMT_SITE) { return simt::tile_descriptor(tile, 0, file, line); }
inline uint64_t wg_desc_mn(const void* tile, uint32_t slab_bytes, SIMT_SITE) {
  return simt::tile_descriptor(tile, slab_bytes, file, line);
}
inline uint64_t wg_advance(uint64_t desc, int bytes) { return desc + uint64_t(int64_t(bytes)); }

inline void wgmma_fence() { simt::wgmma_fence(); }
inline void wgmma_commit() { simt::wgmma_commit(); }
template <int N>
void wgmma_wait(SIMT_SITE) {
  simt::wgmma_wait(N, file, line);
}
template <int N, int M>
void wgmma_wait(float (&)[M], SIMT_SITE) {
  simt::wgmma_wait(N, file, line);
}

template <int N, typename T, Major kMajorB = Major::k>
void wgmma(float (&d)[N / 2], uint64_t a, uint64_t b, int scale = 1, SIMT_SITE) {
  static_assert(N % 8 == 0 && N >= 8 && N <= 256);
  static_assert(std::is_same_v<T, __half> || std::is_same_v<T, __nv_bfloat16>);
  simt::wgmma({N, std::is_same_v<T, __half>, kMajorB == Major::mn, scale != 0, false, a, b}, d, nullptr, file,
              line);
}
template <int N, typename T, Major kMajorB = Major::k>
void wgmma(float (&d)[N / 2], const uint32_t (&a)[4], uint64_t b, int scale = 1, SIMT_SITE) {
  static_assert(N % 8 == 0 && N >= 8 && N <= 256);
  static_assert(std::is_same_v<T, __half> || std::is_same_v<T, __nv_bfloat16>);
  simt::wgmma({N, std::is_same_v<T, __half>, kMajorB == Major::mn, scale != 0, true, 0, b}, d, a, file, line);
}

}  // namespace topv::ptx
