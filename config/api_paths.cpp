// SPDX-License-Identifier: Apache-2.0
#include "config/api_paths.hpp"

#include <algorithm>
#include <array>
#include <vector>

namespace config {
namespace {

constexpr std::string_view ours = "herald.dev/v1";
constexpr auto kinds = std::to_array<KindInfo>({
    {Kind::IPAddressPool, "IPAddressPool", ours, "ipaddresspools", "ipaddresspool", "pool", Scope::Cluster},
    {Kind::Community, "Community", ours, "communities", "community", "", Scope::Cluster},
    {Kind::BGPPeer, "BGPPeer", ours, "bgppeers", "bgppeer", "peer", Scope::Cluster},
    {Kind::BGPConfiguration, "BGPConfiguration", ours, "bgpconfigurations", "bgpconfiguration", "bgpconfig",
     Scope::Cluster},
    {Kind::BGPAdvertisement, "BGPAdvertisement", ours, "bgpadvertisements", "bgpadvertisement", "bgpad",
     Scope::Cluster},
    {Kind::BGPFilter, "BGPFilter", ours, "bgpfilters", "bgpfilter", "filter", Scope::Cluster},
    {Kind::BFDProfile, "BFDProfile", ours, "bfdprofiles", "bfdprofile", "bfd", Scope::Cluster},
    {Kind::L2Advertisement, "L2Advertisement", ours, "l2advertisements", "l2advertisement", "l2ad", Scope::Cluster},
    {Kind::SpeakerState, "SpeakerState", ours, "speakerstates", "speakerstate", "speaker", Scope::Cluster},
    {Kind::Service, "Service", "v1", "services", "service", "svc", Scope::Namespaced},
    {Kind::EndpointSlice, "EndpointSlice", "discovery.k8s.io/v1", "endpointslices", "endpointslice", "",
     Scope::Namespaced},
    {Kind::Node, "Node", "v1", "nodes", "node", "no", Scope::Cluster},
    {Kind::Namespace, "Namespace", "v1", "namespaces", "namespace", "ns", Scope::Cluster},
    {Kind::Secret, "Secret", "v1", "secrets", "secret", "", Scope::Namespaced},
    {Kind::Event, "Event", "v1", "events", "event", "ev", Scope::Namespaced},
});

constexpr bool in_enumerator_order() {
  for (std::size_t i = 0; i < kinds.size(); ++i)
    if (static_cast<std::size_t>(kinds[i].kind) != i) return false;
  return true;
}
static_assert(in_enumerator_order());

bool same_word(std::string_view left, std::string_view right) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; };
  return std::equal(left.begin(), left.end(), right.begin(), right.end(),
                    [&](char a, char b) { return lower(a) == lower(b); });
}

std::string prefix_of(const KindInfo& kind) {
  return (kind.group().empty() ? "/api/" : "/apis/") + std::string{kind.api_version};
}

// "/a/b/c" -> {"a", "b", "c"}; nothing when a segment is empty.
std::vector<std::string_view> segments(std::string_view path) {
  std::vector<std::string_view> parts;
  while (!path.empty()) {
    if (path.front() != '/') return {};
    path.remove_prefix(1);
    const auto end = std::min(path.find('/'), path.size());
    if (end == 0) return {};
    parts.push_back(path.substr(0, end));
    path.remove_prefix(end);
  }
  return parts;
}

const KindInfo* find_plural(std::string_view api_version, std::string_view plural) {
  const auto found = std::ranges::find_if(
      kinds, [&](const KindInfo& kind) { return kind.api_version == api_version && kind.plural == plural; });
  return found == kinds.end() ? nullptr : &*found;
}

}  // namespace

std::span<const KindInfo> all_kinds() {
  return kinds;
}

const KindInfo& info(Kind kind) {
  return kinds[static_cast<std::size_t>(kind)];
}

const KindInfo* find_kind(std::string_view api_version, std::string_view name) {
  const auto found = std::ranges::find_if(
      kinds, [&](const KindInfo& kind) { return kind.api_version == api_version && kind.name == name; });
  return found == kinds.end() ? nullptr : &*found;
}

const KindInfo* find_kind_by_word(std::string_view word) {
  if (word.empty()) return nullptr;
  const auto is_short_plural = [&](std::string_view name) {  // "pools"
    return !name.empty() && (word.back() == 's' || word.back() == 'S') &&
           same_word(name, word.substr(0, word.size() - 1));
  };
  const auto found = std::ranges::find_if(kinds, [&](const KindInfo& kind) {
    return same_word(kind.name, word) || same_word(kind.plural, word) || same_word(kind.short_name, word) ||
           is_short_plural(kind.short_name);
  });
  return found == kinds.end() ? nullptr : &*found;
}

std::string collection_path(const KindInfo& kind, std::string_view namespace_name) {
  auto path = prefix_of(kind);
  if (kind.namespaced() && !namespace_name.empty()) path.append("/namespaces/").append(namespace_name);
  return path.append("/").append(kind.plural);
}

std::string object_path(const KindInfo& kind, std::string_view namespace_name, std::string_view name,
                        std::string_view subresource) {
  auto path = collection_path(kind, namespace_name).append("/").append(name);
  if (!subresource.empty()) path.append("/").append(subresource);
  return path;
}

std::optional<ApiPath> parse_api_path(std::string_view path) {
  const auto parts = segments(path);
  const std::size_t root = !parts.empty() && parts[0] == "apis" ? 3 : 2;  // where the resource part begins
  if (parts.size() <= root || (parts[0] != "api" && parts[0] != "apis")) return std::nullopt;
  const auto api_version = root == 2 ? std::string{parts[1]} : std::string{parts[1]}.append("/").append(parts[2]);

  ApiPath result;
  std::size_t next = root;
  // "namespaces/NS/PLURAL…" is inside a namespace; "namespaces", "namespaces/NS" and its status are the kind itself.
  const bool inside =
      parts[root] == "namespaces" && parts.size() >= root + 3 && find_plural(api_version, parts[root + 2]) != nullptr;
  if (inside) {
    result.namespace_name = parts[root + 1];
    next = root + 2;
  }
  result.kind = find_plural(api_version, parts[next]);
  if (result.kind == nullptr || (inside && !result.kind->namespaced())) return std::nullopt;
  ++next;
  if (next < parts.size()) result.name = parts[next++];
  if (next < parts.size()) result.subresource = parts[next++];
  if (next < parts.size() || (!result.subresource.empty() && result.subresource != "status")) return std::nullopt;
  if (!result.name.empty() && result.kind->namespaced() && !inside) return std::nullopt;
  return result;
}

}  // namespace config
