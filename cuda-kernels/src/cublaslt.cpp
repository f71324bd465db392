#include "cublaslt.hpp"

#include <dlfcn.h>
#include <glob.h>

#include <cstdlib>
#include <string>
#include <vector>

namespace topv::cuda::lt {
namespace {

constexpr char kFile[] = "libcublasLt.so.13";

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value != nullptr ? value : "";
}

/// Files to try, in order; a name without '/' is looked up by the loader.
std::vector<std::string> candidates() {
  if (const std::string given = variable("TOPV_CUBLASLT"); !given.empty()) return {given};
  std::vector<std::string> files;
  for (const char* name : {"CUDA_HOME", "CUDA_PATH"}) {
    if (const std::string home = variable(name); !home.empty()) files.push_back(home + "/lib64/" + kFile);
  }
  files.push_back(kFile);
  files.push_back(std::string("/usr/local/cuda/lib64/") + kFile);
  for (const std::string& root :
       {variable("VIRTUAL_ENV"), variable("CONDA_PREFIX"), std::string("/usr/local"), std::string("/usr"),
        std::string("/opt/conda"), variable("HOME") + "/.local"}) {
    for (const char* packages : {"site-packages", "dist-packages"}) {
      if (!root.empty()) files.push_back(root + "/lib/python3*/" + packages + "/nvidia/cu13/lib/" + kFile);
    }
  }
  return files;
}

/// The files that a pattern stands for.
std::vector<std::string> expand(const std::string& pattern) {
  if (pattern.find('*') == std::string::npos) return {pattern};
  std::vector<std::string> files;
  glob_t found = {};
  if (glob(pattern.c_str(), 0, nullptr, &found) == 0) {
    for (size_t i = 0; i < found.gl_pathc; ++i) files.emplace_back(found.gl_pathv[i]);
  }
  globfree(&found);
  return files;
}

/// The library, or words that say why not.
struct Opened {
  Library library = {};
  std::string words;

  Opened() {
    void* handle = nullptr;
    std::string places;
    for (const std::string& pattern : candidates()) {
      places += (places.empty() ? "" : ", ") + pattern;
      for (const std::string& file : expand(pattern)) {
        if (handle == nullptr) handle = dlopen(file.c_str(), RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
      }
    }
    if (handle == nullptr) {
      words = std::string(
                  "cuBLASLt is not found (pip install nvidia-cublas, or set TOPV_CUBLASLT to its file). "
                  "Looked for: ") +
              places;
      return;
    }
#define TOPV_LOOK_UP(member, name, ...)                                              \
  library.member = reinterpret_cast<decltype(library.member)>(dlsym(handle, #name)); \
  if (library.member == nullptr) words = std::string("cuBLASLt has no function ") + #name;
    TOPV_CUBLASLT(TOPV_LOOK_UP)
#undef TOPV_LOOK_UP
  }
};

}  // namespace

void Library::check(Status status, const char* what) const {
  if (status != kSuccess) fail(TOPV_BACKEND_ERROR, "%s: cuBLASLt: %s", what, status_string(status));
}

const Library& open() {
  static const Opened opened;
  if (!opened.words.empty()) throw Error(TOPV_UNSUPPORTED, ("gemm: " + opened.words).c_str());
  return opened.library;
}

}  // namespace topv::cuda::lt
