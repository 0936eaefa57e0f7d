// SPDX-License-Identifier: Apache-2.0
// Which link of this host leads to a next hop that is on one: what filters with interfaces ask for. Given from
// outside. Links are numbered by their names, for good: a route that keeps a number means the same link for ever.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "net/address.hpp"
#include "net/prefix.hpp"

namespace bgp {

// One with the addresses that it reaches without a router.
struct LinkSubnets {
  std::uint32_t index = 0;  // the host's own number of it
  std::string name;
  std::vector<net::Prefix> subnets;
  friend bool operator==(const LinkSubnets&, const LinkSubnets&) = default;
};

class LinkMap {
 public:
  // True when something has changed.
  bool set(std::vector<LinkSubnets> links);

  // The number of the link with the longest subnet that holds `address`; 0 where none does.
  [[nodiscard]] std::uint32_t leads_to(const net::IpAddress& address) const;
  // The number of the link that the host calls `index`; 0 where there is none.
  [[nodiscard]] std::uint32_t number_of(std::uint32_t index) const;
  // Of a number that was given out; empty for 0.
  [[nodiscard]] std::string_view name(std::uint32_t number) const;

 private:
  std::vector<LinkSubnets> links_;
  std::vector<std::string> names_;                  // number 1 first
  std::map<std::uint32_t, std::uint32_t> numbers_;  // by index
};

}  // namespace bgp
