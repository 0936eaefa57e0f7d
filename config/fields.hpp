// SPDX-License-Identifier: Apache-2.0
// Which fields the reader of a kind knows, found out by asking it, so that nothing can say otherwise.
#pragma once

#include <set>
#include <string>
#include <string_view>

namespace config {

// Paths such as "spec.rules[].match.prefixes[].cidr", where "[]" is a list of what follows; with those of metadata,
// without apiVersion and kind. A label selector counts as one field. Empty for a kind that Herald does not read.
// The reference stays; safe from any thread.
[[nodiscard]] const std::set<std::string>& known_fields(std::string_view api_version, std::string_view kind);

}  // namespace config
