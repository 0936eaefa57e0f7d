// SPDX-License-Identifier: Apache-2.0
// The interfaces of this node as layer 2 sees them, and which of them may answer for service addresses.
// Filled by whoever follows the kernel's links and addresses; nothing here asks the kernel.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "config/resources.hpp"
#include "net/address.hpp"
#include "net/mac.hpp"
#include "net/prefix.hpp"

namespace speaker {

struct L2Link {
  unsigned index = 0;
  std::string name;
  net::Mac mac;
  bool ethernet = true;  // ARPHRD_ETHER and not IFF_NOARP
  bool up = false;
  bool carrier = false;
  std::uint32_t carrier_changes = 0;  // IFLA_CARRIER_CHANGES: tells a flap that was over before we looked
  std::vector<net::Prefix> subnets;   // of the addresses on it
  friend bool operator==(const L2Link&, const L2Link&) = default;
};

// The plumbing of containers and virtual machines, known by the start of its names (docker0, cali1234,
// virbr0, ...): never answers unless an L2Advertisement names the interface.
[[nodiscard]] bool internal_interface(std::string_view name);

// True when the interface can answer at all: Ethernet, up and with carrier.
[[nodiscard]] bool answers(const L2Link& link);

// `allowed` as an L2Advertisement writes it; empty: every interface that is not internal.
[[nodiscard]] bool allows(const std::vector<std::string>& allowed, std::string_view interface);

// The addresses this node answers for, with the interfaces that may do so as in `allows`.
using OwnedAddresses = std::map<net::IpAddress, std::vector<std::string>>;

// The links as this node publishes them in its SpeakerState, by name. An interface without subnets decides
// nothing and is left out.
[[nodiscard]] std::vector<config::SpeakerState::Interface> published(const std::vector<L2Link>& links);

}  // namespace speaker
