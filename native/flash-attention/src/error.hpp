// Errors inside the library: an exception with a status, which the C functions turn into a status and a message.
#pragma once

#include <cstdarg>
#include <cstdio>
#include <stdexcept>
#include <string>

#include "flash_attn/flash_attn.h"

namespace flash_attn {

class Error : public std::runtime_error {
 public:
  Error(flash_attn_status status, const std::string& words) : std::runtime_error(words), status_(status) {}
  flash_attn_status status() const { return status_; }

 private:
  flash_attn_status status_;
};

/// Throws an Error with a printf-formatted message.
[[noreturn]] __attribute__((format(printf, 2, 3))) inline void fail(flash_attn_status status,
                                                                    const char* format, ...) {
  char text[2048];
  va_list arguments;
  va_start(arguments, format);
  std::vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  throw Error(status, text);
}

}  // namespace flash_attn
