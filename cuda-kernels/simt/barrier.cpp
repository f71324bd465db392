#include "simt/barrier.hpp"

#include <cstring>

#include "simt/scheduler.hpp"
#include "simt/thread.hpp"

namespace simt {

void open(Barrier& barrier) {
  for (Thread *thread = barrier.waiting, *next; thread != nullptr; thread = next) {
    next = thread->next;
    make_ready(*thread);
  }
  barrier = Barrier{0, barrier.phase + 1, nullptr, {}};
}

void arrive(Barrier& barrier, unsigned expected) {
  release(&barrier);
  progress();
  if (++barrier.arrived >= expected) open(barrier);
}

void wait(Barrier& barrier, const char* what, Site site) {
  self().next = barrier.waiting;
  barrier.waiting = &self();
  park(what, site);
}

void arrive_and_wait(Barrier& barrier, unsigned expected, const char* what, Site site, bool at_one_site) {
  if (barrier.arrived == 0)
    barrier.site = site;
  else if (at_one_site && (barrier.site.line != site.line || std::strcmp(barrier.site.file, site.file) != 0))
    fail(site.file, site.line, "divergent %s: other threads wait at %s:%d", what, barrier.site.file,
         barrier.site.line);
  const unsigned phase = barrier.phase;
  arrive(barrier, expected);
  if (barrier.phase == phase) wait(barrier, what, site);
  acquire(&barrier);
}

}  // namespace simt
