// SPDX-License-Identifier: Apache-2.0
#include "config/source/kubernetes_kinds.hpp"

#include <algorithm>
#include <array>

namespace config {
namespace {

constexpr std::array metallb_kinds{Kind::IPAddressPool,    Kind::Community,       Kind::BGPPeer,
                                   Kind::BGPAdvertisement, Kind::L2Advertisement, Kind::BFDProfile};

KubernetesCollection own_collection(const KindInfo& kind) {
  KubernetesCollection out{kind.kind, Dialect::Own, std::string{kind.plural}, {collection_path(kind)}, false};
  if (kind.kind == Kind::EndpointSlice) out.paths.emplace_back("/apis/discovery.k8s.io/v1beta1/endpointslices");
  if (kind.group() == "herald.dev") {
    out.title += ".herald.dev";
    out.optional = true;
  }
  return out;
}

KubernetesCollection metallb_collection(const KindInfo& kind, std::string_view namespace_name) {
  KubernetesCollection out{kind.kind, Dialect::MetalLb, std::string{kind.plural} + ".metallb.io", {}, true};
  if (kind.kind == Kind::BGPPeer) out.paths.push_back(metallb_path(kind.plural, "v1beta2", namespace_name));
  out.paths.push_back(metallb_path(kind.plural, "v1beta1", namespace_name));
  return out;
}

}  // namespace

std::string metallb_path(std::string_view plural, std::string_view version, std::string_view namespace_name) {
  std::string path{"/apis/metallb.io/"};
  return path.append(version).append("/namespaces/").append(namespace_name).append("/").append(plural);
}

std::vector<KubernetesCollection> kubernetes_collections(Kind kind, std::string_view metallb_namespace) {
  std::vector<KubernetesCollection> out{own_collection(info(kind))};
  if (!metallb_namespace.empty() && std::ranges::find(metallb_kinds, kind) != metallb_kinds.end())
    out.push_back(metallb_collection(info(kind), metallb_namespace));
  return out;
}

}  // namespace config
