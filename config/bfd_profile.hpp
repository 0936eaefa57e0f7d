// SPDX-License-Identifier: Apache-2.0
// BFDProfile: how neighbours that name it are watched. Fields, ranges and defaults are MetalLB's; authentication is
// ours. Included by resources.hpp only.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

#include "config/meta.hpp"
#include "config/secret_ref.hpp"

namespace config {

// RFC 5880 section 4.1, Auth Type.
enum class BfdAuthType : std::uint8_t {
  SimplePassword = 1,
  KeyedMd5,
  MeticulousKeyedMd5,
  KeyedSha1,
  MeticulousKeyedSha1
};

struct BFDProfile {
  struct Authentication {
    BfdAuthType type = BfdAuthType::MeticulousKeyedSha1;
    std::uint8_t key_id = 1;
    SecretRef secret;  // key "password"
    friend bool operator==(const Authentication&, const Authentication&) = default;
  };
  Meta meta;
  std::chrono::milliseconds receive_interval{300};   // 10..60000
  std::chrono::milliseconds transmit_interval{300};  // 10..60000
  std::uint8_t detect_multiplier = 3;                // 2..255
  std::chrono::milliseconds echo_interval{50};       // 10..60000
  bool echo_mode = false;                            // send echoes; on a single hop only
  bool passive_mode = false;
  std::uint8_t minimum_ttl = 254;  // 1..254, multihop only
  std::optional<Authentication> authentication;
};

// Octets that a secret of that type may have, RFC 5880 sections 4.2 to 4.4.
[[nodiscard]] constexpr std::size_t longest_bfd_secret(BfdAuthType type) {
  return type == BfdAuthType::KeyedSha1 || type == BfdAuthType::MeticulousKeyedSha1 ? 20 : 16;
}

}  // namespace config
