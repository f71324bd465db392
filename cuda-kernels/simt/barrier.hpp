// A barrier of threads: those of a block, of a part of it, of a cluster, of a grid.
#pragma once

#include "simt/error.hpp"
#include "simt/sanitizers.hpp"

namespace simt {

struct Thread;

struct Barrier {
  unsigned arrived = 0, phase = 0;
  Thread* waiting = nullptr;
  Site site;  ///< of the first who arrived
};

/// Lets all go who wait, and begins the next phase.
void open(Barrier& barrier);
/// One arrival of `expected`: releases what the thread wrote, opens the barrier with the last.
void arrive(Barrier& barrier, unsigned expected);
/// Waits until somebody opens the barrier.
void wait(Barrier& barrier, const char* what, Site site);
/// Both, and acquires what the others wrote. at_one_site: all must come from the same place in the source.
void arrive_and_wait(Barrier& barrier, unsigned expected, const char* what, Site site, bool at_one_site);

}  // namespace simt
