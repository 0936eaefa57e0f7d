// SPDX-License-Identifier: Apache-2.0
// BGPPeer: what its routes undergo, filters aside.
#include "config/kinds/kinds.hpp"
#include "config/rules.hpp"

namespace config {
namespace {

using nlohmann::json;

std::optional<PeerRoutes::LocalAsn> parse_local_asn(Cursor& spec) {
  enum class Option : std::uint8_t { NoPrepend, ReplaceAs };
  const auto number = spec.optional("localASN", asn);
  const auto options = spec.optional_list(
      "localASNOptions", choice<Option>({{"no-prepend", Option::NoPrepend}, {"replace-as", Option::ReplaceAs}}));
  if (options && !spec.has("localASN")) spec.problem("localASNOptions", "means nothing without localASN");
  if (!number) return std::nullopt;
  PeerRoutes::LocalAsn local;
  local.asn = *number;
  if (!options) return local;  // both, as MetalLB has it
  local.prepend = std::ranges::find(*options, Option::NoPrepend) == options->end();
  local.prepend_own = std::ranges::find(*options, Option::ReplaceAs) == options->end();
  return local;
}

std::vector<net::Prefix> parse_default_originate(Cursor in) {
  auto prefixes = in.list("whenPresent", prefix);
  in.no_other_keys();
  return prefixes;
}

PeerRoutes::Limit parse_limit(Cursor& spec) {
  PeerRoutes::Limit limit;
  limit.action =
      spec.optional("maxPrefixesAction",
                    choice<LimitAction>({{"stop", LimitAction::Stop}, {"warn", LimitAction::Warn}}), limit.action);
  limit.warn_percent = spec.optional("maxPrefixesWarning", number<std::uint8_t>(0, 100), limit.warn_percent);
  limit.restart = spec.optional("maxPrefixesRestart", [](const Value& value) -> Checked<std::chrono::seconds> {
    auto time = seconds(value);
    if (time && *time < std::chrono::seconds{1}) return net::fail(must_be("at least 1s", value));
    return time;
  });
  limit.out = spec.optional("maxPrefixesOut", number<std::uint32_t>(), limit.out);
  if (limit.restart && limit.action == LimitAction::Warn)
    spec.problem("maxPrefixesRestart", "means nothing together with maxPrefixesAction: warn");
  return limit;
}

// One address of a family is enough to tell.
void check_next_hops(const Cursor& spec, const PeerRoutes& routes) {
  const auto& hops = routes.next_hops;
  if (hops.size() > 2 || (hops.size() == 2 && hops[0].family() == hops[1].family()))
    spec.problem("nextHops", "must have at most one address of each family");
  if (!hops.empty() && routes.next_hop_mode == NextHopMode::Keep)
    spec.problem("nextHops", "means nothing together with nextHopMode: Keep");
}

PeerRoutes::AddPath parse_add_path(Cursor in) {
  PeerRoutes::AddPath add_path;
  add_path.receive = in.optional("receive", boolean, false);
  add_path.send = in.optional("send", number<std::uint16_t>(0, 32), std::uint16_t{0});
  in.no_other_keys();
  return add_path;
}

}  // namespace

PeerRoutes parse_peer_routes(Cursor& spec) {
  PeerRoutes routes;
  routes.local_asn = parse_local_asn(spec);
  routes.reflector_client = spec.optional("routeReflectorClient", boolean, false);
  routes.next_hop_mode = spec.optional(
      "nextHopMode",
      choice<NextHopMode>({{"Auto", NextHopMode::Auto}, {"Self", NextHopMode::Self}, {"Keep", NextHopMode::Keep}}),
      routes.next_hop_mode);
  routes.next_hops = spec.list("nextHops", host_ip);
  routes.allowed_own_asns = spec.optional("numAllowedLocalASNumbers", number<std::uint8_t>(0, 10), std::uint8_t{0});
  routes.as_override = spec.optional("asOverride", boolean, false);
  routes.private_asns =
      spec.optional("privateASNs",
                    choice<PrivateAsn>(
                        {{"keep", PrivateAsn::Keep}, {"remove", PrivateAsn::Remove}, {"replace", PrivateAsn::Replace}}),
                    routes.private_asns);
  routes.default_originate = spec.optional("defaultOriginate", parse_default_originate);
  routes.limit = parse_limit(spec);
  routes.keep_rejected = spec.optional("keepRejected", boolean, false);
  routes.aigp = spec.optional("aigp", boolean, false);
  routes.accept_blackhole = spec.optional("acceptBlackhole", boolean, false);
  routes.enforce_first_as = spec.optional("enforceFirstAS", boolean);
  routes.add_path = spec.optional("addPath", parse_add_path, routes.add_path);
  check_next_hops(spec, routes);
  return routes;
}

namespace {

void print_local_asn(const PeerRoutes& routes, json& spec) {
  if (!routes.local_asn) return;
  spec["localASN"] = routes.local_asn->asn.value;
  if (!routes.local_asn->prepend && !routes.local_asn->prepend_own) return;
  auto& options = spec["localASNOptions"] = json::array();
  if (!routes.local_asn->prepend) options.push_back("no-prepend");
  if (!routes.local_asn->prepend_own) options.push_back("replace-as");
}

void print_limit(const PeerRoutes::Limit& limit, json& spec) {
  if (limit.action == LimitAction::Warn) spec["maxPrefixesAction"] = "warn";
  if (limit.warn_percent != PeerRoutes::Limit{}.warn_percent) spec["maxPrefixesWarning"] = limit.warn_percent;
  if (limit.restart) spec["maxPrefixesRestart"] = print(*limit.restart);
  if (limit.out != 0) spec["maxPrefixesOut"] = limit.out;
}

}  // namespace

void print_peer_routes(const PeerRoutes& routes, json& spec) {
  print_local_asn(routes, spec);
  if (routes.reflector_client) spec["routeReflectorClient"] = true;
  if (routes.next_hop_mode != NextHopMode::Auto)
    spec["nextHopMode"] = routes.next_hop_mode == NextHopMode::Self ? "Self" : "Keep";
  for (const auto& hop : routes.next_hops) spec["nextHops"].push_back(net::print(hop));
  if (routes.allowed_own_asns != 0) spec["numAllowedLocalASNumbers"] = routes.allowed_own_asns;
  if (routes.as_override) spec["asOverride"] = true;
  if (routes.private_asns != PrivateAsn::Keep)
    spec["privateASNs"] = routes.private_asns == PrivateAsn::Remove ? "remove" : "replace";
  if (routes.default_originate) {
    auto& origin = spec["defaultOriginate"] = json::object();
    for (const auto& each : *routes.default_originate) origin["whenPresent"].push_back(net::print(each));
  }
  print_limit(routes.limit, spec);
  if (routes.aigp) spec["aigp"] = true;
  if (routes.accept_blackhole) spec["acceptBlackhole"] = true;
  if (routes.enforce_first_as) spec["enforceFirstAS"] = *routes.enforce_first_as;
  if (routes.add_path.receive) spec["addPath"]["receive"] = true;
  if (routes.add_path.send != 0) spec["addPath"]["send"] = routes.add_path.send;
  if (routes.keep_rejected) spec["keepRejected"] = true;
}

}  // namespace config
