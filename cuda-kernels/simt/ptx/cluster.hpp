#pragma once

#include "simt/cluster.hpp"
#include "simt/thread.hpp"

namespace topv::ptx {

inline uint32_t cluster_rank() { return simt::self().block->rank; }
inline uint32_t cluster_size() { return uint32_t(simt::self().block->cluster->blocks.size()); }
inline void cluster_arrive(SIMT_SITE) { simt::cluster_arrive({file, line}); }
inline void cluster_wait(SIMT_SITE) { simt::cluster_wait({file, line}); }
inline void cluster_sync(SIMT_SITE) {
  simt::cluster_arrive({file, line});
  simt::cluster_wait({file, line});
}
template <typename T>
T* map_rank(T* p, uint32_t rank, SIMT_SITE) {
  return static_cast<T*>(simt::map_rank(p, rank, {file, line}));
}

}  // namespace topv::ptx
