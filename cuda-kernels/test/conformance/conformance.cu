// What each wrapper of common/ptx/ does, by itself: one small kernel per wrapper, its result against plain arithmetic of
// the host. The same files run on the emulation (conformance) and on a GPU (conformance_cuda): what passes on both means the
// same on both, and the emulation may stand in for the GPU in all that is built on the wrappers.
//
// A group of wrappers per file, a line of output per wrapper.
#include "conformance.hpp"

namespace topv::cuda::conformance {
namespace {

int failures = 0;

void all() {
  mma();
  async_copies();
  threads();
  if (!test_hopper()) {
    std::puts("skipped: clusters, TMA, wgmma (not a Hopper)");
    return;
  }
  clusters();
  bulk_copies();
  tensor_maps();
  wgmma();
}

}  // namespace

void compare(const std::string& name, const std::vector<float>& actual, const std::vector<double>& expected,
             double allowed) {
  double worst = actual.size() == expected.size() ? 0 : INFINITY;
  uint64_t sum = 14695981039346656037ull;  // FNV-1a of the bits
  for (size_t i = 0; i < actual.size() && i < expected.size(); i++) {
    const double difference = std::fabs(actual[i] - expected[i]);
    if (!(difference <= worst)) worst = difference;  // a NaN stays
    uint32_t bits;
    std::memcpy(&bits, &actual[i], 4);
    sum = (sum ^ bits) * 1099511628211ull;
  }
  const bool passed = worst <= allowed;
  if (!passed) failures++;
  std::printf("%-6s %-28s off by %-10.3g allowed %-10.3g bits %016llx\n", passed ? "ok" : "FAILED",
              name.c_str(), worst, allowed, static_cast<unsigned long long>(sum));
}

}  // namespace topv::cuda::conformance

int main() {
  try {
    topv::cuda::conformance::all();
  } catch (const std::exception& error) {
    std::printf("FAILED %s\n", error.what());
    return 1;
  }
  std::printf("%d failures\n", topv::cuda::conformance::failures);
  return topv::cuda::conformance::failures == 0 ? 0 : 1;
}
