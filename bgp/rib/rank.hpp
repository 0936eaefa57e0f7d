// SPDX-License-Identifier: Apache-2.0
// What the tables need to know of the peer that a path came from.
#pragma once

#include "bgp/wire/update.hpp"
#include "net/address.hpp"
#include "net/asn.hpp"

namespace bgp {

struct Rank {
  PeerType type = PeerType::External;
  net::RouterId router_id;
  net::IpAddress address;
  bool reflector_client = false;  // RFC 4456
  bool blackholes = false;        // packets for its routes with the community BLACKHOLE are dropped, RFC 7999
};

// That of local paths.
inline const Rank local_rank{PeerType::Internal, {}, {}, false, false};

}  // namespace bgp
