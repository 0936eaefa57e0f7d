// SPDX-License-Identifier: Apache-2.0
// Which addresses of a set of ranges are free, as a set of intervals: a /8 or a /64 that nobody uses is one
// entry, and taking the lowest free address costs the same in all of them. Released addresses rest in
// quarantine before they are free again. Knows nothing of services or pools.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <unordered_map>
#include <vector>

#include "net/address.hpp"
#include "net/range.hpp"
#include "net/time.hpp"

namespace controller {

// IPv4 addresses ending in .0 or .255, which some firmware takes for network or broadcast addresses.
enum class BuggyAddresses : std::uint8_t { Use, Avoid };

class FreeAddresses {
 public:
  // The ranges are used in the order given; they must not overlap.
  FreeAddresses(const std::vector<net::AddressRange>& ranges, BuggyAddresses buggy);

  // Takes the lowest free address of the first range of the family that has one.
  std::optional<net::IpAddress> take_lowest(net::Family family);
  // Takes this one, free or in quarantine; false when it is outside, avoided or taken.
  bool take(const net::IpAddress& address);
  // Gives an address back; it is free again when expire() is called at `until` or later.
  void release(const net::IpAddress& address, net::TimePoint until);
  // Gives back what was taken and never used: free at once.
  void give_back(const net::IpAddress& address);
  // Ends the quarantines that are over and names their addresses. Call before taking.
  std::vector<net::IpAddress> expire(net::TimePoint now);

  [[nodiscard]] bool contains(const net::IpAddress& address) const;
  [[nodiscard]] bool quarantined(const net::IpAddress& address) const { return resting_.contains(address); }
  [[nodiscard]] std::uint64_t quarantined(net::Family family) const { return resting_count_.at(index(family)); }
  [[nodiscard]] const std::unordered_map<net::IpAddress, net::TimePoint>& quarantine() const { return resting_; }
  // When the next quarantine ends, for the caller's timer.
  [[nodiscard]] std::optional<net::TimePoint> next_expiry() const;
  // Addresses that can ever be given out; saturates at 2^64 - 1.
  [[nodiscard]] std::uint64_t capacity(net::Family family) const;

 private:
  struct Range {
    net::AddressRange all;
    std::map<net::IpAddress, net::IpAddress> free;  // first -> last of each interval; they do not touch
  };
  [[nodiscard]] bool avoided(const net::IpAddress& address) const;
  Range* range_of(const net::IpAddress& address);
  static std::size_t index(net::Family family) { return family == net::Family::Ipv4 ? 0 : 1; }

  std::vector<Range> ranges_;
  BuggyAddresses buggy_;
  std::multimap<net::TimePoint, net::IpAddress> by_expiry_;
  std::unordered_map<net::IpAddress, net::TimePoint> resting_;
  std::array<std::uint64_t, 2> resting_count_{};
};

}  // namespace controller
