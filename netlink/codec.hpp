// SPDX-License-Identifier: Apache-2.0
// Bytes of rtnetlink to values and back. Knows message layouts, not sockets and not what the messages
// are for. What the kernel sends is read as carefully as what a peer sends: a message that does not
// hold together is no message.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <variant>

#include "netlink/batch.hpp"
#include "netlink/messages.hpp"

namespace netlink {

// One message of a datagram, header taken apart.
struct RawMessage {
  std::uint16_t type = 0;
  std::uint16_t flags = 0;
  std::uint32_t sequence = 0;
  std::uint32_t port = 0;  // whose request caused a notification; 0: the kernel's own doing
  std::span<const std::uint8_t> payload;
};

// The answer to one request: error 0 is an acknowledgement.
struct Acknowledgement {
  int error = 0;  // errno
  std::uint32_t sequence = 0;
  std::string text;  // the kernel's own words, when it has any
};

// Cuts the next message off `datagram`; nothing when there is none or its length is wrong.
[[nodiscard]] std::optional<RawMessage> next_message(std::span<const std::uint8_t>& datagram);

[[nodiscard]] std::optional<Acknowledgement> decode_acknowledgement(const RawMessage& message);
[[nodiscard]] std::optional<RouteMessage> decode_route(const RawMessage& message);
[[nodiscard]] std::optional<NexthopMessage> decode_nexthop(const RawMessage& message);
[[nodiscard]] std::optional<LinkMessage> decode_link(const RawMessage& message);
[[nodiscard]] std::optional<AddressMessage> decode_address(const RawMessage& message);

using Message = std::variant<std::monostate, RouteMessage, NexthopMessage, LinkMessage, AddressMessage>;
// By type; monostate for types we do not follow and for messages that do not hold together.
[[nodiscard]] Message decode(const RawMessage& message);

// One message each, appended to the batch.
void encode(Batch& batch, Verb verb, const RouteSpec& route);
void encode(Batch& batch, Verb verb, const NexthopSpec& nexthop);
void encode(Batch& batch, Verb verb, const GroupSpec& group);
void encode(Batch& batch, Verb verb, const AddressSpec& address);
void encode_nexthop_delete(Batch& batch, std::uint32_t id);

void encode_route_dump(Batch& batch, const RouteFilter& filter);
void encode_nexthop_dump(Batch& batch);
void encode_link_dump(Batch& batch);
void encode_address_dump(Batch& batch, net::Family family);
void encode_nexthop_get(Batch& batch, std::uint32_t id);
// The way to `address`, as the kernel itself would go.
void encode_route_lookup(Batch& batch, const net::IpAddress& address);

}  // namespace netlink
