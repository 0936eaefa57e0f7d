// SPDX-License-Identifier: Apache-2.0
// BGPConfiguration.
#include <algorithm>
#include <array>

#include "config/kinds/kinds.hpp"
#include "config/rules.hpp"

namespace config {
namespace {

using nlohmann::json;

// Numbers of rt_protos that are the kernel's or another daemon's: programming with them would be to take
// their routes for ours. linux/rtnetlink.h
struct Owner {
  std::uint8_t protocol;
  std::string_view name;
};
constexpr auto taken = std::to_array<Owner>(
    {{0, "unspec"}, {1, "redirect"}, {2, "kernel"},   {3, "boot"},        {4, "static"},    {8, "gated"},
     {9, "ra"},     {10, "mrt"},     {11, "zebra"},   {12, "bird"},       {13, "dnrouted"}, {14, "xorp"},
     {15, "ntk"},   {16, "dhcp"},    {17, "mrouted"}, {18, "keepalived"}, {42, "babel"},    {84, "ovn"},
     {99, "openr"}, {186, "bgp"},    {187, "isis"},   {188, "ospf"},      {189, "rip"},     {192, "eigrp"}});

Checked<std::uint8_t> route_protocol(const Value& value) {
  return number<std::uint8_t>()(value).and_then([&](std::uint8_t protocol) -> Checked<std::uint8_t> {
    const auto owner = std::ranges::find(taken, protocol, &Owner::protocol);
    if (owner == taken.end()) return protocol;
    return net::fail("must be a number of its own, got " + value.text + ", which is that of " +
                     std::string{owner->name});
  });
}

Checked<std::uint32_t> route_table(const Value& value) {
  return number<std::uint32_t>(1)(value).and_then([](std::uint32_t table) -> Checked<std::uint32_t> {
    if (table == 255) return net::fail(std::string{"must not be 255, the kernel's own table of local addresses"});
    return table;
  });
}

BGPConfiguration::Listen parse_listen(Cursor in) {
  BGPConfiguration::Listen listen;
  listen.addresses = in.list("addresses", ip);
  listen.port = in.optional("port", number<std::uint16_t>(), listen.port);
  in.no_other_keys();
  refuse_repeats(in, "addresses", listen.addresses, [](const net::IpAddress& address) { return net::print(address); });
  return listen;
}

BGPConfiguration::Kernel parse_kernel(Cursor in) {
  BGPConfiguration::Kernel kernel;
  kernel.install = in.optional("install", boolean, kernel.install);
  kernel.table = in.optional("table", route_table, kernel.table);
  kernel.metric = in.optional("metric", number<std::uint32_t>(), kernel.metric);
  kernel.protocol = in.optional("protocol", route_protocol, kernel.protocol);
  kernel.install_before_advertising =
      in.optional("installBeforeAdvertising", boolean, kernel.install_before_advertising);
  if (kernel.install_before_advertising && !kernel.install)
    in.problem("installBeforeAdvertising", "must be false where install is: no route would ever be advertised");
  in.no_other_keys();
  return kernel;
}

BGPConfiguration::Confederation parse_confederation(Cursor in) {
  BGPConfiguration::Confederation confederation;
  confederation.identifier = in.required("identifier", asn);
  confederation.members = in.required_list("members", asn);
  in.no_other_keys();
  refuse_repeats(in, "members", confederation.members, [](Asn member) { return net::print(member); });
  return confederation;
}

// Names of communities are for advertisements and filters.
Checked<std::string> community(const Value& value) {
  auto found = text(value);
  if (found && is_community(*found, Wildcards::Refused) && !found->starts_with("large:") &&
      found->find_first_not_of("0123456789:") == std::string::npos)
    return found;
  return net::fail(must_be("a community such as 65001:100", value));
}

BGPConfiguration::RpkiCache parse_rpki_cache(Cursor in) {
  BGPConfiguration::RpkiCache cache;
  cache.address = in.required("address", host_ip);
  cache.port = in.optional("port", number<std::uint16_t>(1), cache.port);
  in.no_other_keys();
  return cache;
}

// Nothing, or at least `least`.
auto interval(std::chrono::seconds least) {
  return [least](const Value& value) -> Checked<std::chrono::seconds> {
    auto found = seconds(value);
    constexpr std::chrono::seconds most{std::chrono::hours{24 * 7}};
    if (!found || (*found >= least && *found <= most) || found->count() == 0) return found;
    return net::fail(must_be("0s, or " + print(least) + " to " + print(most), value));
  };
}

Checked<std::chrono::seconds> rotation(const Value& value) {
  auto found = interval(std::chrono::seconds{10})(value);
  if (found && found->count() == 0) return net::fail(must_be("at least 10s", value));
  return found;
}

Checked<std::string> absolute_path(const Value& value) {
  auto found = word(value);
  if (found && !found->starts_with('/')) return net::fail(must_be("a path that begins with /", value));
  return found;
}

BGPConfiguration::BmpStation parse_bmp_station(Cursor in) {
  BGPConfiguration::BmpStation station;
  station.address = in.required("address", host_ip);
  station.port = in.optional("port", number<std::uint16_t>(1), station.port);
  if (auto what =
          in.optional_list("what", one_of({"pre-policy", "post-policy", "adj-rib-out", "loc-rib", "malformed"})))
    station.what = std::move(*what);
  station.statistics_interval =
      in.optional("statisticsInterval", interval(std::chrono::seconds{1}), station.statistics_interval);
  station.buffer_limit = in.optional("bufferLimit", number<std::uint32_t>(1, 1024), station.buffer_limit);
  in.no_other_keys();
  refuse_repeats(in, "what", station.what, [](const std::string& each) { return each; });
  return station;
}

BGPConfiguration::Mrt parse_mrt(Cursor in) {
  BGPConfiguration::Mrt mrt;
  mrt.directory = in.required("directory", absolute_path);
  mrt.rib_interval = in.optional("ribInterval", interval(std::chrono::seconds{10}), mrt.rib_interval);
  mrt.updates = in.optional("updates", boolean, mrt.updates);
  mrt.rotation = in.optional("rotation", rotation, mrt.rotation);
  mrt.keep = in.optional("keep", number<std::uint16_t>(), mrt.keep);
  in.no_other_keys();
  return mrt;
}

BGPConfiguration::Aggregate parse_aggregate(Cursor in) {
  BGPConfiguration::Aggregate aggregate;
  aggregate.prefix = in.required("prefix", prefix);
  aggregate.summary_only = in.optional("summaryOnly", boolean, false);
  aggregate.as_set = in.optional("asSet", boolean, false);
  aggregate.communities = in.list("communities", community);
  in.no_other_keys();
  return aggregate;
}

BGPConfiguration::Multipath parse_multipath(Cursor in) {
  BGPConfiguration::Multipath multipath;
  multipath.maximum_paths = in.optional("maximumPaths", number<std::uint16_t>(1, 512), multipath.maximum_paths);
  multipath.relax = in.optional("relax", boolean, multipath.relax);
  multipath.link_bandwidth = in.optional("linkBandwidth", boolean, multipath.link_bandwidth);
  in.no_other_keys();
  return multipath;
}

}  // namespace

BGPConfiguration parse_bgp_configuration(Cursor in) {
  BGPConfiguration configuration;
  configuration.meta = parse_meta(in, NamespaceRule::Refused);
  auto spec = in.object("spec");
  configuration.asn = spec.optional("asn", asn);
  configuration.router_id = spec.optional("routerID", router_id);
  configuration.listen = spec.optional("listen", parse_listen, configuration.listen);
  configuration.kernel = spec.optional("kernel", parse_kernel, configuration.kernel);
  configuration.multipath = spec.optional("multipath", parse_multipath, configuration.multipath);
  configuration.always_compare_med = spec.optional("alwaysCompareMED", boolean, configuration.always_compare_med);
  configuration.import_filters = parse_names(spec, "import");
  configuration.restart_deferral = spec.optional("restartDeferral", restart_time, configuration.restart_deferral);
  configuration.rpki_caches = spec.list("rpkiCaches", parse_rpki_cache);
  refuse_repeats(spec, "rpkiCaches", configuration.rpki_caches,
                 [](const BGPConfiguration::RpkiCache& cache) { return net::print(cache.address); });
  configuration.bmp_stations = spec.list("bmpStations", parse_bmp_station);
  std::vector<std::string> stations;
  for (const auto& each : configuration.bmp_stations)
    stations.push_back(net::print(each.address) + " port " + std::to_string(each.port));
  refuse_repeats(spec, "bmpStations", std::move(stations), [](const std::string& each) { return each; });
  configuration.mrt = spec.optional("mrt", parse_mrt);
  configuration.cluster_id = spec.optional("clusterID", router_id);
  configuration.confederation = spec.optional("confederation", parse_confederation);
  configuration.aggregates = spec.list("aggregates", parse_aggregate);
  std::vector<net::Prefix> aggregated;
  for (const auto& each : configuration.aggregates) aggregated.push_back(each.prefix);
  refuse_repeats(spec, "aggregates", aggregated, [](const net::Prefix& each) { return net::print(each); });
  if (configuration.confederation && configuration.asn &&
      std::ranges::find(configuration.confederation->members, *configuration.asn) !=
          configuration.confederation->members.end())
    spec.problem("confederation", "must not name asn itself among members: these are the others");
  spec.not_implemented({"asNumber", "nodeToNodeMeshEnabled", "serviceClusterIPs", "serviceExternalIPs",
                        "serviceLoadBalancerIPs", "listenPort", "communities", "prefixAdvertisements", "bindMode",
                        "nodeMeshPassword", "nodeMeshMaxRestartTime", "ignoredInterfaces", "reflectors", "mesh"});
  spec.no_other_keys();
  in.no_other_keys();

  const auto& name = configuration.meta.name;
  if (!name.empty() && name != "default" && !(name.starts_with("node.") && name.size() > 5))
    in.object("metadata").problem("name", "must be default, or node. and the name of a node; got " + name);
  return configuration;
}

json print(const BGPConfiguration& configuration) {
  auto out = print_object("herald.dev/v1", "BGPConfiguration", configuration.meta);
  auto& spec = out["spec"];
  if (configuration.asn) spec["asn"] = configuration.asn->value;
  if (configuration.router_id) spec["routerID"] = net::print(*configuration.router_id);
  spec["listen"]["addresses"] = json::array();
  for (const auto& address : configuration.listen.addresses) spec["listen"]["addresses"].push_back(net::print(address));
  spec["listen"]["port"] = configuration.listen.port;
  spec["kernel"] = {{"install", configuration.kernel.install},
                    {"table", configuration.kernel.table},
                    {"metric", configuration.kernel.metric},
                    {"protocol", configuration.kernel.protocol}};
  if (configuration.kernel.install_before_advertising) spec["kernel"]["installBeforeAdvertising"] = true;
  spec["multipath"] = {{"maximumPaths", configuration.multipath.maximum_paths},
                       {"relax", configuration.multipath.relax}};
  if (!configuration.multipath.link_bandwidth) spec["multipath"]["linkBandwidth"] = false;
  if (configuration.always_compare_med) spec["alwaysCompareMED"] = true;
  spec["import"] = configuration.import_filters;
  if (configuration.restart_deferral != BGPConfiguration{}.restart_deferral)
    spec["restartDeferral"] = print(configuration.restart_deferral);
  for (const auto& cache : configuration.rpki_caches)
    spec["rpkiCaches"].push_back({{"address", net::print(cache.address)}, {"port", cache.port}});
  for (const auto& station : configuration.bmp_stations)
    spec["bmpStations"].push_back({{"address", net::print(station.address)},
                                   {"port", station.port},
                                   {"what", station.what},
                                   {"statisticsInterval", print(station.statistics_interval)},
                                   {"bufferLimit", station.buffer_limit}});
  if (configuration.mrt)
    spec["mrt"] = {{"directory", configuration.mrt->directory},
                   {"ribInterval", print(configuration.mrt->rib_interval)},
                   {"updates", configuration.mrt->updates},
                   {"rotation", print(configuration.mrt->rotation)},
                   {"keep", configuration.mrt->keep}};
  if (configuration.cluster_id) spec["clusterID"] = net::print(*configuration.cluster_id);
  if (configuration.confederation) {
    auto& confederation = spec["confederation"];
    confederation["identifier"] = configuration.confederation->identifier.value;
    for (const auto member : configuration.confederation->members) confederation["members"].push_back(member.value);
  }
  for (const auto& each : configuration.aggregates) {
    json entry = {{"prefix", net::print(each.prefix)}};
    if (each.summary_only) entry["summaryOnly"] = true;
    if (each.as_set) entry["asSet"] = true;
    if (!each.communities.empty()) entry["communities"] = each.communities;
    spec["aggregates"].push_back(std::move(entry));
  }
  return out;
}

}  // namespace config
