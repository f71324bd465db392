// Copies of the copy engine. Loads are mail: their bytes land when somebody waits for the mbarrier that counts them. Stores
// read shared memory at the wait for reading, and write global memory at the wait for all (or when the thread ends).
#pragma once

namespace simt {

inline void check_bulk(const void* dst, const void* src, size_t bytes, const char* file, int line) {
  if ((uintptr_t(dst) | uintptr_t(src) | bytes) % 16 != 0)
    fail(file, line, "bulk copy: addresses and size must be multiples of 16 bytes");
}
inline void check_box(const TensorMap& map, int rank, const void* shared, const char* file, int line) {
  if (map.rank != rank) fail(file, line, "the tensor map has %d dimensions, not %d", map.rank, rank);
  if (uintptr_t(shared) % (map.swizzled ? 1024 : 128) != 0)
    fail(file, line, "shared memory of a box must be %d-byte aligned", map.swizzled ? 1024 : 128);
}

/// Calls piece(shared, global, bytes) for the pieces of a box: 16 bytes, or one element where the tensor's edge runs
/// through them; global is nullptr outside the tensor.
template <typename F>
void for_each_piece(const TensorMap& map, const Coordinates& at, unsigned char* shared, F&& piece) {
  const int step = 16 / map.element;
  unsigned char* row = shared;
  for (int w = 0; w < map.box[3]; w++)
    for (int z = 0; z < map.box[2]; z++)
      for (int y = 0; y < map.box[1]; y++, row += map.box[0] * map.element) {
        const int64_t index[4] = {0, int64_t{at[1]} + y, int64_t{at[2]} + z, int64_t{at[3]} + w};
        int64_t offset = 0;
        bool inside = true;
        for (int i = 1; i < 4; i++) {
          inside = inside && index[i] >= 0 && index[i] < map.extent[i];
          offset += index[i] * map.stride[i];
        }
        for (int x = 0; x < map.box[0]; x += step) {
          unsigned char* to = row + x * map.element;
          if (map.swizzled) to = swizzle128(to);
          const int64_t first = int64_t{at[0]} + x;
          auto element = [&](int64_t i) {
            return inside && i >= 0 && i < map.extent[0] ? map.base + offset + i * map.element : nullptr;
          };
          if ((element(first) != nullptr) == (element(first + step - 1) != nullptr))
            piece(to, element(first), 16);
          else
            for (int e = 0; e < step; e++) piece(to + e * map.element, element(first + e), map.element);
        }
      }
}

/// In accesses that every sanitizer sees.
inline void copy_piece(void* dst, const void* src, int bytes) {
  if (bytes == 16)
    store16(dst, static_cast<const u64a*>(src)[0], static_cast<const u64a*>(src)[1]);
  else if (bytes == 4)
    *static_cast<u32a*>(dst) = *static_cast<const u32a*>(src);
  else
    *static_cast<u16a*>(dst) = *static_cast<const u16a*>(src);
}
inline void load_box(const TensorMap& map, const Coordinates& at, unsigned char* shared) {
  alignas(16) static const unsigned char zeros[16] = {};
  for_each_piece(map, at, shared, [](unsigned char* to, const unsigned char* from, int bytes) {
    copy_piece(to, from != nullptr ? from : zeros, bytes);
  });
}

// ---- stores

inline void read_source(Store& store) {
  if (!store.read.empty()) return;
  {
    Quiet quiet;
    store.read.resize(store.bytes / 8);
  }
  for (size_t i = 0; i < store.bytes / 8; i++) store.read[i] = reinterpret_cast<const u64a*>(store.src)[i];
}
inline void write_destination(Store& store) {
  read_source(store);
  if (store.map.base == nullptr) {
    for (size_t i = 0; i < store.bytes / 8; i++) reinterpret_cast<u64a*>(store.dst)[i] = store.read[i];
    return;
  }
  // for_each_piece speaks of shared addresses (which the swizzle depends on): translate them to what was read.
  auto* copy = reinterpret_cast<const unsigned char*>(store.read.data());
  auto* base = const_cast<unsigned char*>(store.src);
  for_each_piece(store.map, store.at, base, [&](unsigned char* from, unsigned char* to, int bytes) {
    if (to != nullptr) copy_piece(to, copy + (from - base), bytes);
  });
}

inline void store_bytes(void* dst, const void* src, size_t bytes, const char* file, int line) {
  check_bulk(dst, src, bytes, file, line);
  Quiet quiet;
  cur->stores.push_back({TensorMap{}, {}, (unsigned char*)dst, (const unsigned char*)src, bytes, {}});
}
inline void store_box(const TensorMap& map, int rank, const Coordinates& at, const void* src,
                      const char* file, int line) {
  check_box(map, rank, src, file, line);
  Quiet quiet;
  cur->stores.push_back({map, at, nullptr, (const unsigned char*)src, map.box_bytes(), {}});
}
inline void bulk_commit() {
  Quiet quiet;
  cur->store_groups.push_back(std::move(cur->stores));
  cur->stores.clear();
}
inline void bulk_wait_read(size_t left) {
  auto& groups = self()->store_groups;
  for (size_t i = 0; i + left < groups.size(); i++)
    for (Store& store : groups[i]) read_source(store);
}
inline void bulk_wait(size_t left) {
  auto& groups = self()->store_groups;
  while (groups.size() > left) {
    for (Store& store : groups.front()) write_destination(store);
    Quiet quiet;
    groups.erase(groups.begin());
  }
}
/// A thread ends: its stores may still be under way, but no longer read shared memory.
inline void bulk_finish() {
  bool reading = !self()->stores.empty();
  for (auto& group : self()->store_groups)
    for (auto& store : group) reading = reading || store.read.empty();
  if (reading) fail("kernel end", 0, "thread exits while a bulk store still reads shared memory");
  bulk_wait(0);
}

// ---- loads

inline void land(const Message& m) {
  if (m.map.base != nullptr)
    load_box(m.map, m.at, m.dst);
  else if (m.src != nullptr)
    for (size_t i = 0; i < m.bytes; i += 16) copy_piece(m.dst + i, m.src + i, 16);
  else
    for (size_t i = 0; i < m.bytes; i += 4) copy_piece(m.dst + i, m.values + i, 4);
}

}  // namespace simt
