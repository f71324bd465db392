// gemm, and patch_embed, which is a gemm between two conversions.
#pragma once

#include <memory>

#include "cpu/common/matmul.hpp"

namespace topv::cpu {

class Gemm {
 public:
  Gemm(Level level, const Kernels& kernels, Team& team);

  std::unique_ptr<topv_weight> create(const topv_weight_params& params);
  void run(const topv_gemm_params& params);
  void patch_embed(const topv_patch_embed_params& params);

 private:
  void convert(const topv_weight_params& params, CpuWeight& weight);
  void pack_tiles(CpuWeight& weight);
  void run_packed(const topv_gemm_params& params, CpuWeight& weight);
  void pack(CpuWeight& weight);
  const Kernels& kernels_;
  Team& team_;
  Matmul matmul_;
  Scratch patches_;
  bool tiles_;  ///< AMX: bfloat16 runs on tiles of our own
  bool bf16_;   ///< whether oneDNN is given bfloat16
};

}  // namespace topv::cpu
