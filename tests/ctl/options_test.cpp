// SPDX-License-Identifier: Apache-2.0
#include "ctl/options.hpp"

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace ctl {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

std::variant<Options, int> parse(std::vector<const char*> words) {
  words.insert(words.begin(), "heraldctl");
  return parse_options(static_cast<int>(words.size()), words.data());
}

Options parsed(const std::vector<const char*>& words) {
  const auto result = parse(words);
  EXPECT_TRUE(std::holds_alternative<Options>(result));
  return std::holds_alternative<Options>(result) ? std::get<Options>(result) : Options{};
}

// What is said of a command line that is refused; every one is refused with exit code 2.
std::string refusal(const std::vector<const char*>& words) {
  ::testing::internal::CaptureStderr();
  const auto result = parse(words);
  auto said = ::testing::internal::GetCapturedStderr();
  EXPECT_TRUE(std::holds_alternative<int>(result) && std::get<int>(result) == 2) << said;
  return said;
}

class CtlOptions : public ::testing::Test {
 protected:
  void SetUp() override {
    for (const auto* name : {"HERALD_SERVER", "HERALD_CONTROL", "HERALD_TOKEN_FILE", "HERALD_CA_FILE"})
      ::unsetenv(name);
  }
  void TearDown() override { SetUp(); }
};

TEST_F(CtlOptions, AreTakenBeforeAndAfterTheCommand) {
  for (const auto& words :
       {std::vector{"-n", "web", "get", "svc", "-o", "json"}, std::vector{"get", "-o", "json", "svc", "-n", "web"}}) {
    const auto options = parsed(words);
    EXPECT_EQ(options.verb, Verb::Get);
    EXPECT_EQ(options.format, Format::Json);
    EXPECT_EQ(options.namespace_name, "web");
    EXPECT_THAT(options.words, ElementsAre("svc"));
  }
}

TEST_F(CtlOptions, OfPlansAreAllThatAPlanNeeds) {
  auto options = parsed({"plan", "-f", "a.yaml", "-f", "b.yaml", "--delete", "--class", "x/y"});
  EXPECT_EQ(options.verb, Verb::Plan);
  EXPECT_THAT(options.files, ElementsAre("a.yaml", "b.yaml"));
  EXPECT_TRUE(options.deletion);
  EXPECT_EQ(options.load_balancer_class, "x/y");
  options = parsed({"migrate", "metallb", "--kubernetes", "--apply", "--metallb-namespace", "lb"});
  EXPECT_EQ(options.verb, Verb::Migrate);
  EXPECT_TRUE(options.apply);
  EXPECT_EQ(options.metallb_namespace, "lb");
  EXPECT_EQ(parsed({"migrate", "metallb"}).metallb_namespace, "metallb-system");
}

TEST_F(CtlOptions, HaveDefaults) {
  const auto options = parsed({"status"});
  EXPECT_EQ(options.server, "http://127.0.0.1:7472");
  EXPECT_EQ(options.control, "");
  EXPECT_EQ(options.format, Format::Table);
  EXPECT_EQ(options.namespace_name, "default");
  EXPECT_EQ(options.paint, Paint::Plain);  // a test's output is no terminal, or a terminal of nobody
}

TEST_F(CtlOptions, AreOverriddenByTheEnvironmentAndThatByTheCommandLine) {
  ::setenv("HERALD_SERVER", "unix:/env", 1);
  ::setenv("HERALD_CONTROL", "unix:/control", 1);
  ::setenv("HERALD_TOKEN_FILE", "/token", 1);
  ::setenv("HERALD_CA_FILE", "/ca", 1);
  auto options = parsed({"get", "pools"});
  EXPECT_EQ(options.server, "unix:/env");
  EXPECT_EQ(options.control, "unix:/control");
  EXPECT_EQ(options.token_file, "/token");
  EXPECT_EQ(options.ca_file, "/ca");
  options =
      parsed({"--server", "unix:/line", "--control", "unix:/c2", "--token-file", "/t2", "--ca-file", "/ca2", "peers"});
  EXPECT_EQ(options.server, "unix:/line");
  EXPECT_EQ(options.control, "unix:/c2");
  EXPECT_EQ(options.token_file, "/t2");
  EXPECT_EQ(options.ca_file, "/ca2");
}

TEST_F(CtlOptions, OfCommandsReachThem) {
  EXPECT_EQ(parsed({"get", "svc", "-l", "app=web"}).selector, "app=web");
  EXPECT_TRUE(parsed({"get", "svc", "--show-managed-fields"}).managed_fields);
  EXPECT_TRUE(parsed({"get", "svc", "-A"}).all_namespaces);
  EXPECT_THAT(parsed({"apply", "-f", "a", "-f", "b"}).files, ElementsAre("a", "b"));
  EXPECT_TRUE(parsed({"apply", "-f", "a", "--dry-run"}).dry_run);
  const auto routes = parsed({"routes", "in", "10.0.0.0/8", "--peer", "tor1", "--family", "ipv4"});
  EXPECT_THAT(routes.words, ElementsAre("in", "10.0.0.0/8"));
  EXPECT_EQ(routes.peer, "tor1");
  EXPECT_EQ(routes.family, "ipv4");
  EXPECT_EQ(parsed({"restart", "tor1", "--reason", "why not"}).reason, "why not");
  EXPECT_TRUE(parsed({"refresh", "tor1", "--out"}).out);
}

TEST_F(CtlOptions, NameTheFormats) {
  EXPECT_EQ(parsed({"status", "-o", "wide"}).format, Format::Wide);
  EXPECT_EQ(parsed({"status", "-o", "yaml"}).format, Format::Yaml);
  EXPECT_EQ(parsed({"status", "-o", "name"}).format, Format::Name);
  EXPECT_THAT(refusal({"status", "-o", "tabel"}), HasSubstr("must be table, wide, json, yaml or name, got \"tabel\""));
}

TEST_F(CtlOptions, ProposeTheCommandThatWasMeant) {
  EXPECT_EQ(refusal({"gett", "pools"}), "heraldctl: there is no command \"gett\"; did you mean get?\n");
  EXPECT_EQ(refusal({"peer"}), "heraldctl: there is no command \"peer\"; did you mean peers?\n");
  EXPECT_EQ(refusal({"frobnicate"}), "heraldctl: there is no command \"frobnicate\"; see heraldctl --help\n");
}

TEST_F(CtlOptions, SayWhichWordIsMissingAndWhereHelpIs) {
  EXPECT_EQ(refusal({"get"}), "heraldctl get: KIND is required\n  See heraldctl get --help\n");
  EXPECT_THAT(refusal({"apply"}), HasSubstr("--filename is required"));
  EXPECT_THAT(refusal({"routes"}), HasSubstr("TABLE"));
  EXPECT_THAT(refusal({"explain"}), HasSubstr("WHAT"));
  EXPECT_THAT(refusal({"completion"}), HasSubstr("SHELL"));
  EXPECT_THAT(refusal({"get", "pools", "--bogus"}), HasSubstr("--bogus"));
  EXPECT_THAT(refusal({"routes", "best", "--family", "ipx"}), HasSubstr("must be ipv4 or ipv6, got \"ipx\""));
}

TEST_F(CtlOptions, AloneShowTheHelpAndAreAnError) {
  EXPECT_THAT(refusal({}),
              AllOf(StartsWith("Sees, changes and explains"), HasSubstr("explain"), HasSubstr("--server")));
}

TEST_F(CtlOptions, AndCommandsAreInTheManual) {
  std::ifstream file{HERALD_SOURCE_DIR "/docs/man/heraldctl.1"};
  const std::string manual{std::istreambuf_iterator<char>{file}, {}};
  std::istringstream help{refusal({})};
  bool commands = false;
  int count = 0;
  for (std::string line; std::getline(help, line);) {
    if (line == "Subcommands:") commands = true;
    std::istringstream words{line};
    std::string word;
    words >> word;
    if (!line.starts_with("  ") || line.starts_with("   ") || word.empty()) continue;
    ++count;
    const auto name = word.substr(word.rfind(',') + 1);  // "-o,--output" -> "--output"
    if (name == "--help" || name == "--version") continue;
    const auto written = commands ? ".It Ic " + name : " -" + name.substr(2);  // "Fl o , -output"
    const auto at = manual.find(written);
    ASSERT_NE(at, std::string::npos) << written;
    EXPECT_THAT(std::string(1, manual[at + written.size()]), ::testing::AnyOf(" ", "\n")) << written;
  }
  EXPECT_GE(count, 20);
}

TEST_F(CtlOptions, HelpAndVersionAreNoErrors) {
  for (const auto* word : {"--help", "--version"}) {
    ::testing::internal::CaptureStdout();
    const auto result = parse({word});
    EXPECT_THAT(::testing::internal::GetCapturedStdout(), HasSubstr("heraldctl"));
    EXPECT_EQ(std::get<int>(result), 0);
  }
}

}  // namespace
}  // namespace ctl
