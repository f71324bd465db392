#pragma once

#include <string>

namespace topv {

/// Words of the last failed call on this thread that had no context to keep them.
inline std::string& thread_message() {
  thread_local std::string message;
  return message;
}

}  // namespace topv
