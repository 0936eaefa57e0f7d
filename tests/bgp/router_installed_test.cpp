// SPDX-License-Identifier: Apache-2.0
// Learned routes that neighbours are told of once the kernel has them.
#include <random>

#include "tests/bgp/lab.hpp"

namespace bgp {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;
using ::testing::SizeIs;

const auto prefix = pfx("203.0.113.0/24");
constexpr auto all = ~std::size_t{0};

// A router with a kernel behind it that answers when it is told to.
class InstallingLab : public Lab {
 public:
  InstallingLab() { tell(TellLearned::OnceInstalled); }

  void tell(TellLearned when) {
    auto config = router.config();
    config.tell_learned = when;
    router.configure(config, neighbors, start_time);
  }
  // Takes in what the kernel is to have.
  void drain() {
    router.drain_route_changes(
        all, [this](const net::Prefix& changed, std::span<const RouteHop> hops) { wanted[changed] = !hops.empty(); });
  }
  // Says of everything that was taken in that it is done.
  void install() {
    drain();
    for (const auto& [changed, there] : std::exchange(wanted, {}))
      router.installed(changed, there ? Installed::Yes : Installed::No);
    settle();
  }

  std::map<net::Prefix, bool> wanted;
};

TEST(RouterThatInstallsFirst, TellsNobodyBeforeTheKernelHasTheRoute) {
  InstallingLab lab;
  auto& from = lab.add(external(1));
  auto& to = lab.add(external(2));
  lab.establish();
  from.announce({prefix, pfx("2001:db8:1::/48")}, path({65001}));
  lab.settle();
  EXPECT_THAT(to.heard, IsEmpty());
  const auto explained = lab.router.explain(prefix);
  ASSERT_THAT(explained.exports, SizeIs(2));
  EXPECT_EQ(explained.exports[1].reason, "not in the kernel yet");
  EXPECT_FALSE(explained.exports[1].sent);
  TableCursor cursor;
  lab.router.walk_out(lab.id(to), cursor, 100, [](const RouteRow& row) { ADD_FAILURE() << net::print(row.prefix); });
  lab.install();
  EXPECT_THAT(to.heard, SizeIs(2));
  EXPECT_EQ(lab.status(to).ipv4.advertised, 1U);
  EXPECT_TRUE(lab.router.explain(prefix).exports[1].sent);
}

TEST(RouterThatInstallsFirst, TellsAtOnceOfAWithdrawalAndOfAnotherPath) {
  InstallingLab lab;
  auto& first = lab.add(external(1));
  auto& second = lab.add(external(2));
  auto& to = lab.add(external(3));
  lab.establish();
  first.announce({prefix}, path({65001}));
  lab.install();
  second.announce({prefix}, path({65002, 64999}));
  first.withdraw({prefix});
  lab.settle();
  EXPECT_THAT(asns(to.heard.at(prefix)), ElementsAre(65000, 65002, 64999));
  second.withdraw({prefix});
  lab.settle();
  EXPECT_THAT(to.heard, IsEmpty());
  // It has to be installed anew, also where the kernel never heard that it was gone.
  second.announce({prefix}, path({65002}));
  lab.settle();
  EXPECT_THAT(to.heard, IsEmpty());
  lab.install();
  EXPECT_THAT(to.heard, SizeIs(1));
}

TEST(RouterThatInstallsFirst, WithdrawsWhatTheKernelRefusesUntilItHasIt) {
  InstallingLab lab;
  auto& from = lab.add(external(1));
  auto& to = lab.add(external(2));
  lab.establish();
  from.announce({prefix}, path({65001}));
  lab.drain();
  lab.router.installed(prefix, Installed::No);
  lab.settle();
  EXPECT_THAT(to.heard, IsEmpty());
  for (int i = 0; i < 2; ++i) {
    lab.router.installed(prefix, Installed::Yes);
    lab.settle();
    EXPECT_THAT(to.heard, SizeIs(1));
    lab.router.installed(prefix, Installed::No);
    lab.settle();
    EXPECT_THAT(to.heard, IsEmpty());
  }
}

TEST(RouterThatInstallsFirst, TellsOfItsOwnRoutesAtOnce) {
  InstallingLab lab;
  auto& from = lab.add(external(1));
  auto& to = lab.add(external(2));
  lab.establish();
  lab.router.set_local(prefix, LocalRoute{.announcements = {{}}});
  lab.settle();
  EXPECT_THAT(to.heard, SizeIs(1));
  // A learned route in its place is none of the kernel's yet.
  from.announce({prefix}, path({65001}));
  lab.router.set_local(prefix, std::nullopt);
  lab.settle();
  EXPECT_THAT(to.heard, IsEmpty());
  lab.install();
  EXPECT_THAT(asns(to.heard.at(prefix)), ElementsAre(65000, 65001));
}

TEST(RouterThatInstallsFirst, MayCeaseToDoSo) {
  InstallingLab lab;
  auto& from = lab.add(external(1));
  auto& to = lab.add(external(2));
  lab.establish();
  from.announce({prefix}, path({65001}));
  lab.settle();
  lab.tell(TellLearned::AtOnce);
  lab.settle();
  EXPECT_THAT(to.heard, SizeIs(1));
  // And what was told is not taken back by the opposite, but where the kernel says that it has none.
  lab.tell(TellLearned::OnceInstalled);
  lab.settle();
  EXPECT_THAT(to.heard, SizeIs(1));
  lab.router.installed(prefix, Installed::No);
  lab.settle();
  EXPECT_THAT(to.heard, IsEmpty());
}

TEST(RouterThatInstallsFirst, EndsTheRibOfANewNeighborWhenTheKernelHasAnswered) {
  InstallingLab lab;
  auto& from = lab.add(external(1));
  auto& to = lab.add(external(2));
  lab.configure();
  ASSERT_TRUE(from.establish());
  from.announce({prefix, pfx("198.51.100.0/24")}, path({65001}));
  ASSERT_TRUE(to.establish());
  lab.settle();
  EXPECT_THAT(to.end_of_rib, ElementsAre(net::Family::Ipv6));
  lab.router.installed(prefix, Installed::Yes);
  lab.settle();
  EXPECT_THAT(to.heard, SizeIs(1));
  EXPECT_THAT(to.end_of_rib, ElementsAre(net::Family::Ipv6));
  lab.router.installed(pfx("198.51.100.0/24"), Installed::No);
  lab.settle();
  EXPECT_THAT(to.heard, SizeIs(1));
  EXPECT_THAT(to.end_of_rib, ElementsAre(net::Family::Ipv6, net::Family::Ipv4));
  // Nor does what is withdrawn before the kernel was heard of it.
  to.hang_up();
  from.announce({pfx("192.0.2.0/24")}, path({65001}));
  to.end_of_rib.clear();
  ASSERT_TRUE(to.establish());
  lab.settle();
  EXPECT_THAT(to.end_of_rib, ElementsAre(net::Family::Ipv6));
  lab.settle();  // until it has taken that there is nothing more
  lab.actions.clear();
  from.withdraw({pfx("192.0.2.0/24")});
  ASSERT_THAT(lab.taken<WritableLink>(), SizeIs(1));
  lab.settle();
  EXPECT_THAT(to.end_of_rib, SizeIs(2));
  // A refusal that lasts holds nobody up.
  to.hang_up();
  lab.settle();
  to.heard.clear();
  to.end_of_rib.clear();
  ASSERT_TRUE(to.establish());
  lab.settle();
  EXPECT_THAT(to.heard, ElementsAre(Pair(prefix, ::testing::_)));
  EXPECT_THAT(to.end_of_rib, SizeIs(2));
}

// Whatever happens in which order, in the end neighbours have what the kernel has.
TEST(RouterThatInstallsFirst, ComesToTheRightStateFromAnyHistory) {
  for (unsigned seed = 1; seed <= 200; ++seed) {
    std::mt19937 random{seed};
    const auto pick = [&](unsigned below) { return static_cast<unsigned>(random() % below); };
    InstallingLab lab;
    std::vector<Speaker*> from{&lab.add(external(1)), &lab.add(external(2))};
    auto& to = lab.add(external(3));
    auto many = external(4);
    many.hears_ids = {true, true};
    auto& all_paths = lab.add(many);
    lab.config(all_paths).session.add_path = {false, 2};
    lab.establish();
    std::set<net::Prefix> refused;
    const auto some = [&] { return net::Prefix{*net::Ipv4Prefix::make({0xc0000000U + (pick(8) << 8)}, 24)}; };
    for (int step = 0; step < 60; ++step) {
      auto& speaker = *from[pick(2)];
      switch (pick(7)) {
        case 0:
        case 1:
          if (speaker.up()) speaker.announce({some()}, path({speaker.options().asn.value, 64990 + pick(3)}));
          break;
        case 2:
          if (speaker.up()) speaker.withdraw({some()});
          break;
        case 3:
          if (to.up()) {
            to.hang_up();
            to.heard.clear();
          } else {
            ASSERT_TRUE(to.establish());
          }
          break;
        case 4:
          if (pick(2) == 0)
            lab.router.set_local(some(), LocalRoute{.announcements = {{}}});
          else
            lab.router.set_local(some(), std::nullopt);
          break;
        case 5:
          lab.drain();
          for (const auto& [changed, there] : lab.wanted) {
            const bool good = there && pick(3) != 0;
            lab.router.installed(changed, good ? Installed::Yes : Installed::No);
            if (good)
              refused.erase(changed);
            else
              refused.insert(changed);
          }
          lab.wanted.clear();
          break;
        default:
          lab.settle();
      }
    }
    if (!to.up()) {
      ASSERT_TRUE(to.establish());
    }
    lab.drain();
    for (const auto& [changed, there] : lab.wanted) {
      lab.router.installed(changed, Installed::Yes);
      refused.erase(changed);
    }
    lab.settle();
    std::set<net::Prefix> expected;
    TableCursor cursor;
    while (!cursor.done()) {
      lab.router.walk_best(cursor, 100, [&](const RouteRow& row) {
        if (row.peer.empty() || !refused.contains(row.prefix)) expected.insert(row.prefix);
      });
    }
    std::set<net::Prefix> told_all;
    for (const auto& [each, attributes] : all_paths.heard_paths) told_all.insert(each.first);
    EXPECT_EQ(told_all, expected) << "seed " << seed;
    std::set<net::Prefix> told;
    for (const auto& [each, attributes] : to.heard) told.insert(each);
    EXPECT_EQ(told, expected) << "seed " << seed;
  }
}

}  // namespace
}  // namespace bgp
