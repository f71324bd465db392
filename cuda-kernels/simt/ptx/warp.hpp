#pragma once

namespace topv::ptx {

inline float ex2(float x) { return exp2f(x); }
inline float lg2(float x) { return log2f(x); }

inline void bar_sync(int id, int threads, SIMT_SITE) {
  simt::Quiet quiet;
  simt::arrive_wait(simt::cur->w->blk->named[id], unsigned(threads), "bar.sync", file, line, false);
}
inline void bar_arrive(int id, int threads) {
  simt::Quiet quiet;
  simt::Barrier& bar = simt::cur->w->blk->named[id];
  simt::hb_release(&bar);
  simt::progress();
  if (++bar.arrived >= unsigned(threads)) simt::release(bar);
}

inline void grid_sync(SIMT_SITE) {
  simt::Quiet quiet;
  simt::arrive_wait(simt::rt.grid, simt::rt.live, "grid_sync", file, line);
}

inline void poll(SIMT_SITE) { simt::poll_yield(file, line); }

// Kernels of a stream follow each other, and registers are without number.
inline void griddepcontrol_wait() {}
inline void griddepcontrol_launch() {}
template <int kRegisters>
void setmaxnreg_inc() {}
template <int kRegisters>
void setmaxnreg_dec() {}

}  // namespace topv::ptx
