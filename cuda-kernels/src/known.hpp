// What the CUDA runtime has said about kernels. Asking costs the host time, so each question is asked once, not at every launch.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <tuple>

namespace topv::cuda {

/// Of one device. Kernels that are asked about have one size of blocks each.
class Known {
 public:
  enum Question {
    shared_bytes,   ///< dynamic shared memory that a block may have; the kernel has been told
    wide_clusters,  ///< clusters of more than 8 blocks; the kernel has been told
    blocks,         ///< on a multiprocessor at a time
    clusters,       ///< on the device at a time
  };

  /// ask()'s answer about a kernel, and a shape of it: bytes of dynamic shared memory, blocks per cluster.
  template <typename Ask>
  int64_t operator()(Question question, const void* kernel, size_t shared, unsigned cluster, const Ask& ask) {
    const Key key = {question, kernel, shared, cluster};
    const auto known = answers_.find(key);
    return known != answers_.end() ? known->second : answers_.emplace(key, ask()).first->second;
  }

 private:
  using Key = std::tuple<Question, const void*, size_t, unsigned>;
  std::map<Key, int64_t> answers_;
};

}  // namespace topv::cuda
