// SPDX-License-Identifier: Apache-2.0
#include "bgp/policy/link_map.hpp"

#include <algorithm>
#include <utility>

namespace bgp {

bool LinkMap::set(std::vector<LinkSubnets> links) {
  if (links == links_) return false;
  links_ = std::move(links);
  numbers_.clear();
  for (const auto& link : links_) {
    const auto known = std::find(names_.begin(), names_.end(), link.name);
    numbers_[link.index] = static_cast<std::uint32_t>(known - names_.begin()) + 1;
    if (known == names_.end()) names_.push_back(link.name);
  }
  return true;
}

std::uint32_t LinkMap::leads_to(const net::IpAddress& address) const {
  const LinkSubnets* best = nullptr;
  int longest = -1;
  for (const auto& link : links_) {
    for (const auto& subnet : link.subnets) {
      const auto length = static_cast<int>(subnet.length());
      if (length <= longest || !subnet.contains(address)) continue;
      best = &link;
      longest = length;
    }
  }
  return best == nullptr ? 0 : number_of(best->index);
}

std::uint32_t LinkMap::number_of(std::uint32_t index) const {
  const auto found = numbers_.find(index);
  return found == numbers_.end() ? 0 : found->second;
}

std::string_view LinkMap::name(std::uint32_t number) const {
  return number == 0 || number > names_.size() ? std::string_view{} : std::string_view{names_[number - 1]};
}

}  // namespace bgp
