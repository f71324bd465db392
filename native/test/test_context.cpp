#include <unistd.h>

#include <fstream>
#include <random>

#include "test_util.hpp"

TEST(describes_itself) {
  test::for_each_context([](test::Context& ctx) {
    const std::string text = ctx.describe();
    CHECK(text.front() == '{' && text.back() == '}');
    const std::vector<const char*> cpu = {"\"backend\":\"cpu\"", "\"threads\":", "\"oneDNN\":\"3.11."};
    const std::vector<const char*> cuda = {"\"backend\":\"cuda\"", "\"isa\":\"sm_",
                                           "\"memory_free\":", "\"driver\":\"13.", "\"cudart\":\"13."};
    for (const char* part : test::device_backend() != nullptr ? cuda : cpu) {
      CHECK(text.find(part) != std::string::npos);
    }
    for (const char* part : {"\"device\":\"", "\"isa\":\"", "\"libraries\":{"}) {
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
  if (test::skipped_on_device("levels and threads of the CPU")) return;
  for (const std::string& level : test::levels()) {
    const topv::Context ctx("cpu", 3, level.c_str());
    CHECK(ctx.describe().find("\"isa\":\"" + level + "\"") != std::string::npos);
    CHECK(ctx.describe().find("\"threads\":3") != std::string::npos);
  }
  CHECK(topv::Context("cpu").describe().find("\"threads\":0") == std::string::npos);
}

TEST(refuses_what_cannot_be_opened) {
  if (test::device_backend() != nullptr) {
    const char* backend = test::device_backend();
    REFUSED(TOPV_INVALID_ARGUMENT, topv::Context(backend, 0, nullptr, -1), "device = -1");
    REFUSED(TOPV_UNSUPPORTED, topv::Context(backend, 0, nullptr, 99), "device = 99", "CUDA devices 0 ..");
    return;
  }
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
    ctx.copy(nullptr, nullptr, 0, TOPV_HOST_TO_DEVICE);
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

TEST(copies_are_ordered_and_take_the_source_at_once) {
  test::for_each_context([](test::Context& ctx) {
    const topv::Stream stream = ctx.stream();
    for (const int64_t bytes : {1, 4096, 256 << 10, (5 << 20) + 7}) {
      const topv::Buffer one = ctx.alloc(bytes), two = ctx.alloc(bytes);
      std::vector<char> there(static_cast<size_t>(bytes)), back(there), same(there);
      for (size_t i = 0; i < there.size(); ++i) there[i] = same[i] = static_cast<char>(i * 7 + i / 251);
      ctx.copy(one.get(), there.data(), bytes, TOPV_HOST_TO_DEVICE, stream);
      std::memset(there.data(), 'x', there.size());
      ctx.copy(two.get(), one.get(), bytes, TOPV_DEVICE_TO_DEVICE, stream);
      ctx.copy(one.get(), there.data(), bytes, TOPV_HOST_TO_DEVICE, stream);
      std::memset(there.data(), 'y', there.size());
      ctx.copy(back.data(), two.get(), bytes, TOPV_DEVICE_TO_HOST, stream);
      CHECK(back == same);
      ctx.copy(back.data(), one.get(), bytes, TOPV_DEVICE_TO_HOST, stream);
      CHECK(back == std::vector<char>(back.size(), 'x'));
    }
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
    if (test::device_backend() == nullptr) {
      REFUSED(TOPV_UNSUPPORTED, ctx.wrap(&y), "stream_wrap");
      void* native = &y;
      REFUSED(TOPV_UNSUPPORTED, ctx.check(topv_stream_native(ctx.get(), stream.get(), &native)),
              "stream_native");
      CHECK(native == nullptr);
    } else {
      const topv::Stream everyone = ctx.wrap(nullptr);  // CUDA's default stream
      y = 0;
      ctx.copy(&y, &x, 1, TOPV_DEVICE_TO_DEVICE, everyone);
      ctx.synchronize(everyone);
      CHECK(y == 'x');
      void *own = nullptr, *back = nullptr;
      ctx.check(topv_stream_native(ctx.get(), stream.get(), &own));
      CHECK(own != nullptr);
      const topv::Stream again = ctx.wrap(own);
      ctx.check(topv_stream_native(ctx.get(), again.get(), &back));
      CHECK(back == own);
    }
    const topv::Context other(test::device_backend() != nullptr ? test::device_backend() : "cpu", 1);
    REFUSED(TOPV_INVALID_ARGUMENT, other.synchronize(stream), "stream belongs to another context");
    REFUSED(TOPV_INVALID_ARGUMENT, other.copy(&y, &x, 1, TOPV_DEVICE_TO_DEVICE, stream),
            "stream belongs to another");
    CHECK(topv_stream_destroy(ctx.get(), nullptr) == TOPV_OK);
    CHECK(topv_weight_destroy(ctx.get(), nullptr) == TOPV_OK);
    CHECK(topv_event_destroy(ctx.get(), nullptr) == TOPV_OK);
    CHECK(topv_graph_destroy(ctx.get(), nullptr) == TOPV_OK);
  });
}

TEST(events_order_streams) {
  test::for_each_context([](test::Context& ctx) {
    const topv::Stream one = ctx.stream(), two = ctx.stream();
    const topv::Event begin = ctx.event(), end = ctx.event();
    const int64_t bytes = 1 << 20;
    const topv::Buffer from = ctx.alloc(bytes), via = ctx.alloc(bytes), to = ctx.alloc(bytes);
    const std::vector<char> there(static_cast<size_t>(bytes), 'e');
    std::vector<char> back(there.size());
    ctx.record(begin, one);
    ctx.copy(from.get(), there.data(), bytes, TOPV_HOST_TO_DEVICE, one);
    ctx.copy(via.get(), from.get(), bytes, TOPV_DEVICE_TO_DEVICE, one);
    ctx.record(end, one);
    ctx.wait(end, two);
    ctx.copy(to.get(), via.get(), bytes, TOPV_DEVICE_TO_DEVICE, two);
    ctx.copy(back.data(), to.get(), bytes, TOPV_DEVICE_TO_HOST, two);
    CHECK(back == there);
    {
      const topv::Context other(test::device_backend() != nullptr ? test::device_backend() : "cpu", 1);
      const topv::Event passed = ctx.event();
      ctx.copy(from.get(), std::string(bytes, 'o').data(), bytes, TOPV_HOST_TO_DEVICE, two);
      ctx.record(passed, two);
      other.wait(passed);
      other.copy(back.data(), from.get(), bytes, TOPV_DEVICE_TO_HOST);
      CHECK(back == std::vector<char>(back.size(), 'o'));
      if (test::device_backend() != nullptr && test::has_cpu()) {
        const topv::Context cpu("cpu", 1);
        REFUSED(TOPV_INVALID_ARGUMENT, cpu.wait(passed), "event is of backend", "this context of cpu");
      }
    }
    float milliseconds = -1;
    ctx.check(topv_event_elapsed(ctx.get(), begin.get(), end.get(), &milliseconds));
    CHECK(milliseconds >= 0 && milliseconds < 1e5f);
    REFUSED(TOPV_INVALID_ARGUMENT, ctx.check(topv_event_record(ctx.get(), nullptr, nullptr)),
            "event is NULL");
    REFUSED(TOPV_INVALID_ARGUMENT, ctx.check(topv_event_elapsed(ctx.get(), begin.get(), end.get(), nullptr)),
            "milliseconds is NULL");
    topv_event* wrapped = nullptr;
    REFUSED(TOPV_INVALID_ARGUMENT, ctx.check(topv_event_wrap(ctx.get(), nullptr, &wrapped)),
            "native_event is NULL");
    if (test::device_backend() == nullptr) {
      REFUSED(TOPV_UNSUPPORTED, ctx.check(topv_event_wrap(ctx.get(), &back, &wrapped)), "event_wrap");
    }
  });
}

TEST(graphs_repeat_what_they_recorded) {
  test::for_each_context([](test::Context& ctx) {
    const topv::Stream stream = ctx.stream();
    if (test::device_backend() == nullptr) {
      REFUSED(TOPV_UNSUPPORTED, ctx.graph(stream, [] {}), "graph_begin", "cpu");
      return;
    }
    const int64_t n = 1000, bytes = n * 4;
    const topv::Buffer x = ctx.alloc(2 * bytes), y = ctx.alloc(bytes), z = ctx.alloc(bytes);
    const topv::Context& queue = ctx;  // its operations do not wait
    const topv_silu_mul_params p = {x.get(), y.get(), 1, n, 2 * n, n, TOPV_F32};
    std::vector<float> in(2 * n, 1.0f), out(n, -1.0f);
    const topv::Graph graph = ctx.graph(stream, [&] {
      queue.silu_mul(p, stream);
      queue.copy(z.get(), y.get(), bytes, TOPV_DEVICE_TO_DEVICE, stream);
      REFUSED(TOPV_INVALID_ARGUMENT, ctx.copy(out.data(), z.get(), bytes, TOPV_DEVICE_TO_HOST, stream),
              "copy: the stream records a graph");
      REFUSED(TOPV_INVALID_ARGUMENT, ctx.copy(x.get(), in.data(), bytes, TOPV_HOST_TO_DEVICE, stream),
              "copy: the stream records a graph");
      REFUSED(TOPV_INVALID_ARGUMENT, ctx.synchronize(stream), "the stream records a graph");
      REFUSED(TOPV_INVALID_ARGUMENT, ctx.check(topv_graph_begin(ctx.get(), stream.get())),
              "the stream records a graph");
    });
    for (const float up : {1.0f, 3.0f, -2.0f}) {
      for (int64_t i = 0; i < n; ++i) in[static_cast<size_t>(n + i)] = up * static_cast<float>(i);
      ctx.copy(x.get(), in.data(), 2 * bytes, TOPV_HOST_TO_DEVICE, stream);
      ctx.launch(graph, stream);
      ctx.copy(out.data(), z.get(), bytes, TOPV_DEVICE_TO_HOST, stream);
      const double silu = 1 / (1 + std::exp(-1.0));
      for (int64_t i = 0; i < n; ++i) {
        const double expected = silu * static_cast<double>(up) * static_cast<double>(i);
        CLOSE(out[static_cast<size_t>(i)], expected, std::fabs(expected) * 1e-6, "up " + std::to_string(up));
      }
    }
    REFUSED(TOPV_INVALID_ARGUMENT, ctx.launch(graph), "graph_launch: graph was recorded on another stream");
    topv_graph* none = nullptr;
    REFUSED(TOPV_INVALID_ARGUMENT, ctx.check(topv_graph_end(ctx.get(), stream.get(), &none)),
            "graph_end: the stream records no graph");
  });
}

TEST(wrong_data_is_reported_where_the_host_waits) {
  if (test::device_backend() == nullptr)
    return;  // the CPU refuses the call: every test of an operation says so
  test::for_each_context([](test::Context& ctx) {
    const topv::Context& queue = ctx;  // its operations do not wait
    const topv::Stream stream = ctx.stream(), other = ctx.stream();
    const std::vector<float> table(12, 1.0f);
    std::vector<float> y(8);
    std::vector<int32_t> ids = {5, 1};
    const topv_embed_params p = {ids.data(), table.data(), y.data(), 2, 3, 4, 4, TOPV_F32, TOPV_F32};
    queue.embed(p, stream);  // does not know yet
    ctx.synchronize(other);
    REFUSED(TOPV_INVALID_ARGUMENT, ctx.synchronize(stream), "embed: ids[0] = 5");
    ctx.synchronize(stream);  // said once
    CHECK(y[4] == 1);         // the other row is there
    queue.embed(p, stream);
    REFUSED(TOPV_INVALID_ARGUMENT, ctx.copy(y.data() + 4, y.data(), 4, TOPV_DEVICE_TO_HOST, stream),
            "ids[0] = 5");
    {
      const topv::Graph graph = ctx.graph(stream, [&] { queue.embed(p, stream); });
      ctx.launch(graph, stream);
      REFUSED(TOPV_INVALID_ARGUMENT, ctx.synchronize(stream), "ids[0] = 5");
      ids[0] = 2;
      ctx.launch(graph, stream);
      ctx.synchronize(stream);
      CHECK(y[0] == 1);
    }
    setenv("TOPV_CUDA_BLOCKING", "1", 1);
    const topv::Context blocking(test::device_backend());
    unsetenv("TOPV_CUDA_BLOCKING");
    ids[0] = -1;
    REFUSED(TOPV_INVALID_ARGUMENT, blocking.embed(p), "embed: ids[0] = -1");
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

/// Bytes of the mapping of path that this process holds in memory.
static int64_t resident(const std::string& path) {
  std::ifstream maps("/proc/self/smaps");
  std::string line;
  while (std::getline(maps, line) && line.find(path) == std::string::npos) {
  }
  while (std::getline(maps, line)) {
    long long kilobytes = 0;
    if (std::sscanf(line.c_str(), "Rss: %lld", &kilobytes) == 1) return kilobytes * 1024;
  }
  throw std::runtime_error("no mapping of " + path);
}

TEST(released_files_leave_memory_and_stay_readable) {
  const std::string path = "/tmp/topv_test_" + std::to_string(getpid());
  std::vector<char> bytes(8 << 20);
  std::mt19937 random(7);
  for (char& byte : bytes) byte = static_cast<char>(random());
  std::ofstream(path, std::ios::binary).write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  const auto size = static_cast<int64_t>(bytes.size());
  {
    const topv::MappedFile mapped(path.c_str());
    CHECK(std::memcmp(mapped.data(), bytes.data(), bytes.size()) == 0);
    CHECK(resident(path) == size);
    const char* end = static_cast<const char*>(mapped.data()) + size;
    CHECK(topv_release_file(end - size / 2 + 5000, size / 2 - 5000) == TOPV_OK);
    CHECK(resident(path) > 0 && resident(path) <= size / 2 + 4096);  // the first half, and a page
    mapped.release();
    CHECK(resident(path) == 0);
    CHECK(std::memcmp(mapped.data(), bytes.data(), bytes.size()) == 0);
    CHECK(topv_release_file(mapped.data(), 0) == TOPV_OK);
    CHECK(resident(path) == size);
    CHECK(topv_release_file(mapped.data(), -1) == TOPV_INVALID_ARGUMENT);
  }
  std::remove(path.c_str());
  CHECK(topv_release_file(nullptr, 0) == TOPV_OK);
  CHECK(topv_release_file(nullptr, 1) == TOPV_INVALID_ARGUMENT);
}

TEST(peak_memory_counts_what_was_touched) {
  CHECK(topv_peak_memory() > 1 << 20);
  const std::vector<char> memory(64 << 20, 1);
  CHECK(topv_peak_memory() >= static_cast<int64_t>(memory.size()));
}

TEST(version) { CHECK(std::string(topv_version()).find('.') != std::string::npos); }
