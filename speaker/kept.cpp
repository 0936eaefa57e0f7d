// SPDX-License-Identifier: Apache-2.0
#include "speaker/kept.hpp"

#include <set>
#include <utility>

#include "speaker/desired_policy.hpp"

namespace speaker {
namespace {

config::Meta identity(config::Meta& meta) {
  config::Meta out;
  out.name = std::move(meta.name);
  out.namespace_name = std::move(meta.namespace_name);
  return out;
}

// Only services with addresses are matched by their labels; the type says why another one is not announced.
config::Service needed(config::Service& service) {
  config::Service out;
  auto labels = std::move(service.meta.labels);
  out.meta = identity(service.meta);
  out.type = std::move(service.type);
  // A selector counts by being there.
  if (!service.selector.empty()) out.selector.insert(service.selector.extract(service.selector.begin()));
  if (out.type != "LoadBalancer") return out;
  out.meta.labels = std::move(labels);
  out.external_traffic_policy = service.external_traffic_policy;
  out.load_balancer_class = std::move(service.load_balancer_class);
  out.ingress = std::move(service.ingress);
  for (auto& condition : service.conditions)
    if (condition.type == "herald.dev/Assigned")
      out.conditions = {{.type = std::move(condition.type),
                         .status = std::move(condition.status),
                         .reason = std::move(condition.reason),
                         .message = std::move(condition.message),
                         .last_transition_time = {}}};
  return out;
}

config::EndpointSlice needed(config::EndpointSlice& slice) {
  config::EndpointSlice out;
  out.meta = identity(slice.meta);
  out.service_name = std::move(slice.service_name);
  std::set<std::string> nodes;  // an empty name stands for all endpoints without a node
  for (auto& endpoint : slice.endpoints)
    if (usable(endpoint)) nodes.insert(std::move(endpoint.node_name));
  out.endpoints.reserve(nodes.size());
  while (!nodes.empty()) {
    auto& endpoint = out.endpoints.emplace_back();
    endpoint.node_name = std::move(nodes.extract(nodes.begin()).value());
  }
  return out;
}

}  // namespace

void keep_needed(config::Object& object) {
  if (auto* service = std::get_if<config::Service>(&object)) *service = needed(*service);
  if (auto* slice = std::get_if<config::EndpointSlice>(&object)) *slice = needed(*slice);
}

}  // namespace speaker
