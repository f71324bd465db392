// A provider's shared library, opened at run time.
#pragma once

#include <string>
#include <vector>

namespace flash_attn {

class Library {
 public:
  /// Loads the file given; else what the environment variable names; else, in turn, file in own_directory() and in the
  /// other directories, and by the loader's path. Throws FLASH_ATTN_LIBRARY_NOT_FOUND with every place and its reason.
  Library(const char* given, const char* variable, const char* file,
          const std::vector<std::string>& directories = {});

  const std::string& path() const { return path_; }

  /// NULL where the library (and those that it needs) has no such symbol.
  void* find(const char* symbol) const;

  template <typename Function>
  void find(const char* symbol, Function*& function) const {
    function = reinterpret_cast<Function*>(find(symbol));
  }

  /// Throws FLASH_ATTN_UNSUPPORTED where it is missing.
  template <typename Function>
  void require(const char* symbol, Function*& function) const {
    find(symbol, function);
    if (function == nullptr) missing(symbol);
  }

 private:
  [[noreturn]] void missing(const char* symbol) const;

  void* handle_ = nullptr;
  std::string path_;
};

}  // namespace flash_attn
