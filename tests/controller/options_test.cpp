// SPDX-License-Identifier: Apache-2.0
#include "controller/options.hpp"

#include <gmock/gmock.h>

namespace controller {
namespace {

using testing::HasSubstr;

Options options(const std::vector<std::string>& arguments) {
  const auto parsed = parse_options(arguments);
  if (const auto* exit = std::get_if<Exit>(&parsed)) ADD_FAILURE() << exit->output;
  return std::holds_alternative<Options>(parsed) ? std::get<Options>(parsed) : Options{};
}

TEST(CommandLine, ListensOnLoopbackByDefault) {
  const auto parsed = options({"--store", "a.db"});
  EXPECT_EQ(parsed.store, "a.db");
  ASSERT_EQ(parsed.listen.size(), 1U);
  EXPECT_EQ(print(parsed.listen[0]), "127.0.0.1:7472");
}

TEST(CommandLine, TakesSeveralAddresses) {
  const auto parsed = options({"--store", "a.db", "--listen", "unix:/run/a.sock", "--listen", "[::1]:1", "--metrics",
                               "127.0.0.1:7473", "--log-level", "debug", "--log-format", "json"});
  ASSERT_EQ(parsed.listen.size(), 2U);
  EXPECT_EQ(print(parsed.listen[1]), "[::1]:1");
  EXPECT_EQ(parsed.metrics->port, 7473);
  EXPECT_EQ(parsed.log_format, Log::Format::Json);
}

TEST(CommandLine, NeedsATokenFileBeyondThisMachine) {
  const auto parsed = parse_options({"--store", "a.db", "--listen", "0.0.0.0:7472"});
  ASSERT_TRUE(std::holds_alternative<Exit>(parsed));
  EXPECT_EQ(std::get<Exit>(parsed).code, 2);
  EXPECT_THAT(std::get<Exit>(parsed).output, HasSubstr("--token-file is required"));
  options({"--store", "a.db", "--listen", "0.0.0.0:7472", "--token-file", "tokens"});
}

TEST(CommandLine, SaysWhatIsWrong) {
  const std::vector<std::pair<std::vector<std::string>, const char*>> cases{
      {{}, "--store: is required"},
      {{"--store", "a", "--listen", "nowhere"}, "--listen: must be"},
      {{"--store", "a", "--metrics", "unix:/a"}, "--metrics: must be"},
      {{"--store", "a", "--tls-cert", "c"}, "--tls-cert, --tls-key"},
      {{"--store", "a", "--log-level", "loud"}, "--log-level"},
      {{"--store", "a", "--log-format", "xml"}, "--log-format"},
      {{"--store", "a", "--frobnicate"}, "frobnicate"},
      {{"--store"}, "--store"},
  };
  for (const auto& [arguments, text] : cases) {
    const auto parsed = parse_options(arguments);
    ASSERT_TRUE(std::holds_alternative<Exit>(parsed)) << text;
    EXPECT_EQ(std::get<Exit>(parsed).code, 2) << text;
    EXPECT_THAT(std::get<Exit>(parsed).output, HasSubstr(text));
  }
}

TEST(CommandLine, HelpsAndTellsItsVersion) {
  EXPECT_EQ(std::get<Exit>(parse_options({"--help"})).code, 0);
  EXPECT_THAT(std::get<Exit>(parse_options({"--help"})).output, HasSubstr("--store"));
  EXPECT_THAT(std::get<Exit>(parse_options({"--version"})).output, HasSubstr("herald-controller "));
}

}  // namespace
}  // namespace controller
