// SPDX-License-Identifier: Apache-2.0
#include "bgp/rib/attribute_set.hpp"

#include "bgp/wire/attribute_decode.hpp"
#include "bgp/wire/bytes.hpp"
#include "bgp/wire/update.hpp"

namespace bgp {

NextHop AttributeSet::next_hop() const {
  const auto octets = next_hop_bytes();
  if (octets.size() == 4) return {net::Ipv4Address::from_bytes(octets), std::nullopt};
  NextHop next_hop{net::Ipv6Address::from_bytes(octets), std::nullopt};
  if (octets.size() >= 32) next_hop.link_local = net::Ipv6Address::from_bytes(octets.subspan(16));
  if (octets.size() % 16 == 4) next_hop.interface = load_u32(octets.data() + octets.size() - 4);
  return next_hop;
}

std::uint32_t AttributeSet::link() const {
  return unsent_size == 0 ? 0 : load_u32(tail() + next_hop_size + size);
}

std::uint32_t AttributeSet::kernel_metric() const {
  return unsent_size == 0 ? 0 : load_u32(tail() + next_hop_size + size + 4);
}

std::uint64_t AttributeSet::aigp_metric() const {
  auto rest = bytes();
  while (const auto attribute = next_attribute(rest)) {
    // The metric is written first of all TLVs.
    if (static_cast<AttributeType>(attribute->type) == AttributeType::Aigp)
      return load_u64(attribute->value.data() + 3);
  }
  return 0;
}

PathAttributes AttributeSet::attributes() const {
  auto attributes = decode_canonical_attributes(bytes());
  attributes.next_hop = next_hop();
  attributes.link = link();
  attributes.kernel_metric = kernel_metric();
  return attributes;
}

}  // namespace bgp
