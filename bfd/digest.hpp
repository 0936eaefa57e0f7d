// SPDX-License-Identifier: Apache-2.0
// MD5 (RFC 1321) and SHA-1 (RFC 3174), which BFD's authentication is made of. For the few dozen octets of a packet;
// here so that the library needs nothing but net/. Not for anything that asks for a strong hash.
#pragma once

#include <array>
#include <cstdint>
#include <span>

namespace bfd {

[[nodiscard]] std::array<std::uint8_t, 16> md5(std::span<const std::uint8_t> message);
[[nodiscard]] std::array<std::uint8_t, 20> sha1(std::span<const std::uint8_t> message);

}  // namespace bfd
