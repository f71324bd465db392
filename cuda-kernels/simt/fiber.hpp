// A stack of its own for each CUDA thread, and the switch from one to another. All run on the one OS thread of the launch.
#pragma once

#include <cstddef>

#include "simt/sanitizers.hpp"

namespace simt {

struct Fiber {
  void* stack_pointer = nullptr;  ///< while it does not run
  char* stack = nullptr;          ///< lowest byte
  size_t stack_bytes = 0;
  void* fake_stack = nullptr;  ///< ASan's
  void* logical = nullptr;     ///< TSan's thread
};

/// Sets the fiber up to call entry() when it is first switched to. entry never returns: it ends with leave().
void prepare(Fiber& fiber, void (*entry)());
/// First thing in entry().
void entered(Fiber& main);
/// Runs `to` until something switches back to `from`.
void switch_fiber(Fiber& from, Fiber& to);
/// The same for a fiber that will not run again.
[[noreturn]] void leave(Fiber& from, Fiber& to);

/// Stacks for a number of fibers, with a page between them that must not be touched. Kept from launch to launch.
class Stacks {
 public:
  static constexpr size_t kBytes = (SIMT_ASAN || SIMT_TSAN ? 256 : 96) << 10;
  /// Throws where there is no memory.
  void provide(size_t count);
  char* stack(size_t i) { return memory_ + i * kBytes; }
  /// After fibers were abandoned: forgets what the sanitizers know of their frames.
  void clean();

 private:
  char* memory_ = nullptr;
  size_t count_ = 0;
};

}  // namespace simt
