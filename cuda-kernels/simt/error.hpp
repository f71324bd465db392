// What the emulation finds wrong.
#pragma once

#include <stdexcept>

namespace simt {

/// Thrown by launch(): what a kernel did wrong, where, and by which thread.
struct Error : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// A place in a kernel's source.
struct Site {
  const char* file = "";
  int line = 0;
};

/// Last parameters of everything that a kernel calls: the place of the call.
#define SIMT_SITE const char *file = __builtin_FILE(), int line = __builtin_LINE()

/// Ends the launch with this message, the place, and the calling thread's name. Only within a kernel.
[[noreturn]] __attribute__((format(printf, 3, 4))) void fail(const char* file, int line, const char* format,
                                                             ...);

}  // namespace simt
