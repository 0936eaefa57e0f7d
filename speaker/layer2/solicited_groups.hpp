// SPDX-License-Identifier: Apache-2.0
// Membership in the solicited-node groups of the IPv6 addresses that are answered, per interface. Joined
// through ordinary sockets, so that the network card lets the frames in and the kernel reports the groups
// by MLD, without which a snooping switch would not forward them. Receives nothing itself.
#pragma once

#include <cstddef>
#include <map>
#include <set>
#include <system_error>
#include <utility>
#include <vector>

#include "net/address.hpp"

namespace speaker {

class SolicitedGroups {
 public:
  using Membership = std::pair<unsigned, net::Ipv6Address>;  // interface index, group

  SolicitedGroups() = default;
  ~SolicitedGroups();
  SolicitedGroups(const SolicitedGroups&) = delete;
  SolicitedGroups& operator=(const SolicitedGroups&) = delete;

  struct Failure {
    unsigned link = 0;
    std::error_code error;
  };
  // Joins what is missing and leaves what is not wanted any more. What fails is tried again next time.
  std::vector<Failure> update(const std::set<Membership>& wanted);
  // Leaves everything on a link: the next update joins anew, with fresh reports to the switches.
  void leave(unsigned link);
  [[nodiscard]] std::size_t size() const { return joined_.size(); }

 private:
  std::error_code join(const Membership& membership);
  void leave(const Membership& membership, int socket);

  std::vector<int> sockets_;          // the last one takes new groups until net.core.optmem_max fills it
  std::map<Membership, int> joined_;  // by which socket
};

}  // namespace speaker
