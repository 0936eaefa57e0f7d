// SPDX-License-Identifier: Apache-2.0
#include "controller/allocation/free_addresses.hpp"

#include <algorithm>
#include <limits>

namespace controller {
namespace {

net::IpAddress next(const net::IpAddress& address) {
  return *net::advance(address, 1);
}

// How many addresses of the range end in .0 or .255.
std::uint64_t buggy_in(const net::AddressRange& range) {
  if (range.family() == net::Family::Ipv6) return 0;
  const std::uint64_t first = range.first().v4().value;
  const std::uint64_t last = range.last().v4().value;
  const auto multiples = [&](std::uint64_t offset) {
    return (last + 256 - offset) / 256 - (first + 255 - offset) / 256;
  };
  return multiples(0) + multiples(255);
}

}  // namespace

FreeAddresses::FreeAddresses(const std::vector<net::AddressRange>& ranges, BuggyAddresses buggy) : buggy_{buggy} {
  ranges_.reserve(ranges.size());
  for (const auto& range : ranges) ranges_.push_back({range, {{range.first(), range.last()}}});
}

bool FreeAddresses::avoided(const net::IpAddress& address) const {
  if (buggy_ == BuggyAddresses::Use || address.is_v6()) return false;
  const auto low = address.v4().value & 0xff;
  return low == 0 || low == 0xff;
}

std::optional<net::IpAddress> FreeAddresses::take_lowest(net::Family family) {
  for (auto& range : ranges_) {
    if (range.all.family() != family) continue;
    while (!range.free.empty()) {
      const auto [first, last] = *range.free.begin();
      range.free.erase(range.free.begin());
      if (first != last) range.free.emplace_hint(range.free.begin(), next(first), last);
      // An avoided address is dropped for good when it is met, so no later call meets it again.
      if (!avoided(first)) return first;
    }
  }
  return std::nullopt;
}

FreeAddresses::Range* FreeAddresses::range_of(const net::IpAddress& address) {
  const auto range =
      std::find_if(ranges_.begin(), ranges_.end(), [&](const Range& r) { return r.all.contains(address); });
  return range == ranges_.end() ? nullptr : &*range;
}

bool FreeAddresses::contains(const net::IpAddress& address) const {
  return !avoided(address) &&
         std::any_of(ranges_.begin(), ranges_.end(), [&](const Range& range) { return range.all.contains(address); });
}

bool FreeAddresses::take(const net::IpAddress& address) {
  auto* range = range_of(address);
  if (range == nullptr || avoided(address)) return false;
  if (const auto resting = resting_.find(address); resting != resting_.end()) {
    const auto [begin, end] = by_expiry_.equal_range(resting->second);
    by_expiry_.erase(std::find_if(begin, end, [&](const auto& entry) { return entry.second == address; }));
    resting_.erase(resting);
    --resting_count_.at(index(address.family()));
    return true;
  }
  auto interval = range->free.upper_bound(address);
  if (interval == range->free.begin()) return false;
  --interval;
  const auto [first, last] = *interval;
  if (last < address) return false;
  range->free.erase(interval);
  if (first != address) {
    auto before = range->free.lower_bound(first);
    // The interval that ends just below the address that was taken out of its middle.
    range->free.emplace_hint(before, first, net::previous(address));
  }
  if (address != last) range->free.emplace(next(address), last);
  return true;
}

void FreeAddresses::release(const net::IpAddress& address, net::TimePoint until) {
  if (!contains(address) || resting_.contains(address)) return;
  resting_.emplace(address, until);
  ++resting_count_.at(index(address.family()));
  by_expiry_.emplace(until, address);
}

std::vector<net::IpAddress> FreeAddresses::expire(net::TimePoint now) {
  std::vector<net::IpAddress> ended;
  while (!by_expiry_.empty() && by_expiry_.begin()->first <= now) {
    const auto address = by_expiry_.begin()->second;
    by_expiry_.erase(by_expiry_.begin());
    resting_.erase(address);
    --resting_count_.at(index(address.family()));
    give_back(address);
    ended.push_back(address);
  }
  return ended;
}

// Joins the address with the intervals that it touches.
void FreeAddresses::give_back(const net::IpAddress& address) {
  auto& free = range_of(address)->free;
  auto first = address;
  auto last = address;
  auto after = free.upper_bound(address);
  if (after != free.end() && net::previous(after->first) == address) {
    last = after->second;
    after = free.erase(after);
  }
  if (after != free.begin()) {
    const auto before = std::prev(after);
    if (before->second >= address) return;  // free already
    if (next(before->second) == address) {
      first = before->first;
      after = free.erase(before);
    }
  }
  free.emplace_hint(after, first, last);
}

std::optional<net::TimePoint> FreeAddresses::next_expiry() const {
  return by_expiry_.empty() ? std::nullopt : std::optional{by_expiry_.begin()->first};
}

std::uint64_t FreeAddresses::capacity(net::Family family) const {
  constexpr auto most = std::numeric_limits<std::uint64_t>::max();
  std::uint64_t total = 0;
  for (const auto& range : ranges_) {
    if (range.all.family() != family) continue;
    const auto size = range.all.size() - (buggy_ == BuggyAddresses::Avoid ? buggy_in(range.all) : 0);
    total = size > most - total ? most : total + size;
  }
  return total;
}

}  // namespace controller
