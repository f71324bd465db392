// cp.async: the destination holds NaN until its group is waited for; the source is read only then.
#pragma once

#include <cstddef>
#include <deque>
#include <vector>

namespace simt {

class CopyGroups {
 public:
  /// dst gets zeros where src is nullptr.
  void add(void* dst, const void* src, unsigned bytes, const char* file, int line);
  void commit();
  void wait(size_t left);
  /// fence.proxy.async: wgmma may read what has landed.
  void fence();
  bool empty() const { return open_.empty() && groups_.empty(); }
  void clear();

 private:
  struct Copy {
    void* dst;
    const void* src;
    unsigned bytes;
  };
  std::vector<Copy> open_;
  std::deque<std::vector<Copy>> groups_;
  std::vector<void*> landed_;  ///< since the last fence
};

}  // namespace simt
