#include "simt/copy.hpp"

#include "simt/error.hpp"
#include "simt/sanitizers.hpp"
#include "simt/thread.hpp"

namespace simt {

void CopyGroups::add(void* dst, const void* src, unsigned bytes, const char* file, int line) {
  if ((uintptr_t(dst) | uintptr_t(src)) % bytes != 0)
    fail(file, line, "cp.async: an address is not %u-byte aligned", bytes);
  poison_words(dst, bytes);
  Quiet quiet;
  open_.push_back({dst, src, bytes});
}

void CopyGroups::commit() {
  Quiet quiet;
  groups_.push_back(std::move(open_));
  open_.clear();
}

void CopyGroups::wait(size_t left) {
  Quiet quiet;
  static const Word64 zeros[2] = {};
  for (; groups_.size() > left; groups_.pop_front())
    for (const Copy& copy : groups_.front()) {
      {
        Loud loud;
        copy_words(copy.dst, copy.src != nullptr ? copy.src : zeros, copy.bytes);
      }
      self().block->shared.landed(copy.dst);
      landed_.push_back(copy.dst);
    }
}

void CopyGroups::fence() {
  Quiet quiet;
  for (const void* piece : landed_) self().block->shared.fenced(piece);
  landed_.clear();
}

void CopyGroups::clear() {
  open_.clear();
  groups_.clear();
  landed_.clear();
}

}  // namespace simt
