// SPDX-License-Identifier: Apache-2.0
// What every resource has: identity, labels, and where it was read from; label selectors.
#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace config {

using Labels = std::map<std::string, std::string>;

// Where something was written. Line and column start at 1; 0 where there is none (objects from the API).
struct Location {
  std::string file;
  int line = 0;
  int column = 0;
  friend bool operator==(const Location&, const Location&) = default;
};

struct Meta {
  std::string name;
  std::string namespace_name;  // empty for kinds without a namespace; "default" where none was given
  Labels labels;
  Labels annotations;
  std::string uid;
  std::string resource_version;
  std::int64_t generation = 0;
  std::string creation_timestamp;  // RFC 3339; empty in files
  Location location;

  // "namespace/name", or the name alone for kinds without a namespace.
  [[nodiscard]] std::string key() const { return namespace_name.empty() ? name : namespace_name + "/" + name; }
};

// A Kubernetes label selector: all labels and all expressions must match; empty matches everything.
struct LabelSelector {
  enum class Operator : std::uint8_t { In, NotIn, Exists, DoesNotExist };
  struct Expression {
    std::string key;
    Operator op{};
    std::vector<std::string> values;
    friend auto operator<=>(const Expression&, const Expression&) = default;
  };
  Labels match_labels;
  std::vector<Expression> match_expressions;

  [[nodiscard]] bool matches(const Labels& labels) const;
  friend auto operator<=>(const LabelSelector&, const LabelSelector&) = default;
};

// MetalLB's rule for selector lists: entries are OR-ed, an empty list selects everything.
[[nodiscard]] bool any_matches(const std::vector<LabelSelector>& selectors, const Labels& labels);

// One thing that is wrong with a resource, said so that the reader can mend it:
//   peers.yaml:3:16: BGPPeer/tor1 spec.holdTime: must be 0 or at least 3 s, got 2 s
struct Problem {
  Location location;
  std::string object;  // "Kind/name", or "Kind/namespace/name"
  std::string field;   // "spec.holdTime"; empty when the object as a whole is meant
  std::string message;
  friend bool operator==(const Problem&, const Problem&) = default;
};
[[nodiscard]] std::string print(const Problem& problem);

}  // namespace config
