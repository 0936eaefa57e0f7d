// SPDX-License-Identifier: Apache-2.0
// Next hops on the wire: IPv6 ones of IPv4 prefixes (RFC 8950), and link-local ones (RFC 2545 section 3).
#include <gmock/gmock.h>

#include "bgp/wire/update.hpp"
#include "tests/bgp/wire/wire_bytes.hpp"

namespace bgp {
namespace {

using testing::ElementsAre;

// MP_REACH_NLRI of 192.0.2.0/24 by fe80::1, and by 2001:db8::1 with fe80::1.
const Bytes by_link_local = attribute(0x80, 14, hex("0001 01 10 fe800000000000000000000000000001 00 18 c00002"));
const Bytes by_both = attribute(
    0x80, 14, hex("0001 01 20 20010db8000000000000000000000001 fe800000000000000000000000000001 00 18 c00002"));

UpdateContext over_ipv6() {
  auto context = external();
  context.ipv4_over_ipv6 = true;
  return context;
}

const net::IpAddress link_local = *net::parse_ip("fe80::1");
const net::IpAddress global = *net::parse_ip("2001:db8::1");

TEST(AnIpv4Prefix, MayHaveAnIpv6NextHopWhereThatIsAgreed) {
  const auto one = body({}, join({by_link_local, origin, as_path}), {});
  const auto alone = decode_update(one, over_ipv6());
  ASSERT_TRUE(alone);
  EXPECT_THAT(prefixes(alone->reachable), ElementsAre("192.0.2.0/24"));
  EXPECT_EQ(alone->next_hop_ipv4, (NextHop{link_local, std::nullopt}));
  EXPECT_FALSE(alone->treat_as_withdraw);

  const auto two = body({}, join({by_both, origin, as_path}), {});
  const auto both = decode_update(two, over_ipv6());
  ASSERT_TRUE(both);
  EXPECT_EQ(both->next_hop_ipv4, (NextHop{global, link_local.v6()}));
}

TEST(AnIpv4Prefix, WithAnIpv6NextHopThatWasNotAgreedResetsTheSession) {  // RFC 7606 section 7.11
  const auto decoded = decode_update(body({}, join({by_link_local, origin, as_path}), {}), external());
  ASSERT_FALSE(decoded);
  EXPECT_EQ(decoded.error().code, 3);
  EXPECT_EQ(decoded.error().subcode, 9);
}

TEST(AnIpv4Prefix, MayStillHaveAnIpv4NextHop) {
  const auto decoded = decode_update(body({}, mandatory, nlri4), over_ipv6());
  ASSERT_TRUE(decoded);
  EXPECT_EQ(decoded->next_hop_ipv4.address, *net::parse_ip("10.0.0.2"));
}

TEST(AnIpv4Prefix, IsWrittenIntoMpReachWithAnIpv6NextHop) {
  PathAttributes attributes;
  attributes.as_path = sequence({65001});
  for (const auto& hop : {NextHop{link_local, std::nullopt}, NextHop{global, link_local.v6()}}) {
    attributes.next_hop = hop;
    Bytes section;
    encode_attributes(attributes, net::Family::Ipv4, {PeerType::External, AsnWidth::FourOctets}, section);
    EXPECT_EQ(section, join({origin, as_path})) << "no NEXT_HOP";
    const std::vector<net::Ipv4Prefix> one{net::parse_prefix("192.0.2.0/24")->v4()};
    Bytes out;
    ASSERT_EQ(encode_reachable<net::Ipv4Prefix>(section, hop, one, max_message_size, out), 1U);
    EXPECT_EQ(out, message(2, body({}, join({hop.link_local ? by_both : by_link_local, section}), {})));
    const auto read = decode_update(std::span{out}.subspan(header_size), over_ipv6());
    ASSERT_TRUE(read);
    EXPECT_EQ(read->next_hop_ipv4, hop);
  }
}

TEST(AnIpv4Prefix, WithAnIpv6NextHopFillsMessagesToTheirLimit) {
  PathAttributes attributes;
  attributes.next_hop = {global, link_local.v6()};
  Bytes section;
  encode_attributes(attributes, net::Family::Ipv4, {PeerType::External, AsnWidth::FourOctets}, section);
  std::vector<net::Ipv4Prefix> many;
  for (std::uint32_t i = 0; i < 2000; ++i) many.push_back(*net::Ipv4Prefix::make({0x0a000000 + (i << 8)}, 24));
  Bytes out;
  const auto count = encode_reachable<net::Ipv4Prefix>(section, attributes.next_hop, many, max_message_size, out);
  EXPECT_LE(out.size(), max_message_size);
  EXPECT_GT(out.size(), max_message_size - 8);
  EXPECT_EQ(prefixes(decode_update(std::span{out}.subspan(header_size), over_ipv6())->reachable).size(), count);
}

TEST(ALinkLocalNextHop, SaidTwiceOrBehindNoneIsOne) {
  for (const auto* first : {"fe800000000000000000000000000001", "00000000000000000000000000000000"}) {
    const auto value = std::string{"0002 01 20 "} + first + " fe800000000000000000000000000001 00 20 20010db8";
    const auto decoded =
        decode_update(body({}, join({attribute(0x80, 14, hex(value)), origin, as_path}), {}), external());
    ASSERT_TRUE(decoded);
    EXPECT_EQ(decoded->next_hop_ipv6, (NextHop{link_local, std::nullopt}));
    EXPECT_THAT(decoded->faults, ::testing::IsEmpty());
  }
}

TEST(OnlyToCustomer, IsTheSameInBytesAndInFields) {  // RFC 9234 section 5
  const auto otc = hex("c0 23 04 0000fde9");
  const auto decoded = decode_update(body({}, join({mandatory, otc}), nlri4), external());
  ASSERT_TRUE(decoded);
  EXPECT_EQ(decoded->attributes.only_to_customer, net::Asn{65001});
  auto attributes = decoded->attributes;
  attributes.next_hop = decoded->next_hop_ipv4;
  Bytes section;
  encode_attributes(attributes, net::Family::Ipv4, {PeerType::External, AsnWidth::FourOctets}, section);
  EXPECT_EQ(section, join({mandatory, otc}));
}

}  // namespace
}  // namespace bgp
