// SPDX-License-Identifier: Apache-2.0
#include "controller/api/tokens.hpp"

#include <fstream>

#include "../store/store_fixture.hpp"

namespace controller::testing {
namespace {

constexpr auto secret = "0123456789abcdef";

TEST(TokenText, NamesCallersAndRoles) {
  const auto tokens = parse_tokens(
      "# people\n0123456789abcdef, alice\n\nfedcba9876543210,bob,viewer\n"
      "aaaaaaaaaaaaaaaa\r\n");
  ASSERT_TRUE(tokens) << tokens.error();
  ASSERT_EQ(tokens->size(), 3U);
  EXPECT_EQ((*tokens)[0].secret, secret);
  EXPECT_EQ((*tokens)[0].caller.name, "alice");
  EXPECT_EQ((*tokens)[0].caller.role, Caller::Role::Admin);
  EXPECT_EQ((*tokens)[1].caller.role, Caller::Role::Viewer);
  EXPECT_EQ((*tokens)[2].secret, "aaaaaaaaaaaaaaaa");
}

TEST(TokenText, IsRefusedWithItsLineAndWithoutTheToken) {
  const auto brief = parse_tokens("\nhunter2\n");
  ASSERT_FALSE(brief);
  EXPECT_EQ(brief.error(), "2: a token must have at least 16 characters");
  EXPECT_FALSE(parse_tokens("0123456789abcdef,x,king"));
}

class TokensOfAFile : public ::testing::Test {
 public:
  void write(const std::string& text, int age) const {
    std::ofstream{file} << text;
    std::filesystem::last_write_time(file, std::filesystem::file_time_type::clock::now() - std::chrono::hours{age});
  }
  TemporaryFolder folder;
  std::filesystem::path file = folder / "tokens";
};

TEST_F(TokensOfAFile, KnowTheirBearers) {
  write("0123456789abcdef,alice\n", 2);
  const Tokens tokens{file};
  EXPECT_EQ(tokens.caller("Bearer 0123456789abcdef")->name, "alice");
  EXPECT_EQ(tokens.caller("bearer  0123456789abcdef ")->name, "alice");
  for (const auto* wrong : {"", "Bearer", "Bearer ", "Bearer 0123456789abcdeF", "Bearer 0123456789abcde",
                            "Basic 0123456789abcdef", "0123456789abcdef"}) {
    EXPECT_FALSE(tokens.caller(wrong)) << wrong;
  }
}

TEST_F(TokensOfAFile, AreReadAgainWhenItChanges) {
  write("0123456789abcdef,alice\n", 2);
  Tokens tokens{file};
  write("fedcba9876543210,bob\n", 1);
  ASSERT_TRUE(tokens.refresh());
  EXPECT_FALSE(tokens.caller("Bearer 0123456789abcdef"));
  EXPECT_EQ(tokens.caller("Bearer fedcba9876543210")->name, "bob");
}

TEST_F(TokensOfAFile, StayWhenItBreaks) {
  write("0123456789abcdef,alice\n", 2);
  Tokens tokens{file};
  write("short\n", 1);
  EXPECT_FALSE(tokens.refresh());
  EXPECT_TRUE(tokens.caller("Bearer 0123456789abcdef"));
  std::filesystem::remove(file);
  EXPECT_FALSE(tokens.refresh());
  EXPECT_TRUE(tokens.caller("Bearer 0123456789abcdef"));
}

TEST_F(TokensOfAFile, AreNeededToStart) {
  EXPECT_THROW(Tokens{file}, std::runtime_error);
  write("# none\n", 1);
  EXPECT_THROW(Tokens{file}, std::runtime_error);
}

}  // namespace
}  // namespace controller::testing
