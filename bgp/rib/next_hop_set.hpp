// SPDX-License-Identifier: Apache-2.0
// Next hops that cannot be reached, given from outside.
#pragma once

#include <algorithm>
#include <utility>
#include <vector>

#include "net/address.hpp"

namespace bgp {

class NextHopSet {
 public:
  NextHopSet() = default;
  explicit NextHopSet(std::vector<net::IpAddress> addresses) : addresses_{std::move(addresses)} {
    std::sort(addresses_.begin(), addresses_.end());
    addresses_.erase(std::unique(addresses_.begin(), addresses_.end()), addresses_.end());
  }
  [[nodiscard]] bool empty() const { return addresses_.empty(); }
  [[nodiscard]] bool contains(const net::IpAddress& address) const {
    return std::binary_search(addresses_.begin(), addresses_.end(), address);
  }
  friend bool operator==(const NextHopSet&, const NextHopSet&) = default;

 private:
  std::vector<net::IpAddress> addresses_;  // ascending
};

}  // namespace bgp
