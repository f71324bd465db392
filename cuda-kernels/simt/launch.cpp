#include "simt/launch.hpp"

#include <algorithm>
#include <cstdarg>
#include <cstdio>
#include <mutex>
#include <numeric>

#include "simt/grid.hpp"

namespace simt {

constexpr uint64_t kMostThreads = 8000;  ///< at once, of ThreadSanitizer, whose limit is 8128

Thread* running = nullptr;
Grid& grid = *new Grid;

std::string name(const Thread& thread) {
  char text[100];
  const uint3 b = thread.block->index, t = thread.index;
  std::snprintf(text, sizeof text, "block(%u,%u,%u) thread(%u,%u,%u)", b.x, b.y, b.z, t.x, t.y, t.z);
  return text;
}

namespace {

[[noreturn]] SIMT_UNSEEN void go_to_main() {
  Thread& thread = self();
  running = &grid.main;
  leave(thread, grid.main);
}

}  // namespace

void fail(const char* file, int line, const char* format, ...) {
  {
    Quiet quiet;
    char text[3000];
    va_list arguments;
    va_start(arguments, format);
    std::vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    grid.error = std::string(text) + " at " + file + ":" + std::to_string(line) + " by " + name(self());
  }
  go_to_main();
}

// ---- what CUDA refuses

uint64_t resident_blocks(const Config& config, unsigned multiprocessors) {
  const uint64_t threads = uint64_t{config.block.x} * config.block.y * config.block.z;
  // A multiprocessor of an H200 has 32 blocks, 228 KB, and registers for 1024 threads at 64 each.
  const uint64_t blocks = multiprocessors * std::min({uint64_t{32}, 1024 / ((threads + 31) / 32 * 32),
                                                      228 * 1024 / (config.shared + 1024)});
  return SIMT_TSAN ? std::min(blocks, kMostThreads / threads) : blocks;
}

namespace {

void refuse(bool condition, const char* what) {
  if (condition) throw Error(std::string("invalid launch: ") + what);
}

}  // namespace

void check(const Config& config) {
  const dim3 &g = config.grid, &b = config.block;
  const uint64_t threads = uint64_t{b.x} * b.y * b.z;
  refuse(threads == 0 || threads > 1024 || b.z > 64, "a block has 1 to 1024 threads, at most 64 along z");
  refuse(g.x == 0 || g.y == 0 || g.z == 0, "an empty grid");
  refuse(g.x > 0x7fffffff || g.y > 65535 || g.z > 65535, "a grid has at most 2^31 - 1, 65535, 65535 blocks");
  refuse(config.shared > SharedMemory::kMost, "a block has at most 227 KB of shared memory");
  refuse(config.cluster == 0 || config.cluster > 16, "a cluster has 1 to 16 blocks");
  refuse(g.x % config.cluster != 0, "a grid is a multiple of the cluster");
  refuse(config.cooperative && uint64_t{g.x} * g.y * g.z > resident_blocks(config, 132),
         "a cooperative grid does not fit the device at once");
}

namespace {

// ---- the life of a thread

/// What waits for this thread waits no longer. Returns who runs next.
Thread& end() {
  Thread& thread = self();
  Block& block = *thread.block;
  Cluster& cluster = *block.cluster;
  const char* place = "the end of the kernel";
  if (!thread.copies.empty()) fail(place, 0, "thread ends with cp.async under way");
  if (thread.stores.reads()) fail(place, 0, "thread ends while a bulk store still reads shared memory");
  if (auto& group = block.warpgroups[thread.linear / 128]; group != nullptr && !group->idle())
    fail(place, 0, "thread ends with wgmma under way");
  thread.warp->exited |= 1u << thread.lane;
  thread.warp->ready &= ~(1u << thread.lane);
  grid.live--;
  cluster.live--;
  block.live--;
  progress();
  lane_ended();
  if (block.live > 0 && block.barrier.arrived >= block.live) open(block.barrier);
  if (cluster.live > 0 && cluster.barrier.arrived >= cluster.live) open(cluster.barrier);
  if (grid.live > 0 && grid.barrier.arrived >= grid.live) open(grid.barrier);
  if (block.live == 0) {
    if (mail_under_way(block))
      fail(place, 0, "block ends while bytes are on their way to or from its shared memory");
    if (!block.shared.close()) fail(place, 0, "shared memory: a write past the end of an array");
  }
  release(&grid);
  if (grid.live == 0) return grid.main;
  Thread* next = choose();
  if (next == nullptr) deadlock();
  return *next;
}

/// Not instrumented: ASan does not know the new stack before entered(), and what runs is no concern of TSan.
__attribute__((no_sanitize("address", "thread"))) void thread_main() {
  entered(grid.main);
  acquire(&grid.body);
  try {
    (*grid.body)();
    self().stores.wait(0);
  } catch (const std::exception& error) {
    fail("the kernel", 0, "exception: %s", error.what());
  }
  Thread& thread = self();
  Thread* next;
  {
    Quiet quiet;
    next = &end();
  }
  running = next;
  leave(thread, *next);
}

// ---- waves

/// Stacks, and TSan's threads that belong to them. TSan tells threads of consecutive waves apart, too: each wave takes the
/// next ones of a pool (they are dear to make, hence kept).
class Contexts {
 public:
  void begin_wave(size_t threads) {
#if SIMT_TSAN
    if (abandoned_) logical_.clear();
    if (threads > kMostThreads)
      throw Error("too many threads at once for ThreadSanitizer: " + std::to_string(threads));
    first_ += threads;
    const size_t pool = std::max(threads, std::min(2 * threads, size_t{4096}));
    stacks_.provide(std::max(pool, logical_.size()));
    while (logical_.size() < pool) logical_.push_back(__tsan_create_fiber(0));
#else
    if (abandoned_) stacks_.clean();
    stacks_.provide(threads);
#endif
    abandoned_ = false;
  }
  void assign(Fiber& fiber, size_t i) {
#if SIMT_TSAN
    i = (first_ + i) % logical_.size();
    fiber.logical = logical_[i];
#endif
    fiber.stack = stacks_.stack(i);
    fiber.stack_bytes = Stacks::kBytes;
  }
  /// An error left threads behind: what they did is over, as the host sees it.
  SIMT_UNSEEN void abandon() {
    abandoned_ = true;
#if SIMT_TSAN
    for (void* thread : logical_) {  // 0: what happened before the switch is seen after it
      __tsan_switch_to_fiber(thread, 0);
      __tsan_switch_to_fiber(grid.main.logical, 0);
    }
#endif
  }

