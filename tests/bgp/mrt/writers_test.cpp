// SPDX-License-Identifier: Apache-2.0
// Files of a router's tables and of what its neighbours say, read back.
#include "bgp/mrt/table_writer.hpp"
#include "bgp/mrt/update_log.hpp"
#include "tests/bgp/lab.hpp"

namespace bgp::mrt {
namespace {

using testing::ElementsAre;
using testing::SizeIs;

std::vector<Record> records(std::span<const std::uint8_t> bytes) {
  std::vector<Record> all;
  while (!bytes.empty()) {
    const auto length = record_length(std::span<const std::uint8_t, header_size>{bytes.data(), header_size});
    EXPECT_TRUE(length.has_value() && *length <= bytes.size());
    if (!length || *length > bytes.size()) return all;
    const auto decoded = decode(bytes.first(*length));
    EXPECT_TRUE(decoded.has_value());
    if (!decoded) return all;
    all.push_back(*decoded);
    bytes = bytes.subspan(*length);
  }
  return all;
}

constexpr WallTime noon{1764000000, 250};

TEST(TableWriter, WritesEveryPathInTheDecision) {
  Lab lab;
  auto& one = lab.add(external(1));
  auto many = external(2);
  many.says_ids = {true, false};
  auto& two = lab.add(many);
  lab.config(two).session.add_path.receive = true;
  auto& refused = lab.add(external(3));
  lab.config(refused).import = {reject_all()};
  lab.config(refused).rejected = Kept::Yes;
  lab.establish();
  one.announce({pfx("10.1.0.0/16"), pfx("2001:db8::/32")}, path({65001, 70000}));
  two.announce({pfx("10.1.0.0/16")}, path({65002}), 9);
  refused.announce({pfx("10.1.0.0/16"), pfx("10.2.0.0/16")}, path({65003}));
  lab.router.set_local(pfx("198.51.100.0/24"), LocalRoute{{Announcement{}}});
  lab.settle();

  TableWriter writer{lab.router, noon, start_time + net::Seconds{60}};
  std::vector<std::uint8_t> bytes;
  std::size_t pieces = 1;
  while (writer.next(bytes, 1)) ++pieces;
  EXPECT_GE(pieces, 3U);
  EXPECT_EQ(writer.prefixes(), 3U);
  const auto all = records(bytes);
  ASSERT_THAT(all, SizeIs(4));
  const auto& table = std::get<PeerIndexTable>(all[0].content);
  EXPECT_EQ(table.collector, net::RouterId{0x0a000001});
  ASSERT_THAT(table.peers, SizeIs(4));
  EXPECT_EQ(table.peers[0].asn, net::Asn{65000});
  EXPECT_EQ(table.peers[1].address, one.options().address);
  EXPECT_EQ(table.peers[1].id, one.options().id);

  std::map<net::Prefix, Rib> ribs;
  std::uint32_t sequence = 0;
  for (std::size_t i = 1; i < all.size(); ++i) {
    const auto& rib = std::get<Rib>(all[i].content);
    EXPECT_EQ(rib.sequence, sequence++);
    ribs[rib.prefix] = rib;
  }
  const auto& shared = ribs.at(pfx("10.1.0.0/16"));
  EXPECT_TRUE(shared.path_ids);
  ASSERT_THAT(shared.entries, SizeIs(2));
  for (const auto& entry : shared.entries) {
    EXPECT_EQ(entry.path_id, entry.peer == 2 ? 9U : 0U);
    // Since the session came up: no path's own time is kept.
    EXPECT_EQ(entry.originated, noon.seconds - 60);
    const auto attributes = decode_attributes(entry.attributes, AsnWidth::FourOctets);
    ASSERT_TRUE(attributes.has_value());
    EXPECT_EQ(attributes->next_hop.address, (entry.peer == 2 ? two : one).options().address);
  }
  const auto& ipv6 = ribs.at(pfx("2001:db8::/32"));
  EXPECT_FALSE(ipv6.path_ids);
  ASSERT_THAT(ipv6.entries, SizeIs(1));
  const auto attributes = decode_attributes(ipv6.entries[0].attributes, AsnWidth::FourOctets);
  ASSERT_TRUE(attributes.has_value());
  EXPECT_EQ(asns(*attributes), (std::vector<std::uint32_t>{65001, 70000}));
  EXPECT_TRUE(attributes->next_hop.address.is_v6());
  EXPECT_THAT(ribs.at(pfx("198.51.100.0/24")).entries, SizeIs(1));
}

// The peer table, which is all that is written of a router without routes.
std::vector<PeerIndexTable::Peer> peers_without_routes(const Lab& lab) {
  TableWriter writer{lab.router, noon, start_time};
  std::vector<std::uint8_t> bytes;
  EXPECT_FALSE(writer.next(bytes, 100));
  const auto all = records(bytes);
  EXPECT_THAT(all, SizeIs(1));
  return std::get<PeerIndexTable>(all.at(0).content).peers;
}

TEST(TableWriter, WritesThePeerTableOfAnEmptyRouter) {
  Lab lab;
  EXPECT_THAT(peers_without_routes(lab), SizeIs(1));
}

// Their number is two octets long.
TEST(TableWriter, LeavesOutPeersThatCannotBeCounted) {
  Lab lab;
  for (std::uint32_t i = 1; i <= 0xffff; ++i) {
    lab.neighbors.push_back(Speaker{lab.router, external(i)}.neighbor());
    lab.neighbors.back().export_filter.reset();
    lab.neighbors.back().import.clear();
  }
  lab.configure();
  EXPECT_THAT(peers_without_routes(lab), SizeIs(0xffff));
}

TEST(UpdateLog, WritesUpdatesAsTheyCameAndEveryMoveOfASession) {
  Lab lab;
  auto& one = lab.add(external(1));
  lab.configure();
  UpdateLog log{lab.router};
  log.set_time(noon);
  lab.router.observe(&log);
  ASSERT_TRUE(one.establish());
  const auto update = one.update({pfx("10.1.0.0/16")}, path({65001}));
  one.say(update);
  one.hang_up();
  lab.router.observe(nullptr);

  const auto all = records(log.take());
  EXPECT_EQ(log.waiting(), 0U);
  EXPECT_EQ(log.records(), all.size());
  std::vector<std::pair<unsigned, unsigned>> moves;
  std::vector<BgpMessage> messages;
  for (const auto& record : all) {
    EXPECT_EQ(record.type, RecordType::Bgp4mpEt);
    EXPECT_EQ(record.time, noon);
    if (const auto* change = std::get_if<StateChange>(&record.content)) {
      moves.emplace_back(change->before, change->after);
      EXPECT_EQ(change->ends.peer, one.options().address);
    }
    if (const auto* message = std::get_if<BgpMessage>(&record.content)) messages.push_back(*message);
  }
  ASSERT_FALSE(moves.empty());
  EXPECT_EQ(moves.back().first, 6U);
  EXPECT_THAT(moves, testing::Contains(std::pair<unsigned, unsigned>(5, 6)));
  ASSERT_THAT(messages, SizeIs(1));
  EXPECT_EQ(messages[0].message, update);
  EXPECT_FALSE(messages[0].path_ids);
  EXPECT_EQ(messages[0].ends.peer_asn, net::Asn{65001});
  EXPECT_EQ(messages[0].ends.local, net::IpAddress{Speaker::router_address});
}

TEST(UpdateLog, MarksTwoOctetPathsAndPathIdentifiers) {
  Lab lab;
  auto options = external(1);
  options.asn_width = AsnWidth::TwoOctets;
  options.says_ids = {true, false};
  auto& one = lab.add(options);
  lab.config(one).session.add_path.receive = true;
  lab.establish();
  UpdateLog log{lab.router};
  lab.router.observe(&log);
  one.announce({pfx("10.1.0.0/16")}, path({65001}), 4);
  one.announce({pfx("2001:db8::/32")}, path({65001}));
  lab.router.observe(nullptr);
  std::vector<std::uint16_t> subtypes;
  for (const auto& record : records(log.take())) subtypes.push_back(record.subtype);
  EXPECT_THAT(subtypes, ElementsAre(8, 1));
}

}  // namespace
}  // namespace bgp::mrt
