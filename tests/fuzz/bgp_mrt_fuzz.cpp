// SPDX-License-Identifier: Apache-2.0
// The reader of MRT files: what decodes encodes to the same octets, attributes that decode survive being written, and
// nothing breaks it.
#include <cstdint>
#include <span>
#include <vector>

#include "bgp/mrt/record.hpp"
#include "tests/fuzz/require.hpp"

namespace {

void attributes(std::span<const std::uint8_t> bytes, net::Family family, bgp::AsnWidth width) {
  const auto decoded = bgp::mrt::decode_attributes(bytes, width);
  if (!decoded) return require(decoded.error()[0] != '\0');
  if (family == net::Family::Ipv6 && decoded->next_hop.address.is_v4()) return;
  std::vector<std::uint8_t> again;
  bgp::mrt::encode_attributes(*decoded, family, again);
  const auto second = bgp::mrt::decode_attributes(again, bgp::AsnWidth::FourOctets);
  // An IPv4 next hop may come from where it is not looked at closely, and is when it stands in NEXT_HOP.
  if (!second) return require(decoded->next_hop.address.is_v4());
  require(*second == *decoded);
}

void one(std::span<const std::uint8_t> bytes) {
  const auto record = bgp::mrt::decode(bytes);
  if (!record) return require(record.error().offset <= bytes.size() && record.error().text[0] != '\0');
  std::vector<std::uint8_t> again;
  bgp::mrt::encode(*record, again);
  require(again == std::vector<std::uint8_t>(bytes.begin(), bytes.end()));
  if (const auto* rib = std::get_if<bgp::mrt::Rib>(&record->content))
    for (const auto& entry : rib->entries)
      attributes(entry.attributes, rib->prefix.family(), bgp::AsnWidth::FourOctets);
  if (const auto* dump = std::get_if<bgp::mrt::TableDump>(&record->content))
    attributes(dump->attributes, dump->prefix.family(), bgp::AsnWidth::TwoOctets);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr auto header = bgp::mrt::header_size;
  std::span<const std::uint8_t> rest{data, size};
  one(rest);
  while (rest.size() >= header) {
    const auto length = bgp::mrt::record_length(std::span<const std::uint8_t, header>{rest.data(), header});
    if (!length || *length > rest.size()) break;
    one(rest.first(*length));
    rest = rest.subspan(*length);
  }
  return 0;
}
