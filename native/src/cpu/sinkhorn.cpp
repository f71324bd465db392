// Importance of each source token: row sums of the contribution matrix of entropic optimal transport.
//
// K = exp(-(C - min C) / eps) is stored once and the scaling vectors u, v are iterated in float32. Where a sum K v or
// K' u leaves the range in which float32 keeps its precision, the image is solved again in the logarithmic domain in
// double precision: slower, but finite wherever the mathematics is. A token of weight zero has a scale of zero.
// PRINTED has doubly exponential terms: where even the logarithmic domain cannot hold them, the call is refused.
// Every sum has a fixed order, so the number of threads changes nothing. Bound: cache bandwidth. Scratch: K.
#include <algorithm>
#include <cmath>
#include <limits>

#include "cpu/kernel.hpp"
#include "cpu/simd.hpp"

namespace topv::cpu::TOPV_ISA {
namespace {

constexpr float kSmall = 1e-30f, kLarge = 1e30f;  // sums outside lose precision to the underflow of K
constexpr int64_t kGrain = 1 << 20;               // elements of K that are worth a thread

/// One image; p and q are its marginals.
struct Problem {
  int64_t n;
  const float* cost;
  const float *p, *q;
  float shift;  // K = exp(-(cost - shift) / epsilon)
  int solver, iterations;
  float epsilon, power;  // power = lambda / (lambda + epsilon), 1 for the balanced solvers
};

// ---- scaling form, float32

class Scaling {
 public:
  Scaling(Team& team, const Problem& problem, float* k, float* vectors)
      : team_(team),
        x_(problem),
        k_(k),
        u_(vectors),
        v_(u_ + x_.n),
        sum_(v_ + x_.n),
        exponential_(sum_ + x_.n) {}

  /// False where float32 did not suffice; importance is then undefined.
  bool solve(float* importance) {
    fill_kernel();
    std::fill(u_, u_ + 2 * x_.n, x_.solver == TOPV_SOLVER_PRINTED ? 0.0f : 1.0f);
    const int iterations = x_.solver == TOPV_SOLVER_ONE_SIDED ? 1 : x_.iterations;
    for (int i = 0; i < iterations && good_; ++i) step();
    rows(v_);
    for (int64_t i = 0; i < x_.n; ++i) {
      importance[i] = x_.solver == TOPV_SOLVER_ONE_SIDED ? sum_[i] : u_[i] * sum_[i];
      good_ = good_ && std::isfinite(importance[i]);
    }
    return good_;
  }

 private:
  void step() {
    switch (x_.solver) {
      case TOPV_SOLVER_UNBALANCED:
      case TOPV_SOLVER_STANDARD_UV:
        rows(v_);
        scale(x_.p, u_);
        columns(u_);
        scale(x_.q, v_);
        return;
      case TOPV_SOLVER_PRINTED:
        columns(exponential(u_));
        scale(x_.q, v_);
        rows(exponential(v_));
        scale(x_.p, u_);
        return;
      case TOPV_SOLVER_STANDARD_VU:
        columns(u_);
        scale(x_.q, v_);
        rows(v_);
        scale(x_.p, u_);
        return;
      default:  // ONE_SIDED: u = 1
        columns(u_);
        scale(x_.q, v_);
    }
  }

  void fill_kernel() {
    const F factor = broadcast(-1.0f / x_.epsilon), base = broadcast(x_.shift);
    const int64_t size = x_.n * x_.n;
    parallel_for(team_, (size + kLanes - 1) / kLanes, kGrain / kLanes, [&](int64_t begin, int64_t end, int) {
      for (int64_t i = begin * kLanes; i < std::min(end * kLanes, size); i += kLanes) {
        const int width = static_cast<int>(std::min<int64_t>(kLanes, size - i));
        store_n(k_ + i, exp((load_n(x_.cost + i, width) - base) * factor), width);
      }
    });
  }

  /// sum = K v
  void rows(const float* v) {
    const int64_t n = x_.n, whole = n / kLanes * kLanes;
    parallel_for(team_, n, kGrain / n + 1, [&](int64_t begin, int64_t end, int) {
      for (int64_t i = begin; i < end; ++i) {
        const float* row = k_ + i * n;
        F a = zero(), b = zero();
        int64_t j = 0;
        for (; j + 2 * kLanes <= n; j += 2 * kLanes) {
          a = fma(load(row + j), load(v + j), a);
          b = fma(load(row + j + kLanes), load(v + j + kLanes), b);
        }
        if (j < whole) a = fma(load(row + j), load(v + j), a);
        if (whole < n) {
          const int rest = static_cast<int>(n - whole);
          b = fma(load_n(row + whole, rest), load_n(v + whole, rest), b);
        }
        sum_[i] = reduce_add(a + b);
      }
    });
  }

