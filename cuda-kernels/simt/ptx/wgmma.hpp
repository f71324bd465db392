#pragma once

#include "simt/thread.hpp"

namespace topv::ptx {

enum class Major { k, mn };

inline uint64_t wg_desc(const void* tile, SIMT_SITE) { return simt::tile_descriptor(tile, 0, {file, line}); }
inline uint64_t wg_desc_mn(const void* tile, uint32_t slab_bytes, SIMT_SITE) {
  return simt::tile_descriptor(tile, slab_bytes, {file, line});
}
inline uint64_t wg_advance(uint64_t desc, int bytes) { return desc + uint64_t(int64_t{bytes}); }

inline void wgmma_fence(SIMT_SITE) {
  simt::Quiet quiet;
  simt::warpgroup({file, line}).fence();
}
inline void wgmma_commit(SIMT_SITE) {
  simt::Quiet quiet;
  simt::warpgroup({file, line}).commit({file, line});
}
template <int N>
void wgmma_wait(SIMT_SITE) {
  simt::Quiet quiet;
  simt::warpgroup({file, line}).wait(N, {file, line});
}
template <int N, int M>
void wgmma_wait(float (&)[M], SIMT_SITE) {
  wgmma_wait<N>(file, line);
}

template <int N, typename T, Major kMajorB>
void wgmma(float (&d)[N / 2], uint64_t a, const uint32_t* registers, uint64_t b, int scale, simt::Site site) {
  static_assert(N % 8 == 0 && N >= 8 && N <= 256);
  static_assert(std::is_same_v<T, __half> || std::is_same_v<T, __nv_bfloat16>);
  simt::Quiet quiet;
  simt::warpgroup(site).issue(
      {N, std::is_same_v<T, __half>, kMajorB == Major::mn, scale != 0, registers != nullptr, a, b}, d,
      registers, site);
}
template <int N, typename T, Major kMajorB = Major::k>
void wgmma(float (&d)[N / 2], uint64_t a, uint64_t b, int scale = 1, SIMT_SITE) {
  wgmma<N, T, kMajorB>(d, a, nullptr, b, scale, simt::Site{file, line});
}
template <int N, typename T, Major kMajorB = Major::k>
void wgmma(float (&d)[N / 2], const uint32_t (&a)[4], uint64_t b, int scale = 1, SIMT_SITE) {
  wgmma<N, T, kMajorB>(d, uint64_t{0}, a, b, scale, simt::Site{file, line});
}

}  // namespace topv::ptx
