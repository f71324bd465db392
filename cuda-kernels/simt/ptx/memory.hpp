#pragma once

#include "simt/scheduler.hpp"

namespace topv::ptx {

inline uint32_t ld_acquire(const uint32_t* p) { return __atomic_load_n(p, __ATOMIC_ACQUIRE); }
inline uint64_t ld_acquire(const uint64_t* p) { return __atomic_load_n(p, __ATOMIC_ACQUIRE); }
inline void st_release(uint32_t* p, uint32_t value) {
  simt::progress();
  __atomic_store_n(p, value, __ATOMIC_RELEASE);
}
inline void st_release(uint64_t* p, uint64_t value) {
  simt::progress();
  __atomic_store_n(p, value, __ATOMIC_RELEASE);
}
inline void red_release_add(uint32_t* p, uint32_t value) {
  simt::progress();
  __atomic_fetch_add(p, value, __ATOMIC_RELEASE);
}
inline uint32_t atomic_add_acq_rel(uint32_t* p, uint32_t value) {
  simt::progress();
  return __atomic_fetch_add(p, value, __ATOMIC_ACQ_REL);
}

}  // namespace topv::ptx
