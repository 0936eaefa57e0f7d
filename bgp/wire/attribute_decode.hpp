// SPDX-License-Identifier: Apache-2.0
// One path attribute at a time: its flags and its value, judged by RFC 7606. Knows nothing of NLRI or of
// the message around it; update_decode.cpp does. Internal to the codec.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "bgp/wire/attributes.hpp"
#include "bgp/wire/notification.hpp"
#include "bgp/wire/update.hpp"

namespace bgp {

struct RawAttribute {
  std::uint8_t flags{};
  std::uint8_t type{};
  std::span<const std::uint8_t> value;
  std::span<const std::uint8_t> whole;  // header and value, as NOTIFICATION quotes it
};

// Splits the attribute at the front off `section`. Nothing when it does not fit (RFC 7606 section 4); the
// type code is then told apart through `section`, which is left as it was.
[[nodiscard]] std::optional<RawAttribute> next_attribute(std::span<const std::uint8_t>& section);

// Weakest first, RFC 7606 section 2.
enum class Severity : std::uint8_t { None, Discard, Withdraw, Reset };

struct AttributeVerdict {
  Severity severity = Severity::None;
  UpdateError error{};  // what a reset for this reason says
  const char* reason = "";

  [[nodiscard]] static constexpr AttributeVerdict discard(const char* why) {
    return {Severity::Discard, UpdateError::Optional, why};
  }
  [[nodiscard]] static constexpr AttributeVerdict withdraw(UpdateError error, const char* why) {
    return {Severity::Withdraw, error, why};
  }
  [[nodiscard]] static constexpr AttributeVerdict reset(UpdateError error, const char* why) {
    return {Severity::Reset, error, why};
  }
};

// RFC 7606 section 3 c: Optional and Transitive as the attribute's specification has them; and RFC 4271
// section 4.3: Partial on optional transitive attributes only.
[[nodiscard]] AttributeVerdict judge_flags(const RawAttribute& attribute);

// What the attributes of one section say, before the two AS paths are made one.
struct DecodedAttributes {
  PathAttributes& out;
  std::optional<AsPath> as4_path;
  std::optional<Aggregator> as4_aggregator;
};

// The value of any attribute but MP_REACH_NLRI and MP_UNREACH_NLRI. NEXT_HOP goes to out.next_hop.
[[nodiscard]] AttributeVerdict decode_attribute(const RawAttribute& attribute, const UpdateContext& context,
                                                DecodedAttributes& into);

}  // namespace bgp
