// SPDX-License-Identifier: Apache-2.0
// What a long life leaves behind: nothing. A router with 50 neighbours, one event a second of virtual time: routes
// come, go and change, links break, filters change, tables are asked for again. HERALD_CHURN_HOURS says how long (1).
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <iterator>
#include <string>
#include <vector>

#include <gmock/gmock.h>

#include "tests/bgp/allocated.hpp"
#include "tests/bgp/network.hpp"

namespace bgp {
namespace {

constexpr std::size_t neighbors = 50;
constexpr std::size_t hub = 1;
constexpr std::uint64_t prefixes_of_each = 40;
constexpr int rests = 12;  // how often all is put in order and memory is measured

std::uint64_t hours() {
  const auto* const text = std::getenv("HERALD_CHURN_HOURS");
  return text == nullptr ? 1 : std::strtoull(text, nullptr, 10);
}

class Churn {
 public:
  Churn() {
    network_.add();
    for (std::size_t i = 0; i < neighbors; ++i) {
      network_.add();
      network_.connect(hub, peer(i));
    }
    network_.configure();
    network_.advance(net::Seconds{30});
    put_in_order();
  }

  void run(net::Duration duration) {
    for (const auto end = network_.now + duration; network_.now < end;) {
      disturb();
      network_.advance(net::Milliseconds{random_.next() % 2000});
    }
  }

  // The same state after any course, as far as anybody can see.
  void put_in_order() {
    while (!broken_.empty()) mend(broken_.front());
    filter(Filters::Open);
    for (std::size_t i = 0; i < neighbors; ++i) {
      for (const auto number : extra_) network_.router(peer(i)).set_local(extra(number), std::nullopt);
      for (std::uint64_t n = 0; n < prefixes_of_each; ++n) set(i, n, usual);
    }
    extra_.clear();
    network_.advance(net::Seconds{300});
    // A router keeps what it has to say of a prefix until whoever writes the kernel's table has taken it.
    for (std::size_t i = 0; i < neighbors; ++i) (void)network_.routes(peer(i));
    routes_ = network_.routes(hub).size();
  }

  [[nodiscard]] bool complete() const { return network_.all_established() && routes_ == neighbors * prefixes_of_each; }

 private:
  enum class Filters { Open, Marked };
  static constexpr std::uint32_t usual = 0;

  static std::size_t peer(std::size_t index) { return hub + 1 + index; }
  static net::Prefix prefix(std::size_t index, std::uint64_t n) {
    return *net::parse_prefix("10." + std::to_string(index) + '.' + std::to_string(n) + ".0/24");
  }
  static net::Prefix extra(std::uint64_t n) {
    return *net::parse_prefix("2001:db8:" + std::to_string(n / 1000 % 1000) + ':' + std::to_string(n % 1000) + "::/64");
  }

  // A route with a mark, which makes its attributes differ from those with other marks.
  static LocalRoute route(std::uint32_t mark) {
    Announcement announcement;
    announcement.communities = {Community{0xfde80000 | (mark & 0xffff)}};
    announcement.med = mark;
    return {{announcement}};
  }
  void set(std::size_t index, std::uint64_t n, std::uint32_t mark) {
    network_.router(peer(index)).set_local(prefix(index, n), route(mark));
  }
  void filter(Filters filters) {
    FilterRule rule;
    rule.name = "odd";
    rule.match.communities = {CommunityPattern::exactly(Community{0xfde80001})};
    rule.action = RuleAction::Reject;
    const FilterChain open{accept_all()}, marked{Filter{"odd", {rule}}, accept_all()};
    for (std::size_t i = 0; i < neighbors; i += 7)
      network_.neighbor(hub, peer(i)).import = filters == Filters::Open ? open : marked;
    network_.configure();
  }
  void mend(std::size_t index) {
    network_.mend(hub, peer(index));
    std::erase(broken_, index);
  }

  void disturb() {
    const auto index = random_.next() % neighbors;
    const auto n = random_.next() % prefixes_of_each;
    auto& router = network_.router(peer(index));
    const auto what = random_.next() % 100;
    if (what < 60) return set(index, n, static_cast<std::uint32_t>(random_.next()));
    if (what < 75) return router.set_local(prefix(index, n), std::nullopt);
    if (what < 85) {
      router.set_local(extra(next_extra_), route(static_cast<std::uint32_t>(random_.next() % 4)));
      extra_.push_back(next_extra_++);
      return;
    }
    if (what < 89) {
      network_.cut(hub, peer(index));
      broken_.push_back(index);
      return;
    }
    if (what < 94) {
      if (!broken_.empty()) mend(broken_[random_.next() % broken_.size()]);
      return;
    }
    const auto at = network_.router(hub).find(Network::name(peer(index)));
    if (!at) return;
    if (what < 96) return static_cast<void>(network_.router(hub).refresh_in(*at));
    if (what < 98) return static_cast<void>(network_.router(hub).refresh_out(*at));
    if (what < 99) return network_.router(hub).restart(*at, "again", network_.now);
    filter(random_.next() % 2 == 0 ? Filters::Open : Filters::Marked);
  }

  Network network_;
  Random random_{1};
  std::vector<std::size_t> broken_;   // neighbours whose links are
  std::vector<std::uint64_t> extra_;  // prefixes that are announced beside the usual ones
  std::uint64_t next_extra_ = 0;
  std::size_t routes_ = 0;
};

TEST(RouterChurn, LeavesNothingBehind) {
  Churn churn;
  ASSERT_TRUE(churn.complete());
  std::vector<std::size_t> bytes;
  for (int rest = 0; rest < rests; ++rest) {
    churn.run(std::chrono::hours{hours()} / rests);
    churn.put_in_order();
    ASSERT_TRUE(churn.complete()) << "rest " << rest;
    bytes.push_back(allocated());
  }
  RecordProperty("allocated", ::testing::PrintToString(bytes));
  // Tables keep the room that they once needed, and hashes their size: what grows without end grows in the second half
  // too.
  const auto middle = std::next(bytes.begin(), rests / 2);
  const auto early = *std::max_element(bytes.begin(), middle);
  const auto late = *std::max_element(middle, bytes.end());
  EXPECT_LE(late, early + early / 1000) << ::testing::PrintToString(bytes);
}

}  // namespace
}  // namespace bgp
