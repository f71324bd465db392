// CUDA's built-ins for the threads of a block and of a warp.
#pragma once

#include <functional>

#include "simt/collective.hpp"
#include "simt/grid.hpp"

#define threadIdx (simt::self().index)
#define blockIdx (simt::self().block->index)
#define blockDim (simt::grid.config.block)
#define gridDim (simt::grid.config.grid)
#define warpSize 32

// ---- blocks

inline void __syncthreads(SIMT_SITE) {
  simt::Quiet quiet;
  simt::Block& block = *simt::self().block;
  simt::arrive_and_wait(block.barrier, block.live, "__syncthreads", {file, line}, true);
}

namespace simt {

/// A barrier with a vote: combine(so far, mine), from `start`.
template <typename F>
int sync_and_vote(int start, F combine, const char* what, Site site) {
  Quiet quiet;
  Block& block = *self().block;
  int& vote = block.vote[block.barrier.phase % 2];
  vote = combine(block.barrier.arrived == 0 ? start : vote);
  arrive_and_wait(block.barrier, block.live, what, site, true);
  return vote;
}

}  // namespace simt

inline int __syncthreads_or(int vote, SIMT_SITE) {
  return simt::sync_and_vote(0, [=](int all) { return all | (vote != 0); }, "__syncthreads_or", {file, line});
}
inline int __syncthreads_and(int vote, SIMT_SITE) {
  return simt::sync_and_vote(1, [=](int all) { return all & (vote != 0); }, "__syncthreads_and",
                             {file, line});
}
inline int __syncthreads_count(int vote, SIMT_SITE) {
  return simt::sync_and_vote(0, [=](int all) { return all + (vote != 0); }, "__syncthreads_count",
                             {file, line});
}

// ---- warps

inline void __syncwarp(unsigned mask = ~0u, SIMT_SITE) { simt::sync_warp(mask, {file, line}); }

template <typename T>
T __shfl_sync(unsigned mask, T value, int source, int width = 32, SIMT_SITE) {
  const unsigned lane = simt::self().lane, within = unsigned(width) - 1;
  return simt::take_from(mask, value, (lane & ~within) | (unsigned(source) & within), "__shfl_sync",
                         {file, line});
}
template <typename T>
T __shfl_xor_sync(unsigned mask, T value, int distance, int width = 32, SIMT_SITE) {
  const unsigned lane = simt::self().lane, within = unsigned(width) - 1, source = lane ^ unsigned(distance);
  return simt::take_from(mask, value, source > (lane | within) ? lane : source, "__shfl_xor_sync",
                         {file, line});
}
template <typename T>
T __shfl_up_sync(unsigned mask, T value, unsigned distance, int width = 32, SIMT_SITE) {
  const unsigned lane = simt::self().lane, within = unsigned(width) - 1;
  return simt::take_from(mask, value, (lane & within) < distance ? lane : lane - distance, "__shfl_up_sync",
                         {file, line});
}
template <typename T>
T __shfl_down_sync(unsigned mask, T value, unsigned distance, int width = 32, SIMT_SITE) {
  const unsigned lane = simt::self().lane, within = unsigned(width) - 1;
  return simt::take_from(mask, value, (lane & within) + distance > within ? lane : lane + distance,
                         "__shfl_down_sync", {file, line});
}

namespace simt {

struct Least {
  template <typename T>
  T operator()(T a, T b) const {
    return a < b ? a : b;
  }
};
struct Greatest {
  template <typename T>
  T operator()(T a, T b) const {
    return a > b ? a : b;
  }
};

}  // namespace simt

#define SIMT_REDUCE(name, F)                                  \
  template <typename T>                                       \
  T name(unsigned mask, T value, SIMT_SITE) {                 \
    return simt::reduce<F>(mask, value, #name, {file, line}); \
  }
SIMT_REDUCE(__reduce_add_sync, std::plus<>)
SIMT_REDUCE(__reduce_min_sync, simt::Least)
SIMT_REDUCE(__reduce_max_sync, simt::Greatest)
SIMT_REDUCE(__reduce_and_sync, std::bit_and<>)
SIMT_REDUCE(__reduce_or_sync, std::bit_or<>)
SIMT_REDUCE(__reduce_xor_sync, std::bit_xor<>)
#undef SIMT_REDUCE

// A vote is the bit of its lane, and all of them together.
inline unsigned __ballot_sync(unsigned mask, int vote, SIMT_SITE) {
  const unsigned bit = vote != 0 ? 1u << simt::self().lane : 0;
  return simt::reduce<std::bit_or<>>(mask, bit, "__ballot_sync", {file, line});
}
inline int __any_sync(unsigned mask, int vote, SIMT_SITE) {
  return simt::reduce<std::bit_or<>>(mask, int{vote != 0}, "__any_sync", {file, line});
}
inline int __all_sync(unsigned mask, int vote, SIMT_SITE) {
  return simt::reduce<std::bit_and<>>(mask, int{vote != 0}, "__all_sync", {file, line});
}
template <typename T>
unsigned __match_any_sync(unsigned mask, T value, SIMT_SITE) {
  simt::Quiet quiet;
  const simt::Meeting meeting =
      simt::meet(mask, &value, sizeof value, nullptr, "__match_any_sync", {file, line});
  unsigned lanes = 0;
  for (unsigned lane = 0; lane < 32; lane++)
    if (meeting.has(lane) && meeting.operand<T>(lane) == value) lanes |= 1u << lane;
  return lanes;
}

inline void __nanosleep(unsigned, SIMT_SITE) {
  simt::Quiet quiet;
  simt::poll({file, line});
}
