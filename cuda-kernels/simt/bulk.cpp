#include "simt/bulk.hpp"

namespace simt {

void check_bulk(const void* dst, const void* src, size_t bytes, const char* file, int line) {
  if ((uintptr_t(dst) | uintptr_t(src) | bytes) % 16 != 0)
    fail(file, line, "bulk copy: addresses and size must be multiples of 16 bytes");
}

void check_box(const TensorMap& map, int rank, const void* shared, const char* file, int line) {
  if (map.rank != rank) fail(file, line, "TMA: the tensor map has %d dimensions, not %d", map.rank, rank);
  const uintptr_t alignment = map.swizzled ? 1024 : 128;
  if (uintptr_t(shared) % alignment != 0)
    fail(file, line, "TMA: shared memory of this box must be %d-byte aligned", int(alignment));
}

void load_box(const TensorMap& map, const Coordinates& at, unsigned char* shared) {
  static const Word64 zeros[2] = {};
  for_each_piece(map, at, shared, [](unsigned char* to, const unsigned char* from, int bytes) {
    copy_words(to, from != nullptr ? static_cast<const void*>(from) : zeros, size_t(bytes));
  });
}

namespace {

void read_source(Store& store) {
  if (!store.read.empty()) return;
  store.read.resize(store.bytes / 8);
  Loud loud;
  copy_words(store.read.data(), store.src, store.bytes);
}

void write_destination(Store& store) {
  read_source(store);
  auto* copy = reinterpret_cast<unsigned char*>(store.read.data());
  Loud loud;
  if (store.map.base == nullptr) return copy_words(store.dst, copy, store.bytes);
  // The swizzle depends on the shared address: pieces are named by it, and translated to the copy.
  for_each_piece(store.map, store.at, store.src, [&](unsigned char* from, unsigned char* to, int bytes) {
    if (to != nullptr) copy_words(to, copy + (from - store.src), size_t(bytes));
  });
}

}  // namespace

void StoreGroups::add_bytes(void* dst, const void* src, size_t bytes, const char* file, int line) {
  check_bulk(dst, src, bytes, file, line);
  Quiet quiet;
  open_.push_back({{},
                   {},
                   static_cast<unsigned char*>(dst),
                   static_cast<unsigned char*>(const_cast<void*>(src)),
                   bytes,
                   {}});
}

void StoreGroups::add_box(const TensorMap& map, int rank, const Coordinates& at, const void* src,
                          const char* file, int line) {
  check_box(map, rank, src, file, line);
  Quiet quiet;
  open_.push_back(
      {map, at, nullptr, static_cast<unsigned char*>(const_cast<void*>(src)), map.box_bytes(), {}});
}

void StoreGroups::commit() {
  Quiet quiet;
  groups_.push_back(std::move(open_));
  open_.clear();
}

void StoreGroups::wait_read(size_t left) {
  Quiet quiet;
  for (size_t i = 0; i + left < groups_.size(); i++)
    for (Store& store : groups_[i]) read_source(store);
}

void StoreGroups::wait(size_t left) {
  Quiet quiet;
  for (; groups_.size() > left; groups_.pop_front())
    for (Store& store : groups_.front()) write_destination(store);
}

bool StoreGroups::reads() const {
  for (const auto& group : groups_)
    for (const Store& store : group)
      if (store.read.empty()) return true;
  return !open_.empty();
}

void StoreGroups::clear() {
  open_.clear();
  groups_.clear();
}

}  // namespace simt
