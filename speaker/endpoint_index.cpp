// SPDX-License-Identifier: Apache-2.0
#include "speaker/endpoint_index.hpp"

namespace speaker {
namespace {

// As config::Meta::key() names the service.
std::string service_of(const config::EndpointSlice& slice) {
  return slice.meta.namespace_name.empty() ? slice.service_name : slice.meta.namespace_name + "/" + slice.service_name;
}

}  // namespace

void EndpointIndex::clear() {
  owner_.clear();
  slices_of_.clear();
}

void EndpointIndex::update(const config::Resources& now, const std::string& slice, std::set<std::string>& touched) {
  if (const auto before = owner_.find(slice); before != owner_.end()) {
    touched.insert(before->second);
    const auto slices = slices_of_.find(before->second);
    slices->second.erase(slice);
    if (slices->second.empty()) slices_of_.erase(slices);
    owner_.erase(before);
  }
  const auto found = now.endpoint_slices.find(slice);
  if (found == now.endpoint_slices.end()) return;
  const auto service = service_of(found->second);
  touched.insert(service);
  slices_of_[service].insert(slice);
  owner_.emplace(slice, service);
}

Endpoints EndpointIndex::of(const config::Resources& now, const config::Service& service) const {
  Endpoints out;
  const auto slices = slices_of_.find(service.meta.key());
  if (slices == slices_of_.end()) {
    out.everywhere = service.selector.empty();
    return out;
  }
  for (const auto& key : slices->second) {
    const auto slice = now.endpoint_slices.find(key);
    if (slice == now.endpoint_slices.end()) continue;
    for (const auto& endpoint : slice->second.endpoints) {
      if (!usable(endpoint)) continue;
      out.any = true;
      if (!endpoint.node_name.empty()) out.nodes.insert(endpoint.node_name);
    }
  }
  return out;
}

}  // namespace speaker
