// gemm and what is built on it.
#pragma once

#include <memory>

#include "cpu/common/onednn.hpp"
#include "topv/backend.hpp"

namespace topv::cpu {

class Gemm {
 public:
  Gemm(Level level, const Kernels& kernels, Team& team) : kernels_(kernels), team_(team) {
    limit_onednn(level);
  }

  std::unique_ptr<topv_weight> create(const topv_weight_params& params);
  void run(const topv_gemm_params& params);
  void patch_embed(const topv_patch_embed_params& params);

 private:
  const Kernels& kernels_;
  Team& team_;
};

}  // namespace topv::cpu
