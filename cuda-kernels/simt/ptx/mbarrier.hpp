#pragma once

#include "simt/mbarrier.hpp"
#include "simt/ptx/cluster.hpp"

namespace topv::ptx {

inline simt::Mbarrier& mbarrier(uint64_t* bar) { return *reinterpret_cast<simt::Mbarrier*>(bar); }

inline void mbar_init(uint64_t* bar, uint32_t count) {
  simt::Quiet quiet;
  simt::init(mbarrier(bar), count);
}
inline void mbar_init_fence() {}
inline void mbar_arrive(uint64_t* bar, SIMT_SITE) { simt::arrive(mbarrier(bar), 0, {file, line}); }
inline void mbar_arrive_expect(uint64_t* bar, uint32_t bytes, SIMT_SITE) {
  simt::arrive(mbarrier(bar), bytes, {file, line});
}
inline void mbar_expect(uint64_t* bar, uint32_t bytes, SIMT_SITE) {
  simt::expect(mbarrier(bar), bytes, {file, line});
}
inline void mbar_arrive_remote(uint64_t* bar, uint32_t rank, SIMT_SITE) {
  simt::arrive(mbarrier(map_rank(bar, rank, file, line)), 0, {file, line});
}
inline bool mbar_try_wait(uint64_t* bar, uint32_t parity, SIMT_SITE) {
  return simt::try_wait(mbarrier(bar), parity, {file, line});
}
inline void mbar_wait(uint64_t* bar, uint32_t parity, SIMT_SITE) {
  simt::wait(mbarrier(bar), parity, {file, line});
}

// Values are read one by one: GCC's TSan does not see aggregates that are passed by value.
inline void st_async_f4(float* dst, const float4& v, uint64_t* bar, uint32_t rank, SIMT_SITE) {
  const float values[4] = {v.x, v.y, v.z, v.w};
  simt::send_values(map_rank(dst, rank, file, line), values, 16, mbarrier(map_rank(bar, rank, file, line)),
                    {file, line});
}
inline void st_async_f2(float* dst, const float2& v, uint64_t* bar, uint32_t rank, SIMT_SITE) {
  const float values[2] = {v.x, v.y};
  simt::send_values(map_rank(dst, rank, file, line), values, 8, mbarrier(map_rank(bar, rank, file, line)),
                    {file, line});
}
inline void st_async_f1(float* dst, float v, uint64_t* bar, uint32_t rank, SIMT_SITE) {
  simt::send_values(map_rank(dst, rank, file, line), &v, 4, mbarrier(map_rank(bar, rank, file, line)),
                    {file, line});
}

}  // namespace topv::ptx
