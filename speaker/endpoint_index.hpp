// SPDX-License-Identifier: Apache-2.0
// Which EndpointSlices are of which service, followed slice by slice: what a service's endpoints are is asked often,
// and what changed is one slice of many. Pure.
#pragma once

#include <set>
#include <string>
#include <unordered_map>

#include "config/resources.hpp"
#include "speaker/desired_policy.hpp"

namespace speaker {

class EndpointIndex {
 public:
  explicit EndpointIndex(WithoutSlices without_slices) : without_slices_{without_slices} {}
  void clear();
  // Looks at the slice "namespace/name" anew, which may be there no more. Services that have or had it join `touched`.
  void update(const config::Resources& now, const std::string& slice, std::set<std::string>& touched);
  // Where the traffic of the service can end. `now` is what the index was last updated with.
  [[nodiscard]] Endpoints of(const config::Resources& now, const config::Service& service) const;

 private:
  WithoutSlices without_slices_;
  std::unordered_map<std::string, std::string> owner_;           // slice -> service
  std::unordered_multimap<std::string, std::string> slices_of_;  // service -> each of its slices
};

}  // namespace speaker
