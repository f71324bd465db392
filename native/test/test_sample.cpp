#include "reference/sample.hpp"
#include "test_util.hpp"

namespace {

/// Rows of logits and their settings.
struct Sample {
  Sample(int64_t rows, int64_t vocab, int64_t pad = 0)
      : batch(rows),
        v(vocab),
        ld(vocab + pad),
        logits(static_cast<size_t>(rows * ld), NAN),
        temperature(static_cast<size_t>(rows), 1.0f),
        top_p(temperature),
        min_p(static_cast<size_t>(rows), 0.0f),
        logprob(static_cast<size_t>(rows), NAN),
        top_k(static_cast<size_t>(rows), 0),
        tokens(static_cast<size_t>(rows), -7) {
    for (int64_t b = 0; b < rows; ++b) {
      for (const int64_t word : {b * 77 + 5, b >> 3}) seed.push_back(static_cast<int32_t>(word));
      for (const int64_t word : {b * 1000003, b * 5 - 2}) counter.push_back(static_cast<int32_t>(word));
    }
  }
  /// Logits of a spread like a language model's.
  void fill(test::Random& random, float scale) {
    for (int64_t b = 0; b < batch; ++b) {
      for (int64_t i = 0; i < v; ++i) logits[static_cast<size_t>(b * ld + i)] = scale * random.normal();
    }
  }
  topv_sample_params params() {
    topv_sample_params p = {};
    p.logits = logits.data();
    p.temperature = temperature.data();
    p.top_k = top_k.data();
    p.top_p = top_p.data();
    p.min_p = min_p.data();
    p.seed = seed.data();
    p.counter = counter.data();
    p.tokens = tokens.data();
    p.logprob = logprob.data();
    p.batch = batch;
    p.vocab = v;
    p.ldl = ld;
    return p;
  }
  int64_t batch, v, ld;
  std::vector<float> logits, temperature, top_p, min_p, logprob;
  std::vector<int32_t> top_k, tokens, seed, counter;
};

/// Every row's token is the one whose part of [0, 1) holds u, or at the edge of u, and its log probability is right.
void agrees(test::Context& ctx, Sample& one) {
  const topv_sample_params p = one.params();
  ctx.sample(p);
  for (int64_t b = 0; b < one.batch; ++b) {
    const reference::Distribution kept = reference::distribution(p, b);
    const double u = reference::uniform(p, b);
    const int32_t token = p.tokens[b];
    // Weights are good to 2^-20 of themselves at the least temperatures here, and their sum to that of the largest.
    if (token != kept.at(u) && token != kept.at(u - 1e-6) && token != kept.at(u + 1e-6)) {
      test::failed(__FILE__, __LINE__,
                   "row " + std::to_string(b) + ": token " + std::to_string(token) + ", expected " +
                       std::to_string(kept.at(u)));
      continue;
    }
    CLOSE(p.logprob[b], reference::logprob(p.logits + b * p.ldl, p.vocab, token), 2e-6, "logprob");
  }
}

/// A different choice of settings for each row; offset: which one comes first.
void with_all_settings(Sample& one, size_t offset) {
  const float temperatures[] = {1, 0.7f, 0, 1.5f, 0.1f}, top_ps[] = {1, 0.9f, 0.5f, 0.999f, 1e-6f, 1, 1};
  const float min_ps[] = {0, 0, 0.05f}, most = static_cast<float>(one.v);
  const int32_t top_ks[] = {0, 40, 1, 0, static_cast<int32_t>(most / 2), static_cast<int32_t>(one.v) + 3, 0,
                            2, 7,  0, 0};
  for (size_t b = 0; b < one.tokens.size(); ++b) {
    const size_t c = b + offset;
    one.temperature[b] = temperatures[c % 5];
    one.top_p[b] = top_ps[c % 7];
    one.min_p[b] = min_ps[c % 3];
    one.top_k[b] = top_ks[c % 11];
  }
}

}  // namespace

