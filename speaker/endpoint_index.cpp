// SPDX-License-Identifier: Apache-2.0
#include "speaker/endpoint_index.hpp"

#include <algorithm>

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
    const auto [begin, end] = slices_of_.equal_range(before->second);
    const auto mine = std::find_if(begin, end, [&](const auto& entry) { return entry.second == slice; });
    if (mine != end) slices_of_.erase(mine);
    owner_.erase(before);
  }
  const auto found = now.endpoint_slices.find(slice);
  if (found == now.endpoint_slices.end()) return;
  const auto service = service_of(found->second);
  touched.insert(service);
  slices_of_.emplace(service, slice);
  owner_.emplace(slice, service);
}

Endpoints EndpointIndex::of(const config::Resources& now, const config::Service& service) const {
  Endpoints out;
  const auto [begin, end] = slices_of_.equal_range(service.meta.key());
  if (begin == end) {
    out.everywhere = without_slices_ == WithoutSlices::Everywhere && service.selector.empty();
    return out;
  }
  for (auto entry = begin; entry != end; ++entry) {
    const auto slice = now.endpoint_slices.find(entry->second);
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
