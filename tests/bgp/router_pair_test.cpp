// SPDX-License-Identifier: Apache-2.0
// Two routers that are disturbed in every way end up with what a plain reference says: all that the other one
// originates and the filters let through, in the tables, in the kernel's feed and in the counters. HERALD_PAIR_SEEDS
// says how many courses are tried.
#include "tests/bgp/router_pair.hpp"

#include <cstdlib>

#include <gmock/gmock.h>

namespace bgp {
namespace {

using ::testing::IsEmpty;
using Ending = RouterPair::Ending;
using Road = RouterPair::Road;
using Table = std::map<net::Prefix, PathAttributes>;

constexpr Community not_out{0xfde80001};  // what the filters know
constexpr Community not_in{0xfde80002};

std::uint64_t seeds() {
  const auto* const text = std::getenv("HERALD_PAIR_SEEDS");
  return text == nullptr ? 60 : std::strtoull(text, nullptr, 10);
}

FilterChain all_but(Community community) {
  FilterRule rule;
  rule.name = "marked";
  rule.match.communities = {CommunityPattern::exactly(community)};
  rule.action = RuleAction::Reject;
  return {Filter{"marked", {rule}}, accept_all()};
}

net::Prefix some_prefix(Random& random) {
  const auto number = std::to_string(random.next() % 30);
  return *net::parse_prefix(random.next() % 3 == 0 ? "2001:db8:" + number + "::/48" : "10.9." + number + ".0/24");
}

LocalRoute some_route(Random& random) {
  Announcement announcement;
  if (random.next() % 2 == 0) announcement.med = static_cast<std::uint32_t>(random.next() % 3);
  if (random.next() % 4 == 0) announcement.local_pref = 200;
  announcement.prepend = static_cast<std::uint8_t>(random.next() % 3);
  if (random.next() % 3 == 0) announcement.communities = {random.next() % 2 == 0 ? not_out : not_in};
  return {{announcement}, random.next() % 2 == 0 ? Origin::Igp : Origin::Incomplete};
}

// What the router at `index` must have learned, of all that it is told (in) or of what its filters take.
enum class Stage { Told, Accepted };
Table reference(RouterPair& pair, const RouterPairOptions& options, std::size_t index, Stage stage) {
  Table table;
  const bool internal = options.asns[0] == options.asns[1];
  const auto sender = 1 - index;
  for (const auto& [prefix, route] : pair.local(sender)) {
    const auto& said = route.announcements.front();
    const auto marked = [&](Community mark) { return !said.communities.empty() && said.communities.front() == mark; };
    if (pair.config(sender).export_filter && marked(not_out)) continue;
    if (stage == Stage::Accepted && pair.config(index).import != FilterChain{accept_all()} && marked(not_in)) continue;
    PathAttributes attributes;
    attributes.origin = route.origin;
    attributes.med = said.med;
    attributes.communities = said.communities;
    attributes.next_hop.address = pair.next_hop(sender, prefix.family());
    if (internal)
      attributes.local_pref = said.local_pref.value_or(100);
    else
      attributes.as_path.prepend(options.asns[sender], 1U + said.prepend);
    table.emplace(prefix, attributes);
  }
  return table;
}

template <class Walk>
Table collect(Walk&& walk) {
  Table table;
  for (TableCursor cursor; !cursor.done();)
    walk(cursor, [&](const RouteRow& row) { table.emplace(row.prefix, row.attributes); });
  return table;
}

// The first thing in which the two are not what they must be; empty: they have converged.
std::string difference(RouterPair& pair, const RouterPairOptions& options) {
  if (!pair.both_established()) return "not established";
  for (std::size_t i = 0; i < 2; ++i) {
    auto& router = pair.router(i);
    const auto who = "router " + std::to_string(i) + ": ";
    if (router.restarting()) return who + "restarting";
    const auto told = reference(pair, options, i, Stage::Told);
    const auto accepted = reference(pair, options, i, Stage::Accepted);
    if (collect([&](auto& at, auto visit) { router.walk_in(pair.peer(i), at, 100, visit); }) != accepted)
      return who + "Adj-RIB-In";
    if (collect([&](auto& at, auto visit) { pair.router(1 - i).walk_out(pair.peer(1 - i), at, 100, visit); }) != told)
      return who + "Adj-RIB-Out of the other";
    std::map<net::Prefix, net::IpAddress> kernel;
    for (const auto& [prefix, attributes] : accepted)
      if (!pair.local(i).contains(prefix)) kernel.emplace(prefix, attributes.next_hop.address);
    if (pair.kernel(i) != kernel) return who + "kernel";
    const auto status = pair.status(i);
    if (status.ipv4.received + status.ipv6.received != accepted.size()) return who + "count of received";
    if (status.ipv4.stale + status.ipv6.stale != 0) return who + "stale routes";
    const auto other = pair.status(1 - i);
    if (other.ipv4.advertised + other.ipv6.advertised != told.size()) return who + "count of advertised";
    if (!status.attribute_faults.empty()) return who + "faults";
  }
  return "";
}

// Restart timers, hold times and pauses between dials are over by then.
void expect_convergence(RouterPair& pair, const RouterPairOptions& options, const std::string& where) {
  const auto end = pair.now + net::Seconds{900};
  auto left = difference(pair, options);
  while (!left.empty() && pair.now < end && pair.broken.empty()) {
    pair.run_until(pair.now + net::Seconds{2});
    left = difference(pair, options);
  }
  ASSERT_THAT(pair.broken, IsEmpty()) << where;
  ASSERT_EQ(left, "") << where;
  // And they stay so: nothing that was forgotten comes later.
  const auto count = pair.status(0).session.established_count;
  pair.run_until(pair.now + net::Seconds{400});
  ASSERT_THAT(pair.broken, IsEmpty()) << where;
  ASSERT_EQ(difference(pair, options), "") << where << ", later";
  ASSERT_EQ(pair.status(0).session.established_count, count) << where;
}

RouterPairOptions some_options(Random& random) {
  using enum GracefulRestart::Mode;
  RouterPairOptions options;
  if (random.next() % 2 == 0) options.asns[1] = options.asns[0];
  for (auto& mode : options.restart) mode = std::array{Off, Helper, Full}[random.next() % 3];
  options.longest_piece = std::array<std::uint64_t, 4>{1, 16, 200, 4096}[random.next() % 4];
  options.window = std::array<std::uint64_t, 3>{64, 500, 4096}[random.next() % 3];
  options.loss_percent = static_cast<unsigned>(random.next() % 3 * 5);
  options.ipv6_next_hops = random.next() % 3 == 0;
  return options;
}

void change_filters(RouterPair& pair, std::size_t index, Random& random) {
  auto& config = pair.config(index);
  if (random.next() % 2 == 0) {
    config.import = config.import == FilterChain{accept_all()} ? all_but(not_in) : FilterChain{accept_all()};
  } else {
    config.export_filter = config.export_filter ? std::nullopt : std::optional{all_but(not_out)};
  }
  pair.configure(index);
}

void change_routes(RouterPair& pair, std::size_t index, Random& random, std::uint64_t most) {
  for (auto count = random.next() % most; count > 0; --count) {
    const auto prefix = some_prefix(random);
    pair.set_local(index, prefix, random.next() % 3 == 0 ? std::nullopt : std::optional{some_route(random)});
  }
}

void disturb(RouterPair& pair, Random& random) {
  const auto index = random.next() % 2;
  switch (random.next() % 12) {
    case 0:
      return pair.cut();
    case 1:
      return pair.restart(index, std::array{Ending::Orderly, Ending::Told, Ending::Silent}[random.next() % 3]);
    case 2:
      return pair.set_road(Road::Closed);
    case 3:
    case 4:
      return pair.set_road(Road::Open);
    case 5:
      pair.router(index).restart(pair.peer(index), "again", pair.now);
      return pair.take(index);
    case 6:
      (void)pair.router(index).refresh_in(pair.peer(index));
      return pair.take(index);
    case 7:
      (void)pair.router(index).refresh_out(pair.peer(index));
      return pair.take(index);
    case 8:
      return change_filters(pair, index, random);
    default:
      return change_routes(pair, index, random, 12);
  }
}

TEST(TwoRouters, ConvergeAfterAnyCourse) {
  for (std::uint64_t seed = 0; seed < seeds(); ++seed) {
    Random random{seed};
    const auto options = some_options(random);
    RouterPair pair{options, seed};
    pair.start();
    for (int i = 0; i < 30; ++i) {
      disturb(pair, random);
      // Mostly within what is going on; now and then beyond hold and restart times.
      const auto pause = random.next() % 25 == 0 ? random.next() % 300'000 : random.next() % 1500;
      pair.run_until(pair.now + net::Milliseconds{pause});
    }
    pair.set_road(Road::Open);
    expect_convergence(pair, options, "seed " + std::to_string(seed));
    if (testing::Test::HasFatalFailure()) return;
  }
}

// One course, and a restart after each of its steps.
TEST(TwoRouters, ConvergeAfterARestartAtEveryStep) {
  const std::uint64_t every = std::getenv("HERALD_PAIR_SEEDS") == nullptr ? 7 : 1;
  using enum GracefulRestart::Mode;
  for (const auto mode : {Off, Full}) {
    for (const auto how : {Ending::Orderly, Ending::Told, Ending::Silent}) {
      bool reached = true;
      for (std::uint64_t at = 1; reached; at += every) {
        Random random{7};
        RouterPairOptions options;
        options.restart = {mode, mode};
        options.longest_piece = 100;
        RouterPair pair{options, 1};
        pair.start();
        for (const std::size_t index : {0U, 1U}) change_routes(pair, index, random, 40);
        while (pair.steps < at && (reached = pair.step(t0 + net::Seconds{40}))) {
        }
        pair.restart(at % 2, how);
        expect_convergence(pair, options, "step " + std::to_string(at));
        if (testing::Test::HasFatalFailure()) return;
      }
    }
  }
}

}  // namespace
}  // namespace bgp
