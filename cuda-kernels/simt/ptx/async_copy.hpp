// The destination holds NaN from the copy's issue to the wait for its group, and the source is read only then.
#pragma once

namespace topv::ptx {

inline void cp_async(void* dst, const void* src, unsigned bytes, bool valid, const char* file, int line) {
  if ((uintptr_t(dst) | uintptr_t(src)) % bytes != 0)
    simt::fail(file, line, "cp.async: address not %u-byte aligned", bytes);
  for (unsigned i = 0; i < bytes; i += 4) *(simt::u32a*)((char*)dst + i) = ~0u;
  simt::Quiet quiet;
  simt::cur->open.push_back({dst, src, bytes, valid ? bytes : 0});
}
inline void cp_async_16(void* dst, const void* src, bool valid = true, SIMT_SITE) {
  cp_async(dst, src, 16, valid, file, line);
}
inline void cp_async_8(void* dst, const void* src, bool valid = true, SIMT_SITE) {
  cp_async(dst, src, 8, valid, file, line);
}
inline void cp_async_4(void* dst, const void* src, bool valid = true, SIMT_SITE) {
  cp_async(dst, src, 4, valid, file, line);
}
inline void cp_async_commit() {
  simt::Quiet quiet;
  simt::cur->groups.push_back(std::move(simt::cur->open));
  simt::cur->open.clear();
}
template <int N>
inline void cp_async_wait() {
  auto& groups = simt::self()->groups;
  while (groups.size() > size_t(N)) {
    std::vector<simt::Copy> group;
    {
      simt::Quiet quiet;
      group = std::move(groups.front());
      groups.erase(groups.begin());
    }
    for (auto& copy : group)
      for (unsigned i = 0; i < copy.n; i += 4)
        *(simt::u32a*)((char*)copy.dst + i) =
            copy.valid ? *(const simt::u32a*)((const char*)copy.src + i) : 0;
  }
}

}  // namespace topv::ptx
