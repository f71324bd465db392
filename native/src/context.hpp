// An open device behind the C contract.
#pragma once

#include <memory>
#include <string>

#include "topv/backend.hpp"

struct topv_context {
  std::string name;  ///< of the backend
  std::unique_ptr<topv::Backend> backend;
  std::string message;  ///< of the last call, "" where it succeeded
};

namespace topv {

/// Loads libtopv_<params.backend>.so (once per process) and opens the device. Throws Error.
std::unique_ptr<Backend> open_backend(const topv_context_params& params);

}  // namespace topv
