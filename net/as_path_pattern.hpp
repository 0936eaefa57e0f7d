// SPDX-License-Identifier: Apache-2.0
// Regular expressions over AS paths as routers write them: "_65001_", "^65001(_65002)+$", "^$". The pattern
// becomes a small automaton that is run in one pass, so that no path and no pattern costs more than the product
// of their sizes. Knows text only; a path is what print() makes of it: "65001 65002 {65003 65004}".
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "net/result.hpp"

namespace net {

class AsPathPattern {
 public:
  static constexpr std::size_t longest = 256;  // characters of a pattern

  // Finds the pattern anywhere in the path, unless it is anchored.
  [[nodiscard]] bool matches(std::string_view path) const;
  [[nodiscard]] const std::string& text() const { return text_; }
  friend bool operator==(const AsPathPattern& one, const AsPathPattern& other) { return one.text_ == other.text_; }

  struct Step;
  using Program = std::vector<Step>;

 private:
  friend Result<AsPathPattern, std::string> parse_as_path_pattern(std::string_view text);
  AsPathPattern(std::string text, std::shared_ptr<const Program> program);

  std::string text_;
  std::shared_ptr<const Program> program_;  // immutable, shared by all copies
};

// Digits and blanks stand for themselves, "_" for a boundary of a number (a blank, a bracket, either end), "." for
// any character; "^" and "$" are the ends, "[0-9]" and "[^0-9]" sets, "*", "+" and "?" repeat what stands before
// them, "(a|b)" is a choice, "\" takes the meaning away from what follows. The error says what is wrong and where.
[[nodiscard]] Result<AsPathPattern, std::string> parse_as_path_pattern(std::string_view text);

}  // namespace net
