// CUDA's built-ins for the threads of a block and of a warp.
#pragma once

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

/// The lanes that take part and for which holds(operand).
template <typename T, typename F>
unsigned lanes_where(unsigned mask, const T& value, F holds, const char* what, Site site) {
  Quiet quiet;
  const Meeting meeting = meet(mask, &value, sizeof value, nullptr, what, site);
  unsigned lanes = 0;
  for (unsigned lane = 0; lane < 32; lane++)
    if (meeting.has(lane) && holds(meeting.operand<T>(lane))) lanes |= 1u << lane;
  return lanes;
}

}  // namespace simt

inline unsigned __ballot_sync(unsigned mask, int vote, SIMT_SITE) {
  return simt::lanes_where(mask, vote, [](int v) { return v != 0; }, "__ballot_sync", {file, line});
}
inline int __any_sync(unsigned mask, int vote, SIMT_SITE) {
  return simt::lanes_where(mask, vote, [](int v) { return v != 0; }, "__any_sync", {file, line}) != 0;
}
inline int __all_sync(unsigned mask, int vote, SIMT_SITE) {
  return simt::lanes_where(mask, vote, [](int v) { return v == 0; }, "__all_sync", {file, line}) == 0;
}
template <typename T>
unsigned __match_any_sync(unsigned mask, T value, SIMT_SITE) {
  return simt::lanes_where(mask, value, [=](T other) { return other == value; }, "__match_any_sync",
                           {file, line});
}
template <typename T>
T __reduce_add_sync(unsigned mask, T value, SIMT_SITE) {
  return simt::reduce(mask, value, [](T a, T b) { return T(a + b); }, "__reduce_add_sync", {file, line});
}
template <typename T>
T __reduce_max_sync(unsigned mask, T value, SIMT_SITE) {
  return simt::reduce(mask, value, [](T a, T b) { return a > b ? a : b; }, "__reduce_max_sync", {file, line});
}
template <typename T>
T __reduce_min_sync(unsigned mask, T value, SIMT_SITE) {
  return simt::reduce(mask, value, [](T a, T b) { return a < b ? a : b; }, "__reduce_min_sync", {file, line});
}
template <typename T>
T __reduce_and_sync(unsigned mask, T value, SIMT_SITE) {
  return simt::reduce(mask, value, [](T a, T b) { return T(a & b); }, "__reduce_and_sync", {file, line});
}
template <typename T>
T __reduce_or_sync(unsigned mask, T value, SIMT_SITE) {
  return simt::reduce(mask, value, [](T a, T b) { return T(a | b); }, "__reduce_or_sync", {file, line});
}

inline void __nanosleep(unsigned, SIMT_SITE) {
  simt::Quiet quiet;
  simt::poll({file, line});
}
