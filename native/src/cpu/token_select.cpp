// Per image: the top[m] tokens of largest importance, and every recover_every-th of the others; ascending.
#include <algorithm>
#include <cmath>
#include <limits>

#include "cpu/kernel.hpp"

namespace topv::cpu::TOPV_ISA {
namespace {

/// Moves the indices of the top largest to the front of order.
void partition_top(const float* importance, int n, int top, int32_t* order) {
  for (int i = 0; i < n; ++i) order[i] = i;
  if (top == 0 || top == n) return;
  const auto value = [&](int32_t i) {
    return std::isnan(importance[i]) ? -std::numeric_limits<float>::infinity() : importance[i];
  };
  std::nth_element(order, order + top, order + n, [&](int32_t i, int32_t j) {
    const float a = value(i), b = value(j);
    return a != b ? a > b : i < j;
  });
}

}  // namespace

void token_select(Team& team, const topv_token_select_params& p) {
  int32_t most = 0;
  for (int m = 0; m < p.images; ++m) most = std::max(most, p.tokens[m]);
  int32_t* order = team.scratch<int32_t>(most);
  const float* importance = p.importance;
  int32_t* kept = p.kept;
  for (int m = 0; m < p.images; ++m) {
    const int n = p.tokens[m], top = p.top[m];
    partition_top(importance, n, top, order);
    std::sort(order + top, order + n);
    int count = top;
    if (p.recover_every > 0) {
      for (int i = top; i < n; i += p.recover_every) order[count++] = order[i];
    }
    std::sort(order, order + count);
    kept = std::copy(order, order + count, kept);
    importance += n;
  }
}

}  // namespace topv::cpu::TOPV_ISA
