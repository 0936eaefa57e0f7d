// SPDX-License-Identifier: Apache-2.0
// An MRT file as rows: one for each path, each prefix of an UPDATE, and each change of a session.
#pragma once

#include <cstdint>
#include <functional>
#include <istream>
#include <optional>
#include <string>

#include "bgp/mrt/record.hpp"

namespace ctl {

struct MrtRow {
  enum class Kind : std::uint8_t { Route, Announced, Withdrawn, EndOfRib, Message, State, Unknown };
  Kind kind{};
  std::uint64_t offset = 0;  // of its record in the file
  bgp::WallTime time;        // of the record; of a route: since when it is known
  bool microseconds = false;
  std::optional<net::IpAddress> peer;
  net::Asn asn;       // of the peer
  bool sent = false;  // by the one who wrote the file
  std::optional<net::Prefix> prefix;
  std::optional<std::uint32_t> path_id;
  std::optional<bgp::PathAttributes> attributes;
  std::string text;  // what else there is to say: states, the type of a message, what is wrong with it
};
[[nodiscard]] std::string_view print(MrtRow::Kind kind);  // "route", "announce", "withdraw", "end-of-rib" ...

// Reads records from a stream and calls `visit` for each row. The answer is what is wrong and at which octet of the
// file, or empty when everything was read.
[[nodiscard]] std::string read_mrt(std::istream& file, const std::function<void(const MrtRow&)>& visit);

}  // namespace ctl
