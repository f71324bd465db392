#include <unistd.h>

#include "test_util.hpp"

TEST(describes_itself) {
  test::for_each_context([](test::Context& ctx) {
    const std::string text = ctx.describe();
    CHECK(text.front() == '{' && text.back() == '}');
    for (const char* part :
         {"\"backend\":\"cpu\"", "\"device\":\"", "\"isa\":\"", "\"threads\":", "\"oneDNN\":\"3.11."}) {
      CHECK(text.find(part) != std::string::npos);
    }
    char few[4] = {'x', 'x', 'x', 'x'};
    int64_t needed = 0;
    CHECK(topv_context_describe(ctx.get(), few, 3, &needed) == TOPV_OK);
    CHECK(std::string(few, 4) == std::string("{\"\0x", 4));
    CHECK(needed == static_cast<int64_t>(text.size()) + 1);
    REFUSED(TOPV_INVALID_ARGUMENT, ctx.check(topv_context_describe(ctx.get(), few, -1, nullptr)),
            "capacity = -1");
    REFUSED(TOPV_INVALID_ARGUMENT, ctx.check(topv_context_describe(ctx.get(), nullptr, 1, nullptr)),
            "buffer is NULL");
  });
}

TEST(levels_and_threads_are_taken) {
  for (const std::string& level : test::levels()) {
    const topv::Context ctx("cpu", 3, level.c_str());
    CHECK(ctx.describe().find("\"isa\":\"" + level + "\"") != std::string::npos);
    CHECK(ctx.describe().find("\"threads\":3") != std::string::npos);
  }
  CHECK(topv::Context("cpu").describe().find("\"threads\":0") == std::string::npos);
}

TEST(refuses_what_cannot_be_opened) {
  REFUSED(TOPV_INVALID_ARGUMENT, topv::Context("cpu", 1, "avx9"), "isa = \"avx9\"");
  REFUSED(TOPV_INVALID_ARGUMENT, topv::Context("cpu", -1), "threads = -1");
  REFUSED(TOPV_INVALID_ARGUMENT, topv::Context("cpu", 1, nullptr, -1), "device = -1");
  REFUSED(TOPV_UNSUPPORTED, topv::Context("cpu", 1, nullptr, 1), "device = 1");
  REFUSED(TOPV_INVALID_ARGUMENT, topv::Context(nullptr), "backend is NULL");
  REFUSED(TOPV_INVALID_ARGUMENT, topv::Context("../cpu"), "backend = \"../cpu\"");
  REFUSED(TOPV_INVALID_ARGUMENT, topv::Context(""), "backend = \"\"");
  REFUSED(TOPV_UNSUPPORTED, topv::Context("abacus"), "libtopv_abacus.so");
  REFUSED(TOPV_UNSUPPORTED, topv::Context("cpu", 1, nullptr, 0, "/no/such/place"), "libtopv_cpu.so");
  topv_context* out = reinterpret_cast<topv_context*>(&out);
  CHECK(topv_context_create(nullptr, &out) == TOPV_INVALID_ARGUMENT);
  CHECK(out == nullptr);
  CHECK(topv_context_create(nullptr, nullptr) == TOPV_INVALID_ARGUMENT);
  topv_context_destroy(nullptr);
}

