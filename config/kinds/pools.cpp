// SPDX-License-Identifier: Apache-2.0
// IPAddressPool and Community.
#include "config/kinds/kinds.hpp"
#include "config/rules.hpp"

namespace config {
namespace {

using nlohmann::json;

IPAddressPool::ServiceAllocation parse_service_allocation(Cursor in) {
  IPAddressPool::ServiceAllocation allocation;
  allocation.priority = in.optional("priority", number<int>(0), 0);
  allocation.namespaces = parse_names(in, "namespaces");
  allocation.namespace_selectors = parse_selectors(in, "namespaceSelectors");
  allocation.service_selectors = parse_selectors(in, "serviceSelectors");
  in.no_other_keys();
  return allocation;
}

json print(const IPAddressPool::ServiceAllocation& allocation) {
  json out = {{"priority", allocation.priority}};
  if (!allocation.namespaces.empty()) out["namespaces"] = allocation.namespaces;
  if (!allocation.namespace_selectors.empty()) out["namespaceSelectors"] = print(allocation.namespace_selectors);
  if (!allocation.service_selectors.empty()) out["serviceSelectors"] = print(allocation.service_selectors);
  return out;
}

void refuse_overlaps(const Cursor& spec, std::vector<net::AddressRange> ranges) {
  std::ranges::sort(ranges);
  for (std::size_t i = 1; i < ranges.size(); ++i)
    if (ranges[i].overlaps(ranges[i - 1])) {
      spec.problem("addresses", net::print(ranges[i - 1]) + " and " + net::print(ranges[i]) + " overlap");
      return;
    }
}

struct Alias {
  std::string name;
  std::string value;
};

Alias parse_alias(Cursor in) {
  Alias alias;
  alias.name = in.required("name", word);
  alias.value = in.required("value", [](const Value& value) -> Checked<std::string> {
    if (value.type == Value::Type::Text && is_community(value.text, Wildcards::Refused)) return value.text;
    return net::fail(must_be("a community such as 65001:100 or large:1:2:3", value));
  });
  in.no_other_keys();
  if (alias.name.find_first_of(":*") != std::string::npos)
    in.problem("name", "must not contain \":\" or \"*\": it would be taken for a community");
  return alias;
}

}  // namespace

IPAddressPool parse_pool_spec(Cursor& spec, Meta meta) {
  IPAddressPool pool;
  pool.meta = std::move(meta);
  pool.addresses = spec.required_list("addresses", range);
  pool.auto_assign = spec.optional("autoAssign", boolean, true);
  pool.avoid_buggy_ips = spec.optional("avoidBuggyIPs", boolean, false);
  pool.service_allocation = spec.optional("serviceAllocation", parse_service_allocation);
  refuse_overlaps(spec, pool.addresses);
  return pool;
}

IPAddressPool parse_ip_address_pool(Cursor in) {
  auto meta = parse_meta(in, NamespaceRule::Refused);
  auto spec = in.required_object("spec");
  auto pool = parse_pool_spec(spec, std::move(meta));
  pool.quarantine = spec.optional("quarantine", seconds, pool.quarantine);
  spec.no_other_keys();
  in.no_other_keys();
  return pool;
}

json print(const IPAddressPool& pool) {
  auto out = print_object("herald.dev/v1", "IPAddressPool", pool.meta);
  auto& spec = out["spec"];
  spec["addresses"] = json::array();
  for (const auto& entry : pool.addresses) spec["addresses"].push_back(net::print(entry));
  spec["autoAssign"] = pool.auto_assign;
  spec["avoidBuggyIPs"] = pool.avoid_buggy_ips;
  if (pool.service_allocation) spec["serviceAllocation"] = print(*pool.service_allocation);
  spec["quarantine"] = print(pool.quarantine);
  return out;
}

Community parse_community_spec(Cursor& spec, Meta meta) {
  Community community;
  community.meta = std::move(meta);
  for (auto& alias : spec.list("communities", parse_alias)) {
    const auto [place, added] = community.communities.emplace(std::move(alias.name), std::move(alias.value));
    if (!added) spec.problem("communities", "has the name " + place->first + " twice");
  }
  return community;
}

Community parse_community(Cursor in) {
  auto meta = parse_meta(in, NamespaceRule::Refused);
  auto spec = in.required_object("spec");
  auto community = parse_community_spec(spec, std::move(meta));
  spec.no_other_keys();
  in.no_other_keys();
  return community;
}

json print(const Community& community) {
  auto out = print_object("herald.dev/v1", "Community", community.meta);
  auto& entries = out["spec"]["communities"] = json::array();
  for (const auto& [name, value] : community.communities) entries.push_back({{"name", name}, {"value", value}});
  return out;
}

}  // namespace config
