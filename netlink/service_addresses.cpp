// SPDX-License-Identifier: Apache-2.0
#include "netlink/service_addresses.hpp"

#include <algorithm>
#include <cerrno>

#include "netlink/codec.hpp"

namespace netlink {
namespace {

std::uint8_t host_length(const net::IpAddress& address) {
  return static_cast<std::uint8_t>(net::address_bits(address.family()));
}

// Somebody was faster: the state is what we want.
bool harmless(Verb verb, int error) {
  return verb == Verb::Delete ? error == EADDRNOTAVAIL : error == EEXIST;
}

}  // namespace

bool is_service_address(const InterfaceAddress& address) {
  return address.length == host_length(address.address) &&
         (address.protocol == herald_protocol || address.metric == service_address_mark);
}

AddressPlan plan_addresses(const std::set<net::IpAddress>& desired, const Link& loopback) {
  AddressPlan plan;
  std::set<net::IpAddress> present;
  for (const auto& address : loopback.addresses) {
    present.insert(address.address);
    if (is_service_address(address) && desired.count(address.address) == 0) plan.remove.push_back(address.address);
  }
  std::set_difference(desired.begin(), desired.end(), present.begin(), present.end(), std::back_inserter(plan.add));
  return plan;
}

std::vector<AddressProblem> ServiceAddresses::reconcile(const std::set<net::IpAddress>& desired,
                                                        const LinkTable& links) {
  std::vector<AddressProblem> problems;
  const auto* loopback = links.loopback();
  if (loopback == nullptr) {
    for (const auto& address : desired) problems.push_back({address, "there is no loopback interface"});
    return problems;
  }
  const auto plan = plan_addresses(desired, *loopback);
  carry_out(*loopback, Verb::Delete, plan.remove, problems);
  carry_out(*loopback, Verb::Add, plan.add, problems);
  return problems;
}

void ServiceAddresses::carry_out(const Link& loopback, Verb verb, const std::vector<net::IpAddress>& addresses,
                                 std::vector<AddressProblem>& problems) {
  for (std::size_t done = 0; done < addresses.size();) {
    const auto first = done;
    while (done < addresses.size() && !batch_.full()) {
      const auto& address = addresses[done++];
      encode(batch_, verb,
             AddressSpec{loopback.index, address, host_length(address), herald_protocol, service_address_mark});
    }
    const auto refusals = socket_.run(batch_);
    if (!refusals) {
      for (auto at = first; at < done; ++at) problems.push_back({addresses[at], print(refusals.error())});
      continue;
    }
    for (const auto& [index, error] : *refusals) {
      if (!harmless(verb, error.number)) problems.push_back({addresses[first + index], print(error)});
    }
  }
}

}  // namespace netlink
