// SPDX-License-Identifier: Apache-2.0
// BGPAdvertisement and L2Advertisement.
#include "config/kinds/kinds.hpp"
#include "config/rules.hpp"

namespace config {
namespace {

using nlohmann::json;

std::string as_is(const std::string& text) {
  return text;
}

L2Advertisement::PreferredNodes parse_preferred(Cursor in) {
  L2Advertisement::PreferredNodes preferred;
  preferred.weight = in.required("weight", number<std::uint8_t>(1, 100));
  preferred.preference = in.required("preference", parse_selector);
  in.no_other_keys();
  return preferred;
}

}  // namespace

void parse_bgp_advertisement_spec(Cursor& spec, BGPAdvertisement& advertisement) {
  auto& ad = advertisement;
  ad.aggregation_length = spec.optional("aggregationLength", number<std::uint8_t>(1, 32), ad.aggregation_length);
  ad.aggregation_length_v6 =
      spec.optional("aggregationLengthV6", number<std::uint8_t>(1, 128), ad.aggregation_length_v6);
  ad.communities = spec.list("communities", community_or_alias);
  ad.ip_address_pools = parse_names(spec, "ipAddressPools");
  ad.ip_address_pool_selectors = parse_selectors(spec, "ipAddressPoolSelectors");
  ad.node_selectors = parse_selectors(spec, "nodeSelectors");
  ad.service_selectors = parse_selectors(spec, "serviceSelectors");
  ad.peers = parse_names(spec, "peers");

  refuse_repeats(spec, "communities", ad.communities, as_is);
  // One COMMUNITIES attribute of 255 octets; more would be refused by old routers.
  if (ad.communities.size() > 63) spec.problem("communities", "must have at most 63 entries");
  if (!ad.service_selectors.empty() && (ad.aggregation_length != 32 || ad.aggregation_length_v6 != 128))
    spec.problem("serviceSelectors", "can only be used with aggregationLength 32 and aggregationLengthV6 128");
}

BGPAdvertisement parse_bgp_advertisement(Cursor in) {
  BGPAdvertisement advertisement;
  advertisement.meta = parse_meta(in, NamespaceRule::Refused);
  auto spec = in.object("spec");
  parse_bgp_advertisement_spec(spec, advertisement);
  advertisement.local_pref = spec.optional("localPref", number<std::uint32_t>());
  advertisement.med = spec.optional("med", number<std::uint32_t>());
  advertisement.prepend = spec.optional("prepend", number<std::uint8_t>(0, 16), advertisement.prepend);
  advertisement.prefixes = spec.list("prefixes", prefix);
  refuse_repeats(spec, "prefixes", advertisement.prefixes, [](const net::Prefix& entry) { return net::print(entry); });
  spec.no_other_keys();
  in.no_other_keys();
  return advertisement;
}

json print(const BGPAdvertisement& ad) {
  auto out = print_object("herald.dev/v1", "BGPAdvertisement", ad.meta);
  auto& spec = out["spec"];
  spec["aggregationLength"] = ad.aggregation_length;
  spec["aggregationLengthV6"] = ad.aggregation_length_v6;
  if (ad.local_pref) spec["localPref"] = *ad.local_pref;
  if (ad.med) spec["med"] = *ad.med;
  spec["prepend"] = ad.prepend;
  if (!ad.communities.empty()) spec["communities"] = ad.communities;
  if (!ad.ip_address_pools.empty()) spec["ipAddressPools"] = ad.ip_address_pools;
  if (!ad.ip_address_pool_selectors.empty()) spec["ipAddressPoolSelectors"] = print(ad.ip_address_pool_selectors);
  if (!ad.node_selectors.empty()) spec["nodeSelectors"] = print(ad.node_selectors);
  if (!ad.service_selectors.empty()) spec["serviceSelectors"] = print(ad.service_selectors);
  if (!ad.peers.empty()) spec["peers"] = ad.peers;
  for (const auto& entry : ad.prefixes) spec["prefixes"].push_back(net::print(entry));
  return out;
}

L2Advertisement parse_l2_advertisement_spec(Cursor& spec, Meta meta) {
  L2Advertisement ad;
  ad.meta = std::move(meta);
  ad.ip_address_pools = parse_names(spec, "ipAddressPools");
  ad.ip_address_pool_selectors = parse_selectors(spec, "ipAddressPoolSelectors");
  ad.node_selectors = parse_selectors(spec, "nodeSelectors");
  ad.service_selectors = parse_selectors(spec, "serviceSelectors");
  ad.interfaces = spec.list("interfaces", interface_name);
  ad.preferred_node_selectors = spec.list("preferredNodeSelectors", parse_preferred);
  refuse_repeats(spec, "interfaces", ad.interfaces, as_is);
  return ad;
}

L2Advertisement parse_l2_advertisement(Cursor in) {
  auto meta = parse_meta(in, NamespaceRule::Refused);
  auto spec = in.object("spec");
  auto advertisement = parse_l2_advertisement_spec(spec, std::move(meta));
  spec.no_other_keys();
  in.no_other_keys();
  return advertisement;
}

json print(const L2Advertisement& ad) {
  auto out = print_object("herald.dev/v1", "L2Advertisement", ad.meta);
  auto& spec = out["spec"] = json::object();
  if (!ad.ip_address_pools.empty()) spec["ipAddressPools"] = ad.ip_address_pools;
  if (!ad.ip_address_pool_selectors.empty()) spec["ipAddressPoolSelectors"] = print(ad.ip_address_pool_selectors);
  if (!ad.node_selectors.empty()) spec["nodeSelectors"] = print(ad.node_selectors);
  if (!ad.service_selectors.empty()) spec["serviceSelectors"] = print(ad.service_selectors);
  if (!ad.interfaces.empty()) spec["interfaces"] = ad.interfaces;
  for (const auto& preferred : ad.preferred_node_selectors)
    spec["preferredNodeSelectors"].push_back(
        {{"weight", preferred.weight}, {"preference", print(preferred.preference)}});
  return out;
}

}  // namespace config
