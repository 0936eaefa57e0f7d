// SPDX-License-Identifier: Apache-2.0
#include "controller/allocation/pool_status.hpp"

#include <algorithm>
#include <array>
#include <limits>
#include <utility>

namespace controller {
namespace {

using nlohmann::json;

constexpr std::array families{std::pair{net::Family::Ipv4, "IPv4"}, std::pair{net::Family::Ipv6, "IPv6"}};

// A member that is a string; empty when it is anything else, or the whole is no object.
std::string text_of(const json& object, const char* name) {
  const auto found = object.is_object() ? object.find(name) : object.end();
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string{};
}

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

json exhausted(const Allocator& allocator, const std::string& pool) {
  std::string text;
  std::string reason;
  for (const auto& [family, name] : families) {
    const auto usage = allocator.usage(pool, family);
    if (usage.capacity == 0 || usage.available() != 0) continue;
    text += (text.empty() ? "" : "; ") + counted(usage, name);
    reason = reason.empty() ? "No" + std::string{name} + "Left" : "NothingLeft";
  }
  if (text.empty())
    return {
        {"status", "False"}, {"reason", "AddressesLeft"}, {"message", "each family of the pool has addresses left"}};
  return {{"status", "True"}, {"reason", reason}, {"message", text}};
}

}  // namespace

std::optional<json> pool_status(const Allocator& allocator, const json& pool, const std::string& timestamp) {
  const auto name = pool.value("/metadata/name"_json_pointer, std::string{});
  const auto before = pool.value("/status"_json_pointer, json::object());
  json status;
  for (const auto& [family, suffix] : families) {
    const auto usage = allocator.usage(name, family);
    status[std::string{"capacity"} + suffix] = shown(usage.capacity);
    status[std::string{"assigned"} + suffix] = shown(usage.assigned);
    status[std::string{"quarantined"} + suffix] = shown(usage.quarantined);
    status[std::string{"available"} + suffix] = shown(usage.available());
  }
  auto condition = exhausted(allocator, name);
  condition["type"] = exhausted_condition;
  condition["lastTransitionTime"] = timestamp;
  auto conditions = json::array();
  const auto had = before.is_object() ? before.value("conditions", json::array()) : json::array();
  static const auto none = json::array();
  for (const auto& entry : had.is_array() ? had : none) {
    if (text_of(entry, "type") != exhausted_condition) {
      conditions.push_back(entry);
    } else if (text_of(entry, "status") == condition["status"]) {
      condition["lastTransitionTime"] = text_of(entry, "lastTransitionTime");
    }
  }
  conditions.push_back(std::move(condition));
  status["conditions"] = std::move(conditions);
  auto after = before.is_object() ? before : json::object();
  after.update(status);
  if (after == before) return std::nullopt;
  return status;
}

}  // namespace controller
