// SPDX-License-Identifier: Apache-2.0
// Objects as an API shows them, in few words.
#pragma once

#include <string>
#include <vector>

#include <nlohmann/json.hpp>

namespace insight {

inline nlohmann::json own(const std::string& kind, const std::string& name, nlohmann::json spec) {
  return {{"apiVersion", "herald.dev/v1"}, {"kind", kind}, {"metadata", {{"name", name}}}, {"spec", std::move(spec)}};
}
inline nlohmann::json pool(const std::string& name, const std::vector<std::string>& addresses) {
  auto out = own("IPAddressPool", name, {{"addresses", addresses}});
  out["metadata"]["creationTimestamp"] = name == "front" ? "2026-01-01T00:00:00Z" : "2026-01-02T00:00:00Z";
  return out;
}
inline nlohmann::json node(const std::string& name) {
  return {{"apiVersion", "v1"},
          {"kind", "Node"},
          {"metadata", {{"name", name}, {"labels", {{"kubernetes.io/hostname", name}}}}}};
}
// With addresses that somebody gave it; none: none yet.
inline nlohmann::json service(const std::string& name, const std::string& created,
                              const std::vector<std::string>& addresses) {
  nlohmann::json out{{"apiVersion", "v1"},
                     {"kind", "Service"},
                     {"metadata", {{"name", name}, {"namespace", "default"}}},
                     {"spec", {{"type", "LoadBalancer"}, {"ports", {{{"port", 80}}}}}}};
  if (!created.empty()) out["metadata"]["creationTimestamp"] = created;
  for (const auto& address : addresses) out["status"]["loadBalancer"]["ingress"].push_back({{"ip", address}});
  return out;
}

// The same, by a controller of ours.
inline nlohmann::json ours(nlohmann::json service) {
  service["status"]["conditions"] = {{{"type", "herald.dev/Assigned"}, {"status", "True"}, {"reason", "IPAllocated"}}};
  return service;
}

}  // namespace insight
