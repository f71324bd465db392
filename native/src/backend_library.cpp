// Finds and loads a backend's library.
#include <dlfcn.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <sstream>
#include <vector>

#include "context.hpp"
#include "error.hpp"

namespace topv {
namespace {

/// Only letters, digits and _, so that a name cannot lead out of the directory.
bool plain(const std::string& name) {
  return !name.empty() && name.size() <= 32 &&
         name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_") == std::string::npos;
}

/// Where libtopv.so lies; empty where the loader does not say.
std::vector<std::string> own_directory() {
  Dl_info info;
  if (dladdr(reinterpret_cast<const void*>(&topv_version), &info) == 0 || info.dli_fname == nullptr)
    return {};
  const std::string path = info.dli_fname;
  const size_t slash = path.rfind('/');
  if (slash == std::string::npos) return {};
  return {path.substr(0, slash)};
}

/// libgomp reads this when it is loaded: how long a thread that waits for the others spins before it sleeps. Its default
/// of 300000 (about 15 ms) collapses on a shared machine, 0 costs a wake-up per operation. A gemv of 1024 x 1024 with two
/// threads on two cores: 19 us with 5000 or 300000, 44 us with 0; with ten busy processes beside it on average 0.2 ms with
/// 5000, 1.5 ms with 300000.
void set_thread_defaults() { setenv("GOMP_SPINCOUNT", "5000", 0); }

std::vector<std::string> split(const std::string& list) {
  std::vector<std::string> parts;
  std::istringstream in(list);
  for (std::string part; std::getline(in, part, ':');) {
    if (!part.empty()) parts.push_back(part);
  }
  return parts;
}

void* open_library(const std::string& path) {
  // RTLD_NODELETE: thread pools of the libraries below outlive any context.
  return dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
}

/// Libraries that a backend needs and that a JVM unpacks elsewhere: once loaded, the linker knows them by name.
void load_needed(const std::vector<std::string>& directories) {
  for (const char* name : {"libgomp.so.1", "libdnnl.so.3"}) {
    for (const std::string& directory : directories) {
      if (open_library(directory + "/" + name) != nullptr) break;
    }
  }
}

void* load(const topv_context_params& params) {
  const std::string file = std::string("libtopv_") + params.backend + ".so";
  const bool given = params.directory != nullptr && *params.directory != '\0';
  const std::vector<std::string> directories = given ? split(params.directory) : own_directory();
  set_thread_defaults();
  load_needed(directories);
  std::string why = file + " is in none of the directories given";
  for (const std::string& directory : directories) {
    const std::string path = directory + "/" + file;
    if (void* library = open_library(path)) return library;
    const char* words = dlerror();
    if (access(path.c_str(), F_OK) == 0) why = words;
  }
  if (!given) {
    if (void* library = open_library(file)) return library;
    why = dlerror();
  }
  fail(TOPV_UNSUPPORTED, "context: backend \"%s\" cannot be loaded: %s", params.backend, why.c_str());
}

}  // namespace

std::unique_ptr<Backend> open_backend(const topv_context_params& params) {
  if (params.backend == nullptr) fail(TOPV_INVALID_ARGUMENT, "context: backend is NULL");
  if (!plain(params.backend))
    fail(TOPV_INVALID_ARGUMENT, "context: backend = \"%.40s\" is not a name such as \"cpu\"", params.backend);
  if (params.threads < 0 || params.threads > 4096) {
    fail(TOPV_INVALID_ARGUMENT, "context: threads = %d is not in 0 .. 4096", params.threads);
  }
  if (params.device < 0) fail(TOPV_INVALID_ARGUMENT, "context: device = %d is below 0", params.device);
  const auto* factory = static_cast<const BackendFactory*>(dlsym(load(params), "topv_backend_factory"));
  if (factory == nullptr)
    fail(TOPV_UNSUPPORTED, "context: libtopv_%s.so is not a backend: %s", params.backend, dlerror());
  if (factory->contract_version != TOPV_CONTRACT_VERSION) {
    fail(TOPV_UNSUPPORTED, "context: libtopv_%s.so has contract version %d, libtopv.so has %d",
         params.backend, factory->contract_version, TOPV_CONTRACT_VERSION);
  }
  char words[512] = "";
  Backend* backend = nullptr;
  const topv_status status = factory->create(&params, &backend, words, sizeof words);
  if (status != TOPV_OK) throw Error(status, words);
  return std::unique_ptr<Backend>(backend);
}

}  // namespace topv
