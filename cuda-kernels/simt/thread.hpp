// The CUDA threads of a launch as they stand: threads in warps, in blocks, in clusters.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "simt/barrier.hpp"
#include "simt/bulk.hpp"
#include "simt/collective.hpp"
#include "simt/copy.hpp"
#include "simt/fiber.hpp"
#include "simt/shared.hpp"
#include "simt/types.hpp"
#include "simt/wgmma.hpp"

namespace simt {

struct Warp {
  uint32_t full = 0, ready = 0, exited = 0;  ///< lanes that exist, that can run, that have ended
  Thread* lanes[32] = {};
  Collective all;                                  ///< of all lanes
  std::vector<std::unique_ptr<Collective>> parts;  ///< of other masks
};

struct Block;

struct Cluster {
  std::vector<Block*> blocks;
  unsigned live = 0;  ///< threads that have not ended
  Barrier barrier;
};

struct Block {
  uint3 index = {};
  unsigned rank = 0;  ///< in its cluster
  unsigned size = 0, live = 0;
  Cluster* cluster = nullptr;
  Barrier barrier, named[16];
  int vote[2] = {};  ///< of __syncthreads_or and its like, by phase
  std::vector<Warp> warps;
  SharedMemory shared;
  std::unique_ptr<Warpgroup> warpgroups[8];
};

struct Thread : Fiber {
  size_t number = 0;  ///< in Grid::threads
  Warp* warp = nullptr;
  Block* block = nullptr;
  unsigned lane = 0, linear = 0;  ///< in its warp, in its block
  uint3 index = {};
  Thread* next = nullptr;  ///< in the list of a barrier
  const char* waits_in = "";
  Site site;
  bool cluster_arrived = false;
  unsigned cluster_phase = 0;  ///< when it arrived
  CopyGroups copies;
  StoreGroups stores;
};

/// The one that runs.
extern Thread* running;
SIMT_UNSEEN inline Thread& self() { return *running; }

/// "block(0,0,0) thread(1,0,0)".
std::string name(const Thread& thread);

}  // namespace simt
