// The backends under test: the CPU at all its levels, or what TOPV_TEST_BACKEND names, "simt" or "cuda".
//
// On a device the tests run as they are. An operation of test::Context waits for its results, and host memory that it
// was given is gone when it returns. The memory of the tests is the device's, too (pinned.hpp).
#pragma once

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "topv/backend.hpp"
#include "topv/topv.hpp"

namespace test {

inline std::string& where() {
  static std::string text;
  return text;
}

/// The backend under test where it is not the CPU, else NULL.
inline const char* device_backend() { return std::getenv("TOPV_TEST_BACKEND"); }

/// On the emulated device every instruction of a kernel takes some thousand of the host's: take small shapes.
inline bool emulated() { return device_backend() != nullptr && std::strcmp(device_backend(), "simt") == 0; }
/// Under ThreadSanitizer it is slower by another factor of ten: TOPV_TEST_SMALL asks for the smallest shapes that still take
/// every path.
inline bool small() { return std::getenv("TOPV_TEST_SMALL") != nullptr; }
/// All of these sizes; where small shapes are asked for, the first, the middle and the last.
inline std::vector<int> few(std::initializer_list<int> all) {
  if (!small()) return all;
  return {all.begin()[0], all.begin()[all.size() / 2], all.end()[-1]};
}

/// Whether this build has the CPU backend; not where the emulated device alone is built, for a sanitizer.
inline bool has_cpu() {
#ifdef TOPV_TEST_CPU
  return true;
#else
  std::puts("no CPU backend in this build to compare with: skipped");
  return false;
#endif
}

/// Whether data that is wrong in device memory is found before anything is written: on the CPU. A device skips the bad
/// elements and reports them afterwards.
inline bool writes_nothing_when_refused() { return device_backend() == nullptr; }

/// Host memory for the time of one call: overwritten and freed when the call has returned.
class Lent {
 public:
  ~Lent() {
    for (const Piece& piece : pieces_) std::memset(piece.memory.get(), 0xee, piece.bytes);
  }
  template <typename T>
  T* copy(const T* array, int64_t count) {
    if (array == nullptr || count < 1 || count > 4096) return const_cast<T*>(array);
    const size_t bytes = static_cast<size_t>(count) * sizeof(T);
    pieces_.push_back({std::unique_ptr<unsigned char[]>(new unsigned char[bytes]), bytes});
    std::memcpy(pieces_.back().memory.get(), array, bytes);
    return reinterpret_cast<T*>(pieces_.back().memory.get());
  }

 private:
  struct Piece {
    std::unique_ptr<unsigned char[]> memory;
    size_t bytes;
  };
  std::vector<Piece> pieces_;
};

/// Lends what topv.h marks [host] among the params of an operation.
template <typename Params>
void lend(Lent&, Params&) {}
inline void lend(Lent& lent, topv_kv_gather_params& p) {
  p.k_caches = lent.copy(p.k_caches, p.layer_count);
  p.v_caches = lent.copy(p.v_caches, p.layer_count);
}
inline void lend(Lent& lent, topv_transport_cost_params& p) {
  p.grid_w = lent.copy(p.grid_w, p.images);
  p.grid_h = lent.copy(p.grid_h, p.images);
}
inline void lend(Lent& lent, topv_sinkhorn_params& p) { p.tokens = lent.copy(p.tokens, p.images); }
inline void lend(Lent& lent, topv_token_select_params& p) {
  p.tokens = lent.copy(p.tokens, p.images);
  p.top = lent.copy(p.top, p.images);
}

class Context : public topv::Context {
 public:
  using topv::Context::Context;

#define TOPV_WAIT(name, Params)                                            \
  void name(const Params& params, const topv::Stream& stream = {}) const { \
    finish(&topv_##name, params, stream);                                  \
  }
  TOPV_OPS(TOPV_WAIT)
#undef TOPV_WAIT

 private:
  template <typename Params>
  void finish(topv_status (*operation)(topv_context*, topv_stream*, const Params*), const Params& params,
              const topv::Stream& stream) const {
    {
      Lent lent;
      Params* const own = lent.copy(&params, 1);
      lend(lent, *own);
      check(operation(get(), stream.get(), own));
    }
    synchronize(stream);
  }
};

/// Opens the device under test, and sees to it that it is one.
inline Context open_device() {
  Context context(device_backend());
  const bool gpu = context.describe().find("\"device\":\"NVIDIA") != std::string::npos;
  if (gpu == emulated()) throw std::runtime_error("this is not the device under test: " + context.describe());
  return context;
}

/// Levels of topv_context_params.isa that this process is to test: all that the CPU has, or TOPV_TEST_ISA alone.
inline const std::vector<std::string>& levels() {
  static const std::vector<std::string> found = [] {
    const char* only = std::getenv("TOPV_TEST_ISA");
    std::vector<std::string> names;
    // Best first: oneDNN keeps the level of the process's first context.
    for (const char* name : {"amx", "avx512_bf16", "avx512", "avx2"}) {
      if (only != nullptr && std::strcmp(only, name) != 0) continue;
      try {
        topv::Context("cpu", 1, name);
        names.push_back(name);
      } catch (const topv::Exception&) {
      }
    }
    if (names.empty()) {
      std::puts("no level to test on this CPU: skipped");
      std::exit(77);
    }
    return names;
  }();
  return found;
}

/// Runs body for every level of the CPU, with 1 and with 2 threads; or once on the device under test.
inline void for_each_context(const std::function<void(Context&)>& body) {
  if (device_backend() != nullptr) {
    Context context = open_device();
    where() = device_backend();
    body(context);
  } else {
    for (const std::string& level : levels()) {
      for (const int threads : {1, 2}) {
        Context context("cpu", threads, level.c_str());
        where() = "cpu " + level + " threads " + std::to_string(threads);
        body(context);
      }
    }
  }
  where().clear();
}

/// Runs body(one, other) with two contexts that must give the same bits: for every level of the CPU with 1 thread and
/// with several, or twice on the device under test.
inline void for_each_pair(const std::function<void(Context&, Context&)>& body, int threads = 2) {
  if (device_backend() != nullptr) {
    Context one = open_device(), other = open_device();
    where() = device_backend();
    body(one, other);
  } else {
    for (const std::string& level : levels()) {
      Context one("cpu", 1, level.c_str()), other("cpu", threads, level.c_str());
      where() = "cpu " + level;
      body(one, other);
    }
  }
  where().clear();
}

/// Whether a test about the CPU backend alone has nothing to do here; says so.
inline bool skipped_on_device(const char* why) {
  if (device_backend() == nullptr) return false;
  std::printf("skip   %s on %s\n", why, device_backend());
  return true;
}

}  // namespace test
