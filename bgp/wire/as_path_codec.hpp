// SPDX-License-Identifier: Apache-2.0
// AS_PATH and AS4_PATH on the wire: both widths, and the rebuilding of a path that crossed a two-octet
// speaker (RFC 4271 section 4.3 b, RFC 6793). Internal to the codec.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "bgp/wire/attributes.hpp"
#include "bgp/wire/update.hpp"

namespace bgp {

// What becomes of the segments of a confederation (RFC 5065). They are an error from an external peer
// (section 5), are never told to one (section 4.1), and have no place in AS4_PATH (RFC 6793 section 3).
enum class ConfederationSegments : std::uint8_t { Refuse, LeaveOut, Keep };

// Fills `out`. The answer is what is malformed as static text, or null.
[[nodiscard]] const char* decode_as_path(std::span<const std::uint8_t> value, AsnWidth width,
                                         ConfederationSegments confederation, AsPath& out);

// What encode_as_path() appends, in octets.
[[nodiscard]] std::size_t as_path_octets(const AsPath& path, AsnWidth width, ConfederationSegments confederation);

// Segments of more than 255 numbers are split. With two octets AS_TRANS stands in for what does not fit.
void encode_as_path(const AsPath& path, AsnWidth width, ConfederationSegments confederation,
                    std::vector<std::uint8_t>& out);

// RFC 6793 section 4.2.3: the leading part of AS_PATH that AS4_PATH does not know of, then AS4_PATH.
// AS_PATH alone where it is the shorter of the two.
[[nodiscard]] AsPath merge_as4_path(AsPath as_path, AsPath as4_path);

}  // namespace bgp
