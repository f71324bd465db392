#include "library.hpp"

#include <dlfcn.h>

#include <cstdlib>

#include "error.hpp"

namespace flash_attn {
namespace {

/// Where this library lies, with a slash; empty where the loader does not say.
std::string own_directory() {
  Dl_info info;
  if (dladdr(reinterpret_cast<const void*>(&flash_attn_version), &info) == 0 || info.dli_fname == nullptr)
    return {};
  const std::string path = info.dli_fname;
  return path.substr(0, path.rfind('/') + 1);
}

}  // namespace

Library::Library(const char* given, const char* variable, const char* file,
                 const std::vector<std::string>& directories) {
  std::vector<std::string> places;
  const char* named = std::getenv(variable);
  if (given != nullptr && *given != '\0') {
    places = {given};
  } else if (named != nullptr && *named != '\0') {
    places = {named};
  } else {
    if (!own_directory().empty()) places.push_back(own_directory() + file);
    for (const std::string& directory : directories) places.push_back(directory + "/" + file);
    places.push_back(file);
  }
  std::string reasons;
  for (const std::string& place : places) {
    // RTLD_NODELETE: thread pools and CUDA's own clean-up outlive any context.
    handle_ = dlopen(place.c_str(), RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
    if (handle_ != nullptr) {
      path_ = place;
      return;
    }
    reasons += std::string("\n  ") + dlerror();
  }
  fail(FLASH_ATTN_LIBRARY_NOT_FOUND, "%s was not found (%s names another file):%s", file, variable,
       reasons.c_str());
}

void* Library::find(const char* symbol) const { return dlsym(handle_, symbol); }

void Library::missing(const char* symbol) const {
  fail(FLASH_ATTN_UNSUPPORTED, "%s has no %s: its version is too old or too new", path_.c_str(), symbol);
}

}  // namespace flash_attn
