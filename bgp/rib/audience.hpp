// SPDX-License-Identifier: Apache-2.0
// Which neighbours a local route may be announced to, as small numbers: each distinct set of names once.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "bgp/rib/path.hpp"

namespace bgp {

inline constexpr AudienceId everyone = 0;
inline constexpr AudienceId nobody = ~AudienceId{0};
// Of whom no names are needed: neighbours of the member AS, and of the confederation, where there is one.
inline constexpr AudienceId own_as = nobody - 1;
inline constexpr AudienceId own_confederation = nobody - 2;

class Audiences {
 public:
  // An empty list means everyone. The number stays; a set that nobody uses any more costs its names.
  AudienceId of(std::vector<std::string> names);
  // The audiences that `name` belongs to besides everyone, ascending.
  [[nodiscard]] std::vector<AudienceId> with(std::string_view name) const;
  [[nodiscard]] std::size_t size() const { return ids_.size(); }

 private:
  std::map<std::vector<std::string>, AudienceId> ids_;
};

}  // namespace bgp
