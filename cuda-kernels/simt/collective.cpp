#include "simt/collective.hpp"

#include <cstring>

#include "simt/scheduler.hpp"
#include "simt/thread.hpp"

namespace simt {
namespace {

Collective& collective_of(Warp& warp, uint32_t mask) {
  if (warp.all.mask == mask) return warp.all;
  for (auto& other : warp.parts)
    if (other->mask == mask) return *other;
  warp.parts.push_back(std::make_unique<Collective>());
  warp.parts.back()->mask = mask;
  return *warp.parts.back();
}

void finish(Warp& warp, Collective& all) {
  all.took_part[all.turn % 2] = all.arrived;
  warp.ready |= all.arrived;
  all.arrived = 0;
  all.turn++;
  progress();
}

}  // namespace

Meeting meet(uint32_t mask, const void* operand, size_t bytes, void (*compute)(Collective&, unsigned),
             const char* what, Site site) {
  Thread& thread = self();
  Warp& warp = *thread.warp;
  if ((mask >> thread.lane & 1) == 0)
    fail(site.file, site.line, "%s: the calling lane is not in the mask", what);
  if ((mask & ~warp.full) != 0)
    fail(site.file, site.line, "%s: the mask names lanes that do not exist", what);
  Collective& all = collective_of(warp, mask);
  if (all.arrived == 0) {
    auto overlaps = [&](const Collective& other) { return other.arrived != 0 && (other.mask & mask) != 0; };
    const Collective* other = overlaps(warp.all) ? &warp.all : nullptr;
    for (auto& part : warp.parts)
      if (overlaps(*part)) other = part.get();
    if (other != nullptr)
      fail(site.file, site.line, "%s: lanes of the mask wait in %s with another mask at %s:%d", what,
           other->what, other->site.file, other->site.line);
    all.what = what;
    all.site = site;
  } else if (all.what != what && std::strcmp(all.what, what) != 0) {
    fail(site.file, site.line, "%s: the warp diverged, other lanes are in %s at %s:%d", what, all.what,
         all.site.file, all.site.line);
  }
  const unsigned turn = all.turn % 2;
  if (bytes > 0) std::memcpy(all.operand[turn][thread.lane], operand, bytes);
  all.arrived |= 1u << thread.lane;
  if (all.arrived == (mask & ~warp.exited)) {
    if (compute != nullptr) compute(all, turn);
    finish(warp, all);
  } else {
    park(what, site);
  }
  return {all, turn};
}

void sync_warp(uint32_t mask, Site site) {
  Quiet quiet;
  Warp& warp = *self().warp;
  mask &= warp.full;  // the last warp of a block may be smaller
  Collective& all = collective_of(warp, mask);
  release(&all);
  meet(mask, nullptr, 0, nullptr, "__syncwarp", site);
  acquire(&all);
}

void lane_ended() {
  Warp& warp = *self().warp;
  auto complete = [&](Collective& all) {
    if (all.arrived != 0 && all.arrived == (all.mask & ~warp.exited)) finish(warp, all);
  };
  complete(warp.all);
  for (auto& part : warp.parts) complete(*part);
}

}  // namespace simt
