// SPDX-License-Identifier: Apache-2.0
// Collects changes of single prefixes into UPDATEs: prefixes of one view with the same attributes, as they come one
// after the other, share messages. The order within a view and family is kept. Knows no tables.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "bgp/rib/attribute_set.hpp"
#include "bgp/rib/ids.hpp"
#include "bgp/wall_time.hpp"
#include "bgp/wire/update.hpp"
#include "net/prefix.hpp"

namespace bgp::bmp {

// Of which table of which peer something is told; LocRib has no peer.
enum class View : std::uint8_t { PrePolicy, PostPolicy, LocRib };

class RouteWriter {
 public:
  // Gets whole UPDATE messages.
  using Write = std::function<void(PeerId, View, WallTime, std::span<const std::uint8_t> update)>;
  explicit RouteWriter(Write write) : write_{std::move(write)} {}

  struct Place {
    PeerId peer;
    View view{};
    PathId path_id;  // nothing: identifiers are not in use
  };
  // How attributes are written for the view.
  struct Form {
    PeerType type = PeerType::Internal;
    AsnWidth width = AsnWidth::FourOctets;
  };
  void announce(const Place& place, const net::Prefix& prefix, const AttributeSet& set, Form form, WallTime now);
  // The same for attributes that are in no table.
  void announce(const Place& place, const net::Prefix& prefix, const PathAttributes& attributes, Form form,
                WallTime now);
  void withdraw(const Place& place, const net::Prefix& prefix, WallTime now);

  // Writes what waits: all of it, or that of a peer.
  void flush();
  void flush(PeerId peer);

 private:
  struct Run {
    Place place;
    net::Family family{};
    bool withdrawn = false;
    WallTime time;                         // of its first prefix
    std::vector<std::uint8_t> key;         // what its prefixes share, as the caller has it
    std::vector<std::uint8_t> attributes;  // the same, encoded
    NextHop next_hop;
    std::vector<net::Ipv4Prefix> ipv4;
    std::vector<net::Ipv6Prefix> ipv6;
    [[nodiscard]] std::size_t size() const { return ipv4.size() + ipv6.size(); }
  };
  Run& run_for(const Place& place, net::Family family);
  static void add(Run& run, const net::Prefix& prefix);
  void begin(Run& run, const Place& place, bool withdrawn, WallTime now);
  void write(Run& run);
  template <class Prefix>
  void write_all(const Run& run, std::span<const Prefix> prefixes);

  Write write_;
  std::vector<Run> runs_;  // one a view and family; kept for their memory
  std::vector<std::uint8_t> message_;
};

}  // namespace bgp::bmp
