// Which thread runs next. A thread runs until it has to wait; the next one is chosen by SIMT_ORDER, so that a run can be
// repeated: fwd (lowest first), rev (highest first) or rand:<seed>.
#pragma once

#include "simt/error.hpp"

namespace simt {

struct Thread;

enum class Order { forward, reverse, random };

/// Of the environment variable, at first use.
Order order();
/// Uniform in [0, bound); advances with every call.
unsigned random_below(unsigned bound);

/// The next thread that can run, or nullptr.
Thread* choose();
void make_ready(Thread& thread);
/// The calling thread waits, somebody knows it and will make it ready. Fails where none can run: a deadlock.
void park(const char* what, Site site);
/// The calling thread spins: lets others run. Fails where only such threads are left.
void poll(Site site);
/// Fails with who waits for what.
[[noreturn]] void deadlock();
/// Something happened that a spinning thread may wait for.
void progress();

}  // namespace simt
