// The launch that runs.
#pragma once

#include <deque>
#include <memory>
#include <unordered_map>
#include <vector>

#include "simt/launch.hpp"
#include "simt/mbarrier.hpp"
#include "simt/scheduler.hpp"
#include "simt/thread.hpp"

namespace simt {

/// Blocks run in waves of those that must be resident together: one block, one cluster, or a whole cooperative grid. What a
/// wave consists of is kept for the next one.
struct Grid {
  Config config;
  const std::function<void()>* body = nullptr;
  Thread main;  ///< who launched
  std::vector<Thread> threads;
  std::vector<std::unique_ptr<Block>> blocks;
  std::vector<Cluster> clusters;
  std::vector<Warp*> warps;
  size_t threads_in_use = 0, blocks_in_use = 0;
  size_t turn = 0;    ///< of the warps
  unsigned live = 0;  ///< threads that have not ended
  Barrier barrier;
  std::unordered_map<void*, Mailbox> mail;  ///< by mbarrier
  size_t undelivered = 0;
  std::string error;
};

/// One, never destroyed: threads that an error left behind may still point into it.
extern Grid& grid;

}  // namespace simt
