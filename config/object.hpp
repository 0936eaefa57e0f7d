// SPDX-License-Identifier: Apache-2.0
// Any one resource, and the way from text to it and back. What comes out holds together in itself; whether
// the set does is validate.hpp's business.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <variant>
#include <vector>

#include "config/api_paths.hpp"
#include "config/document.hpp"
#include "config/place.hpp"
#include "config/resources.hpp"
#include "nlohmann/json_fwd.hpp"

namespace config {

// In the order of Kind, so that the index is the kind.
using Object = std::variant<IPAddressPool, Community, BGPPeer, BGPConfiguration, BGPAdvertisement, BGPFilter,
                            BFDProfile, L2Advertisement, SpeakerState, Service, EndpointSlice, Node, Namespace, Secret>;

[[nodiscard]] inline Kind kind_of(const Object& object) {
  return static_cast<Kind>(object.index());
}
template <class T>
[[nodiscard]] Kind kind_of(std::type_identity<T> /*type*/) {
  return kind_of(Object{std::in_place_type<T>});
}
[[nodiscard]] inline const Meta& meta_of(const Object& object) {
  return std::visit([](const auto& it) -> const Meta& { return it.meta; }, object);
}
// "BGPPeer/tor1", "Service/default/web": how problems and logs name an object.
[[nodiscard]] std::string name_of(Kind kind, const Meta& meta);

// The map that holds a kind.
template <class T, class Set>
[[nodiscard]] auto& items(Set& resources) {
  if constexpr (std::is_same_v<T, IPAddressPool>) return resources.pools;
  if constexpr (std::is_same_v<T, Community>) return resources.communities;
  if constexpr (std::is_same_v<T, BGPPeer>) return resources.peers;
  if constexpr (std::is_same_v<T, BGPConfiguration>) return resources.bgp_configurations;
  if constexpr (std::is_same_v<T, BGPAdvertisement>) return resources.bgp_advertisements;
  if constexpr (std::is_same_v<T, BGPFilter>) return resources.filters;
  if constexpr (std::is_same_v<T, BFDProfile>) return resources.bfd_profiles;
  if constexpr (std::is_same_v<T, L2Advertisement>) return resources.l2_advertisements;
  if constexpr (std::is_same_v<T, SpeakerState>) return resources.speaker_states;
  if constexpr (std::is_same_v<T, Service>) return resources.services;
  if constexpr (std::is_same_v<T, EndpointSlice>) return resources.endpoint_slices;
  if constexpr (std::is_same_v<T, Node>) return resources.nodes;
  if constexpr (std::is_same_v<T, Namespace>) return resources.namespaces;
  if constexpr (std::is_same_v<T, Secret>) return resources.secrets;
}

// What a text holds. An object with a problem is not among the objects: its name is in `refused`.
struct ReadResult {
  std::vector<Object> objects;
  std::vector<Problem> problems;
  bool readable = true;         // false: the syntax is broken, so what else it holds is unknown
  std::vector<Source> sources;  // what was read, for the places of what is found out later; see place.hpp
};

enum class Syntax : std::uint8_t { Yaml, Json };
[[nodiscard]] ReadResult read_objects(std::string_view text, const std::string& file, Syntax syntax);
// One object, as the API holds it.
[[nodiscard]] ReadResult read_object(const nlohmann::json& json);

// One object out of a list or an event of an API, of which the kind is known.
struct ReadItem {
  std::string key;  // also when the object is refused
  std::string resource_version;
  std::optional<Object> object;  // nothing: refused, see the problems
  std::vector<Problem> problems;
  bool removed = false;  // by an event; never set by read_item
};
[[nodiscard]] ReadItem read_item(const Value& value, const KindInfo& kind);

// Canonical: every field that has a value, also when it is the default. Reading it gives the same object.
[[nodiscard]] nlohmann::json print(const Object& object);

}  // namespace config
