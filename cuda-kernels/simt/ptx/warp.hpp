#pragma once

#include "simt/builtins.hpp"

namespace topv::ptx {

inline float ex2(float x) { return exp2f(x); }
inline float lg2(float x) { return log2f(x); }

inline void bar_sync(int id, int threads, SIMT_SITE) {
  simt::Quiet quiet;
  simt::arrive_and_wait(simt::self().block->named[id], unsigned(threads), "bar_sync", {file, line}, false);
}
inline void bar_arrive(int id, int threads) {
  simt::Quiet quiet;
  simt::arrive(simt::self().block->named[id], unsigned(threads));
}

inline void grid_sync(SIMT_SITE) {
  simt::Quiet quiet;
  if (!simt::grid.config.cooperative) simt::fail(file, line, "grid_sync: the launch is not cooperative");
  simt::arrive_and_wait(simt::grid.barrier, simt::grid.live, "grid_sync", {file, line}, true);
}

inline void poll(SIMT_SITE) {
  simt::Quiet quiet;
  simt::poll({file, line});
}

// Kernels of a stream follow each other, and registers are without number.
inline void griddepcontrol_wait() {}
inline void griddepcontrol_launch() {}
template <int kRegisters>
void setmaxnreg_inc() {}
template <int kRegisters>
void setmaxnreg_dec() {}

}  // namespace topv::ptx
