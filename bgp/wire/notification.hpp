// SPDX-License-Identifier: Apache-2.0
// The error codes and subcodes of NOTIFICATION by name, and the text that a Cease may carry. Knows
// nothing of sessions: who sends which error, and when, is decided elsewhere.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "bgp/wire/message.hpp"

namespace bgp {

// RFC 4271 section 4.5; RouteRefresh from RFC 7313 section 5, SendHoldTimerExpired from RFC 9687.
enum class ErrorCode : std::uint8_t {
  Header = 1,
  Open = 2,
  Update = 3,
  HoldTimerExpired = 4,
  FiniteStateMachine = 5,
  Cease = 6,
  RouteRefresh = 7,
  SendHoldTimerExpired = 8,
};

enum class HeaderError : std::uint8_t { NotSynchronized = 1, BadLength = 2, BadType = 3 };

enum class OpenError : std::uint8_t {
  Unspecific = 0,
  UnsupportedVersion = 1,
  BadPeerAs = 2,
  BadIdentifier = 3,
  UnsupportedParameter = 4,
  UnacceptableHoldTime = 6,
  UnsupportedCapability = 7,  // RFC 5492
  RoleMismatch = 11,          // RFC 9234
};

enum class UpdateError : std::uint8_t {
  MalformedAttributeList = 1,
  UnrecognizedWellKnown = 2,
  MissingWellKnown = 3,
  Flags = 4,
  Length = 5,
  InvalidOrigin = 6,
  InvalidNextHop = 8,
  Optional = 9,
  InvalidNetwork = 10,
  MalformedAsPath = 11,
};

// RFC 6608.
enum class StateMachineError : std::uint8_t {
  Unspecified = 0,
  UnexpectedInOpenSent = 1,
  UnexpectedInOpenConfirm = 2,
  UnexpectedInEstablished = 3,
};

// RFC 4486; HardReset from RFC 8538, BfdDown from RFC 9384.
enum class CeaseError : std::uint8_t {
  MaximumPrefixes = 1,
  AdministrativeShutdown = 2,
  PeerDeconfigured = 3,
  AdministrativeReset = 4,
  ConnectionRejected = 5,
  OtherConfigurationChange = 6,
  CollisionResolution = 7,
  OutOfResources = 8,
  HardReset = 9,
  BfdDown = 10,
};

enum class RouteRefreshError : std::uint8_t { InvalidLength = 1 };

[[nodiscard]] Notification header_error(HeaderError subcode, std::vector<std::uint8_t> data = {});
[[nodiscard]] Notification open_error(OpenError subcode, std::vector<std::uint8_t> data = {});
[[nodiscard]] Notification update_error(UpdateError subcode, std::span<const std::uint8_t> data = {});
[[nodiscard]] Notification hold_timer_expired();
[[nodiscard]] Notification send_hold_timer_expired();
// The data is the type of the message that was not expected (RFC 6608 section 4).
[[nodiscard]] Notification state_machine_error(StateMachineError subcode, MessageType unexpected);
// The text travels with AdministrativeShutdown and AdministrativeReset only (RFC 9003); it is cut to
// 255 octets between characters.
[[nodiscard]] Notification cease(CeaseError subcode, std::string_view text = {});

// The shutdown communication that the message carries: valid UTF-8 with control characters replaced by
// '?', so that it can stand in a log line. Nothing where there is none or where it is malformed.
[[nodiscard]] std::optional<std::string> shutdown_communication(const Notification& notification);

// Whatever the data.
[[nodiscard]] bool is(const Notification& notification, OpenError subcode);
[[nodiscard]] bool is(const Notification& notification, CeaseError subcode);

}  // namespace bgp
