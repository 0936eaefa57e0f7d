// SPDX-License-Identifier: Apache-2.0
// Service addresses on the loopback interface, so that a process on this host can serve them: /32 and
// /128, never chosen as a source. Ours are marked and recognised after a crash; an address somebody
// else has put there counts as present and is never removed.
//
// Two marks, because IFA_PROTO exists since Linux 5.18 only: older kernels drop it and keep the route
// priority of the address (4.18), which has no other effect on a loopback host address.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "netlink/batch.hpp"
#include "netlink/link_table.hpp"
#include "netlink/socket.hpp"

namespace netlink {

inline constexpr std::uint32_t service_address_mark = 0x48657261;

struct AddressPlan {
  std::vector<net::IpAddress> add;
  std::vector<net::IpAddress> remove;
  friend bool operator==(const AddressPlan&, const AddressPlan&) = default;
};
// Whether an address on the loopback interface is one that we put there.
[[nodiscard]] bool is_service_address(const InterfaceAddress& address);
// What must change on `loopback` so that it carries `desired` and nothing else of ours.
[[nodiscard]] AddressPlan plan_addresses(const std::set<net::IpAddress>& desired, const Link& loopback);

struct AddressProblem {
  net::IpAddress address;
  std::string text;
};

class ServiceAddresses {
 public:
  // Throws std::system_error when the kernel gives us no socket.
  ServiceAddresses() = default;

  // Makes the kernel carry `desired` given what `links` knows, and says what it refused. To be called
  // when either changes: an address somebody removed comes back.
  [[nodiscard]] std::vector<AddressProblem> reconcile(const std::set<net::IpAddress>& desired, const LinkTable& links);

 private:
  void carry_out(const Link& loopback, Verb verb, const std::vector<net::IpAddress>& addresses,
                 std::vector<AddressProblem>& problems);

  CommandSocket socket_;
  Batch batch_;
};

}  // namespace netlink
