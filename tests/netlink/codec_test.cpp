// SPDX-License-Identifier: Apache-2.0
#include "netlink/codec.hpp"

#include <cstring>
#include <functional>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>

namespace netlink {
namespace {

using Bytes = std::vector<std::uint8_t>;
using testing::ElementsAreArray;

net::Prefix prefix(const char* text) {
  return *net::parse_prefix(text);
}
net::IpAddress address(const char* text) {
  return *net::parse_ip(text);
}

Bytes written(const std::function<void(Batch&)>& write) {
  Batch batch;
  write(batch);
  return {batch.bytes().begin(), batch.bytes().end()};
}
// A message as the kernel would send it: what we write and what it sends share their layout.
template <class Decoded>
std::optional<Decoded> reread(const Bytes& bytes, std::optional<Decoded> (*decode_it)(const RawMessage&)) {
  std::span<const std::uint8_t> rest{bytes};
  const auto raw = next_message(rest);
  EXPECT_TRUE(raw);
  EXPECT_TRUE(rest.empty());
  return raw ? decode_it(*raw) : std::nullopt;
}

// Little endian, as every machine these bytes were written down on.
TEST(EncodeRoute, WritesARouteThroughANexthopObject) {
  const auto bytes = written([](Batch& batch) {
    encode(batch, Verb::Add, RouteSpec{.prefix = prefix("192.0.2.0/24"), .nexthop_id = 0x48000001});
  });
  EXPECT_THAT(bytes, ElementsAreArray(Bytes{
                         52, 0,  0,  0, 24,  0,   0x01, 0x06, 1, 0, 0, 0, 0, 0, 0, 0,  // RTM_NEWROUTE, CREATE|EXCL
                         2,  24, 0,  0, 254, 201, 0,    1,    0, 0, 0, 0,              // table main, protocol, unicast
                         8,  0,  1,  0, 192, 0,   2,    0,                             // RTA_DST
                         8,  0,  6,  0, 20,  0,   0,    0,                             // RTA_PRIORITY
                         8,  0,  30, 0, 1,   0,   0,    0x48,                          // RTA_NH_ID
                     }));
}

TEST(EncodeRoute, DeletesWithTableMetricAndProtocolAndNothingElse) {
  const auto bytes = written([](Batch& batch) {
    encode(batch, Verb::Delete,
           RouteSpec{.prefix = prefix("2001:db8::/32"), .table = 1000, .metric = 5, .nexthop_id = 9});
  });
  EXPECT_THAT(bytes, ElementsAreArray(Bytes{
                         64, 0,  0, 0, 25,   0,   1,    0,    1,    0, 0, 0, 0, 0, 0, 0,  // RTM_DELROUTE
                         10, 32, 0, 0, 0,    201, 255,  1,    0,    0, 0, 0,  // table in the attribute, any scope
                         20, 0,  1, 0, 0x20, 1,   0x0d, 0xb8, 0,    0, 0, 0, 0, 0, 0, 0,
                         0,  0,  0, 0, 8,    0,   15,   0,    0xe8, 3, 0, 0,  // RTA_TABLE
                         8,  0,  6, 0, 5,    0,   0,    0,                    // RTA_PRIORITY
                     }));
}

TEST(EncodeRoute, NamesEveryVerbByItsFlags) {
  const auto flags = [](Verb verb) {
    const auto bytes = written([&](Batch& batch) { encode(batch, verb, RouteSpec{.prefix = {}, .nexthop_id = 1}); });
    return bytes[6] | bytes[7] << 8;
  };
  EXPECT_EQ(flags(Verb::Add), NLM_F_REQUEST | NLM_F_CREATE | NLM_F_EXCL);
  EXPECT_EQ(flags(Verb::Replace), NLM_F_REQUEST | NLM_F_REPLACE);
  EXPECT_EQ(flags(Verb::Put), NLM_F_REQUEST | NLM_F_CREATE | NLM_F_REPLACE);
  EXPECT_EQ(flags(Verb::Delete), NLM_F_REQUEST);
}

TEST(Route, SurvivesWritingAndReading) {
  const Path inline_v4{address("10.0.0.1"), 7, 1, OnLink::Yes};
  const Path inline_v6_gateway{address("fe80::1"), 7, 1, OnLink::No};
  const std::vector<Path> several{{address("10.0.0.1"), 7, 3, OnLink::No}, {address("fe80::2"), 8, 1, OnLink::Yes}};
  struct Case {
    const char* prefix;
    std::uint32_t table;
    std::span<const Path> paths;
    std::uint32_t nexthop_id;
    std::optional<net::IpAddress> gateway;
    std::uint16_t path_count;
  };
  const std::vector<Case> cases = {
      {"0.0.0.0/0", 254, {}, 3, std::nullopt, 0},
      {"192.0.2.1/32", 100'000, {&inline_v4, 1}, 0, inline_v4.gateway, 1},
      {"192.0.2.0/25", 255, {&inline_v6_gateway, 1}, 0, inline_v6_gateway.gateway, 1},
      {"192.0.2.0/24", 256, several, 0, address("10.0.0.1"), 2},
      {"2001:db8::1/128", 254, {&inline_v6_gateway, 1}, 0, inline_v6_gateway.gateway, 1},
      {"::/0", 4'000'000'000U, {}, 0xffffffff, std::nullopt, 0},
  };
  for (const auto& test : cases) {
    const auto bytes = written([&](Batch& batch) {
      encode(batch, Verb::Put,
             RouteSpec{.prefix = prefix(test.prefix),
                       .table = test.table,
                       .metric = 77,
                       .nexthop_id = test.nexthop_id,
                       .paths = test.paths});
    });
    const auto route = reread(bytes, decode_route);
    ASSERT_TRUE(route) << test.prefix;
    EXPECT_EQ(route->prefix, prefix(test.prefix));
    EXPECT_EQ(route->table, test.table);
    EXPECT_EQ(route->metric, 77U);
    EXPECT_EQ(route->protocol, herald_protocol);
    EXPECT_EQ(route->nexthop_id, test.nexthop_id);
    EXPECT_EQ(route->gateway, test.gateway);
    EXPECT_EQ(route->paths, test.path_count);
    EXPECT_EQ(route->interface, test.path_count == 0 ? 0U : 7U);
    EXPECT_TRUE(route->replaced);
  }
}

TEST(Nexthop, SurvivesWritingAndReading) {
  for (const auto* gateway : {"10.0.0.1", "fe80::1", "0.0.0.0", "::"}) {
    for (const auto onlink : {OnLink::No, OnLink::Yes}) {
      const NexthopSpec spec{42, herald_protocol, address(gateway), 7, onlink};
      const auto nexthop = reread(written([&](Batch& batch) { encode(batch, Verb::Add, spec); }), decode_nexthop);
      ASSERT_TRUE(nexthop);
      EXPECT_EQ(nexthop->id, 42U);
      EXPECT_EQ(nexthop->protocol, herald_protocol);
      EXPECT_EQ(nexthop->family, spec.gateway.family());
      EXPECT_EQ(nexthop->interface, 7U);
      EXPECT_EQ(nexthop->onlink, onlink);
      EXPECT_EQ(nexthop->gateway.value_or(address(gateway)), spec.gateway);
      EXPECT_EQ(nexthop->gateway.has_value(), !spec.gateway.unspecified());
    }
  }
}

TEST(Group, KeepsWeightsOfSixteenBits) {
  const std::vector<GroupMember> members{{1, 1}, {2, 256}, {3, 257}, {4, 65536}};
  const auto bytes = written([&](Batch& batch) { encode(batch, Verb::Add, GroupSpec{9, herald_protocol, members}); });
  const auto group = reread(bytes, decode_nexthop);
  ASSERT_TRUE(group);
  EXPECT_EQ(group->members, members);
  EXPECT_FALSE(group->resilience);
  // id, weight - 1 in its low byte, high byte, reserved.
  EXPECT_THAT(std::vector(bytes.end() - 8, bytes.end()), ElementsAreArray(Bytes{4, 0, 0, 0, 255, 255, 0, 0}));
}

TEST(Group, CarriesItsResilience) {
  const std::vector<GroupMember> members{{1, 1}, {2, 1}};
  const Resilience resilience{512, 12'000, 300};
  const auto group = reread(written([&](Batch& batch) {
                              encode(batch, Verb::Add, GroupSpec{9, herald_protocol, members, resilience});
                            }),
                            decode_nexthop);
  ASSERT_TRUE(group);
  EXPECT_EQ(group->resilience, resilience);
}

TEST(Address, SurvivesWritingAndReading) {
  for (const auto* text : {"192.0.2.1", "2001:db8::1"}) {
    const auto length = static_cast<std::uint8_t>(net::address_bits(address(text).family()));
    const AddressSpec spec{1, address(text), length, herald_protocol, 99};
    const auto read = reread(written([&](Batch& batch) { encode(batch, Verb::Add, spec); }), decode_address);
    ASSERT_TRUE(read);
    EXPECT_EQ(read->address, spec.address);
    EXPECT_EQ(read->peer, spec.address);
    EXPECT_EQ(read->length, length);
    EXPECT_EQ(read->protocol, herald_protocol);
    EXPECT_EQ(read->metric, 99U);
  }
}

// ---- reading what the kernel alone writes ----

class Kernel {
 public:
  Kernel(std::uint16_t type, std::uint16_t flags, const Bytes& header) {
    put<std::uint32_t>(0);
    put(type);
    put(flags);
    put<std::uint32_t>(77);
    put<std::uint32_t>(4242);
    bytes_.insert(bytes_.end(), header.begin(), header.end());
  }
  Kernel& attribute(std::uint16_t type, const Bytes& value) {
    put(static_cast<std::uint16_t>(4 + value.size()));
    put(type);
    bytes_.insert(bytes_.end(), value.begin(), value.end());
    bytes_.resize((bytes_.size() + 3) & ~std::size_t{3});
    return *this;
  }
  Bytes done() {
    const auto length = static_cast<std::uint32_t>(bytes_.size());
    std::memcpy(bytes_.data(), &length, sizeof length);
    return bytes_;
  }

 private:
  template <class Number>
  void put(Number number) {
    bytes_.resize(bytes_.size() + sizeof number);
    std::memcpy(bytes_.data() + bytes_.size() - sizeof number, &number, sizeof number);
  }
  Bytes bytes_;
};

Bytes link_header(std::uint8_t family, std::uint32_t index, std::uint32_t flags) {
  Bytes out{family, 0, 1, 0};
  for (const auto number : {index, flags, 0U}) {
    for (unsigned shift = 0; shift < 32; shift += 8) out.push_back(static_cast<std::uint8_t>(number >> shift));
  }
  return out;
}

TEST(DecodeLink, ReadsWhatIsFollowed) {
  const auto bytes = Kernel{RTM_NEWLINK, 0, link_header(0, 5, 0x10043)}
                         .attribute(3, {'e', 't', 'h', '0', 0})
                         .attribute(1, {2, 0, 0, 0, 0, 1})
                         .attribute(4, {0xdc, 5, 0, 0})
                         .attribute(10, {9, 0, 0, 0})
                         .attribute(18, {9, 0, 1, 0, 'v', 'e', 't', 'h', 0})
                         .done();
  const auto link = reread(bytes, decode_link);
  ASSERT_TRUE(link);
  EXPECT_EQ(link->index, 5U);
  EXPECT_EQ(link->name, "eth0");
  EXPECT_EQ(link->kind, "veth");
  EXPECT_EQ(link->mtu, 1500U);
  EXPECT_EQ(link->master, 9U);
  EXPECT_EQ(net::print(*link->mac), "02:00:00:00:00:01");
}

TEST(DecodeLink, IsNotFooledByAPortLeavingItsBridge) {
  const auto bytes = Kernel{RTM_DELLINK, 0, link_header(7 /* AF_BRIDGE */, 5, 0)}.done();
  EXPECT_FALSE(reread(bytes, decode_link));
}

TEST(DecodeAcknowledgement, CarriesTheKernelsWords) {
  Bytes body{0xea, 0xff, 0xff, 0xff};  // -EINVAL
  const Bytes request{52, 0, 0, 0, 24, 0, 5, 6, 33, 0, 0, 0, 0, 0, 0, 0};
  body.insert(body.end(), request.begin(), request.end());
  auto capped = Kernel{NLMSG_ERROR, NLM_F_ACK_TLVS | NLM_F_CAPPED, body}.attribute(1, {'n', 'o', 0}).done();
  const auto answer = reread(capped, decode_acknowledgement);
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->error, EINVAL);
  EXPECT_EQ(answer->sequence, 33U);
  EXPECT_EQ(answer->text, "no");

  auto whole = body;
  whole.resize(whole.size() + 36);  // the rest of the request, all of which comes back
  const auto uncapped = Kernel{NLMSG_ERROR, NLM_F_ACK_TLVS, whole}.attribute(1, {'n', 'o', 0}).done();
  EXPECT_EQ(reread(uncapped, decode_acknowledgement)->text, "no");
}

TEST(DecodeAcknowledgement, RefusesImpossibleErrors) {
  for (const auto& error : {Bytes{1, 0, 0, 0}, Bytes{0, 0, 0, 0x80}}) {
    auto body = error;
    body.resize(20);
    EXPECT_FALSE(reread(Kernel{NLMSG_ERROR, 0, body}.done(), decode_acknowledgement));
  }
}

TEST(Decode, RefusesEveryTruncation) {
  const std::vector<Path> several{{address("10.0.0.1"), 7, 1, OnLink::No}, {address("fe80::2"), 8, 1, OnLink::No}};
  const std::vector<GroupMember> members{{1, 1}, {2, 1}};
  const std::vector<Bytes> messages = {
      written([&](Batch& batch) {
        encode(batch, Verb::Add, RouteSpec{.prefix = prefix("192.0.2.0/24"), .table = 300, .paths = several});
      }),
      written([&](Batch& batch) {
        encode(batch, Verb::Add, NexthopSpec{1, 201, address("fe80::1"), 7, OnLink::No});
      }),
      written([&](Batch& batch) {
        encode(batch, Verb::Add, GroupSpec{9, 201, members, Resilience{}});
      }),
      written([&](Batch& batch) {
        encode(batch, Verb::Add, AddressSpec{1, address("2001:db8::1"), 128});
      }),
      Kernel{RTM_NEWLINK, 0, link_header(0, 5, 3)}
          .attribute(3, {'e', 't', 'h', '0', 0})
          .attribute(1, {2, 0, 0, 0, 0, 1})
          .done(),
  };
  for (const auto& message : messages) {
    std::span<const std::uint8_t> whole{message};
    const auto all = decode(*next_message(whole));
    ASSERT_NE(all.index(), 0U);
    for (std::size_t size = 0; size < message.size(); ++size) {
      // The datagram ends early: there is no message.
      std::span<const std::uint8_t> cut{message.data(), size};
      EXPECT_FALSE(next_message(cut));
      if (size < 16) continue;
      // The message says so itself: it is read as far as it goes, or refused.
      auto shortened = message;
      shortened.resize(size);
      const auto length = static_cast<std::uint32_t>(size);
      std::memcpy(shortened.data(), &length, sizeof length);
      std::span<const std::uint8_t> rest{shortened};
      (void)decode(*next_message(rest));
    }
  }
}

TEST(Decode, RefusesContradictions) {
  const Bytes route{2, 24, 0, 0, 254, 201, 0, 1, 0, 0, 0, 0};
  const auto with = [&](const Bytes& header, std::uint16_t type, const Bytes& value) {
    return reread(Kernel{RTM_NEWROUTE, 0, header}.attribute(type, value).done(), decode_route);
  };
  EXPECT_TRUE(with(route, RTA_DST, {192, 0, 2, 0}));
  EXPECT_FALSE(with(route, RTA_DST, Bytes(16, 0))) << "an IPv6 destination of an IPv4 route";
  EXPECT_FALSE(with(route, RTA_DST, {192, 0, 2}));
  EXPECT_FALSE(with(route, RTA_GATEWAY, {1, 2, 3}));
  EXPECT_FALSE(with(route, RTA_VIA, {2, 0, 1, 2, 3})) << "an address too short for its family";
  EXPECT_FALSE(with(route, RTA_VIA, {10, 0, 1, 2, 3, 4})) << "an address of another family than it says";
  EXPECT_FALSE(with(route, RTA_MULTIPATH, {200, 0, 0, 0, 1, 0, 0, 0}));
  EXPECT_FALSE(with(route, RTA_MULTIPATH, {0, 0, 0, 0, 1, 0, 0, 0})) << "a path without a length must not loop";
  auto long_prefix = route;
  long_prefix[1] = 33;
  EXPECT_FALSE(with(long_prefix, RTA_DST, {192, 0, 2, 0}));
  auto other_family = route;
  other_family[0] = 28;  // MPLS
  EXPECT_FALSE(with(other_family, RTA_PRIORITY, {1, 0, 0, 0}));
}

TEST(Batch, NumbersItsMessagesOn) {
  Batch batch;
  encode_nexthop_dump(batch);
  encode_nexthop_dump(batch);
  EXPECT_EQ(batch.first_sequence(), 1U);
  EXPECT_EQ(batch.count(), 2U);
  batch.clear();
  EXPECT_TRUE(batch.empty());
  encode_nexthop_dump(batch);
  EXPECT_EQ(batch.first_sequence(), 3U);
  std::span<const std::uint8_t> bytes = batch.bytes();
  EXPECT_EQ(next_message(bytes)->sequence, 3U);
}

TEST(Batch, HoldsTwoThousandRoutes) {
  Batch batch;
  while (!batch.full()) encode(batch, Verb::Add, RouteSpec{.prefix = prefix("192.0.2.0/24"), .nexthop_id = 1});
  EXPECT_GT(batch.count(), 2000U);
  EXPECT_LE(batch.bytes().size(), Batch::capacity + 64);
}

}  // namespace
}  // namespace netlink
