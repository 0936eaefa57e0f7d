// SPDX-License-Identifier: Apache-2.0
#include "bgp/mrt/record.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/bgp/wire/wire_bytes.hpp"

namespace bgp::mrt {
namespace {

using testing::ElementsAre;

net::IpAddress address(std::string_view text) {
  return *net::parse_ip(text);
}

// Header and body; the length is that of the body.
Bytes record(unsigned type, unsigned subtype, const Bytes& body) {
  return join({hex("3b9aca00"), u16(type), u16(subtype), hex("0000"), u16(body.size()), body});
}

const Bytes keepalive = hex("ffffffffffffffffffffffffffffffff 0013 04");

Ends ends(AsnWidth width, std::string_view peer, std::string_view local) {
  return {net::Asn{65001}, net::Asn{65000}, width, 3, address(peer), address(local)};
}

struct Vector {
  std::string name;
  Record value;
  Bytes bytes;
};

std::vector<Vector> vectors() {
  constexpr WallTime time{1000000000, 0};
  constexpr WallTime fine{1000000000, 7};
  const auto dump_v2 = RecordType::TableDumpV2;
  const Bytes attributes = hex("40 01 01 00");
  return {
      {"PeerIndexTable",
       {time, dump_v2, 1,
        PeerIndexTable{net::RouterId{0x0a000001},
                       "v",
                       {{net::RouterId{1}, address("10.0.0.2"), net::Asn{65001}, AsnWidth::TwoOctets, 0},
                        {net::RouterId{2}, address("2001:db8::2"), net::Asn{70000}, AsnWidth::FourOctets, 0x80}}}},
       record(13, 1,
              hex("0a000001 0001 76 0002 00 00000001 0a000002 fde9"
                  "83 00000002 20010db8000000000000000000000002 00011170"))},
      {"RibIpv4",
       {time, dump_v2, 2,
        Rib{5, *net::parse_prefix("10.1.0.0/16"), false, false, {{0, 9, 0, attributes}, {1, 8, 0, {}}}}},
       record(13, 2, hex("00000005 10 0a01 0002 0000 00000009 0004 40010100 0001 00000008 0000"))},
      {"RibIpv4Multicast",
       {time, dump_v2, 3, Rib{5, *net::parse_prefix("10.0.0.0/8"), true, false, {}}},
       record(13, 3, hex("00000005 08 0a 0000"))},
      {"RibIpv6",
       {time, dump_v2, 4, Rib{6, *net::parse_prefix("2001:db8::/33"), false, false, {{0, 9, 0, attributes}}}},
       record(13, 4, hex("00000006 21 20010db800 0001 0000 00000009 0004 40010100"))},
      {"RibIpv4AddPath",
       {time, dump_v2, 8, Rib{7, *net::parse_prefix("0.0.0.0/0"), false, true, {{0, 9, 77, attributes}}}},
       record(13, 8, hex("00000007 00 0001 0000 00000009 0000004d 0004 40010100"))},
      {"RibIpv6AddPath",
       {time, dump_v2, 10, Rib{7, *net::parse_prefix("::/0"), false, true, {{0, 9, 78, {}}}}},
       record(13, 10, hex("00000007 00 0001 0000 00000009 0000004e 0000"))},
      {"RibGenericIsKept", {time, dump_v2, 6, Other{hex("00000007 0001")}}, record(13, 6, hex("00000007 0001"))},
      {"TableDumpIpv4",
       {time, RecordType::TableDump, 1,
        TableDump{1, 2, *net::parse_prefix("10.0.0.0/8"), 1, 9, address("10.0.0.2"), net::Asn{65001}, attributes}},
       record(12, 1, hex("0001 0002 0a000000 08 01 00000009 0a000002 fde9 0004 40010100"))},
      {"TableDumpIpv6",
       {time, RecordType::TableDump, 2,
        TableDump{0, 0, *net::parse_prefix("2001:db8::/32"), 1, 9, address("2001:db8::2"), net::Asn{1}, {}}},
       record(12, 2,
              hex("0000 0000 20010db8000000000000000000000000 20 01 00000009 20010db8000000000000000000000002"
                  "0001 0000"))},
      {"MessageOfTwoOctets",
       {time, RecordType::Bgp4mp, 1,
        BgpMessage{ends(AsnWidth::TwoOctets, "10.0.0.2", "10.0.0.1"), false, false, keepalive}},
       record(16, 1, join({hex("fde9 fde8 0003 0001 0a000002 0a000001"), keepalive}))},
      {"MessageOfFourOctetsWithMicroseconds",
       {fine, RecordType::Bgp4mpEt, 4,
        BgpMessage{ends(AsnWidth::FourOctets, "2001:db8::2", "2001:db8::1"), false, false, keepalive}},
       record(17, 4,
              join({hex("00000007 0000fde9 0000fde8 0003 0002 20010db8000000000000000000000002"
                        "20010db8000000000000000000000001"),
                    keepalive}))},
      {"MessageSentWithPathIdentifiers",
       {time, RecordType::Bgp4mp, 11,
        BgpMessage{ends(AsnWidth::FourOctets, "10.0.0.2", "10.0.0.1"), true, true, keepalive}},
       record(16, 11, join({hex("0000fde9 0000fde8 0003 0001 0a000002 0a000001"), keepalive}))},
      {"StateChangeOfTwoOctets",
       {time, RecordType::Bgp4mp, 0, StateChange{ends(AsnWidth::TwoOctets, "10.0.0.2", "10.0.0.1"), 1, 2}},
       record(16, 0, hex("fde9 fde8 0003 0001 0a000002 0a000001 0001 0002"))},
      {"StateChangeOfFourOctets",
       {fine, RecordType::Bgp4mpEt, 5, StateChange{ends(AsnWidth::FourOctets, "10.0.0.2", "10.0.0.1"), 5, 6}},
       record(17, 5, hex("00000007 0000fde9 0000fde8 0003 0001 0a000002 0a000001 0005 0006"))},
      {"OspfIsKept", {time, static_cast<RecordType>(11), 0, Other{hex("0102")}}, record(11, 0, hex("0102"))},
  };
}

TEST(MrtRecord, IsTheSameInBytesAndInFields) {
  for (const auto& [name, value, bytes] : vectors()) {
    Bytes out;
    encode(value, out);
    EXPECT_EQ(out, bytes) << name;
    const auto decoded = decode(bytes);
    ASSERT_TRUE(decoded.has_value()) << name << ": " << decoded.error().offset << " " << decoded.error().text;
    EXPECT_EQ(*decoded, value) << name;
    EXPECT_EQ(*record_length(std::span<const std::uint8_t, header_size>{bytes.data(), header_size}), bytes.size());
  }
}

TEST(MrtRecord, IsRefusedWhereverItIsCut) {
  for (const auto& [name, value, bytes] : vectors()) {
    for (std::size_t size = 0; size < bytes.size(); ++size) {
      Bytes cut{bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(size)};
      EXPECT_FALSE(decode(cut).has_value()) << name << " of " << size;
      if (size < header_size) continue;
      cut[11] = static_cast<std::uint8_t>(size - header_size);
      const auto decoded = decode(cut);
      if (!decoded) continue;  // what is kept as it is, and messages, may be of any length
      Bytes again;
      encode(*decoded, again);
      EXPECT_EQ(again, cut) << name << " of " << size;
    }
  }
}

TEST(MrtRecord, TakesItsTypeFromWhatItHolds) {
  constexpr WallTime time{1, 2};
  EXPECT_EQ(make_record(time, PeerIndexTable{}).subtype, 1);
  EXPECT_EQ(make_record(time, Rib{0, *net::parse_prefix("::/0"), true, true, {}}).subtype, 11);
  EXPECT_EQ(make_record(time, Rib{0, *net::parse_prefix("0.0.0.0/0"), false, false, {}}).subtype, 2);
  const auto message = [&](AsnWidth width, bool sent, bool ids) {
    return make_record(time, BgpMessage{ends(width, "10.0.0.2", "10.0.0.1"), sent, ids, {}}).subtype;
  };
  EXPECT_EQ(message(AsnWidth::TwoOctets, false, false), 1);
  EXPECT_EQ(message(AsnWidth::FourOctets, false, false), 4);
  EXPECT_EQ(message(AsnWidth::TwoOctets, true, false), 6);
  EXPECT_EQ(message(AsnWidth::FourOctets, true, false), 7);
  EXPECT_EQ(message(AsnWidth::TwoOctets, false, true), 8);
  EXPECT_EQ(message(AsnWidth::FourOctets, false, true), 9);
  EXPECT_EQ(message(AsnWidth::TwoOctets, true, true), 10);
  EXPECT_EQ(message(AsnWidth::FourOctets, true, true), 11);
  EXPECT_EQ(number_of(State::Idle), 1);
  EXPECT_EQ(number_of(State::Established), 6);
}

TEST(MrtRecord, SaysWhatIsWrongAndWhere) {
  const auto fault = [](const Bytes& bytes) {
    const auto decoded = decode(bytes);
    return decoded ? std::string{"none"} : std::to_string(decoded.error().offset) + ": " + decoded.error().text;
  };
  EXPECT_EQ(fault(record(13, 2, hex("00000005 21 0a0a0a0a0a 0000"))),
            "16: the prefix is longer than an address of its family");
  EXPECT_EQ(fault(record(13, 2, hex("00000005 0f 0a01 0000"))), "17: bits are set behind the prefix's length");
  EXPECT_EQ(fault(record(13, 2, hex("00000005 00 0000 00"))), "19: there is more than the record has fields");
  EXPECT_EQ(fault(record(13, 2, hex("00000005 00 0001 0000"))), "21: the record ends within a field");
  EXPECT_EQ(fault(record(16, 0, hex("fde9 fde8 0003 0003 0a000002 0a000001 0001 0002"))),
            "18: the address family is neither 1 (IPv4) nor 2 (IPv6)");
  auto wrong = record(13, 2, hex("00000005 00 0000"));
  wrong[11] = 9;
  EXPECT_EQ(fault(wrong), "8: the length is not that of the record");
  auto huge = record(13, 2, {});
  huge[8] = 2;
  const auto refused = record_length(std::span<const std::uint8_t, header_size>{huge.data(), header_size});
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().offset, 8U);
  EXPECT_STREQ(refused.error().text, "the length is above 16777216");
}

TEST(MrtAttributes, HaveANextHopAloneOrAWholeMpReach) {
  const auto alone = join({hex("40 01 01 00"), as_path, hex("80 0e 11 10 20010db8000000000000000000000002")});
  const auto whole =
      join({hex("40 01 01 00"), as_path, hex("80 0e 1a 0002 01 10 20010db8000000000000000000000002 00 20 20010db8")});
  const auto both = join({hex("80 0e 21 20 20010db8000000000000000000000002 fe800000000000000000000000000002")});
  for (const auto& bytes : {alone, whole}) {
    const auto decoded = decode_attributes(bytes, AsnWidth::FourOctets);
    ASSERT_TRUE(decoded.has_value()) << decoded.error();
    EXPECT_EQ(decoded->next_hop.address, address("2001:db8::2"));
    EXPECT_EQ(decoded->as_path.origin(), net::Asn{65001});
  }
  EXPECT_EQ(decode_attributes(both, AsnWidth::FourOctets)->next_hop.link_local, address("fe80::2").v6());
}

TEST(MrtAttributes, OfTwoOctetsHaveTheirPathRebuilt) {
  const auto bytes = hex("40 02 06 0202 5ba0 fde9 c0 11 0a 0202 00011170 0000fde9");
  const auto decoded = decode_attributes(bytes, AsnWidth::TwoOctets);
  ASSERT_TRUE(decoded.has_value()) << decoded.error();
  ASSERT_EQ(decoded->as_path.segments.size(), 1U);
  EXPECT_THAT(decoded->as_path.segments[0].asns, ElementsAre(net::Asn{70000}, net::Asn{65001}));
}

TEST(MrtAttributes, SayWhatIsWrong) {
  EXPECT_STREQ(decode_attributes(hex("40 01 05 00"), AsnWidth::FourOctets).error(), "an attribute does not fit");
  EXPECT_STREQ(decode_attributes(hex("80 0e 03 05 0102"), AsnWidth::FourOctets).error(), "the next hop does not fit");
  EXPECT_FALSE(decode_attributes(hex("40 01 01 09"), AsnWidth::FourOctets).has_value());
}

TEST(MrtAttributes, AreTheSameInBytesAndInFields) {
  PathAttributes attributes;
  attributes.as_path.prepend(net::Asn{70000}, 2);
  attributes.local_pref = 150;
  attributes.med = 3;
  attributes.communities = {Community{0xfde80001}};
  for (const auto& next_hop :
       {NextHop{address("10.0.0.2"), std::nullopt}, NextHop{address("2001:db8::2"), std::nullopt},
        NextHop{address("2001:db8::2"), address("fe80::2").v6()}}) {
    attributes.next_hop = next_hop;
    for (const auto family : {net::Family::Ipv4, net::Family::Ipv6}) {
      if (family == net::Family::Ipv6 && next_hop.address.is_v4()) continue;
      Bytes out;
      encode_attributes(attributes, family, out);
      const auto decoded = decode_attributes(out, AsnWidth::FourOctets);
      ASSERT_TRUE(decoded.has_value()) << decoded.error();
      EXPECT_EQ(*decoded, attributes);
    }
  }
}

}  // namespace
}  // namespace bgp::mrt
