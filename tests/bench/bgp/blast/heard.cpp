// SPDX-License-Identifier: Apache-2.0
#include "tests/bench/bgp/blast/heard.hpp"

#include "net/reader.hpp"

namespace blast {
namespace {

using Bytes = std::span<const std::uint8_t>;

constexpr std::uint8_t extended_length = 0x10;
constexpr std::uint8_t as_set = 1;  // counts as one hop (RFC 4271 section 9.1.2.2)
enum Attribute : std::uint8_t { AsPath = 2, MpReach = 14, MpUnreach = 15 };

void read_as_path(Bytes value, Heard& heard) {
  net::Reader in{value};
  while (in.remaining() > 0) {
    const bool set = in.u8() == as_set;
    for (unsigned left = in.u8(); left > 0 && in.ok(); --left) {
      const auto asn = in.u32();
      if (!set && ++heard.hops == 2) heard.via = asn;
    }
    heard.hops += set ? 1 : 0;
  }
}

}  // namespace

void View::recount() {
  present_ = right_ = 0;
  for (std::uint32_t i = 0; i < hops_.size(); ++i) {
    present_ += hops_[i] != 0;
    right_ += right(i);
  }
}

Heard read_update(Bytes body) {
  Heard heard;
  net::Reader in{body};
  heard.withdrawn = in.bytes(in.u16());
  net::Reader attributes{in.bytes(in.u16())};
  heard.announced = in.bytes(in.remaining());
  while (attributes.remaining() > 0) {
    const auto flags = attributes.u8();
    const auto code = attributes.u8();
    const std::size_t length = (flags & extended_length) != 0 ? attributes.u16() : attributes.u8();
    const auto value = attributes.bytes(length);
    net::Reader inside{value};
    if (code == AsPath) read_as_path(value, heard);
    if (code == MpReach) {
      inside.skip(3);
      inside.skip(inside.u8());
      inside.skip(1);
      heard.announced_mp = inside.bytes(inside.remaining());
    }
    if (code == MpUnreach) {
      inside.skip(3);
      heard.withdrawn_mp = inside.bytes(inside.remaining());
    }
  }
  return heard;
}

}  // namespace blast
