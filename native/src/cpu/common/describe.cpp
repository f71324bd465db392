#include "cpu/common/describe.hpp"

#include <oneapi/dnnl/dnnl.hpp>

#include "cpu/common/onednn.hpp"

namespace topv::cpu {
namespace {

std::string quoted(const std::string& text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    if (static_cast<unsigned char>(c) >= 0x20) out += c;
  }
  return out + '"';
}

}  // namespace

std::string describe(Level level, int threads) {
  const dnnl_version_t* version = dnnl_version();
  const std::string number = std::to_string(version->major) + '.' + std::to_string(version->minor) + '.' +
                             std::to_string(version->patch);
  std::string out = "{\"backend\":\"cpu\",\"device\":" + quoted(cpu_model());
  out += ",\"isa\":" + quoted(level_name(level));
  out += ",\"best_isa\":" + quoted(level_name(best_level()));
  out += ",\"threads\":" + std::to_string(threads);
  out += ",\"cores\":" + std::to_string(usable_cores());
  out += ",\"flags\":" + quoted(cpu_flags());
  out += ",\"libraries\":{\"oneDNN\":" + quoted(number) + "}";
  out += ",\"onednn_isa\":" + quoted(onednn_isa());
  return out + "}";
}

}  // namespace topv::cpu
