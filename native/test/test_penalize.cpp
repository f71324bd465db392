#include <set>

#include "test_util.hpp"

namespace {

/// Rows of logits, settings, and entries that may be penalized.
struct Penalties {
  Penalties(test::Random& random, int64_t count, int64_t vocab, int64_t pad, int64_t entries)
      : batch(count), v(vocab), ld(vocab + pad), logits(static_cast<size_t>(count * ld), NAN) {
    for (int64_t b = 0; b < count; ++b) {
      for (int64_t i = 0; i < vocab; ++i) logits[static_cast<size_t>(b * ld + i)] = 5 * random.normal();
      repetition.push_back(random.uniform(0.5f, 1.5f));
      presence.push_back(random.normal());
      frequency.push_back(random.normal());
    }
    std::set<std::pair<int64_t, int64_t>> taken;
    while (static_cast<int64_t>(taken.size()) < std::min(entries, count * vocab)) {
      const int64_t b = random.below(count), id = random.below(vocab);
      if (!taken.insert({b, id}).second) continue;
      rows.push_back(static_cast<int32_t>(b));
      ids.push_back(static_cast<int32_t>(id));
      times.push_back(static_cast<int32_t>(random.below(4)));
    }
  }
  topv_penalize_params params() {
    topv_penalize_params p = {};
    p.logits = logits.data();
    p.rows = rows.data();
    p.ids = ids.data();
    p.times = times.data();
    p.repetition = repetition.data();
    p.presence = presence.data();
    p.frequency = frequency.data();
    p.batch = batch;
    p.vocab = v;
    p.ldl = ld;
    p.count = static_cast<int64_t>(ids.size());
    return p;
  }
  int64_t batch, v, ld;
  std::vector<float> logits, repetition, presence, frequency;
  std::vector<int32_t> rows, ids, times;
};

}  // namespace

/// To the bit: the reference takes the same steps, each rounded once.
TEST(shapes) {
  test::Random random(3);
  test::for_each_context([&](test::Context& ctx) {
    for (const int64_t rows : {1, 3}) {
      for (const int64_t vocab : {1, 7, 1000}) {
        for (const int64_t entries : {0, 1, 255, 256, 600}) {
          Penalties one(random, rows, vocab, entries % 3, entries);
          std::vector<float> expected = one.logits;
          for (size_t i = 0; i < one.ids.size(); ++i) {
            const auto b = static_cast<size_t>(one.rows[i]);
            float& x = expected[b * static_cast<size_t>(one.ld) + static_cast<size_t>(one.ids[i])];
            x = x > 0 ? x / one.repetition[b] : x * one.repetition[b];
            if (one.times[i] > 0) {
              const auto less = static_cast<double>(one.frequency[b]) * one.times[i];  // exact
              x = static_cast<float>(static_cast<double>(x - one.presence[b]) - less);
            }
          }
          ctx.penalize(one.params());
          bool same = true;
          for (size_t i = 0; i < expected.size(); ++i) {
            same = same &&
                   (one.logits[i] == expected[i] || (std::isnan(one.logits[i]) && std::isnan(expected[i])));
          }
          CHECK(same);
        }
      }
    }
  });
}

TEST(no_rows) {
  test::for_each_context([](test::Context& ctx) {
    topv_penalize_params p = {};
    p.vocab = p.ldl = 5;
    ctx.penalize(p);
    ctx.synchronize();
  });
}

TEST(refusals) {
  test::Random random(4);
  test::for_each_context([&](test::Context& ctx) {
    Penalties one(random, 2, 8, 0, 6);
    const std::vector<float> before = one.logits;
    const auto with = [&](auto change, const char* words) {
      topv_penalize_params p = one.params();
      change(p);
      REFUSED(TOPV_INVALID_ARGUMENT, ctx.penalize(p), words);
      CHECK(one.logits == before);
    };
    with([](auto& p) { p.batch = -1; }, "penalize: batch = -1 is below 0");
    with([](auto& p) { p.count = -1; }, "penalize: count = -1 is below 0");
    with([](auto& p) { p.vocab = 0; }, "penalize: vocab = 0 is not in 1 .. 8388608");
    with([](auto& p) { p.ldl = 7; }, "penalize: ldl = 7 is below vocab = 8");
    with([](auto& p) { p.count = int64_t{1} << 61; }, "penalize: ids: ");
    with([](auto& p) { p.logits = nullptr; }, "penalize: logits is NULL");
    with([](auto& p) { p.rows = nullptr; }, "penalize: rows is NULL");
    with([](auto& p) { p.ids = nullptr; }, "penalize: ids is NULL");
    with([](auto& p) { p.times = nullptr; }, "penalize: times is NULL");
    with([](auto& p) { p.repetition = nullptr; }, "penalize: repetition is NULL");
    with([](auto& p) { p.presence = nullptr; }, "penalize: presence is NULL");
    with([](auto& p) { p.frequency = nullptr; }, "penalize: frequency is NULL");

    /// In device memory.
    const auto wrong = [&](auto& values, auto bad, const char* words) {
      const auto good = values[1];
      values[1] = bad;
      REFUSED(TOPV_INVALID_ARGUMENT, ctx.penalize(one.params()), words);
      if (test::writes_nothing_when_refused()) CHECK(one.logits == before);
      values[1] = good;
      one.logits = before;
    };
    wrong(one.rows, 2, "penalize: rows[1] = 2 is not in [0, batch = 2)");
    wrong(one.rows, -1, "penalize: rows[1] = -1");
    wrong(one.ids, 8, "penalize: ids[1] = 8 is not in [0, vocab = 8)");
    wrong(one.times, -3, "penalize: times[1] = -3 is below 0");
    wrong(one.repetition, 0.0f, "penalize: repetition[1] = 0 is not finite and above 0");
    wrong(one.repetition, INFINITY, "penalize: repetition[1] = inf");
    wrong(one.presence, NAN, "penalize: presence[1] = ");
    wrong(one.frequency, -INFINITY, "penalize: frequency[1] = -inf is not finite");
    ctx.penalize(one.params());
  });
}
