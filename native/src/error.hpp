// Errors inside a library: an exception with a status. guard.hpp turns it into a status code at the border.
#pragma once

#include <cstdarg>
#include <cstdio>
#include <stdexcept>

#include "topv/topv.h"

namespace topv {

class Error : public std::runtime_error {
 public:
  Error(topv_status status, const char* message) : std::runtime_error(message), status_(status) {}
  topv_status status() const { return status_; }

 private:
  topv_status status_;
};

/// Throws an Error with a printf-formatted message: "<operation>: <field> = <value> <what is wrong>".
[[noreturn]] __attribute__((format(printf, 2, 3))) inline void fail(topv_status status, const char* format,
                                                                    ...) {
  char text[512];
  va_list arguments;
  va_start(arguments, format);
  std::vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  throw Error(status, text);
}

}  // namespace topv
