// SPDX-License-Identifier: Apache-2.0
// Layer 2 as the speaker uses it: give it the addresses this node owns and its links, and ARP and NDP are
// answered, take-overs are announced, multicast groups are joined. Composes the responder (pure) with the
// sockets and one timer. Knows nothing of services, elections or netlink.
//
// Single-threaded: every call on the thread of the executor. Must outlive the run of its io_context.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include <boost/asio/any_io_executor.hpp>

#include "net/address.hpp"
#include "net/mac.hpp"
#include "speaker/layer2/link.hpp"
#include "speaker/layer2/responder.hpp"

namespace speaker {

// Somebody else claims an address that this node owns. Said at most once in ten seconds per address.
struct ForeignClaim {
  net::IpAddress address;
  net::Mac mac;
  std::string interface;
};
// A socket or a group that could not be had. Tried again with the next update.
struct Layer2Trouble {
  std::string interface;
  std::string what;
};
using Layer2Event = std::variant<ForeignClaim, Layer2Trouble>;

class Layer2 {
 public:
  // Must not call back into this object.
  using Listener = std::function<void(const Layer2Event&)>;
  Layer2(boost::asio::any_io_executor executor, Listener listener);
  ~Layer2();
  Layer2(const Layer2&) = delete;
  Layer2& operator=(const Layer2&) = delete;

  // The whole truth each time; only differences have effects. An address that is new here, or new on a link
  // (returned, other MAC), is announced.
  void update(const OwnedAddresses& owned, const std::vector<L2Link>& links);

  [[nodiscard]] L2Counters counters();  // also asks the kernel for what it dropped
  // Of one address; nothing when it is not answered here.
  [[nodiscard]] const AddressCounters* counters(const net::IpAddress& address) const;
  // The interfaces that answer for the address now; empty when none does.
  [[nodiscard]] std::vector<std::string> answering(const net::IpAddress& address) const;

 private:
  class Edge;
  std::unique_ptr<Edge> edge_;
};

}  // namespace speaker
