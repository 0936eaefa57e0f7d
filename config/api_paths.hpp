// SPDX-License-Identifier: Apache-2.0
// The one table of kinds: what each is called in objects and where it lives in the REST API. The client,
// the server, the reader of files and the command line all look here; none spells a path itself.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace config {

enum class Kind : std::uint8_t {
  IPAddressPool,
  Community,
  BGPPeer,
  BGPConfiguration,
  BGPAdvertisement,
  BGPFilter,
  BFDProfile,
  L2Advertisement,
  SpeakerState,
  Service,
  EndpointSlice,
  Node,
  Namespace,
  Secret,
  Event,  // written by the controller and shown by tools; never read into Resources
};

enum class Scope : std::uint8_t { Cluster, Namespaced };

struct KindInfo {
  Kind kind;
  std::string_view name;         // "BGPPeer"
  std::string_view api_version;  // "herald.dev/v1", "v1"
  std::string_view plural;       // "bgppeers"
  std::string_view singular;     // "bgppeer"
  std::string_view short_name;   // what people type: "peer"; may be empty
  Scope scope;

  [[nodiscard]] constexpr bool namespaced() const { return scope == Scope::Namespaced; }
  // "herald.dev"; empty for the core group.
  [[nodiscard]] constexpr std::string_view group() const {
    const auto slash = api_version.find('/');
    return slash == std::string_view::npos ? std::string_view{} : api_version.substr(0, slash);
  }
  [[nodiscard]] constexpr std::string_view version() const {
    const auto slash = api_version.find('/');
    return slash == std::string_view::npos ? api_version : api_version.substr(slash + 1);
  }
};

// Every kind, in the order of the enumerators.
[[nodiscard]] std::span<const KindInfo> all_kinds();
[[nodiscard]] const KindInfo& info(Kind kind);
// By `kind:` and `apiVersion:` as they stand in an object.
[[nodiscard]] const KindInfo* find_kind(std::string_view api_version, std::string_view name);
// By what a person types: kind, plural, singular, short name or its plural ("pools"), in any case.
[[nodiscard]] const KindInfo* find_kind_by_word(std::string_view word);

// The collection, all namespaces when `namespace_name` is empty:
//   /apis/herald.dev/v1/bgppeers   /api/v1/services   /api/v1/namespaces/NS/services
[[nodiscard]] std::string collection_path(const KindInfo& kind, std::string_view namespace_name = {});
// One object, or with "status" that part of it. Precondition: a namespaced kind is given a namespace.
[[nodiscard]] std::string object_path(const KindInfo& kind, std::string_view namespace_name, std::string_view name,
                                      std::string_view subresource = {});

// A request's path (no query) taken apart; what the server routes by.
struct ApiPath {
  const KindInfo* kind = nullptr;
  std::string namespace_name;  // empty: cluster scope, or all namespaces
  std::string name;            // empty: the collection
  std::string subresource;     // "" or "status"
};
// Nothing when the path is not that of a kind in the table.
[[nodiscard]] std::optional<ApiPath> parse_api_path(std::string_view path);

}  // namespace config
