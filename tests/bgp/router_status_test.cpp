// SPDX-License-Identifier: Apache-2.0
#include "tests/bgp/lab.hpp"

namespace bgp {
namespace {

using ::testing::Pair;
using ::testing::UnorderedElementsAre;

TEST(RouterExplain, NamesTheGateThatStopsARoute) {
  Lab lab;
  auto& sender = lab.add(external(1));
  auto& inside = lab.add(internal(2));
  auto& filtered = lab.add(external(3));
  auto& closed = lab.add(external(4));
  auto reject = rule("no-more-specifics", RuleAction::Reject);
  reject.match.prefixes = {{pfx("0.0.0.0/0"), 24, 32}};
  lab.config(filtered).export_filter = FilterChain{{"edge", {reject}}, accept_all()};
  lab.config(closed).export_filter.reset();
  lab.establish();
  sender.announce({pfx("10.0.1.0/24")}, path({65001}));
  lab.settle();
  std::map<std::string, std::string> gates;
  for (const auto& each : lab.router.explain(pfx("10.0.1.0/24")).exports) gates[each.peer] = each.reason;
  EXPECT_THAT(gates, UnorderedElementsAre(Pair("e1", "learned from this neighbor"), Pair("i2", "sent"),
                                          Pair("e3", "rejected by export filters: filter edge, rule no-more-specifics"),
                                          Pair("e4", "no export filter: learned routes are not announced")));
  EXPECT_FALSE(lab.router.explain(pfx("10.0.9.0/24")).known);
  EXPECT_EQ(inside.heard.size(), 1U);
}

TEST(RouterExplain, ShowsRejectedRoutesWhereTheyAreKept) {
  Lab lab;
  auto& sender = lab.add(external(1));
  auto reject = rule("bogons", RuleAction::Reject);
  reject.match.prefixes = {{pfx("10.0.0.0/8"), 8, 32}};
  lab.config(sender).import = {{"edge", {reject}}, accept_all()};
  lab.config(sender).rejected = Kept::Yes;
  lab.establish();
  sender.announce({pfx("10.0.1.0/24"), pfx("203.0.113.0/24")}, path({65001}));
  sender.announce({pfx("198.51.100.0/24")}, path({65001, 65000}));
  lab.settle();
  std::map<net::Prefix, std::string> reasons;
  TableCursor cursor;
  while (!cursor.done())
    lab.router.walk_in(lab.id(sender), cursor, 1, [&](const RouteRow& row) { reasons[row.prefix] = row.reason; });
  EXPECT_THAT(reasons,
              UnorderedElementsAre(
                  Pair(pfx("10.0.1.0/24"), "filter edge, rule bogons"), Pair(pfx("203.0.113.0/24"), "Only path"),
                  Pair(pfx("198.51.100.0/24"),
                       "loop: the path holds this router's AS or identifier, or its next hop is this router")));
  const auto counters = lab.status(sender).ipv4;
  EXPECT_EQ(counters.received, 3U);
  EXPECT_EQ(counters.accepted, 1U);
}

TEST(RouterWalks, ShowBestAndSentRoutes) {
  Lab lab;
  auto& first = lab.add(external(1));
  auto& second = lab.add(external(2));
  lab.establish();
  first.announce({pfx("10.0.1.0/24"), pfx("2001:db8:1::/48")}, path({65001}));
  second.announce({pfx("10.0.1.0/24")}, path({65002}));
  lab.settle();
  std::multimap<net::Prefix, std::string> best;
  TableCursor cursor;
  while (!cursor.done())
    lab.router.walk_best(cursor, 1, [&](const RouteRow& row) { best.emplace(row.prefix, row.peer); });
  EXPECT_THAT(best, UnorderedElementsAre(Pair(pfx("10.0.1.0/24"), "e1"), Pair(pfx("10.0.1.0/24"), "e2"),
                                         Pair(pfx("2001:db8:1::/48"), "e1")));
  std::map<net::Prefix, PathAttributes> out;
  cursor = {};
  while (!cursor.done())
    lab.router.walk_out(lab.id(second), cursor, 1, [&](const RouteRow& row) { out[row.prefix] = row.attributes; });
  EXPECT_EQ(out, second.heard);
}

}  // namespace
}  // namespace bgp
