#include "simt/wgmma.hpp"

#include <algorithm>

#include "simt/scheduler.hpp"
#include "simt/tensor_core.hpp"
#include "simt/thread.hpp"

namespace simt {
namespace {

constexpr uint32_t kWindow = 1 << 18;  ///< shared memory addresses

/// A field of 14 bits, in bytes.
uint32_t field(uint64_t bits, int shift) { return uint32_t(bits >> shift & 0x3fff) << 4; }
uint32_t window(const void* p) { return uint32_t(uintptr_t(p)) % kWindow; }

/// Where the emulation has element (mn, k).
unsigned char* address(const Descriptor& descriptor, bool mn_major, int mn, int k) {
  const uint32_t distance =
      operand_address(descriptor.bits, mn_major, mn, k) - window(descriptor.tile) + kWindow / 2;
  return descriptor.tile + (int64_t{distance % kWindow} - kWindow / 2);
}

float value(uint16_t bits, bool half) {
  return half ? half_bits_to_float(bits) : __uint_as_float(uint32_t{bits} << 16);
}

/// Eight elements, in accesses that every sanitizer sees.
void load8(const unsigned char* p, bool half, float* out, int step) {
  const auto* words = reinterpret_cast<const Word64*>(p);
  const uint64_t bits[2] = {words[0], words[1]};
  for (int i = 0; i < 8; i++) out[i * step] = value(uint16_t(bits[i / 4] >> i % 4 * 16), half);
}
/// out [16, rows]: 16 columns k of all rows of a K-major tile.
void load_k_major(const Descriptor& descriptor, int rows, bool half, float* out) {
  for (int row = 0; row < rows; row++)
    for (int k = 0; k < 16; k += 8)
      load8(address(descriptor, false, row, k), half, out + k * rows + row, rows);
}
/// out [16, n]: 16 rows k of n columns of an MN-major tile.
void load_mn_major(const Descriptor& descriptor, int n, bool half, float* out) {
  for (int k = 0; k < 16; k++)
    for (int column = 0; column < n; column += 8)
      load8(address(descriptor, true, column, k), half, out + k * n + column, 1);
}

/// Where element i of a thread's accumulators is in [64, n].
int place(int thread, int i, int n) {
  const int row = thread / 32 * 16 + thread % 32 / 4 + i % 4 / 2 * 8,
            column = i / 4 * 8 + thread % 4 * 2 + i % 2;
  return row * n + column;
}

}  // namespace

uint32_t operand_address(uint64_t bits, bool mn_major, int mn, int k) {
  const uint32_t leading = field(bits, 16), stride = field(bits, 32), m = uint32_t(mn), row = uint32_t(k);
  const uint32_t offset = mn_major ? m % 64 * 2 + m / 64 * leading + row % 8 * 128 + row / 8 * stride
                                   : m % 8 * 128 + m / 8 * stride + row * 2;
  const uint32_t place = (field(bits, 0) + offset) % kWindow;
  return place ^ (place >> 7 & 7) << 4;
}

Descriptor descriptor(uint64_t bits, const void* tile, Site site) {
  const uint64_t unused = uint64_t{3} << 14 | uint64_t{3} << 30 | uint64_t{0xffff} << 46;
  if ((bits & unused) != 0 || bits >> 62 != 1)
    fail(site.file, site.line, "wgmma: the descriptor is not of a tile with 128-byte swizzle");
  if (uintptr_t(tile) % 1024 != 0 || field(bits, 32) % 1024 != 0)
    fail(site.file, site.line, "wgmma: tiles, and eight rows of them, begin at multiples of 1024 bytes");
  return {bits, const_cast<unsigned char*>(static_cast<const unsigned char*>(tile))};
}

Warpgroup& warpgroup(Site site) {
  Block& block = *self().block;
  if (self().linear / 128 * 128 + 128 > block.size)
    fail(site.file, site.line, "wgmma: needs a whole warpgroup of 128 threads");
  auto& group = block.warpgroups[self().linear / 128];
  if (group == nullptr) group = std::make_unique<Warpgroup>();
  return *group;
}

int Warpgroup::index() { return int(self().linear % kThreads); }

void Warpgroup::check_fenced(const Descriptor& descriptor, bool mn_major, int size, Site site) {
  const SharedMemory& shared = self().block->shared;
  if (!shared.any_unfenced()) return;
  for (int mn = 0; mn < size; mn += mn_major ? 8 : 1)
    for (int k = 0; k < 16; k += mn_major ? 1 : 8)
      if (shared.unfenced(address(descriptor, mn_major, mn, k)))
        fail(site.file, site.line, "wgmma: an operand came by cp.async, and fence_proxy_async() is missing");
}

void Warpgroup::issue(const Product& product, float* d, const uint32_t* a, Site site) {
  const int thread = index();
  if (product.mn_major && product.n > 64 && field(product.b.bits, 16) % 1024 != 0)
    fail(site.file, site.line, "wgmma: the slabs of B are %u bytes apart, expected a multiple of 1024",
         field(product.b.bits, 16));
  const size_t number = mine().issued++;
  if (number == first_issued_ + queue_.size()) {  // the first to issue it
    if (!product.a_in_registers) check_fenced(product.a, false, 64, site);
    check_fenced(product.b, product.mn_major, product.n, site);
    std::shared_ptr<Accumulators> accumulators;
    for (Issued& other : queue_)
      if (other.accumulators->of[thread] == d) accumulators = other.accumulators;
    if (accumulators == nullptr) {
      accumulators = std::make_shared<Accumulators>();
      accumulators->n = product.n;
      accumulators->d.resize(size_t(64 * product.n));
    }
    accumulators->pending++;
    queue_.push_back(
        {product, std::move(accumulators), std::vector<uint32_t>(product.a_in_registers ? kThreads * 4 : 0)});
  }
  Issued& issued = queue_[number - first_issued_];
  Accumulators& all = *issued.accumulators;
  const Product& same = issued.product;
  if (same.n != product.n || same.half != product.half || same.mn_major != product.mn_major ||
      same.keep != product.keep || same.a_in_registers != product.a_in_registers || !(same.a == product.a) ||
      !(same.b == product.b))
    fail(site.file, site.line, "wgmma: the threads of the warpgroup issue different products");
  if (a != nullptr) std::copy_n(a, 4, &issued.a[size_t(thread * 4)]);
  if (all.n != product.n) fail(site.file, site.line, "wgmma: the accumulators are in use with another shape");
  if (all.of[thread] == nullptr) {
    if (!mine().fenced) fail(site.file, site.line, "wgmma: its registers are not fenced by wgmma_fence()");
    all.of[thread] = d;
    for (int i = 0; i < product.n / 2; i++) {
      all.d[size_t(place(thread, i, product.n))] = d[i];
      d[i] = NAN;
    }
  } else if (all.of[thread] != d) {
    fail(site.file, site.line, "wgmma: the threads of the warpgroup use different accumulators");
  }
}

void Warpgroup::commit(Site site) {
  const size_t number = mine().committed++;
  if (number == first_group_ + groups_.size()) groups_.push_back(mine().issued);
  if (groups_[number - first_group_] != mine().issued)
    fail(site.file, site.line, "wgmma: the threads of the warpgroup commit different products");
}

void Warpgroup::perform(Issued& issued) {
  const Product& product = issued.product;
  if (product.a_in_registers) {
    for (int thread = 0; thread < kThreads; thread++)
      for (int r = 0; r < 4; r++)
        for (int i = 0; i < 2; i++) {
          const int row = thread / 32 * 16 + thread % 32 / 4 + r % 2 * 8, k = thread % 4 * 2 + r / 2 * 8 + i;
          a_[k * 64 + row] = value(uint16_t(issued.a[size_t(thread * 4 + r)] >> 16 * i), product.half);
        }
  } else {
    Loud loud;
    load_k_major(product.a, 64, product.half, a_);
  }
  {
    Loud loud;
    if (product.mn_major)
      load_mn_major(product.b, product.n, product.half, b_);
    else
      load_k_major(product.b, product.n, product.half, b_);
  }
  Accumulators& all = *issued.accumulators;
  if (!product.keep) std::fill(all.d.begin(), all.d.end(), 0.0f);
  multiply_add(a_, b_, all.d.data(), 64, product.n, 16, 25, product.half ? -14 : -126);
  if (--all.pending > 0) return;
  for (int thread = 0; thread < kThreads; thread++)
    for (int i = 0; i < product.n / 2; i++) all.of[thread][i] = all.d[size_t(place(thread, i, product.n))];
}

void Warpgroup::wait(size_t left, Site site) {
  mine().fenced = false;
  if (mine().committed < first_group_ + groups_.size() || mine().issued < first_issued_ + queue_.size())
    fail(site.file, site.line, "wgmma_wait: other threads of the warpgroup have issued more products");
  // Arriving releases nothing: that all threads wait for the product orders none of their other writes.
  if (++barrier_.arrived < kThreads) {
    simt::wait(barrier_, "wgmma_wait", site);
  } else {
    for (; groups_.size() > left; groups_.pop_front(), first_group_++)
      for (; first_issued_ < groups_.front(); queue_.pop_front(), first_issued_++) perform(queue_.front());
    release(&barrier_);
    open(barrier_);
  }
  acquire(&barrier_);
}

}  // namespace simt