 private:
  Stacks stacks_;
  bool abandoned_ = false;
#if SIMT_TSAN
  std::vector<void*> logical_;
  size_t first_ = 0;
#endif
} contexts;

void set_up(Block& block, uint64_t number, bool same_launch) {
  const dim3& g = grid.config.grid;
  const dim3& b = grid.config.block;
  block.index = {unsigned(number % g.x), unsigned(number / g.x % g.y), unsigned(number / g.x / g.y)};
  block.size = block.live = b.x * b.y * b.z;
  block.barrier = {};
  for (Barrier& barrier : block.named) barrier = {};
  for (auto& group : block.warpgroups) group.reset();
  block.shared.open(same_launch);
  block.warps.resize((block.size + 31) / 32);
  for (size_t w = 0; w < block.warps.size(); w++) {
    Warp& warp = block.warps[w];
    const unsigned lanes = std::min(32u, block.size - unsigned(w) * 32);
    warp.full = warp.ready = warp.all.mask = ~0u >> (32 - lanes);
    warp.exited = warp.all.arrived = 0;
    warp.parts.clear();
    grid.warps.push_back(&warp);
  }
}

void set_up(Thread& thread, size_t number, Block& block, unsigned linear) {
  const dim3& b = grid.config.block;
  thread.number = number;
  thread.block = &block;
  thread.warp = &block.warps[linear / 32];
  thread.lane = linear % 32;
  thread.linear = linear;
  thread.index = {linear % b.x, linear / b.x % b.y, linear / b.x / b.y};
  thread.cluster_arrived = false;
  thread.copies.clear();
  thread.stores.clear();
  thread.warp->lanes[thread.lane] = &thread;
  contexts.assign(thread, number);
  prepare(thread, thread_main);
}

void run_wave(uint64_t first_block, size_t blocks, bool same_launch) {
  const Config& config = grid.config;
  const unsigned size = config.block.x * config.block.y * config.block.z;
  const size_t threads = size * blocks;
  contexts.begin_wave(threads);
  grid.threads_in_use = threads;
  grid.live = unsigned(threads);
  grid.barrier = {};
  grid.mail.clear();
  grid.undelivered = 0;
  grid.error.clear();
  if (grid.threads.size() < threads) grid.threads.resize(threads);
  while (grid.blocks.size() < blocks) grid.blocks.push_back(std::make_unique<Block>());
  grid.clusters.assign(blocks / config.cluster, {});
  grid.warps.clear();
  for (size_t i = 0; i < blocks; i++) {
    Block& block = *grid.blocks[i];
    set_up(block, first_block + i, same_launch);
    block.cluster = &grid.clusters[i / config.cluster];
    block.rank = unsigned(i % config.cluster);
    block.cluster->blocks.push_back(&block);
    block.cluster->live += size;
    for (unsigned t = 0; t < size; t++) set_up(grid.threads[i * size + t], i * size + t, block, t);
  }
  grid.turn = order() == Order::reverse ? grid.warps.size() - 1 : 0;
  progress();
  running = choose();
  switch_fiber(grid.main, *running);
  running = nullptr;
  if (grid.error.empty()) return;
  contexts.abandon();
  throw Error(grid.error);
}

/// Waves begin in the order of their blocks, in the reverse, or anyhow.
uint64_t wave_at(uint64_t i, uint64_t waves) {
  static uint64_t step = 1, start = 0;
  if (order() == Order::forward) return i;
  if (order() == Order::reverse) return waves - 1 - i;
  if (i == 0) {
    start = random_below(unsigned(waves));
    do step = 1 + random_below(unsigned(waves));
    while (std::gcd(step, waves) != 1);
  }
  return (start + i * step) % waves;
}

}  // namespace

void launch(const Config& config, const std::function<void()>& body) {
  static std::mutex turn;
  const std::lock_guard<std::mutex> lock(turn);
  check(config);
  Quiet quiet;
  grid.config = config;
  grid.body = &body;
  grid.main.stack = nullptr;
#if SIMT_TSAN
  grid.main.logical = __tsan_get_current_fiber();
#endif
  release(&grid.body);
  const uint64_t blocks = uint64_t{config.grid.x} * config.grid.y * config.grid.z;
  const uint64_t together = config.cooperative ? blocks : config.cluster, waves = blocks / together;
  for (uint64_t i = 0; i < waves; i++) run_wave(wave_at(i, waves) * together, together, i > 0);
  acquire(&grid);
}

}  // namespace simt