TEST(the_reference_generator_gives_the_known_answers) {
  CHECK(reference::philox({0, 0, 0, 0}, {0, 0}) ==
        (std::array<uint32_t, 4>{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
  CHECK(reference::philox({~0u, ~0u, ~0u, ~0u}, {~0u, ~0u}) ==
        (std::array<uint32_t, 4>{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
  CHECK(reference::philox({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}) ==
        (std::array<uint32_t, 4>{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}));
}

TEST(agrees_with_the_reference) {
  test::for_each_context([](test::Context& ctx) {
    size_t offset = 0;
    for (const int64_t vocab : test::few({1, 2, 3, 31, 33, 1000, 1024, 1025})) {
      for (const float scale : {0.1f, 3.0f, 12.0f}) {
        test::Random random(static_cast<uint64_t>(vocab * 10) + static_cast<uint64_t>(scale));
        Sample one(test::emulated() ? 3 : 385, vocab, vocab % 4);
        one.fill(random, scale);
        with_all_settings(one, offset += 3);
        agrees(ctx, one);
      }
    }
  });
}

TEST(large_vocabularies_flat_and_peaked) {
  test::for_each_context([](test::Context& ctx) {
    for (const float scale :
         {0.0f, 0.01f, 3.0f}) {  // all equal, too flat to collect candidates, as a model's
      test::Random random(3);
      Sample one(test::small() ? 2 : test::emulated() ? 4 : 77, test::small() ? 3001 : 9001);
      one.fill(random, scale);
      with_all_settings(one, 0);
      agrees(ctx, one);
    }
  });
}

// Nothing to sort out: every cut of such a row falls among equal logits, or among logits that differ in their last bit.
TEST(rows_of_equal_logits_at_the_vocabularies_of_models) {
  test::for_each_context([](test::Context& ctx) {
    for (const int64_t vocab :
         test::small() ? std::vector<int64_t>{2049} : std::vector<int64_t>{32064, 152064}) {
      Sample one(4, vocab);
      const float least = std::numeric_limits<float>::denorm_min();
      for (int64_t i = 0; i < vocab; ++i) {
        const float values[] = {2.5f, -7, 0, i % 3 == 0 ? least : i % 3 == 1 ? -least : -0.0f};
        for (int64_t b = 0; b < 4; ++b) one.logits[static_cast<size_t>(b * vocab + i)] = values[b];
      }
      const auto most = static_cast<int32_t>(vocab);
      one.top_k = {0, most - 1, 40, most / 2};
      one.top_p = {1, 0.9f, 1, 0.75f};
      one.temperature[3] = 0.5f;
      agrees(ctx, one);
    }
  });
}

TEST(every_backend_draws_the_same_tokens) {
  if (!test::has_cpu()) return;
  test::for_each_context([](test::Context& ctx) {
    const topv::Context cpu("cpu", 1, "avx2");
    size_t offset = 0;
    for (const int64_t vocab : {2, 100, 5003}) {
      for (const float scale : {0.02f, 1.0f, 8.0f}) {
        test::Random random(static_cast<uint64_t>(vocab));
        Sample one(test::emulated() ? 5 : 300, vocab);
        one.fill(random, scale);
        for (float& logit : one.logits) logit = std::round(logit * 16) / 16;  // many ties
        with_all_settings(one, offset += 5);
        Sample other = one;
        ctx.sample(one.params());
        cpu.sample(other.params());
        CHECK(one.tokens == other.tokens);
        for (size_t b = 0; b < one.logprob.size(); ++b) {
          // The same sum of whole numbers; logarithms may differ in their last place.
          CLOSE(one.logprob[b], static_cast<double>(other.logprob[b]),
                test::ulp(static_cast<double>(other.logprob[b]), TOPV_F32), "logprob");
        }
      }
    }
  });
}

TEST(frequencies_pass_a_chi_square_test) {
  if (test::small()) return;  // a hundred draws go no other way than a few
  test::for_each_context([](test::Context& ctx) {
    const std::vector<float> row = {0.5f, 2, 0, 1.5f, 1};
    const int64_t draws = test::emulated() ? 120 : 20000;
    Sample one(draws, 5);
    for (size_t b = 0; b < static_cast<size_t>(draws); ++b) {
      std::copy(row.begin(), row.end(), &one.logits[5 * b]);
      one.temperature[b] = 1.25f;
      one.seed[2 * b] = 42;  // one seed, ascending counters: one answer
      one.seed[2 * b + 1] = 0;
      one.counter[2 * b] = static_cast<int32_t>(b);
      one.counter[2 * b + 1] = 0;
    }
    ctx.sample(one.params());
    double sum = 0, chi_square = 0;
    for (const float logit : row) sum += std::exp(static_cast<double>(logit) / 1.25);
    for (int i = 0; i < 5; ++i) {
      const double share = std::exp(static_cast<double>(row[static_cast<size_t>(i)]) / 1.25) / sum;
      const double expected = share * static_cast<double>(draws);
      const auto found = static_cast<double>(std::count(one.tokens.begin(), one.tokens.end(), i));
      chi_square += (found - expected) * (found - expected) / expected;
    }
    // 4 degrees of freedom: of honest generators one in a thousand is above, and one in a thousand this close to 0.
    CHECK(chi_square < 18.47 && chi_square > 0.09);
  });
}

TEST(equal_logits_share_the_interval_evenly_in_the_order_of_their_index) {
  test::for_each_context([](test::Context& ctx) {
    Sample one(test::emulated() ? 8 : 200, 100);
    std::fill(one.logits.begin(), one.logits.end(), -3.0f);
    one.logits[0] = -std::numeric_limits<float>::infinity();  // never drawn
    ctx.sample(one.params());
    for (int64_t b = 0; b < one.batch; ++b) {
      const double u = reference::uniform(one.params(), b);
      const int tokens = b == 0 ? 99 : 100;
      CHECK(one.tokens[static_cast<size_t>(b)] == static_cast<int>(u * tokens) + 100 - tokens);
    }
  });
}

TEST(greedy_takes_the_first_of_the_largest) {
  test::for_each_context([](test::Context& ctx) {
    Sample one(4, 5);
    const float infinity = std::numeric_limits<float>::infinity();
    one.logits = {1,         3,         2,         3,         0,          //
                  0,         -0.0f,     -1,        0,         0,          //
                  -infinity, -infinity, -infinity, -infinity, -infinity,  //
                  1,         infinity,  2,         infinity,  3};
    topv_sample_params p = one.params();
    p.temperature = nullptr;
    p.top_k = nullptr;
    p.top_p = p.min_p = nullptr;
    p.seed = p.counter = nullptr;
    ctx.sample(p);
    CHECK((one.tokens == std::vector<int32_t>{1, 0, 0, 1}));
    CLOSE(one.logprob[2], -std::log(5.0), 1e-6, "all at -inf");
    CLOSE(one.logprob[3], -std::log(2.0), 1e-6, "two at inf");
    p.logprob = nullptr;
    p.logits = &one.logits[1];
    p.vocab = 3;
    ctx.sample(p);
    CHECK((one.tokens == std::vector<int32_t>{0, 0, 0, 0}));
    p.batch = 0;
    ctx.sample(p);
  });
}

TEST(top_k_cuts_among_equal_logits_by_index) {
  test::for_each_context([](test::Context& ctx) {
    Sample one(test::emulated() ? 12 : 400, 6);
    for (int64_t b = 0; b < one.batch; ++b) {
      const float row[] = {0, 1, 1, 2, 1, 1};
      std::copy(row, row + 6, &one.logits[static_cast<size_t>(6 * b)]);
    }
    std::fill(one.top_k.begin(), one.top_k.end(), 3);
    agrees(ctx, one);
    for (const int32_t token : one.tokens) CHECK(token == 3 || token == 1 || token == 2);
    CHECK(std::count(one.tokens.begin(), one.tokens.end(), 2) > 0);
  });
}

TEST(top_k_cuts_where_the_logits_fall) {
  test::for_each_context([](test::Context& ctx) {
    Sample one(test::emulated() ? 12 : 400,
               200);  // three likely tokens, and as much again among all the others
    for (int64_t b = 0; b < one.batch; ++b) {
      for (int64_t i = 0; i < 200; ++i) {
        one.logits[static_cast<size_t>(200 * b + i)] = i % 70 == 0 ? -static_cast<float>(i) / 70 : -4.5f;
      }
    }
    std::fill(one.top_k.begin(), one.top_k.end(), 3);
    agrees(ctx, one);
  });
}

TEST(extreme_temperatures) {
  test::for_each_context([](test::Context& ctx) {
    Sample one(4, 50);
    test::Random random(1);
    one.fill(random, 5);
    one.temperature = {1e-45f, 1e-30f, 1e30f, std::numeric_limits<float>::max()};
    const topv_sample_params p = one.params();
    ctx.sample(p);
    for (int64_t b = 0; b < 4; ++b) {
      const float* row = p.logits + b * p.ldl;
      if (b < 2) CHECK(p.tokens[b] == std::max_element(row, row + 50) - row);
      if (b >= 2) CHECK(p.tokens[b] == reference::distribution(p, b).at(reference::uniform(p, b)));
    }
  });
}

TEST(refusals) {
  test::for_each_context([](test::Context& ctx) {
    Sample one(3, 4, 2);
    test::Random random(1);
    const auto with = [&](auto change, const char* words) {
      one = Sample(3, 4, 2);
      one.fill(random, 1);
      topv_sample_params p = one.params();
      change(p);
      REFUSED(TOPV_INVALID_ARGUMENT, ctx.sample(p), words);
      if (test::writes_nothing_when_refused()) CHECK((one.tokens == std::vector<int32_t>{-7, -7, -7}));
    };
    with([](auto& p) { p.batch = -1; }, "sample: batch = -1 is below 0");
    with([](auto& p) { p.vocab = 0; }, "sample: vocab = 0 is not in 1 .. 8388608");
    with([](auto& p) { p.ldl = 3; }, "sample: ldl = 3 is below vocab = 4");
    with([](auto& p) { p.logits = nullptr; }, "sample: logits is NULL");
    with([](auto& p) { p.tokens = nullptr; }, "sample: tokens is NULL");
    with([&](auto&) { one.logits[6 * 2 + 3] = NAN; }, "sample: logits[2, 3] is NaN");
    with([&](auto&) { one.temperature[1] = -0.5f; },
         "sample: temperature[1] = -0.5 is not finite and at least 0");
    with([&](auto&) { one.temperature[1] = NAN; }, "sample: temperature[1]");
    with([&](auto&) { one.temperature[2] = INFINITY; }, "sample: temperature[2] = inf");
    with([&](auto&) { one.top_k[0] = -1; }, "sample: top_k[0] = -1 is below 0");
    with([&](auto&) { one.top_p[2] = 0; }, "sample: top_p[2] = 0 is not in (0, 1]");
    with([&](auto&) { one.top_p[2] = 1.5f; }, "sample: top_p[2] = 1.5");
    with([&](auto&) { one.min_p[1] = -1; }, "sample: min_p[1] = -1 is not in [0, 1]");
    with([&](auto&) { one.min_p[1] = NAN; }, "sample: min_p[1]");
  });
}
