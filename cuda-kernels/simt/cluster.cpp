#include "simt/cluster.hpp"

#include "simt/thread.hpp"

namespace simt {

void cluster_arrive(Site site) {
  Quiet quiet;
  Thread& thread = self();
  Cluster& cluster = *thread.block->cluster;
  if (thread.cluster_arrived) fail(site.file, site.line, "cluster_arrive: twice without cluster_wait");
  thread.cluster_arrived = true;
  thread.cluster_phase = cluster.barrier.phase;
  arrive(cluster.barrier, cluster.live);
}

void cluster_wait(Site site) {
  Quiet quiet;
  Thread& thread = self();
  Cluster& cluster = *thread.block->cluster;
  if (!thread.cluster_arrived) fail(site.file, site.line, "cluster_wait: without cluster_arrive");
  thread.cluster_arrived = false;
  if (cluster.barrier.phase == thread.cluster_phase) wait(cluster.barrier, "cluster_wait", site);
  acquire(&cluster.barrier);
}

void* map_rank(const void* p, unsigned rank, Site site) {
  Quiet quiet;
  Block& block = *self().block;
  Cluster& cluster = *block.cluster;
  if (rank >= cluster.blocks.size())
    fail(site.file, site.line, "DSMEM: rank %u in a cluster of %zu", rank, cluster.blocks.size());
  Block& peer = *cluster.blocks[rank];
  if (&peer != &block && cluster.barrier.phase == 0)
    fail(site.file, site.line,
         "DSMEM: before the first cluster barrier the other block may not have started");
  if (peer.live == 0) fail(site.file, site.line, "DSMEM: block %u of the cluster has ended", rank);
  unsigned char* there = peer.shared.same_place(block.shared, p);
  if (there == nullptr) fail(site.file, site.line, "DSMEM: the address is not in this block's shared memory");
  return there;
}

}  // namespace simt
