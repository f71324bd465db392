// The complete selection, features to kept tokens, against the double-precision reference.
#include <memory>

#include "topv_case.hpp"

namespace {

const int kCases = test::small() ? 5 : 200;  // per solver
constexpr double kTie = 2e-4;  // relative gap of importances below which the float32 order may differ
constexpr int kRecover = 4;

struct Outcome {
  int cases = 0, ties = 0;
};

/// Tokens whose importance is within the tolerance of the last one kept or of the first one pruned.
std::vector<bool> tied(const reference::Values& importance, int top) {
  reference::Values sorted = importance;
  std::sort(sorted.rbegin(), sorted.rend());
  std::vector<bool> result(importance.size(), false);
  if (top == 0 || top == static_cast<int>(sorted.size())) return result;
  const double last = sorted[static_cast<size_t>(top - 1)], next = sorted[static_cast<size_t>(top)];
  if (last - next > kTie * last) return result;
  for (size_t i = 0; i < importance.size(); ++i) {
    result[i] = std::fabs(importance[i] - last) <= 2 * kTie * last ||
                std::fabs(importance[i] - next) <= 2 * kTie * last;
  }
  return result;
}

void compare(const std::vector<int32_t>& actual, const std::vector<int32_t>& expected,
             const std::vector<bool>& ties) {
  CHECK(actual.size() == expected.size());
  std::vector<bool> a(ties.size(), false), e = a;
  for (const int32_t i : actual) a[static_cast<size_t>(i)] = true;
  for (const int32_t i : expected) e[static_cast<size_t>(i)] = true;
  for (size_t i = 0; i < ties.size(); ++i) CHECK(ties[i] || a[i] == e[i]);
}

void run(const std::vector<test::Context>& contexts, int solver, uint64_t seed, Outcome& outcome) {
  test::Random random(seed * 31 + static_cast<uint64_t>(solver));
  test::CostShape shape;
  shape.grid_w = {static_cast<int32_t>(1 + random.below(9))};
  shape.grid_h = {static_cast<int32_t>(1 + random.below(9))};
  shape.cols = 8 + random.below(120);
  shape.dtype = random.below(2) == 0 ? TOPV_F32 : TOPV_BF16;
  shape.indexed = random.below(2) == 0;
  shape.common = random.below(2) == 0 ? 0.0f : 3.0f;
  test::CostCase one(shape, seed);
  one.params.gamma = random.below(2) == 0 ? 0.01f : 0.1f;
  one.params.sigma = random.uniform(1, 10);
  const float epsilon = solver == TOPV_SOLVER_PRINTED ? 0.3f : random.uniform(0.05f, 0.5f);
  const reference::Transport transport{solver, 3, static_cast<double>(epsilon), static_cast<double>(0.5f)};
  const int32_t n = one.tokens[0], top = static_cast<int32_t>(random.below(n + 1));

  const reference::Selection expected = reference::select(one.params, transport, top, kRecover);
  CHECK(!expected.importance.empty());
  if (expected.importance.empty()) return;
  const std::vector<bool> ties = tied(expected.importance, top);
  const bool any_tie = std::find(ties.begin(), ties.end(), true) != ties.end();
  ++outcome.cases;
  outcome.ties += any_tie;
  for (const test::Context& ctx : contexts) {
    one.run(ctx);
    const std::vector<float> importance =
        test::sinkhorn(ctx, transport, one.cost, one.source_norm, one.target_norm, one.tokens);
    if (any_tie) {
      compare(test::token_select(ctx, importance, one.tokens, {top}, 0),
              reference::token_select(expected.importance, top, 0), ties);
    } else {
      CHECK(test::token_select(ctx, importance, one.tokens, {top}, kRecover) == expected.kept);
    }
  }
}

}  // namespace

TEST(the_kept_tokens_equal_the_reference_off_ties) {
  std::vector<test::Context> contexts;
  if (test::device_backend() != nullptr) {
    contexts.push_back(test::open_device());
  } else {
    for (const std::string& level : test::levels()) {
      for (const int threads : {1, 2}) contexts.emplace_back("cpu", threads, level.c_str());
    }
  }
  for (const int solver : test::kSolvers) {
    Outcome outcome;
    for (uint64_t seed = 0; seed < static_cast<uint64_t>(kCases); ++seed) {
      test::where() = "solver " + std::to_string(solver) + " seed " + std::to_string(seed);
      run(contexts, solver, seed, outcome);
    }
    std::printf("       solver %d: %d cases, %d with a tie at the border\n", solver, outcome.cases,
                outcome.ties);
    CHECK(outcome.cases == kCases);
    CHECK(outcome.ties <= (kCases + 9) / 10);
  }
  test::where().clear();
}
