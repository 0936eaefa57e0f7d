// SPDX-License-Identifier: Apache-2.0
// RFC 5880 section 6.7: what one session needs to sign what it sends and to judge what it receives. Holds the two
// sequence numbers and nothing else of the session.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "bfd/packet.hpp"

namespace bfd {

struct AuthKey {
  AuthType type = AuthType::MeticulousKeyedSha1;
  std::uint8_t id = 1;
  std::string secret;  // at most 16 octets for a password and for MD5, 20 for SHA1
  friend bool operator==(const AuthKey&, const AuthKey&) = default;
};

// The most octets that a secret of that type can have.
[[nodiscard]] std::size_t longest_secret(AuthType type);

class Authentication {
 public:
  // `first_sequence` should be random (section 6.8.1, bfd.XmitAuthSeq).
  Authentication(std::optional<AuthKey> key, std::uint32_t first_sequence);

  [[nodiscard]] bool in_use() const { return key_.has_value(); }
  [[nodiscard]] const std::optional<AuthKey>& key() const { return key_; }
  // Appends `packet` with its authentication section, if one is in use.
  void encode_signed(Packet packet, std::vector<std::uint8_t>& out);
  // Nothing: the packet is genuine and fresh, and its sequence number is remembered.
  [[nodiscard]] std::optional<Discard> verify(const Packet& packet, std::span<const std::uint8_t> datagram);
  // The next packet's sequence number is taken as it comes: nothing was heard for twice the detection time.
  void forget_sequence() { received_.reset(); }

 private:
  [[nodiscard]] std::optional<std::uint32_t> window_start() const;

  std::optional<AuthKey> key_;
  std::uint32_t sent_;                     // bfd.XmitAuthSeq
  std::optional<std::uint32_t> received_;  // bfd.RcvAuthSeq; nothing: bfd.AuthSeqKnown is zero
  std::optional<Packet> last_;             // as last sent, to see whether the contents differ
};

}  // namespace bfd