  /// sum = K' u, in runs of rows so that rounding errors do not pile up.
  void columns(const float* u) {
    constexpr int64_t kRun = 32;
    const int64_t n = x_.n, groups = (n + 2 * kLanes - 1) / (2 * kLanes);
    parallel_for(team_, groups, kGrain / (n * 2 * kLanes) + 1, [&](int64_t begin, int64_t end, int) {
      for (int64_t j = begin * 2 * kLanes; j < std::min(end * 2 * kLanes, n); j += 2 * kLanes) {
        const int first = static_cast<int>(std::min<int64_t>(kLanes, n - j));
        const int second = static_cast<int>(std::clamp<int64_t>(n - j - kLanes, 0, kLanes));
        F total0 = zero(), total1 = zero();
        for (int64_t run = 0; run < n; run += kRun) {
          F a = zero(), b = zero();
          for (int64_t i = run; i < std::min(run + kRun, n); ++i) {
            const float* row = k_ + i * n + j;
            const F scale = broadcast(u[i]);
            a = fma(scale, load_n(row, first), a);
            b = fma(scale, load_n(row + first, second), b);
          }
          total0 += a;
          total1 += b;
        }
        store_n(sum_ + j, total0, first);
        store_n(sum_ + j + first, total1, second);
      }
    });
  }

  /// scale = (weight / sum)^power
  void scale(const float* weight, float* scale) {
    for (int64_t i = 0; i < x_.n; ++i) {
      good_ = good_ && sum_[i] >= kSmall && sum_[i] <= kLarge;
      const float ratio = weight[i] / sum_[i];
      scale[i] = x_.power == 1.0f ? ratio : std::pow(ratio, x_.power);
      good_ = good_ && scale[i] <= kLarge;
    }
  }

  const float* exponential(const float* x) {
    for (int64_t i = 0; i < x_.n; ++i) exponential_[i] = std::exp(x[i] / x_.epsilon);
    return exponential_;
  }

  Team& team_;
  const Problem& x_;
  float *k_, *u_, *v_, *sum_, *exponential_;
  bool good_ = true;
};

// ---- logarithmic domain, double

class Logarithmic {
 public:
  Logarithmic(Team& team, const Problem& problem, double* vectors)
      : team_(team), x_(problem), u_(vectors), v_(u_ + x_.n), exponent_(v_ + x_.n) {}

  /// False where an importance is not finite, or all are zero.
  bool solve(float* importance) {
    // u_ and v_ hold logarithms.
    const bool printed = x_.solver == TOPV_SOLVER_PRINTED;
    std::fill(u_, u_ + 2 * x_.n, printed ? -std::numeric_limits<double>::infinity() : 0.0);
    const int iterations = x_.solver == TOPV_SOLVER_ONE_SIDED ? 1 : x_.iterations;
    for (int i = 0; i < iterations; ++i) {
      if (x_.solver == TOPV_SOLVER_UNBALANCED || x_.solver == TOPV_SOLVER_STANDARD_UV) {
        update_u(v_);
        update_v(u_);
      } else {
        update_v(printed ? exponent(u_) : u_);
        if (x_.solver != TOPV_SOLVER_ONE_SIDED) update_u(printed ? exponent(v_) : v_);
      }
    }
    bool finite = true, any = false;
    for (int64_t i = 0; i < x_.n; ++i) {
      const double value = std::exp(u_[i] + row_sum(i, v_));
      importance[i] = static_cast<float>(value);
      finite = finite && std::isfinite(importance[i]);
      any = any || importance[i] > 0;
    }
    return finite && any;
  }

 private:
  void update_u(const double* v) {
    parallel_for(team_, x_.n, 1, [&](int64_t begin, int64_t end, int) {
      for (int64_t i = begin; i < end; ++i)
        u_[i] = x_.power * (std::log(static_cast<double>(x_.p[i])) - row_sum(i, v));
    });
  }
  void update_v(const double* u) {
    parallel_for(team_, x_.n, 1, [&](int64_t begin, int64_t end, int) {
      for (int64_t j = begin; j < end; ++j) {
        v_[j] = x_.power * (std::log(static_cast<double>(x_.q[j])) - log_sum(x_.cost + j, x_.n, u));
      }
    });
  }
  const double* exponent(const double* x) {
    for (int64_t i = 0; i < x_.n; ++i) exponent_[i] = std::exp(x[i]) / x_.epsilon;
    return exponent_;
  }
  double row_sum(int64_t i, const double* v) const { return log_sum(x_.cost + i * x_.n, 1, v); }

