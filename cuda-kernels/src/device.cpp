#include "device.hpp"

#include <cstdlib>

#include "common/cuda.hpp"

namespace topv::cuda {
namespace {

/// 13000 -> "13.0".
std::string version(int number) {
  return std::to_string(number / 1000) + '.' + std::to_string(number % 1000 / 10);
}

std::string quoted(const std::string& text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    if (static_cast<unsigned char>(c) >= 0x20) out += c;
  }
  return out + '"';
}

/// How many devices there are: at least one.
int count_devices() {
  int driver = 0, runtime = 0, count = 0;
  cudaDriverGetVersion(&driver);
  cudaRuntimeGetVersion(&runtime);
  const cudaError_t result = cudaGetDeviceCount(&count);
  const char* const visible = std::getenv("CUDA_VISIBLE_DEVICES");
  if (driver == 0) {
    fail(TOPV_UNSUPPORTED, "context: no NVIDIA driver is installed: libcuda.so.1 is not found (CUDA %s)",
         version(runtime).c_str());
  }
  if (result == cudaErrorInsufficientDriver) {
    fail(TOPV_UNSUPPORTED, "context: the NVIDIA driver is too old: it can do CUDA %s, this library needs %s",
         version(driver).c_str(), version(runtime / 1000 * 1000).c_str());
  }
  if (result == cudaErrorNoDevice || (result == cudaSuccess && count == 0)) {
    fail(TOPV_UNSUPPORTED, "context: an NVIDIA driver is installed, but no device is visible%s%s",
         visible != nullptr ? ": CUDA_VISIBLE_DEVICES=" : "", visible != nullptr ? visible : "");
  }
  check(result, "context");
  return count;
}

}  // namespace

Device open_device(int ordinal) {
  const int count = count_devices();
  if (ordinal >= count) {
    fail(TOPV_UNSUPPORTED, "context: device = %d, but this machine has CUDA devices 0 .. %d only", ordinal,
         count - 1);
  }
  check(cudaSetDevice(ordinal), "context");
  cudaDeviceProp properties;
  check(cudaGetDeviceProperties(&properties, ordinal), "context");
  Device device;
  device.ordinal = ordinal;
  device.arch = 10 * properties.major + properties.minor;
  device.multiprocessors = properties.multiProcessorCount;
  device.shared_bytes = static_cast<int64_t>(properties.sharedMemPerBlockOptin);
  device.l2_bytes = properties.l2CacheSize;
  device.memory_bytes = static_cast<int64_t>(properties.totalGlobalMem);
  device.name = properties.name;
  if (device.arch < 80) {
    fail(TOPV_UNSUPPORTED, "context: device %d (%s) has compute capability %d.%d, 8.0 is the least", ordinal,
         device.name.c_str(), properties.major, properties.minor);
  }
  return device;
}

std::string describe(const Device& device, const std::string& cublaslt, int64_t launches) {
  int driver = 0, runtime = 0;
  check(cudaDriverGetVersion(&driver), "context_describe");
  check(cudaRuntimeGetVersion(&runtime), "context_describe");
  size_t free = 0, total = 0;
  check(cudaMemGetInfo(&free, &total), "context_describe");
  std::string out = "{\"backend\":\"cuda\",\"device\":" + quoted(device.name);
  out += ",\"ordinal\":" + std::to_string(device.ordinal);
  out += ",\"isa\":\"sm_" + std::to_string(device.arch) + (device.hopper() ? "a\"" : "\"");
  out += ",\"multiprocessors\":" + std::to_string(device.multiprocessors);
  out += ",\"memory_total\":" + std::to_string(total);
  out += ",\"memory_free\":" + std::to_string(free);
  out += ",\"l2_bytes\":" + std::to_string(device.l2_bytes);
  out += ",\"shared_bytes\":" + std::to_string(device.shared_bytes);
  out += ",\"launches\":" + std::to_string(launches);
  out += ",\"driver\":" + quoted(version(driver));
  out += ",\"libraries\":{\"cudart\":" + quoted(version(runtime));
  out += ",\"cublasLt\":" + (cublaslt.empty() ? "null" : quoted(cublaslt)) + "}";
  return out + "}";
}

}  // namespace topv::cuda
