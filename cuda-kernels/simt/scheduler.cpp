#include "simt/scheduler.hpp"

#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "simt/grid.hpp"

namespace simt {
namespace {

unsigned polls;  ///< since the last progress

uint64_t& random_state() {
  static uint64_t state = [] {
    const char* text = std::getenv("SIMT_ORDER");
    const char* colon = text != nullptr ? std::strchr(text, ':') : nullptr;
    return (colon != nullptr ? std::strtoull(colon + 1, nullptr, 10) : 0) * 2862933555777941757ull +
           3037000493ull;
  }();
  return state;
}

unsigned choose_lane(uint32_t ready) {
  if (order() == Order::forward) return unsigned(__builtin_ctz(ready));
  if (order() == Order::reverse) return 31 - unsigned(__builtin_clz(ready));
  for (unsigned i = random_below(unsigned(__builtin_popcount(ready))); i > 0; i--) ready &= ready - 1;
  return unsigned(__builtin_ctz(ready));
}

SIMT_UNSEEN void switch_to(Thread& to) {
  Thread& from = self();
  if (&from == &to) return;
  running = &to;
  switch_fiber(from, to);
}

}  // namespace

Order order() {
  static const Order chosen = [] {
    const char* text = std::getenv("SIMT_ORDER");
    if (text == nullptr || std::strcmp(text, "fwd") == 0) return Order::forward;
    if (std::strcmp(text, "rev") == 0) return Order::reverse;
    if (std::strncmp(text, "rand", 4) == 0) return Order::random;
    throw Error(std::string("SIMT_ORDER is fwd, rev or rand:<seed>, not ") + text);
  }();
  return chosen;
}

unsigned random_below(unsigned bound) {
  uint64_t& state = random_state();
  state ^= state << 13;
  state ^= state >> 7;
  state ^= state << 17;
  return unsigned(state >> 11) % bound;
}

Thread* choose() {
  const size_t count = grid.warps.size();
  size_t i = order() == Order::random ? random_below(unsigned(count)) : grid.turn;
  for (size_t tried = 0; tried < count; tried++) {
    if (grid.warps[i]->ready != 0) {
      grid.turn = i;
      return grid.warps[i]->lanes[choose_lane(grid.warps[i]->ready)];
    }
    if (order() == Order::reverse)
      i = i > 0 ? i - 1 : count - 1;
    else
      i = i + 1 < count ? i + 1 : 0;
  }
  return nullptr;
}

void make_ready(Thread& thread) { thread.warp->ready |= 1u << thread.lane; }

void park(const char* what, Site site) {
  Thread& thread = self();
  thread.waits_in = what;
  thread.site = site;
  thread.warp->ready &= ~(1u << thread.lane);
  progress();
  Thread* next = choose();
  if (next == nullptr) deadlock();
  switch_to(*next);
}

void poll(Site site) {
  Thread& thread = self();
  thread.waits_in = "a spin loop";
  thread.site = site;
  if (++polls > 64 * grid.live + 4096) fail(site.file, site.line, "livelock: only threads that spin can run");
  const size_t count = grid.threads_in_use;
  size_t i = order() == Order::random ? random_below(unsigned(count)) : thread.number;
  do {
    i = order() == Order::reverse ? (i > 0 ? i - 1 : count - 1) : (i + 1 < count ? i + 1 : 0);
  } while ((grid.threads[i].warp->ready >> grid.threads[i].lane & 1) == 0);
  switch_to(grid.threads[i]);
}

void deadlock() {
  char text[1500] = "";
  size_t length = 0;
  int waiting = 0;
  for (size_t i = 0; i < grid.threads_in_use; i++) {
    const Thread& thread = grid.threads[i];
    if ((thread.warp->exited >> thread.lane & 1) != 0) continue;
    if (++waiting > 4) continue;
    length +=
        size_t(std::snprintf(text + length, sizeof text - length, "\n  %s waits in %s at %s:%d",
                             name(thread).c_str(), thread.waits_in, thread.site.file, thread.site.line));
    length = std::min(length, sizeof text - 1);
  }
  fail(self().site.file, self().site.line, "deadlock: no thread can run, %d wait:%s\nlast", waiting, text);
}

SIMT_UNSEEN void progress() { polls = 0; }

}  // namespace simt