  /// log sum_i exp(scale_i - (cost_i - shift) / eps)
  double log_sum(const float* cost, int64_t stride, const double* scale) const {
    const double epsilon = x_.epsilon, shift = x_.shift;
    double most = -std::numeric_limits<double>::infinity(), sum = 0;
    for (int64_t i = 0; i < x_.n; ++i) most = std::max(most, scale[i] - (cost[i * stride] - shift) / epsilon);
    if (!std::isfinite(most)) return most;
    for (int64_t i = 0; i < x_.n; ++i)
      sum += std::exp(scale[i] - (cost[i * stride] - shift) / epsilon - most);
    return most + std::log(sum);
  }

  Team& team_;
  const Problem& x_;
  double *u_, *v_, *exponent_;
};

/// weight / sum(weight), or uniform.
void marginal(const char* field, int image, const float* weight, int64_t n, float* out) {
  if (weight == nullptr) {
    std::fill(out, out + n, 1.0f / static_cast<float>(n));
    return;
  }
  double sum = 0;
  for (int64_t i = 0; i < n; ++i) {
    if (!(weight[i] >= 0 && std::isfinite(weight[i]))) {
      fail(TOPV_INVALID_ARGUMENT,
           "sinkhorn: %s of token %lld of image %d = %g, expected a finite number >= 0", field,
           static_cast<long long>(i), image, static_cast<double>(weight[i]));
    }
    sum += static_cast<double>(weight[i]);
  }
  if (!(sum > 0)) fail(TOPV_INVALID_ARGUMENT, "sinkhorn: %s of image %d is zero everywhere", field, image);
  for (int64_t i = 0; i < n; ++i) out[i] = static_cast<float>(static_cast<double>(weight[i]) / sum);
}

/// The smallest cost.
float minimum(const float* cost, int64_t n, int image) {
  float least = std::numeric_limits<float>::infinity();
  for (int64_t i = 0; i < n * n; ++i) {
    if (!std::isfinite(cost[i])) {
      fail(TOPV_INVALID_ARGUMENT, "sinkhorn: cost[%lld, %lld] of image %d = %g is not finite",
           static_cast<long long>(i / n), static_cast<long long>(i % n), image, static_cast<double>(cost[i]));
    }
    least = std::min(least, cost[i]);
  }
  return least;
}

}  // namespace

void sinkhorn(Team& team, const topv_sinkhorn_params& p) {
  int64_t most = 0, total = 0;
  for (int m = 0; m < p.images; ++m) {
    most = std::max<int64_t>(most, p.tokens[m]);
    total += p.tokens[m];
  }
  // Three vectors of double, then floats: K, four vectors, two marginals, and the results until all images are known.
  const int64_t floats = most * most + 6 * most + total;
  double* logarithms = team.scratch<double>(3 * most + floats / 2 + 1);
  float* k = reinterpret_cast<float*>(logarithms + 3 * most);
  float* vectors = k + most * most;
  float *source = vectors + 4 * most, *target = source + most, *importance = target + most;

  int64_t first = 0;
  const float* cost = p.cost;
  for (int m = 0; m < p.images; ++m) {
    const int64_t n = p.tokens[m];
    marginal("source_weight", m, p.source_weight != nullptr ? p.source_weight + first : nullptr, n, source);
    marginal("target_weight", m, p.target_weight != nullptr ? p.target_weight + first : nullptr, n, target);
    const float power = p.solver == TOPV_SOLVER_UNBALANCED ? p.lambda / (p.lambda + p.epsilon) : 1.0f;
    const float least = minimum(cost, n, m);
    const float shift = p.solver == TOPV_SOLVER_PRINTED ? 0.0f : least;
    const Problem problem{n, cost, source, target, shift, p.solver, p.iterations, p.epsilon, power};
    if (!Scaling(team, problem, k, vectors).solve(importance + first) &&
        !Logarithmic(team, problem, logarithms).solve(importance + first)) {
      fail(TOPV_UNSUPPORTED,
           "sinkhorn: the importance of image %d leaves the range of float32 at epsilon = %g", m,
           static_cast<double>(p.epsilon));
    }
    first += n;
    cost += n * n;
  }
  std::copy(importance, importance + total, p.importance);
}

}  // namespace topv::cpu::TOPV_ISA
