// The only try/catch: nothing thrown gets out of a library.
#pragma once

#include <exception>
#include <new>
#include <string>

#include "error.hpp"

namespace topv {

/// Runs body; returns its status and leaves its words in message ("" on success).
template <typename Body>
topv_status guard(std::string& message, const Body& body) noexcept {
  const auto failed = [&](topv_status status, const char* words) noexcept {
    try {
      message = words;
    } catch (...) {
      message.clear();
    }
    return status;
  };
  try {
    message.clear();
    body();
    return TOPV_OK;
  } catch (const Error& error) {
    return failed(error.status(), error.what());
  } catch (const std::bad_alloc&) {
    return failed(TOPV_OUT_OF_MEMORY, "out of memory");
  } catch (const std::exception& error) {
    return failed(TOPV_INTERNAL, error.what());
  } catch (...) {
    return failed(TOPV_INTERNAL, "unknown exception");
  }
}

}  // namespace topv
