// SPDX-License-Identifier: Apache-2.0
// One parse and one print per kind, in the files of this folder. A parser is given the whole object; the
// fields that every object has (apiVersion, kind, status) are known to the cursor already.
#pragma once

#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "config/cursor.hpp"
#include "config/resources.hpp"

namespace config {

// meta.cpp: shared by all kinds.
enum class NamespaceRule : std::uint8_t {
  Refused,   // a kind of ours: it holds for everything
  Required,  // "default" where none is given
  Dropped,   // a dialect whose objects have one that means nothing here
};
[[nodiscard]] Meta parse_meta(Cursor& object, NamespaceRule rule);
[[nodiscard]] nlohmann::json print_object(std::string_view api_version, std::string_view kind, const Meta& meta);
[[nodiscard]] LabelSelector parse_selector(Cursor in);
[[nodiscard]] std::vector<LabelSelector> parse_selectors(Cursor& in, std::string_view key);
[[nodiscard]] std::vector<std::string> parse_names(Cursor& in, std::string_view key);  // of objects, no repeats
[[nodiscard]] std::optional<std::vector<std::string>> parse_optional_names(Cursor& in, std::string_view key);
[[nodiscard]] nlohmann::json print(const LabelSelector& selector);
[[nodiscard]] nlohmann::json print(const std::vector<LabelSelector>& selectors);
[[nodiscard]] Condition parse_condition(Cursor in);
[[nodiscard]] nlohmann::json print(const Condition& condition);
template <class T>
[[nodiscard]] nlohmann::json print_list(const std::vector<T>& entries) {
  auto out = nlohmann::json::array();
  for (const auto& entry : entries) out.push_back(print(entry));
  return out;
}

[[nodiscard]] IPAddressPool parse_ip_address_pool(Cursor in);
[[nodiscard]] Community parse_community(Cursor in);
[[nodiscard]] BGPPeer parse_bgp_peer(Cursor in);
[[nodiscard]] BGPConfiguration parse_bgp_configuration(Cursor in);
[[nodiscard]] BGPAdvertisement parse_bgp_advertisement(Cursor in);
[[nodiscard]] BGPFilter parse_bgp_filter(Cursor in);
[[nodiscard]] BFDProfile parse_bfd_profile(Cursor in);
[[nodiscard]] L2Advertisement parse_l2_advertisement(Cursor in);
[[nodiscard]] SpeakerState parse_speaker_state(Cursor in);
[[nodiscard]] Service parse_service(Cursor in);
[[nodiscard]] EndpointSlice parse_endpoint_slice(Cursor in);
[[nodiscard]] Node parse_node(Cursor in);
[[nodiscard]] Namespace parse_namespace(Cursor in);
[[nodiscard]] Secret parse_secret(Cursor in);

[[nodiscard]] nlohmann::json print(const IPAddressPool& pool);
[[nodiscard]] nlohmann::json print(const Community& community);
[[nodiscard]] nlohmann::json print(const BGPPeer& peer);
[[nodiscard]] nlohmann::json print(const BGPConfiguration& configuration);
[[nodiscard]] nlohmann::json print(const BGPAdvertisement& advertisement);
[[nodiscard]] nlohmann::json print(const BGPFilter& filter);
[[nodiscard]] nlohmann::json print(const BFDProfile& profile);
[[nodiscard]] nlohmann::json print(const L2Advertisement& advertisement);
[[nodiscard]] nlohmann::json print(const SpeakerState& state);
[[nodiscard]] nlohmann::json print(const Service& service);
[[nodiscard]] nlohmann::json print(const EndpointSlice& slice);
[[nodiscard]] nlohmann::json print(const Node& node);
[[nodiscard]] nlohmann::json print(const Namespace& name);
[[nodiscard]] nlohmann::json print(const Secret& secret);

// Pieces that the dialects read the same way.
[[nodiscard]] IPAddressPool parse_pool_spec(Cursor& spec, Meta meta);
[[nodiscard]] Community parse_community_spec(Cursor& spec, Meta meta);
void parse_bgp_advertisement_spec(Cursor& spec, BGPAdvertisement& advertisement);
[[nodiscard]] L2Advertisement parse_l2_advertisement_spec(Cursor& spec, Meta meta);
// The fields of a peer that MetalLB has too; what they say together is checked by check_peer.
void parse_shared_peer_spec(Cursor& spec, BGPPeer& peer);
void parse_shared_bfd_spec(Cursor& spec, BFDProfile& profile);
[[nodiscard]] SecretRef parse_secret_ref(Cursor in);
void check_peer(const Cursor& spec, const BGPPeer& peer);
[[nodiscard]] Checked<std::chrono::seconds> hold_time(const Value& value);
// `keepaliveTime` of other products, where 0s stands for "not given".
[[nodiscard]] std::optional<std::chrono::seconds> parse_others_keepalive_time(Cursor& spec);
[[nodiscard]] Checked<std::chrono::seconds> restart_time(const Value& value);  // 1s to 4095s
void parse_enable_graceful_restart(Cursor& spec, BGPPeer& peer);               // MetalLB's name for mode full
void parse_peer_interface(Cursor& spec, BGPPeer& peer);
// peer_routes.cpp: what a peer's routes undergo.
[[nodiscard]] PeerRoutes parse_peer_routes(Cursor& spec);
void print_peer_routes(const PeerRoutes& routes, nlohmann::json& spec);

}  // namespace config
