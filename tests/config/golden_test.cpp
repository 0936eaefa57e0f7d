// SPDX-License-Identifier: Apache-2.0
// tests/golden/config/NN-name.in.yaml (or .in.json) is read and validated. NN-name.err.txt holds every
// problem and what is set aside or held down; NN-name.ok.yaml what runs. A file that is not there means
// "nothing". UPDATE_GOLDEN=1 writes both anew.
#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "config/source/files.hpp"

namespace config {
namespace {

namespace fs = std::filesystem;

const fs::path folder = fs::path{HERALD_SOURCE_DIR} / "tests/golden/config";

std::string contents(const fs::path& path) {
  std::ifstream file{path, std::ios::binary};
  return {std::istreambuf_iterator<char>{file}, {}};
}

std::vector<std::string> cases() {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator{folder}) {
    const auto name = entry.path().filename().string();
    if (name.find(".in.") != std::string::npos) names.push_back(name);
  }
  std::ranges::sort(names);
  return names;
}

std::string reasons(const std::string& what, const Reasons& all) {
  std::string out;
  for (const auto& [name, why] : all) out += what + ": " + name + "\n";
  return out;
}

std::string report(const Loaded& loaded) {
  std::string out;
  for (const auto& problem : loaded.problems) out += print(problem) + "\n";
  return out + reasons("set aside", loaded.set_aside) + reasons("held down", loaded.held_down);
}

void compare(const fs::path& path, const std::string& actual) {
  if (std::getenv("UPDATE_GOLDEN") == nullptr) {
    EXPECT_EQ(contents(path), actual) << path;
  } else if (actual.empty()) {
    fs::remove(path);
  } else {
    std::ofstream{path, std::ios::binary} << actual;
  }
}

class GoldenConfig : public ::testing::TestWithParam<std::string> {};

TEST_P(GoldenConfig, IsReadOrRefusedAsWritten) {
  const auto& input = GetParam();
  const auto syntax = input.ends_with(".json") ? Syntax::Json : Syntax::Yaml;
  const auto loaded = assemble(read_objects(contents(folder / input), input, syntax));
  const auto stem = input.substr(0, input.find(".in."));
  compare(folder / (stem + ".err.txt"), report(loaded));
  const auto canonical = print_config(loaded.resources);
  compare(folder / (stem + ".ok.yaml"), canonical);

  // The canonical form is a fixed point. Validation may say more of it: what was set aside is missing now.
  const auto again = read_objects(canonical, "again", Syntax::Yaml);
  EXPECT_THAT(again.problems, ::testing::IsEmpty());
  ReadResult read = again;
  Loaded raw;
  for (auto& object : read.objects)
    std::visit([&]<class T>(const T& it) { items<T>(raw.resources).emplace(it.meta.key(), it); }, object);
  EXPECT_EQ(print_config(raw.resources), canonical);
}

INSTANTIATE_TEST_SUITE_P(Files, GoldenConfig, ::testing::ValuesIn(cases()), [](const auto& name) {
  auto out = name.param.substr(0, name.param.find(".in."));
  std::ranges::replace_if(
      out, [](char c) { return c == '-' || c == '.'; }, '_');
  return out;
});

}  // namespace
}  // namespace config