TEST(memory) {
  test::for_each_context([](test::Context& ctx) {
    for (const int64_t bytes : {0, 1, 63, 64, 65, 1 << 20}) {
      const topv::Buffer buffer = ctx.alloc(bytes);
      CHECK(buffer.get() != nullptr);
      CHECK(reinterpret_cast<uintptr_t>(buffer.get()) % 64 == 0);
      std::vector<char> there(static_cast<size_t>(bytes), 'x'), back(static_cast<size_t>(bytes));
      ctx.copy(buffer.data(), there.data(), bytes, TOPV_HOST_TO_DEVICE);
      ctx.copy(back.data(), buffer.data(), bytes, TOPV_DEVICE_TO_HOST);
      CHECK(there == back);
    }
    REFUSED(TOPV_INVALID_ARGUMENT, ctx.alloc(-1), "alloc: bytes = -1");
    REFUSED(TOPV_OUT_OF_MEMORY, ctx.alloc(INT64_MAX), "9223372036854775807");
    char x = 0, y = 0;
    REFUSED(TOPV_INVALID_ARGUMENT, ctx.copy(&x, &y, -1, TOPV_HOST_TO_DEVICE), "copy: bytes = -1");
    REFUSED(TOPV_INVALID_ARGUMENT, ctx.copy(nullptr, &y, 1, TOPV_HOST_TO_DEVICE), "copy: dst is NULL");
    REFUSED(TOPV_INVALID_ARGUMENT, ctx.copy(&x, nullptr, 1, TOPV_HOST_TO_DEVICE), "copy: src is NULL");
    REFUSED(TOPV_INVALID_ARGUMENT, ctx.copy(&x, &y, 1, static_cast<topv_copy_kind>(3)), "copy: kind = 3");
    CHECK(topv_free(ctx.get(), nullptr) == TOPV_OK);
    void* host = nullptr;
    ctx.check(topv_host_alloc(ctx.get(), 100, &host));
    CHECK(reinterpret_cast<uintptr_t>(host) % 64 == 0);
    std::memset(host, 'x', 100);
    ctx.check(topv_host_free(ctx.get(), host));
    REFUSED(TOPV_INVALID_ARGUMENT, ctx.check(topv_host_alloc(ctx.get(), -1, &host)),
            "host_alloc: bytes = -1");
    CHECK(topv_host_free(ctx.get(), nullptr) == TOPV_OK);
    void* memory = nullptr;
    CHECK(topv_alloc(nullptr, 1, &memory) == TOPV_INVALID_ARGUMENT);
    CHECK(std::string(topv_error_message(nullptr)).find("ctx is NULL") != std::string::npos);
  });
}

TEST(streams) {
  test::for_each_context([](test::Context& ctx) {
    const topv::Stream stream = ctx.stream();
    const char x = 'x';
    char y = 0;
    ctx.copy(&y, &x, 1, TOPV_DEVICE_TO_DEVICE, stream);
    ctx.synchronize(stream);
    ctx.synchronize();
    CHECK(y == 'x');
    REFUSED(TOPV_UNSUPPORTED, ctx.wrap(&y), "stream_wrap");
    const topv::Context other("cpu", 1);
    REFUSED(TOPV_INVALID_ARGUMENT, other.synchronize(stream), "stream belongs to another context");
    REFUSED(TOPV_INVALID_ARGUMENT, other.copy(&y, &x, 1, TOPV_DEVICE_TO_DEVICE, stream),
            "stream belongs to another");
    CHECK(topv_stream_destroy(ctx.get(), nullptr) == TOPV_OK);
    CHECK(topv_weight_destroy(ctx.get(), nullptr) == TOPV_OK);
  });
}

TEST(message_is_of_the_last_call) {
  test::for_each_context([](test::Context& ctx) {
    CHECK(std::string(topv_error_message(ctx.get())).empty());
    REFUSED(TOPV_INVALID_ARGUMENT, ctx.alloc(-5), "-5");
    CHECK(std::string(topv_error_message(ctx.get())) == "alloc: bytes = -5 is below 0");
    ctx.synchronize();
    CHECK(std::string(topv_error_message(ctx.get())).empty());
  });
}

TEST(files) {
  const std::string path = "/tmp/topv_test_" + std::to_string(getpid());
  std::FILE* file = std::fopen(path.c_str(), "wb");
  std::fclose(file);
  {
    const topv::MappedFile empty(path.c_str());
    CHECK(empty.data() == nullptr && empty.bytes() == 0);
  }
  file = std::fopen(path.c_str(), "wb");
  std::fputs("topv", file);
  std::fclose(file);
  {
    const topv::MappedFile mapped(path.c_str());
    CHECK(mapped.bytes() == 4 && std::memcmp(mapped.data(), "topv", 4) == 0);
  }
  std::remove(path.c_str());
  REFUSED(TOPV_IO_ERROR, topv::MappedFile(path.c_str()), path, "No such file");
  REFUSED(TOPV_IO_ERROR, topv::MappedFile("/tmp"), "/tmp is a directory");
  REFUSED(TOPV_IO_ERROR, topv::MappedFile("/dev/null"), "/dev/null is not a regular file");
  REFUSED(TOPV_INVALID_ARGUMENT, topv::MappedFile(nullptr), "path is NULL");
  CHECK(topv_unmap_file(nullptr, 0) == TOPV_OK);
  CHECK(topv_unmap_file(path.c_str(), -1) == TOPV_INVALID_ARGUMENT);
}

TEST(peak_memory_counts_what_was_touched) {
  CHECK(topv_peak_memory() > 1 << 20);
  const std::vector<char> memory(64 << 20, 1);
  CHECK(topv_peak_memory() >= static_cast<int64_t>(memory.size()));
}

TEST(version) { CHECK(std::string(topv_version()).find('.') != std::string::npos); }
