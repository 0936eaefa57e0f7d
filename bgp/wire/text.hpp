// SPDX-License-Identifier: Apache-2.0
// Path attributes as people write them, for status output, filters and configuration. print() and
// parse_...() are each other's reverse. Knows no JSON and no YAML.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "bgp/wire/attributes.hpp"

namespace bgp {

[[nodiscard]] std::string_view print(Origin origin);  // "igp", "egp", "incomplete"
[[nodiscard]] std::optional<Origin> parse_origin(std::string_view text);

// "65001 65002 {65003 65004}"; segments of a confederation are "(65010 65011)" and "[65010 65011]". Empty
// for the empty path. Two neighbouring sequences print, and read, as one.
[[nodiscard]] std::string print(const AsPath& path);
[[nodiscard]] std::optional<AsPath> parse_as_path(std::string_view text);

// "65001:100", or the registered name: "no-export", "blackhole", "graceful-shutdown" ...
[[nodiscard]] std::string print(Community community);
[[nodiscard]] std::optional<Community> parse_community(std::string_view text);

// "64500:1:2", RFC 8092 section 5.
[[nodiscard]] std::string print(const LargeCommunity& community);
[[nodiscard]] std::optional<LargeCommunity> parse_large_community(std::string_view text);

// "rt:65001:100", "rt:10.0.0.1:100", "ro:70000:1" (RFC 4360 section 3, RFC 5668); whatever else is
// "generic:0x0123456789abcdef".
[[nodiscard]] std::string print(ExtendedCommunity community);
[[nodiscard]] std::optional<ExtendedCommunity> parse_extended_community(std::string_view text);

// "rt:[2001:db8::1]:100", "ro:[2001:db8::1]:100" (RFC 5701 sections 2 and 3); whatever else is "generic:0x" and the
// forty hexadecimal digits of its octets.
[[nodiscard]] std::string print(const Ipv6ExtendedCommunity& community);
[[nodiscard]] std::optional<Ipv6ExtendedCommunity> parse_ipv6_extended_community(std::string_view text);
// Whether a text can only be meant as one of these.
[[nodiscard]] bool looks_ipv6_extended(std::string_view text);

// All elements, separated by one blank.
[[nodiscard]] std::string print(const std::vector<Community>& communities);
[[nodiscard]] std::string print(const std::vector<LargeCommunity>& communities);
[[nodiscard]] std::string print(const std::vector<ExtendedCommunity>& communities);
[[nodiscard]] std::string print(const std::vector<Ipv6ExtendedCommunity>& communities);

}  // namespace bgp
