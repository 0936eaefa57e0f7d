// SPDX-License-Identifier: Apache-2.0
#include "controller/allocation/pool_status.hpp"

#include <algorithm>
#include <array>
#include <limits>
#include <utility>

#include "controller/conditions.hpp"

namespace controller {
namespace {

using nlohmann::json;

constexpr std::array families{std::pair{net::Family::Ipv4, "IPv4"}, std::pair{net::Family::Ipv6, "IPv6"}};

// JSON readers take larger numbers for something else.
std::uint64_t shown(std::uint64_t count) {
  constexpr auto most = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
  return std::min(count, most);
}

std::string counted(const Allocator::Usage& usage, const std::string& family) {
  auto text = "all " + std::to_string(usage.capacity) + " " + family + " addresses are assigned";
  if (usage.quarantined != 0) text += " or in quarantine";
  return text;
}

Statement exhausted(const Allocator& allocator, const std::string& pool) {
  Statement out{.type = std::string{exhausted_condition}, .status = Statement::Status::True};
  for (const auto& [family, name] : families) {
    const auto usage = allocator.usage(pool, family);
    if (usage.capacity == 0 || usage.available() != 0) continue;
    out.message += (out.message.empty() ? "" : "; ") + counted(usage, name);
    out.reason = out.reason.empty() ? "No" + std::string{name} + "Left" : "NothingLeft";
  }
  if (!out.message.empty()) return out;
  out.status = Statement::Status::False;
  out.reason = "AddressesLeft";
  out.message = "each family of the pool has addresses left";
  return out;
}

}  // namespace

std::optional<json> pool_status(const Allocator& allocator, const json& pool, const std::string& timestamp) {
  const auto name = pool.value("/metadata/name"_json_pointer, std::string{});
  ObjectStatus said{.conditions = {exhausted(allocator, name)}};
  for (const auto& [family, suffix] : families) {
    const auto usage = allocator.usage(name, family);
    said.members[std::string{"capacity"} + suffix] = shown(usage.capacity);
    said.members[std::string{"assigned"} + suffix] = shown(usage.assigned);
    said.members[std::string{"quarantined"} + suffix] = shown(usage.quarantined);
    said.members[std::string{"available"} + suffix] = shown(usage.available());
  }
  return status_patch(pool, said, timestamp);
}

}  // namespace controller
