// Launching a kernel without the engine around it: a Run, and arrays in device memory.
#pragma once

#include <vector>

#include "launch.hpp"

namespace topv::cuda {

/// On the default stream of the first device.
inline const Run& test_run() {
  static const Device device = [] {
    cudaDeviceProp properties;
    check(cudaGetDeviceProperties(&properties, 0), "cudaGetDeviceProperties");
    Device first;
    first.shared_bytes = static_cast<int64_t>(properties.sharedMemPerBlockOptin);
    return first;
  }();
  static Known known;
  static Scratch scratch;
  static const Run run = {device, known, nullptr, scratch, nullptr};
  return run;
}

/// Whether the device is one: clusters, TMA, wgmma.
inline bool test_hopper() {
  cudaDeviceProp properties;
  check(cudaGetDeviceProperties(&properties, 0), "cudaGetDeviceProperties");
  return properties.major == 9;
}

/// An array in device memory.
template <typename T>
class Buffer {
 public:
  /// Contents undefined.
  explicit Buffer(size_t count) : count_(count) {
    check(cudaMalloc(reinterpret_cast<void**>(&data_), count_ * sizeof(T)), "cudaMalloc");
  }
  explicit Buffer(const std::vector<T>& values) : Buffer(values.size()) {
    check(cudaMemcpyAsync(data_, values.data(), count_ * sizeof(T), cudaMemcpyHostToDevice, nullptr),
          "upload");
    check(cudaStreamSynchronize(nullptr), "upload");
  }
  Buffer(const Buffer&) = delete;
  Buffer& operator=(const Buffer&) = delete;
  ~Buffer() { cudaFree(data_); }

  T* data() const { return data_; }
  /// Once all kernels have ended.
  std::vector<T> read() const {
    std::vector<T> values(count_);
    check(cudaMemcpyAsync(values.data(), data_, count_ * sizeof(T), cudaMemcpyDeviceToHost, nullptr),
          "download");
    check(cudaStreamSynchronize(nullptr), "download");
    return values;
  }

 private:
  T* data_ = nullptr;
  size_t count_;
};

}  // namespace topv::cuda
