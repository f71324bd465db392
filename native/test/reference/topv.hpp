// transport_cost, sinkhorn, token_select and the complete selection in double precision, written from the definitions
// (docs/topv.md): no centring, no shortcuts; the sums of Sinkhorn in the logarithmic domain, so that nothing underflows.
#pragma once

#include <algorithm>
#include <limits>
#include <numeric>
#include <vector>

#include "reference/dtype.hpp"

namespace reference {

using Values = std::vector<double>;

struct Cost {
  Values cost;                      ///< [sum N_m^2]
  Values source_norm, target_norm;  ///< [sum N]
  /// [images]: what alpha multiplies is (distance - least) / range. A float32 distance is off by a few 2^-24 of scale =
  /// max |S|^2 + max |T|^2, so Cf is off by about scale / range times that.
  Values scale, range;
};

inline Cost transport_cost(const topv_transport_cost_params& p) {
  Cost result;
  int64_t first = 0;
  for (int m = 0; m < p.images; ++m) {
    const int64_t w = p.grid_w[m], n = w * p.grid_h[m];
    const auto row = [&](int64_t i) { return p.row_index != nullptr ? p.row_index[first + i] : first + i; };
    const auto s = [&](int64_t i, int64_t c) { return at(p.source, p.dtype, row(i) * p.ld_source + c); };
    const auto t = [&](int64_t i, int64_t c) { return at(p.target, p.dtype, row(i) * p.ld_target + c); };
    double largest_s = 0, largest_t = 0;
    for (int64_t i = 0; i < n; ++i) {
      double ss = 0, tt = 0;
      for (int64_t c = 0; c < p.cols; ++c) {
        ss += s(i, c) * s(i, c);
        tt += t(i, c) * t(i, c);
      }
      result.source_norm.push_back(std::sqrt(ss));
      result.target_norm.push_back(std::sqrt(tt));
      largest_s = std::max(largest_s, ss);
      largest_t = std::max(largest_t, tt);
    }
    Values distance;
    for (int64_t i = 0; i < n; ++i) {
      for (int64_t j = 0; j < n; ++j) {
        double sum = 0;
        for (int64_t c = 0; c < p.cols; ++c) sum += std::pow(s(i, c) - t(j, c), 2);
        distance.push_back(sum);
      }
    }
    const double least = *std::min_element(distance.begin(), distance.end());
    const double range = *std::max_element(distance.begin(), distance.end()) - least;
    result.scale.push_back(largest_s + largest_t);
    result.range.push_back(range);
    const double cx = static_cast<double>(w - 1) / 2, cy = (p.grid_h[m] - 1) / 2.0,
                 sigma = static_cast<double>(p.sigma);
    for (int64_t i = 0; i < n; ++i) {
      const double xi = static_cast<double>(i % w), yi = static_cast<double>(i / w);
      for (int64_t j = 0; j < n; ++j) {
        const double dx = xi - static_cast<double>(j % w), dy = yi - static_cast<double>(j / w);
        const double feature = range > 0 ? (distance[static_cast<size_t>(i * n + j)] - least) / range : 0;
        const double spatial = 1 - std::exp(-(dx * dx + dy * dy) / (2 * sigma * sigma));
        const double central = std::sqrt((xi - cx) * (xi - cx) + (yi - cy) * (yi - cy));
        result.cost.push_back(static_cast<double>(p.alpha) * feature + static_cast<double>(p.beta) * spatial +
                              static_cast<double>(p.gamma) * central);
      }
    }
    first += n;
  }
  return result;
}

struct Transport {
  int solver, iterations;
  double epsilon, lambda;
};

/// Importance [n] of one image; p and q sum to 1. Empty where the mathematics leaves even double precision.
inline Values sinkhorn(const Transport& o, const Values& cost, const Values& p, const Values& q) {
  const size_t n = p.size();
  const bool printed = o.solver == TOPV_SOLVER_PRINTED;
  const double shift = printed ? 0 : *std::min_element(cost.begin(), cost.end());
  const double power = o.solver == TOPV_SOLVER_UNBALANCED ? o.lambda / (o.lambda + o.epsilon) : 1;
  // Logarithms of u and v.
  Values u(n, printed ? -std::numeric_limits<double>::infinity() : 0), v = u;
  const auto log_sum = [&](const Values& x, size_t first, size_t stride) {
    Values terms;
    for (size_t i = 0; i < n; ++i) terms.push_back(x[i] - (cost[first + i * stride] - shift) / o.epsilon);
    const double most = *std::max_element(terms.begin(), terms.end());
    if (!std::isfinite(most)) return most;
    double sum = 0;
    for (const double term : terms) sum += std::exp(term - most);
    return most + std::log(sum);
  };
  const auto exponent = [&](Values x) {
    if (printed) {
      for (double& value : x) value = std::exp(value) / o.epsilon;
    }
    return x;
  };
  const auto update_u = [&] {
    const Values x = exponent(v);
    for (size_t i = 0; i < n; ++i) u[i] = power * (std::log(p[i]) - log_sum(x, i * n, 1));
  };
  const auto update_v = [&] {
    const Values x = exponent(u);
    for (size_t j = 0; j < n; ++j) v[j] = power * (std::log(q[j]) - log_sum(x, j, n));
  };
  for (int i = 0; i < (o.solver == TOPV_SOLVER_ONE_SIDED ? 1 : o.iterations); ++i) {
    switch (o.solver) {
      case TOPV_SOLVER_ONE_SIDED:
        update_v();
        break;
      case TOPV_SOLVER_UNBALANCED:
      case TOPV_SOLVER_STANDARD_UV:
        update_u();
        update_v();
        break;
      default:
        update_v();
        update_u();
    }
  }
  Values importance;
  for (size_t i = 0; i < n; ++i) {
    importance.push_back(std::exp(u[i] + log_sum(v, i * n, 1)));
    if (!std::isfinite(importance.back())) return {};
  }
  return importance;
}

/// Indices kept of one image, ascending.
inline std::vector<int32_t> token_select(const Values& importance, int top, int recover_every) {
  std::vector<int32_t> order(importance.size());
  std::iota(order.begin(), order.end(), 0);
  const auto value = [&](int32_t i) {
    const double x = importance[static_cast<size_t>(i)];
    return std::isnan(x) ? -std::numeric_limits<double>::infinity() : x;
  };
  std::stable_sort(order.begin(), order.end(), [&](int32_t i, int32_t j) { return value(i) > value(j); });
  std::vector<int32_t> kept(order.begin(), order.begin() + top), others(order.begin() + top, order.end());
  std::sort(others.begin(), others.end());
  if (recover_every > 0) {
    for (size_t i = 0; i < others.size(); i += static_cast<size_t>(recover_every)) kept.push_back(others[i]);
  }
  std::sort(kept.begin(), kept.end());
  return kept;
}

/// weights / sum(weights).
inline Values marginal(Values weights) {
  const double sum = std::accumulate(weights.begin(), weights.end(), 0.0);
  for (double& weight : weights) weight /= sum;
  return weights;
}

/// The complete selection of one image.
struct Selection {
  Values importance;
  std::vector<int32_t> kept;
};

inline Selection select(const topv_transport_cost_params& cost, const Transport& transport, int top,
                        int recover_every) {
  const Cost c = transport_cost(cost);
  Selection result;
  result.importance = sinkhorn(transport, c.cost, marginal(c.source_norm), marginal(c.target_norm));
  if (!result.importance.empty()) result.kept = token_select(result.importance, top, recover_every);
  return result;
}

}  // namespace reference
