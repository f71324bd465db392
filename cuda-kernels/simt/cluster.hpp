// Blocks of a cluster: their barrier, and their shared memory as the others see it.
#pragma once

#include "simt/error.hpp"

namespace simt {

void cluster_arrive(Site site);
void cluster_wait(Site site);
/// p, in this block's shared memory, as it is in block `rank` of the cluster.
void* map_rank(const void* p, unsigned rank, Site site);

}  // namespace simt
