// SPDX-License-Identifier: Apache-2.0
// Who watches a router (BMP, MRT): what it is told, as it happens. All calls come from within calls of the router,
// so an observer must not call the router back other than to look. What it does not override it does not want.
#pragma once

#include <cstdint>
#include <span>

#include "bgp/rib/ids.hpp"
#include "bgp/session.hpp"
#include "net/prefix.hpp"

namespace bgp {

struct AttributeSet;
struct Path;
struct Update;
using NodeIndex = std::uint32_t;  // names a prefix of one family while it is in the table

class RouterObserver {
 public:
  RouterObserver() = default;
  RouterObserver(const RouterObserver&) = delete;
  RouterObserver& operator=(const RouterObserver&) = delete;
  virtual ~RouterObserver() = default;

  // Of the further of a peer's two connections.
  virtual void moved(PeerId /*peer*/, State /*from*/, State /*to*/) {}
  // The session is established, as Router::session() says; or was until now.
  virtual void went_up(PeerId /*peer*/) {}
  virtual void went_down(PeerId /*peer*/, const ResetReason& /*reason*/) {}
  // The body of an UPDATE, before anything is done with it, and what it says: nothing where it ends the session.
  virtual void received(PeerId /*peer*/, std::span<const std::uint8_t> /*body*/, const Update* /*update*/) {}
  // The peer has said all of its routes again (RFC 7313).
  virtual void refreshed(PeerId /*peer*/, net::Family /*family*/) {}
  // Whole messages of routes, as they are given to the connection.
  virtual void sent(PeerId /*peer*/, std::span<const std::uint8_t> /*messages*/) {}
  // The connection has taken what there was for it, or part of that; sent() came before.
  virtual void pulled(PeerId /*peer*/) {}
  // Import filters took a path that is new or other than before; no set: it is gone, or they no longer do.
  virtual void accepted(PeerId /*peer*/, NodeIndex /*node*/, const net::Prefix& /*prefix*/, std::uint32_t /*path_id*/,
                        const AttributeSet* /*set*/) {}
  // Another path is the best of the prefix, or (nothing) there is none any more.
  virtual void selected(NodeIndex /*node*/, const net::Prefix& /*prefix*/, const Path* /*best*/) {}
};

}  // namespace bgp
