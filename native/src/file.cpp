// Mapped files and the process's memory: host matters that need no backend.
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

#include "guard.hpp"
#include "thread_message.hpp"

using topv::fail;
using topv::guard;

namespace {

/// Closes on the way out.
struct Descriptor {
  int value;
  ~Descriptor() {
    if (value >= 0) close(value);
  }
};

}  // namespace

extern "C" {

topv_status topv_map_file(const char* path, const void** data, int64_t* bytes) {
  return guard(topv::thread_message(), [&] {
    if (data == nullptr || bytes == nullptr)
      fail(TOPV_INVALID_ARGUMENT, "map_file: %s is NULL", data ? "bytes" : "data");
    *data = nullptr;
    *bytes = 0;
    if (path == nullptr) fail(TOPV_INVALID_ARGUMENT, "map_file: path is NULL");
    // O_NONBLOCK: a FIFO must not block here; it is refused below.
    const Descriptor file{open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)};
    if (file.value < 0) fail(TOPV_IO_ERROR, "map_file: cannot open %s: %s", path, std::strerror(errno));
    struct stat info;
    if (fstat(file.value, &info) != 0) fail(TOPV_IO_ERROR, "map_file: %s: %s", path, std::strerror(errno));
    if (S_ISDIR(info.st_mode)) fail(TOPV_IO_ERROR, "map_file: %s is a directory", path);
    if (!S_ISREG(info.st_mode)) fail(TOPV_IO_ERROR, "map_file: %s is not a regular file", path);
    if (info.st_size == 0) return;
    void* memory = mmap(nullptr, static_cast<size_t>(info.st_size), PROT_READ, MAP_SHARED, file.value, 0);
    if (memory == MAP_FAILED) fail(TOPV_IO_ERROR, "map_file: cannot map %s: %s", path, std::strerror(errno));
    // Weights are read whole soon: let the system read ahead. Only a hint, so its result does not matter.
    madvise(memory, static_cast<size_t>(info.st_size), MADV_WILLNEED);
    *data = memory;
    *bytes = info.st_size;
  });
}

topv_status topv_unmap_file(const void* data, int64_t bytes) {
  return guard(topv::thread_message(), [&] {
    if (data == nullptr) return;
    if (bytes <= 0)
      fail(TOPV_INVALID_ARGUMENT, "unmap_file: bytes = %lld is below 1", static_cast<long long>(bytes));
    if (munmap(const_cast<void*>(data), static_cast<size_t>(bytes)) != 0) {
      fail(TOPV_INVALID_ARGUMENT, "unmap_file: %s", std::strerror(errno));
    }
  });
}

topv_status topv_release_file(const void* data, int64_t bytes) {
  return guard(topv::thread_message(), [&] {
    if (bytes < 0)
      fail(TOPV_INVALID_ARGUMENT, "release_file: bytes = %lld is below 0", static_cast<long long>(bytes));
    if (bytes == 0) return;
    if (data == nullptr) fail(TOPV_INVALID_ARGUMENT, "release_file: data is NULL");
    // The pages at both ends go, too: a neighbour that lies there, too, comes back when it is read.
    const auto page = static_cast<uintptr_t>(sysconf(_SC_PAGESIZE));
    const uintptr_t begin = reinterpret_cast<uintptr_t>(data) / page * page;
    const uintptr_t end = reinterpret_cast<uintptr_t>(data) + static_cast<uintptr_t>(bytes);
    if (madvise(reinterpret_cast<void*>(begin), end - begin, MADV_DONTNEED) != 0) {
      fail(TOPV_INVALID_ARGUMENT, "release_file: %s", std::strerror(errno));
    }
  });
}

int64_t topv_peak_memory(void) {
  std::FILE* file = std::fopen("/proc/self/status", "re");
  if (file == nullptr) return 0;
  char line[256];
  long long kilobytes = 0;
  while (std::fgets(line, sizeof line, file) != nullptr) {
    if (std::sscanf(line, "VmHWM: %lld", &kilobytes) == 1) break;
  }
  std::fclose(file);
  return kilobytes * 1024;
}

}  // extern "C"
