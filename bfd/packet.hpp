// SPDX-License-Identifier: Apache-2.0
// The Control packet of RFC 5880 section 4 as a value, from bytes and to bytes. Knows the rules that a packet can be
// judged by alone; those that need a session are session.hpp's.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "net/result.hpp"

namespace bfd {

// Intervals on the wire are microseconds in 32 bits.
using Interval = std::chrono::duration<std::uint32_t, std::micro>;

inline constexpr std::uint8_t version = 1;

// Section 4.1, Sta.
enum class State : std::uint8_t { AdminDown = 0, Down = 1, Init = 2, Up = 3 };

// Section 4.1, Diag. Values above the last are reserved; they are kept as they come.
enum class Diagnostic : std::uint8_t {
  None = 0,
  DetectionTimeExpired = 1,
  EchoFailed = 2,
  NeighborSignaledDown = 3,
  ForwardingPlaneReset = 4,
  PathDown = 5,
  ConcatenatedPathDown = 6,
  AdministrativelyDown = 7,
  ReverseConcatenatedPathDown = 8,
};

[[nodiscard]] std::string_view print(State state);            // "AdminDown", "Up"
[[nodiscard]] std::string_view print(Diagnostic diagnostic);  // "control detection time expired"

// Section 4.1, Auth Type.
enum class AuthType : std::uint8_t {
  SimplePassword = 1,
  KeyedMd5 = 2,
  MeticulousKeyedMd5 = 3,
  KeyedSha1 = 4,
  MeticulousKeyedSha1 = 5,
};
[[nodiscard]] std::string_view print(AuthType type);  // "meticulous-keyed-sha1"

// Octets of a digest in an authentication section: 16 for MD5, 20 for SHA1. Precondition: not SimplePassword.
[[nodiscard]] std::size_t digest_size(AuthType type);
inline constexpr std::size_t longest_password = 16;

// Section 4.2 to 4.4. `data` is the password, or the digest with its size.
struct AuthSection {
  AuthType type{};
  std::uint8_t key_id = 0;
  std::uint32_t sequence = 0;  // not of a simple password
  std::array<std::uint8_t, 20> data{};
  std::uint8_t data_size = 0;

  [[nodiscard]] std::span<const std::uint8_t> bytes() const { return std::span{data}.first(data_size); }
  friend bool operator==(const AuthSection&, const AuthSection&) = default;
};

//   0                   1                   2                   3
//   |Vers |  Diag   |Sta|P|F|C|A|D|M|  Detect Mult  |    Length     |
//   |                       My Discriminator                        |
//   |                      Your Discriminator                       |
//   |                    Desired Min TX Interval                    |
//   |                   Required Min RX Interval                    |
//   |                 Required Min Echo RX Interval                 |
struct Packet {
  Diagnostic diagnostic = Diagnostic::None;
  State state = State::Down;
  bool poll = false;
  bool final = false;
  bool control_plane_independent = false;
  bool demand = false;
  std::uint8_t detect_multiplier = 3;
  std::uint32_t my_discriminator = 0;
  std::uint32_t your_discriminator = 0;
  Interval desired_min_tx{};
  Interval required_min_rx{};
  Interval required_min_echo_rx{};
  std::optional<AuthSection> authentication;

  friend bool operator==(const Packet&, const Packet&) = default;
};

// Why a packet is not used: the rules of section 6.8.6 in their order, then those of RFC 5881 and RFC 5883.
enum class Discard : std::uint8_t {
  Short,  // fewer octets than a header, or than its Length says
  BadVersion,
  BadLength,  // Length is too small, or does not fit the authentication section
  ZeroMultiplier,
  Multipoint,
  ZeroDiscriminator,
  UnknownDiscriminator,  // Your Discriminator is of no session
  BadState,              // Your Discriminator is zero in a state other than Down and AdminDown
  NoSession,             // nobody watches that neighbour
  UnexpectedAuthentication,
  MissingAuthentication,
  AuthenticationFailed,
  BadHops,       // the TTL says that it came from farther than it may
  WrongAddress,  // the discriminator is of a session with somebody else
};
inline constexpr std::size_t discard_kinds = 14;
[[nodiscard]] std::string_view print(Discard discard);  // "authentication failed"

// `datagram` is all of UDP's payload; octets behind Length are ignored. The reasons from Short to ZeroDiscriminator,
// BadState, and AuthenticationFailed for a section that is of no known type or size.
[[nodiscard]] net::Result<Packet, Discard> decode(std::span<const std::uint8_t> datagram);
// Appends. At most 52 octets.
void encode(const Packet& packet, std::vector<std::uint8_t>& out);

// The octets that a digest is made of: the packet without what UDP brought behind it. Precondition: decode() took it.
[[nodiscard]] std::span<const std::uint8_t> signed_part(std::span<const std::uint8_t> datagram);

}  // namespace bfd
