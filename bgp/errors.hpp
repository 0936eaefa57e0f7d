// SPDX-License-Identifier: Apache-2.0
// The NOTIFICATIONs that the state machine sends: codes and subcodes by name, and how to make them
// (RFC 4271 section 4.5 and 6, RFC 4486, RFC 5492, RFC 6608, RFC 9003, RFC 9687).
#pragma once

#include <cstdint>
#include <string_view>

#include "bgp/wire/message.hpp"

namespace bgp {

enum class ErrorCode : std::uint8_t {
  MessageHeader = 1,
  OpenMessage = 2,
  UpdateMessage = 3,
  HoldTimerExpired = 4,
  FiniteStateMachine = 5,
  Cease = 6,
  RouteRefreshMessage = 7,  // RFC 7313
  SendHoldTimerExpired = 8  // RFC 9687
};

enum class OpenError : std::uint8_t {
  UnsupportedVersion = 1,
  BadPeerAs = 2,
  BadIdentifier = 3,
  UnsupportedParameter = 4,
  UnacceptableHoldTime = 6,
  UnsupportedCapability = 7  // RFC 5492
};

enum class CeaseReason : std::uint8_t {  // RFC 4486, RFC 8538, RFC 9384
  MaximumPrefixes = 1,
  AdministrativeShutdown = 2,
  PeerDeconfigured = 3,
  AdministrativeReset = 4,
  ConnectionRejected = 5,
  OtherConfigurationChange = 6,
  ConnectionCollision = 7,
  OutOfResources = 8,
  BfdDown = 10
};

// A Cease. `communication` is the text of RFC 9003, for the two administrative reasons only; it is cut
// to 255 bytes at the boundary of a character.
[[nodiscard]] Notification cease(CeaseReason reason, std::string_view communication = {});
[[nodiscard]] Notification open_error(OpenError error);
[[nodiscard]] bool is_cease(const Notification& notification, CeaseReason reason);
[[nodiscard]] bool is_open_error(const Notification& notification, OpenError error);
// The timer errors have no subcode.
[[nodiscard]] Notification hold_timer_expired();
[[nodiscard]] Notification send_hold_timer_expired();

}  // namespace bgp
