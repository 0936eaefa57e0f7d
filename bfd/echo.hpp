// SPDX-License-Identifier: Apache-2.0
// What this system's Echo packets carry (RFC 5880 section 5: their contents are a local matter): enough to find the
// session again and to tell its own packets from anybody else's.
//
//   | "HBFD" |  My Discriminator  |  Sequence  |  Check  |    four octets each
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace bfd {

struct Echo {
  std::uint32_t discriminator = 0;
  std::uint32_t sequence = 0;
  friend bool operator==(const Echo&, const Echo&) = default;
};

// `secret` is random and known to this system alone: nobody can keep a session up with echoes that were never sent.
[[nodiscard]] std::vector<std::uint8_t> encode(const Echo& echo, std::uint64_t secret);
// Nothing for what is not an echo of this system.
[[nodiscard]] std::optional<Echo> decode_echo(std::span<const std::uint8_t> payload, std::uint64_t secret);

}  // namespace bfd
