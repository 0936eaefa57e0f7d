// SPDX-License-Identifier: Apache-2.0
// Neighbour solicitations as hosts send them, written byte by byte and not by the codec under test.
#pragma once

#include <optional>
#include <vector>

#include "net/address.hpp"
#include "net/mac.hpp"
#include "net/writer.hpp"

namespace speaker {

struct Solicitation {
  net::Mac destination_mac;
  net::Mac source_mac;
  net::Ipv6Address source;
  net::Ipv6Address destination;
  net::Ipv6Address target;
  std::optional<net::Mac> source_link;
  std::vector<std::uint8_t> more_options;
  std::uint8_t hop_limit = 255;
  std::uint8_t code = 0;
  std::uint8_t type = 135;

  [[nodiscard]] std::vector<std::uint8_t> bytes() const {
    std::vector<std::uint8_t> message;
    net::Writer out{message};
    out.u8(type);
    out.u8(code);
    out.u16(0);
    out.u32(0);
    out.ipv6(target);
    if (source_link) {
      out.u16(0x0101);
      out.bytes(source_link->octets);
    }
    out.bytes(more_options);
    const auto sum = checksum(message);
    message[2] = static_cast<std::uint8_t>(sum >> 8);
    message[3] = static_cast<std::uint8_t>(sum);

    std::vector<std::uint8_t> frame;
    net::Writer whole{frame};
    whole.bytes(destination_mac.octets);
    whole.bytes(source_mac.octets);
    whole.u16(0x86dd);
    whole.u32(0x60000000);
    whole.u16(static_cast<std::uint16_t>(message.size()));
    whole.u8(58);
    whole.u8(hop_limit);
    whole.ipv6(source);
    whole.ipv6(destination);
    whole.bytes(message);
    return frame;
  }

 private:
  [[nodiscard]] std::uint16_t checksum(const std::vector<std::uint8_t>& message) const {
    std::vector<std::uint8_t> all;
    net::Writer out{all};
    out.ipv6(source);
    out.ipv6(destination);
    out.u32(static_cast<std::uint32_t>(message.size()));
    out.u32(58);
    out.bytes(message);
    std::uint64_t sum = 0;
    for (std::size_t i = 0; i + 1 < all.size(); i += 2) sum += static_cast<std::uint64_t>(all[i] << 8 | all[i + 1]);
    while (sum >> 16 != 0) sum = (sum & 0xffff) + (sum >> 16);
    return static_cast<std::uint16_t>(~sum);
  }
};

}  // namespace speaker
