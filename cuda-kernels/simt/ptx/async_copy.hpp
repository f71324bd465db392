#pragma once

#include "simt/thread.hpp"

namespace topv::ptx {

inline void cp_async_16(void* dst, const void* src, bool valid = true, SIMT_SITE) {
  simt::self().copies.add(dst, valid ? src : nullptr, 16, file, line);
}
inline void cp_async_8(void* dst, const void* src, bool valid = true, SIMT_SITE) {
  simt::self().copies.add(dst, valid ? src : nullptr, 8, file, line);
}
inline void cp_async_4(void* dst, const void* src, bool valid = true, SIMT_SITE) {
  simt::self().copies.add(dst, valid ? src : nullptr, 4, file, line);
}
inline void cp_async_commit() { simt::self().copies.commit(); }
template <int N>
void cp_async_wait() {
  simt::self().copies.wait(N);
}

}  // namespace topv::ptx
