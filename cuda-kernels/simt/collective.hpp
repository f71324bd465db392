// What the lanes of a warp do together: each brings an operand, the last to come computes, all take a result.
#pragma once

#include <cstdint>

#include "simt/error.hpp"
#include "simt/sanitizers.hpp"

namespace simt {

/// The meetings of one set of lanes, one after the other; a lane may bring its next operand before the slowest has taken its
/// result of this one.
struct Collective {
  static constexpr int kOperandBytes = 64, kResultBytes = 16;
  uint32_t mask = 0, arrived = 0;
  unsigned turn = 0;
  uint32_t took_part[2] = {};  ///< by turn % 2, as what follows
  const char* what = "";
  Site site;
  alignas(16) unsigned char operand[2][32][kOperandBytes];
  alignas(16) unsigned char result[2][32][kResultBytes];
};

/// One meeting, from the view of one of its lanes.
struct Meeting {
  Collective& all;
  unsigned turn;
  bool has(unsigned lane) const { return all.took_part[turn] >> lane & 1; }
  template <typename T>
  T operand(unsigned lane) const {
    T value;
    __builtin_memcpy(&value, all.operand[turn][lane], sizeof value);
    return value;
  }
  template <typename T>
  T result(unsigned lane) const {
    T value;
    __builtin_memcpy(&value, all.result[turn][lane], sizeof value);
    return value;
  }
};

/// Waits for all lanes of mask that have not ended. compute: by the last one, from operand[turn] to result[turn]. Call it
/// within a Quiet.
Meeting meet(uint32_t mask, const void* operand, size_t bytes, void (*compute)(Collective&, unsigned turn),
             const char* what, Site site);

/// T of lane `source`.
template <typename T>
T take_from(uint32_t mask, const T& value, unsigned source, const char* what, Site site) {
  static_assert(sizeof(T) <= Collective::kOperandBytes);
  Quiet quiet;
  const Meeting meeting = meet(mask, &value, sizeof value, nullptr, what, site);
  if (!meeting.has(source))
    fail(site.file, site.line, "%s: reads lane %u, which does not take part", what, source);
  return meeting.operand<T>(source);
}

/// F over the lanes that take part, in the order of lanes: once, by the last of them.
template <typename F, typename T>
T reduce(uint32_t mask, const T& value, const char* what, Site site) {
  static_assert(sizeof(T) <= Collective::kResultBytes);
  Quiet quiet;
  const auto compute = [](Collective& all, unsigned turn) {
    const Meeting meeting{all, turn};
    uint32_t lanes = all.arrived;
    T result = meeting.operand<T>(unsigned(__builtin_ctz(lanes)));
    while ((lanes &= lanes - 1) != 0)
      result = F()(result, meeting.operand<T>(unsigned(__builtin_ctz(lanes))));
    __builtin_memcpy(all.result[turn][0], &result, sizeof result);
  };
  const Meeting meeting = meet(mask, &value, sizeof value, compute, what, site);
  return meeting.result<T>(0);
}

/// __syncwarp: orders memory, what the others do not.
void sync_warp(uint32_t mask, Site site);

/// A lane ended: those who wait for it wait no longer.
void lane_ended();

}  // namespace simt
