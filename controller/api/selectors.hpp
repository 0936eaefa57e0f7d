// SPDX-License-Identifier: Apache-2.0
// The label and field selectors of list, watch and deletecollection, from their text in a query. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "controller/store/object.hpp"
#include "net/result.hpp"

namespace controller {

// "app=web,tier in (front,back),!canary": all must hold.
class LabelRequirements {
 public:
  // The error says what is wrong with the text.
  [[nodiscard]] static net::Result<LabelRequirements, std::string> parse(std::string_view text);
  [[nodiscard]] bool matches(const LabelText& labels) const;
  [[nodiscard]] bool empty() const { return requirements_.empty(); }

 private:
  enum class Operator : std::uint8_t { In, NotIn, Exists, DoesNotExist, GreaterThan, LessThan };
  struct Requirement {
    std::string key;
    Operator op{};
    std::vector<std::string> values;
  };
  class Parser;
  std::vector<Requirement> requirements_;
};

// "metadata.name=web,type!=Opaque": all must hold. Which fields there are depends on the kind.
class FieldRequirements {
 public:
  [[nodiscard]] static net::Result<FieldRequirements, std::string> parse(std::string_view text, config::Kind kind);
  [[nodiscard]] bool matches(const Object& object) const;
  [[nodiscard]] bool empty() const { return requirements_.empty(); }

 private:
  struct Requirement {
    std::string field;
    std::string value;
    bool equal = true;
  };
  std::vector<Requirement> requirements_;
};

}  // namespace controller
