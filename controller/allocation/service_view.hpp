// SPDX-License-Identifier: Apache-2.0
// What the allocator needs of a Service object, read from its text, and the condition that tells people what
// came of it. Knows the annotations of Herald and MetalLB; decides nothing.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/api_paths.hpp"
#include "controller/allocation/allocator.hpp"

namespace controller {

// The condition on a Service: True with the pool's name, or False with the reason why there is no address.
inline constexpr std::string_view assigned_condition = "herald.dev/Assigned";
// Its reason when the service has an address that somebody else wrote.
inline constexpr std::string_view foreign_address = "ForeignAddress";

struct ServiceView {
  bool load_balancer = false;  // spec.type
  std::string load_balancer_class;
  AddressRequest request;
  std::optional<Refusal> unreadable;          // an annotation or field that makes no sense: no address until mended
  std::vector<net::IpAddress> ingress;        // status.loadBalancer.ingress[].ip
  std::optional<config::Condition> assigned;  // the condition above as it stands
  std::vector<std::string> other_conditions;  // those of others, as JSON
  // The pool that the annotations name; empty when they do not all say the same.
  std::string told_pool;
};

// Written on a Service that has addresses: the pool they are from.
inline constexpr std::array<std::string_view, 2> pool_annotations{"herald.dev/ip-allocated-from-pool",
                                                                  "metallb.io/ip-allocated-from-pool"};

// Annotations, of which the first that is there counts: herald.dev/NAME, metallb.io/NAME, metallb.universe.tf/NAME with
// NAME one of address-pool, loadBalancerIPs, allow-shared-ip; and herald.dev/share-with-namespaces.
// Members that are missing or of another type read as empty: the object was checked when it was written, and one
// written past us must not take the controller down. request.namespace_labels is the caller's to fill in.
[[nodiscard]] ServiceView view_service(std::string_view service);

// The addresses that an object holds, for the record of what was given up: those in the status of a Service whose
// condition says that they are from us.
[[nodiscard]] std::vector<std::string> held_addresses(config::Kind kind, std::string_view object);

}  // namespace controller
