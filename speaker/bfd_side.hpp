// SPDX-License-Identifier: Apache-2.0
// Which neighbours are watched by BFD, and what follows for their BGP sessions (RFC 5882): a session that was Up and is
// lost ends BGP's with Cease/BFD Down; a neighbour that switched BFD off on purpose does not; a strict one is opened
// when BFD is Up. A composition of the BFD edge and the router.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include "netlink/link_table.hpp"
#include "speaker/bfd/edge.hpp"
#include "speaker/bgp_side.hpp"
#include "speaker/log.hpp"
#include "speaker/router_setup.hpp"

namespace speaker {

// One watched neighbour as it is shown.
struct BfdStatus {
  std::string profile;
  bfd::Hops hops{};
  bfd::SessionConfig config;
  bfd::SessionStatus session;
  std::optional<BfdPlace> place;
  bool strict = false;
};

class BfdSide {
 public:
  using Links = std::function<const netlink::LinkTable&()>;
  BfdSide(boost::asio::io_context& io, Log& log, BgpSide& bgp, Links links);
  ~BfdSide();
  BfdSide(const BfdSide&) = delete;
  BfdSide& operator=(const BfdSide&) = delete;

  // Makes the sessions what is wanted, by neighbour, and for neighbours that are made after a range by the range's
  // name. To be called after BgpSide::configure(), which must know them.
  void configure(std::map<std::string, BfdWatch> wanted, std::map<std::string, BfdWatch> ranges);
  // Neighbours of ranges came or went.
  void neighbors_changed();
  // A link came, went or changed.
  void links_changed();
  // Says AdminDown to everybody: this node goes on purpose.
  void leave();

  // By neighbour.
  [[nodiscard]] std::map<std::string, BfdStatus> status() const;
  // Nothing while no session was ever wanted.
  [[nodiscard]] const bfd::Sessions* sessions() const { return edge_ == nullptr ? nullptr : &edge_->sessions(); }

 private:
  struct Watched {
    BfdWatch wanted;
    BfdTarget target;
    bfd::SessionId session;
    std::unique_ptr<boost::asio::steady_timer> patience;  // of a strict neighbour with a hold time, while it waits
    bool gave_up = false;                                 // waiting is over; until BFD is Up again
  };

  [[nodiscard]] BfdTarget target_of(const BfdWatch& wanted) const;
  [[nodiscard]] std::map<std::string, BfdWatch> all_wanted() const;
  void apply(const std::map<std::string, BfdWatch>& wanted);
  void watch(const std::string& name, const BfdWatch& wanted);
  void open_edge();
  void changed(bfd::SessionId session, const bfd::StateChanged& change);
  void lost(const std::string& name, const bfd::StateChanged& change);
  // Tells the router whether the neighbour may be opened.
  void tell(const std::string& name);
  void be_patient(const std::string& name);
  [[nodiscard]] std::optional<std::string> name_of(bfd::SessionId session) const;

  boost::asio::io_context& io_;
  Log& log_;
  BgpSide& bgp_;
  Links links_;
  std::unique_ptr<BfdEdge> edge_;
  std::map<std::string, BfdWatch> wanted_;
  std::map<std::string, BfdWatch> ranges_;
  std::map<std::string, Watched> watched_;
};

}  // namespace speaker
