// wgmma: products of a warpgroup that happen as late as allowed. From issue to wait the accumulators hold NaN; the operands
// in shared memory are read at the wait, by the last of the 128 threads to get there, for all of them.
#pragma once

namespace simt {

inline Warpgroup& warpgroup() {
  auto& group = cur->w->blk->warpgroups[cur->linear / 128];
  if (group == nullptr) group = std::make_unique<Warpgroup>();
  return *group;
}

// ---- descriptors: address in 47 bits, bytes from slab to slab above, in units of 1024

inline uint64_t tile_descriptor(const void* tile, uint32_t slab_bytes, const char* file, int line) {
  if ((uintptr_t(tile) & ~uintptr_t{127}) % 1024 != 0)
    fail(file, line, "wgmma: a tile must be 1024-byte aligned");
  if (slab_bytes % 1024 != 0) fail(file, line, "wgmma: slabs must be a multiple of 1024 bytes apart");
  return uint64_t(uintptr_t(tile)) | uint64_t{slab_bytes / 1024} << 47;
}
inline unsigned char* tile_address(uint64_t descriptor) {
  return reinterpret_cast<unsigned char*>(descriptor & ((uint64_t{1} << 47) - 1));
}

inline float to_float(uint16_t bits, bool half) {
  return half ? half_bits_to_float(bits) : __uint_as_float(uint32_t{bits} << 16);
}
/// Eight elements, in accesses that every sanitizer sees.
inline void load8(const unsigned char* p, bool half, float* out, int step) {
  u64a words[2];
  load16(words, p);
  for (int i = 0; i < 8; i++) out[i * step] = to_float(uint16_t(words[i / 4] >> i % 4 * 16), half);
}

/// out[k][row]: 16 columns k of `rows` rows of a K-major tile.
inline void load_k_major(uint64_t descriptor, int rows, bool half, float* out) {
  unsigned char* tile = tile_address(descriptor);
  for (int row = 0; row < rows; row++)
    for (int k = 0; k < 16; k += 8)
      load8(swizzle128(tile + row * 128 + k * 2), half, out + k * rows + row, rows);
}
/// out[k][column]: 16 rows k of n columns of an MN-major tile.
inline void load_mn_major(uint64_t descriptor, int n, bool half, float* out) {
  unsigned char* tile = tile_address(descriptor);
  const size_t slab_bytes = size_t(descriptor >> 47) * 1024;
  for (int k = 0; k < 16; k++)
    for (int column = 0; column < n; column += 8)
      load8(swizzle128(tile + column / 64 * slab_bytes + k * 128 + column % 64 * 2), half,
            out + k * n + column, 1);
}

/// d += a b, all in float: a [k][64], b [k][n], d [64][n].
SIMT_FAST void multiply_add(const float* __restrict a, const float* __restrict b, float* __restrict d,
                            int n) {
  for (int m = 0; m < 64; m++)
    for (int k = 0; k < 16; k++) {
      const float x = a[k * 64 + m];
      for (int j = 0; j < n; j++) d[m * n + j] += x * b[k * n + j];
    }
}

inline void perform(Warpgroup::Issued& op) {
  static float a[16 * 64], b[16 * 256];
  const Product& p = op.product;
  if (p.a_in_registers) {
    for (int thread = 0; thread < 128; thread++)
      for (int r = 0; r < 4; r++)
        for (int i = 0; i < 2; i++) {
          const int row = thread / 32 * 16 + thread % 32 / 4 + r % 2 * 8, k = thread % 4 * 2 + r / 2 * 8 + i;
          a[k * 64 + row] = to_float(uint16_t(op.a[size_t(thread * 4 + r)] >> 16 * i), p.half);
        }
  } else {
    load_k_major(p.a, 64, p.half, a);
  }
  if (p.mn_major)
    load_mn_major(p.b, p.n, p.half, b);
  else
    load_k_major(p.b, p.n, p.half, b);
  float* d = op.d->d.data();
  if (!p.keep) std::fill_n(d, 64 * p.n, 0.0f);
  multiply_add(a, b, d, p.n);
}

/// Element i of a thread's accumulators, as an index into [64, n].
inline size_t accumulator_index(int thread, int i, int n) {
  const int row = thread / 32 * 16 + thread % 32 / 4 + i % 4 / 2 * 8,
            column = i / 4 * 8 + thread % 4 * 2 + i % 2;
  return size_t(row * n + column);
}

inline void wgmma_fence() {
  Quiet quiet;
  warpgroup().fenced[cur->linear % 128] = true;
}

inline void wgmma(const Product& product, float* d, const uint32_t* a, const char* file, int line) {
  Quiet quiet;
  if (cur->linear / 128 * 128 + 128 > cur->w->blk->nthreads)
    fail(file, line, "wgmma: needs a whole warpgroup of 128 threads");
  Warpgroup& group = warpgroup();
  const int thread = int(cur->linear % 128);
  for (const uint64_t descriptor : {product.a, product.b})
    if (uintptr_t(tile_address(descriptor)) % 16 != 0) fail(file, line, "wgmma: misaligned descriptor");
  if (product.mn_major && product.n > 64 && product.b >> 47 == 0)
    fail(file, line, "wgmma: B is MN-major, but its descriptor (wg_desc) is of a K-major tile");
  if (!product.mn_major && product.b >> 47 != 0)
    fail(file, line, "wgmma: B is K-major, but its descriptor (wg_desc_mn) is of an MN-major tile");
  const size_t number = group.issued[thread]++;
  if (number == group.first + group.queue.size()) {
    std::shared_ptr<Accumulators> accumulators;
    for (auto& other : group.queue)
      if (other.d->thread[thread] == d && other.d->pending > 0) accumulators = other.d;
    if (accumulators == nullptr) {
      accumulators = std::make_shared<Accumulators>();
      accumulators->n = product.n;
      accumulators->d.resize(size_t(64 * product.n));
    }
    accumulators->pending++;
    group.queue.push_back({product, accumulators, {}});
    if (product.a_in_registers) group.queue.back().a.resize(128 * 4);
  }
  Warpgroup::Issued& op = group.queue[number - group.first];
  if (!(op.product == product))
    fail(file, line, "wgmma: the threads of the warpgroup issue different products");
  if (a != nullptr) std::copy_n(a, 4, &op.a[size_t(thread * 4)]);
  if (op.d->n != product.n) fail(file, line, "wgmma: accumulators in use with another shape");
  float*& mine = op.d->thread[thread];
  if (mine == nullptr) {
    if (!group.fenced[thread]) fail(file, line, "wgmma: registers are used without wgmma_fence() before");
    mine = d;
    for (int i = 0; i < product.n / 2; i++) {
      op.d->d[accumulator_index(thread, i, product.n)] = d[i];
      d[i] = NAN;
    }
  } else if (mine != d) {
    fail(file, line, "wgmma: the threads of the warpgroup use different accumulators");
  }
}
inline void wgmma_commit() {
  Quiet quiet;
  Warpgroup& group = warpgroup();
  const int thread = int(cur->linear % 128);
  const size_t number = group.committed[thread]++;
  if (number == group.first_group + group.groups.size()) group.groups.push_back(group.issued[thread]);
  if (group.groups[number - group.first_group] != group.issued[thread])
    fail("wgmma", 0, "wgmma_commit: the threads of the warpgroup commit different products");
}
inline void wgmma_wait(size_t left, const char* file, int line) {
  Quiet quiet;
  Warpgroup& group = warpgroup();
  group.fenced[cur->linear % 128] = false;
  // Arriving releases nothing: that all threads wait for the product orders none of their other writes.
  if (++group.bar.arrived < 128) {
    cur->next = group.bar.head;
    group.bar.head = cur;
    park("wgmma_wait", file, line);
    hb_acquire(&group.bar);
    return;
  }
  while (group.groups.size() > left) {
    for (; group.first < group.groups.front(); group.first++) {
      Warpgroup::Issued& op = group.queue.front();
#ifdef SIMT_TSAN
      AnnotateIgnoreWritesEnd("", 0);
      AnnotateIgnoreReadsEnd("", 0);
      perform(op);
      AnnotateIgnoreReadsBegin("", 0);
      AnnotateIgnoreWritesBegin("", 0);
#else
      perform(op);
#endif
      if (--op.d->pending == 0)
        for (int thread = 0; thread < 128; thread++)
          for (int i = 0; i < op.d->n / 2; i++)
            op.d->thread[thread][i] = op.d->d[accumulator_index(thread, i, op.d->n)];
      group.queue.pop_front();
    }
    group.groups.pop_front();
    group.first_group++;
  }
  hb_release(&group.bar);
  release(group.bar);
}

}  // namespace simt
