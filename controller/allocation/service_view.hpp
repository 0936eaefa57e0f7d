// SPDX-License-Identifier: Apache-2.0
// What the allocator needs of a Service object, read from its JSON, and the condition that tells people what
// came of it. Knows the annotations of Herald and MetalLB; decides nothing.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "controller/allocation/allocator.hpp"

namespace controller {

// The condition on a Service: True with the pool's name, or False with the reason why there is no address.
inline constexpr std::string_view assigned_condition = "herald.dev/Assigned";

struct ServiceView {
  bool load_balancer = false;  // spec.type
  std::string load_balancer_class;
  AddressRequest request;
  std::optional<Refusal> unreadable;          // an annotation or field that makes no sense: no address until mended
  std::vector<net::IpAddress> ingress;        // status.loadBalancer.ingress[].ip
  std::optional<config::Condition> assigned;  // the condition above as it stands
};

// Annotations, of which the first that is there counts: herald.dev/NAME, metallb.io/NAME, metallb.universe.tf/NAME with
// NAME one of address-pool, loadBalancerIPs, allow-shared-ip.
[[nodiscard]] ServiceView view_service(const nlohmann::json& service, const config::Labels& namespace_labels);

}  // namespace controller
