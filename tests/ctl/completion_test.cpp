// SPDX-License-Identifier: Apache-2.0
// The scripts, run by the shells that they are for.
#include <array>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "config/api_paths.hpp"
#include "ctl/commands.hpp"

namespace ctl {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::IsSupersetOf;
using ::testing::Not;
using ::testing::UnorderedElementsAre;

namespace fs = std::filesystem;
using Words = std::vector<std::string>;

std::string output_of(const std::string& command) {
  std::string out;
  FILE* pipe = ::popen(command.c_str(), "r");
  if (pipe == nullptr) return out;
  std::array<char, 4096> buffer{};
  while (const auto size = std::fread(buffer.data(), 1, buffer.size(), pipe)) out.append(buffer.data(), size);
  ::pclose(pipe);
  return out;
}

bool there_is(const std::string& program) {
  return !output_of("command -v " + program).empty();
}

// A shell with the script, and a `heraldctl` that prints what it was asked: names come from the real one elsewhere.
class Completion : public ::testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    if (!there_is(GetParam())) GTEST_SKIP() << "no " << GetParam();
    std::string name = (fs::temp_directory_path() / "completion.XXXXXX").string();
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    folder_ = name;
    std::ofstream{folder_ / "script"} << completion(GetParam());
  }
  void TearDown() override { fs::remove_all(folder_); }

  // What the shell offers for the last of the words.
  [[nodiscard]] Words offered(const Words& words, const std::string& names = "") const {
    std::string list;
    for (const auto& word : words) list += " '" + word + "'";
    std::ofstream driver{folder_ / "driver"};
    driver << "heraldctl() { echo \"$*\" >>" << (folder_ / "asked").string() << "; printf '%s\\n' " << names << "; }\n";
    const auto index = std::to_string(words.size() - 1);
    if (GetParam() == "bash") {
      driver << ". " << (folder_ / "script").string() << "\nCOMP_WORDS=(" << list << ")\nCOMP_CWORD=" << index
             << "\n_heraldctl\nprintf '%s\\n' \"${COMPREPLY[@]}\"\n";
    } else {
      driver << "compdef() { : }\ncompadd() { shift; print -l -- ${(P)1} }\n_files() { print -l -- *(N) }\n. "
             << (folder_ / "script").string() << "\nwords=(" << list << ")\nCURRENT=" << words.size()
             << "\n_heraldctl\n";
    }
    driver.close();
    std::istringstream out{
        output_of(GetParam() + (GetParam() == "bash" ? " --norc " : " -f ") + (folder_ / "driver").string() + " 2>&1")};
    Words found;
    for (std::string line; std::getline(out, line);)
      if (!line.empty() && (GetParam() == "bash" || line.starts_with(words.back()))) found.push_back(line);
    return found;
  }
  [[nodiscard]] std::string asked() const {
    std::ifstream file{folder_ / "asked"};
    return {std::istreambuf_iterator<char>{file}, {}};
  }

  fs::path folder_;
};

TEST_P(Completion, OffersCommands) {
  EXPECT_THAT(offered({"heraldctl", ""}), IsSupersetOf({"get", "apply", "peers", "explain", "completion"}));
  EXPECT_THAT(offered({"heraldctl", "re"}), UnorderedElementsAre("restart", "refresh"));
  EXPECT_THAT(offered({"heraldctl", "-n", "web", "--server", "unix:/x", "desc"}), ElementsAre("describe"));
}

TEST_P(Completion, OffersEveryKind) {
  const auto kinds = offered({"heraldctl", "get", ""});
  for (const auto& kind : config::all_kinds()) EXPECT_THAT(kinds, Contains(std::string{kind.plural}));
  EXPECT_THAT(offered({"heraldctl", "watch", "bgpp"}), ElementsAre("bgppeers"));
}

TEST_P(Completion, AsksForTheNamesOfObjects) {
  EXPECT_THAT(offered({"heraldctl", "--server", "unix:/x", "get", "pools", "w"}, "ipaddresspool/web ipaddresspool/lan"),
              ElementsAre("web"));
  EXPECT_EQ(asked(), "--server unix:/x get pools -o name\n");
  EXPECT_THAT(offered({"heraldctl", "peers", ""}, "tor1 tor2"), ElementsAre("tor1", "tor2"));
  EXPECT_THAT(offered({"heraldctl", "explain", "service", ""}, "default/shop"), ElementsAre("default/shop"));
}

TEST_P(Completion, OffersTheWordsOfOptions) {
  EXPECT_THAT(offered({"heraldctl", "get", "pools", "-o", ""}), ElementsAre("table", "wide", "json", "yaml", "name"));
  EXPECT_THAT(offered({"heraldctl", "routes", "best", "--family", ""}), ElementsAre("ipv4", "ipv6"));
  EXPECT_THAT(offered({"heraldctl", "routes", "in", "--peer", ""}, "tor1"), ElementsAre("tor1"));
  EXPECT_THAT(offered({"heraldctl", "routes", ""}), ElementsAre("in", "best", "out", "kernel"));
  EXPECT_THAT(offered({"heraldctl", "explain", ""}), ElementsAre("service", "route"));
  EXPECT_THAT(offered({"heraldctl", "migrate", ""}), ElementsAre("metallb"));
}

TEST_P(Completion, OffersTheOptionsOfTheCommand) {
  EXPECT_THAT(offered({"heraldctl", "apply", "--"}),
              AllOf(IsSupersetOf({"--filename", "--dry-run", "--server"}), Not(Contains("--peer"))));
  EXPECT_THAT(offered({"heraldctl", "routes", "in", "--p"}), ElementsAre("--peer"));
  EXPECT_THAT(offered({"heraldctl", "plan", "--"}), IsSupersetOf({"--filename", "--delete", "--class"}));
  EXPECT_THAT(offered({"heraldctl", "migrate", "--a"}), IsSupersetOf({"--apply"}));
}

TEST_P(Completion, OffersNothingWhereAnythingMayFollow) {
  EXPECT_THAT(offered({"heraldctl", "restart", "tor1", "--reason", ""}), IsEmpty());
}

INSTANTIATE_TEST_SUITE_P(Shells, Completion, ::testing::Values("bash", "zsh"),
                         [](const auto& shell) { return shell.param; });

TEST(CompletionOfOtherShells, IsRefused) {
  EXPECT_THROW((void)completion("fish"), Failure);
}

}  // namespace
}  // namespace ctl
