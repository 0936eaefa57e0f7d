// SPDX-License-Identifier: Apache-2.0
// RPKI caches as the control socket and the metrics show them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "net/address.hpp"
#include "speaker/rpki/rpki_side.hpp"

namespace speaker {

struct CacheStatus {
  net::IpAddress address;
  std::uint16_t port = 0;
  bool synchronized = false;  // connected, and it has said everything
  std::uint8_t version = 0;   // of the protocol
  std::optional<std::uint32_t> serial;
  // Validated payloads (VRPs) from it that are in use; without a connection they stay until they expire.
  std::size_t ipv4_payloads = 0;
  std::size_t ipv6_payloads = 0;
  std::string trouble;  // why there is no connection
};

[[nodiscard]] std::vector<CacheStatus> cache_statuses(const RpkiSide& rpki);

// `payloads`: distinct ones of all caches together.
[[nodiscard]] nlohmann::ordered_json view(const std::vector<CacheStatus>& caches, std::size_t payloads);

}  // namespace speaker
