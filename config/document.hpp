// SPDX-License-Identifier: Apache-2.0
// Text to tree: YAML (many documents, anchors) and JSON become the same values, each with the line and
// column where it was written. This knows the two syntaxes and nothing of resources.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "config/meta.hpp"
#include "nlohmann/json_fwd.hpp"

namespace config {

struct Value {
  enum class Type : std::uint8_t { Null, Boolean, Integer, Float, Text, Sequence, Mapping };
  struct Member;

  Type type = Type::Null;
  int line = 0;  // from 1; 0: not from a text
  int column = 0;
  std::string text;             // scalars: as written, without quotes
  std::vector<Value> items;     // Sequence
  std::vector<Member> members;  // Mapping: in the order written, no key twice

  [[nodiscard]] const Member* find(std::string_view key) const;
};

struct Value::Member {
  std::string key;
  int line = 0;
  int column = 0;
  Value value;
};

// One tree per document. Reading stops at the first error of syntax: what follows it means nothing.
struct Documents {
  std::vector<Value> values;
  std::vector<Problem> problems;
};

// Bounds that hold for everything that is read: hostile input costs no more than its size.
struct Limits {
  static constexpr std::size_t bytes = std::size_t{64} << 20U;
  static constexpr std::size_t depth = 64;
  static constexpr std::size_t copied_values = 100'000;  // by YAML aliases, in one text
};

[[nodiscard]] Documents read_yaml(std::string_view text, const std::string& file);
[[nodiscard]] Documents read_json(std::string_view text, const std::string& file);
// JSON that is a tree already; its values have no location.
[[nodiscard]] Documents read_tree(const nlohmann::json& json);

// Block style, keys sorted; strings are quoted where YAML (1.1 or 1.2) would read something else.
[[nodiscard]] std::string print_yaml(const nlohmann::json& json);

}  // namespace config
