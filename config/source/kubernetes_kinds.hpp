// SPDX-License-Identifier: Apache-2.0
// Where the kinds live in a Kubernetes API: versions that older clusters serve, and the same kinds as MetalLB's
// custom resources have them. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "config/api_paths.hpp"

namespace config {

enum class Dialect : std::uint8_t { Own, MetalLb };

struct KubernetesCollection {
  Kind kind{};
  Dialect dialect = Dialect::Own;
  std::string title;               // "services", "ipaddresspools.metallb.io"
  std::vector<std::string> paths;  // the preferred version first
  bool optional = false;           // clusters may do without it
};

// MetalLB obeys its objects in one namespace only, its own; the same holds here.
[[nodiscard]] std::vector<KubernetesCollection> kubernetes_collections(Kind kind, std::string_view metallb_namespace);

// GET, PUT and so on of one object of MetalLB's.
[[nodiscard]] std::string metallb_path(std::string_view plural, std::string_view version,
                                       std::string_view namespace_name);

}  // namespace config
