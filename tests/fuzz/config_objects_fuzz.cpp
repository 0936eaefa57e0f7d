// SPDX-License-Identifier: Apache-2.0
// Any text through the reader of resources, as YAML and as JSON, and on through validation and printing.
// What is printed must read back to itself.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include <nlohmann/json.hpp>

#include "config/source/files.hpp"

namespace {

void run(std::string_view text, config::Syntax syntax) {
  auto read = config::read_objects(text, "f", syntax);
  for (const auto& problem : read.problems) static_cast<void>(config::print(problem));
  for (const auto& object : read.objects) {
    const auto printed = config::print_yaml(config::print(object));
    const auto again = config::read_objects(printed, "again", config::Syntax::Yaml);
    if (again.objects.size() != 1 || config::print_yaml(config::print(again.objects[0])) != printed) std::abort();
  }
  static_cast<void>(config::print_config(config::assemble(std::move(read)).resources));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text{reinterpret_cast<const char*>(data), size};
  run(text, config::Syntax::Yaml);
  run(text, config::Syntax::Json);
  return 0;
}
