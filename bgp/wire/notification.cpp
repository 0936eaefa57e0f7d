// SPDX-License-Identifier: Apache-2.0
#include "bgp/wire/notification.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "net/writer.hpp"

namespace bgp {
namespace {

// The well-formed sequences of UTF-8, RFC 3629 section 4: no overlong forms, no surrogates, nothing above
// U+10FFFF. Octets behind the second are 0x80 to 0xbf.
struct SequenceForm {
  std::uint8_t first_low;
  std::uint8_t first_high;
  std::uint8_t second_low;
  std::uint8_t second_high;
  std::uint8_t length;
};
constexpr std::array<SequenceForm, 9> sequence_forms{{{0x00, 0x7f, 0, 0, 1},
                                                      {0xc2, 0xdf, 0x80, 0xbf, 2},
                                                      {0xe0, 0xe0, 0xa0, 0xbf, 3},
                                                      {0xe1, 0xec, 0x80, 0xbf, 3},
                                                      {0xed, 0xed, 0x80, 0x9f, 3},
                                                      {0xee, 0xef, 0x80, 0xbf, 3},
                                                      {0xf0, 0xf0, 0x90, 0xbf, 4},
                                                      {0xf1, 0xf3, 0x80, 0xbf, 4},
                                                      {0xf4, 0xf4, 0x80, 0x8f, 4}}};

// Length of the well-formed sequence at the front of a text that is not empty; 0 when there is none.
std::size_t sequence_length(std::string_view text) {
  const auto within = [&](std::size_t i, std::uint8_t low, std::uint8_t high) {
    const auto octet = static_cast<std::uint8_t>(text[i]);
    return octet >= low && octet <= high;
  };
  for (const auto& form : sequence_forms) {
    if (!within(0, form.first_low, form.first_high)) continue;
    if (text.size() < form.length) return 0;
    if (form.length > 1 && !within(1, form.second_low, form.second_high)) return 0;
    for (std::size_t i = 2; i < form.length; ++i)
      if (!within(i, 0x80, 0xbf)) return 0;
    return form.length;
  }
  return 0;
}

constexpr bool carries_text(const Notification& notification) {
  return notification.code == static_cast<std::uint8_t>(ErrorCode::Cease) &&
         (notification.subcode == static_cast<std::uint8_t>(CeaseError::AdministrativeShutdown) ||
          notification.subcode == static_cast<std::uint8_t>(CeaseError::AdministrativeReset));
}

Notification make(ErrorCode code, std::uint8_t subcode, std::vector<std::uint8_t> data = {}) {
  return {static_cast<std::uint8_t>(code), subcode, std::move(data)};
}

using Names = std::span<const std::string_view>;

// Indexed by subcode; an empty name is a subcode that nobody defined.
constexpr std::array<std::string_view, 4> header_names{"", "Connection Not Synchronized", "Bad Message Length",
                                                       "Bad Message Type"};
constexpr std::array<std::string_view, 12> open_names{"",
                                                      "Unsupported Version Number",
                                                      "Bad Peer AS",
                                                      "Bad BGP Identifier",
                                                      "Unsupported Optional Parameter",
                                                      "Authentication Failure",
                                                      "Unacceptable Hold Time",
                                                      "Unsupported Capability",
                                                      "",
                                                      "",
                                                      "",
                                                      "Role Mismatch"};
constexpr std::array<std::string_view, 12> update_names{"",
                                                        "Malformed Attribute List",
                                                        "Unrecognized Well-known Attribute",
                                                        "Missing Well-known Attribute",
                                                        "Attribute Flags Error",
                                                        "Attribute Length Error",
                                                        "Invalid ORIGIN Attribute",
                                                        "AS Routing Loop",
                                                        "Invalid NEXT_HOP Attribute",
                                                        "Optional Attribute Error",
                                                        "Invalid Network Field",
                                                        "Malformed AS_PATH"};
constexpr std::array<std::string_view, 4> state_machine_names{
    "", "Unexpected Message in OpenSent", "Unexpected Message in OpenConfirm", "Unexpected Message in Established"};
constexpr std::array<std::string_view, 11> cease_names{"",
                                                       "Maximum Number of Prefixes Reached",
                                                       "Administrative Shutdown",
                                                       "Peer De-configured",
                                                       "Administrative Reset",
                                                       "Connection Rejected",
                                                       "Other Configuration Change",
                                                       "Connection Collision Resolution",
                                                       "Out of Resources",
                                                       "Hard Reset",
                                                       "BFD Down"};
constexpr std::array<std::string_view, 2> refresh_names{"", "Invalid Message Length"};

struct CodeName {
  std::string_view name;
  Names subcodes;
};
const std::array<CodeName, 9> code_names{{{"", {}},
                                          {"Message Header Error", header_names},
                                          {"OPEN Message Error", open_names},
                                          {"UPDATE Message Error", update_names},
                                          {"Hold Timer Expired", {}},
                                          {"Finite State Machine Error", state_machine_names},
                                          {"Cease", cease_names},
                                          {"ROUTE-REFRESH Message Error", refresh_names},
                                          {"Send Hold Timer Expired", {}}}};

std::string name_of(std::uint8_t code, std::uint8_t subcode) {
  if (code == 0 || code >= code_names.size())
    return "Unknown Error " + std::to_string(code) + "/" + std::to_string(subcode);
  const auto& [name, subcodes] = code_names[code];
  std::string text{name};
  if (subcode == 0) return text;
  text += '/';
  if (subcode < subcodes.size() && !subcodes[subcode].empty())
    text += subcodes[subcode];
  else
    text += "Unknown Subcode " + std::to_string(subcode);
  return text;
}

}  // namespace

Notification header_error(HeaderError subcode, std::vector<std::uint8_t> data) {
  return make(ErrorCode::Header, static_cast<std::uint8_t>(subcode), std::move(data));
}

Notification open_error(OpenError subcode, std::vector<std::uint8_t> data) {
  return make(ErrorCode::Open, static_cast<std::uint8_t>(subcode), std::move(data));
}

Notification update_error(UpdateError subcode, std::span<const std::uint8_t> data) {
  return make(ErrorCode::Update, static_cast<std::uint8_t>(subcode), {data.begin(), data.end()});
}

Notification hold_timer_expired() {
  return make(ErrorCode::HoldTimerExpired, 0);
}

Notification send_hold_timer_expired() {
  return make(ErrorCode::SendHoldTimerExpired, 0);
}

Notification state_machine_error(StateMachineError subcode, MessageType unexpected) {
  return make(ErrorCode::FiniteStateMachine, static_cast<std::uint8_t>(subcode),
              {static_cast<std::uint8_t>(unexpected)});
}

// RFC 9003 section 2: one octet of length, then the text; nothing at all where there is no text.
Notification cease(CeaseError subcode, std::string_view text) {
  auto notification = make(ErrorCode::Cease, static_cast<std::uint8_t>(subcode));
  std::size_t kept = 0;
  while (kept < text.size()) {
    const auto step = sequence_length(text.substr(kept));
    if (step == 0 || kept + step > 255) break;
    kept += step;
  }
  if (kept == 0 || !carries_text(notification)) return notification;
  notification.data.resize(kept + 1);
  notification.data[0] = static_cast<std::uint8_t>(kept);
  std::copy_n(text.begin(), kept, notification.data.begin() + 1);
  return notification;
}

std::optional<std::string> shutdown_communication(const Notification& notification) {
  const auto& data = notification.data;
  if (!carries_text(notification) || data.empty() || data[0] == 0 || data[0] + 1U > data.size()) return std::nullopt;
  const std::string_view text{reinterpret_cast<const char*>(data.data()) + 1, data[0]};
  std::string printable;
  for (std::size_t i = 0; i < text.size();) {
    const auto step = sequence_length(text.substr(i));
    if (step == 0) return std::nullopt;
    const auto sequence = text.substr(i, step);
    const auto first = static_cast<std::uint8_t>(sequence[0]);
    // C0, DEL and C1 (U+0080 to U+009F): a peer must not be able to write escape codes into our log.
    const bool control =
        first < 0x20 || first == 0x7f || (first == 0xc2 && static_cast<std::uint8_t>(sequence[1]) < 0xa0);
    if (control)
      printable += '?';
    else
      printable += sequence;
    i += step;
  }
  return printable;
}

std::string describe(const Notification& notification) {
  auto text = name_of(notification.code, notification.subcode);
  if (const auto communication = shutdown_communication(notification)) return text + ": " + *communication;
  if (carries_text(notification) && !notification.data.empty() && notification.data[0] != 0)
    return text + " (unreadable shutdown communication)";
  // RFC 8538 section 3.1: the data of a hard reset is the code, the subcode and the data that it stands for.
  const bool hard_reset = notification.code == static_cast<std::uint8_t>(ErrorCode::Cease) &&
                          notification.subcode == static_cast<std::uint8_t>(CeaseError::HardReset);
  if (hard_reset && notification.data.size() >= 2) {
    Notification inner{
        notification.data[0], notification.data[1], {notification.data.begin() + 2, notification.data.end()}};
    const bool nested = inner.code == notification.code && inner.subcode == notification.subcode;
    return text + " (" + (nested ? name_of(inner.code, inner.subcode) : describe(inner)) + ")";
  }
  return text;
}

Notification decode_notification(std::span<const std::uint8_t> body) {
  Notification notification;
  if (!body.empty()) notification.code = body[0];
  if (body.size() < 2) return notification;
  notification.subcode = body[1];
  notification.data.assign(body.begin() + 2, body.end());
  return notification;
}

bool is(const Notification& notification, OpenError subcode) {
  return notification.code == static_cast<std::uint8_t>(ErrorCode::Open) &&
         notification.subcode == static_cast<std::uint8_t>(subcode);
}

bool is(const Notification& notification, CeaseError subcode) {
  return notification.code == static_cast<std::uint8_t>(ErrorCode::Cease) &&
         notification.subcode == static_cast<std::uint8_t>(subcode);
}

}  // namespace bgp
