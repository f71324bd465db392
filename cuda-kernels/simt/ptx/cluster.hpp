#pragma once

namespace topv::ptx {

inline uint32_t cluster_rank() { return simt::cur->w->blk->rank; }
inline uint32_t cluster_size() { return uint32_t(simt::cur->w->blk->clu->blocks.size()); }
inline void cluster_arrive() {
  simt::Quiet quiet;
  auto* cluster = simt::cur->w->blk->clu;
  simt::cur->token = cluster->bar.phase;
  simt::hb_release(&cluster->bar);
  simt::progress();
  if (++cluster->bar.arrived >= cluster->live) simt::release(cluster->bar);
}
inline void cluster_wait(SIMT_SITE) {
  simt::Quiet quiet;
  auto* fiber = simt::cur;
  auto& bar = fiber->w->blk->clu->bar;
  if (bar.phase == fiber->token) {
    fiber->next = bar.head;
    bar.head = fiber;
    simt::park("cluster_wait", file, line);
  }
  simt::hb_acquire(&bar);
}
inline void cluster_sync(SIMT_SITE) {
  cluster_arrive();
  cluster_wait(file, line);
}
template <typename T>
inline T* map_rank(T* p, uint32_t rank, SIMT_SITE) {
  return simt::map_rank(p, rank, file, line);
}

}  // namespace topv::ptx
