#include "test_util.hpp"

TEST(describes_itself) {
  test::for_each_context([](topv::Context& ctx) {
    const std::string text = ctx.describe();
    CHECK(text.find("\"backend\":\"cpu\"") != std::string::npos);
    CHECK(text.find("\"oneDNN\":\"3.11.") != std::string::npos);
  });
}
