// SPDX-License-Identifier: Apache-2.0
// The edge over real sockets on the loopback interface of a network of its own: two addresses watch each other, so one
// edge is both ends.
#include "speaker/bfd/edge.hpp"

#include <functional>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/netlink/netns.hpp"

namespace speaker {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

struct Lab {
  boost::asio::io_context io;
  std::vector<bfd::StateChanged> changes;
  std::vector<std::string> problems;
  BfdEdge edge{
      io,
      {[this](bfd::SessionId, const bfd::StateChanged& change) { changes.push_back(change); },
       {},
       [this](const std::string& where, const std::string& text) { problems.push_back(where + ": " + text); }}};

  bool run_until(const std::function<bool()>& reached) {
    const auto deadline = net::Clock::now() + seconds{20};
    while (!reached() && net::Clock::now() < deadline) io.run_one_for(milliseconds{50});
    return reached();
  }
  [[nodiscard]] bfd::State state(bfd::SessionId session) const { return edge.sessions().find(session)->state(); }
};

BfdTarget target(const char* remote, const char* source, bfd::Hops hops) {
  BfdTarget out;
  out.path = {hops, *net::parse_ip(remote), net::parse_ip(source), ""};
  out.config.desired_min_tx = out.config.required_min_rx = bfd::Interval{100'000};
  out.minimum_ttl = 255;
  return out;
}

class BfdEdgeHops : public netlink::InNamespace, public ::testing::WithParamInterface<bfd::Hops> {};
class BfdEdgeSockets : public netlink::InNamespace {};

TEST_P(BfdEdgeHops, BringsTwoEndsUpAndDown) {
  Lab lab;
  const auto one = lab.edge.add(target("127.0.0.2", "127.0.0.3", GetParam()));
  const auto two = lab.edge.add(target("127.0.0.3", "127.0.0.2", GetParam()));
  ASSERT_THAT(lab.problems, ::testing::IsEmpty());
  ASSERT_TRUE(lab.run_until([&] { return lab.state(one) == bfd::State::Up && lab.state(two) == bfd::State::Up; }));
  const auto place = lab.edge.place(one);
  ASSERT_TRUE(place);
  EXPECT_EQ(place->local, *net::parse_ip("127.0.0.3"));
  EXPECT_NE(place->interface_index, 0U);

  lab.edge.remove(one);
  ASSERT_TRUE(lab.run_until([&] { return lab.state(two) == bfd::State::Down; }));
  EXPECT_EQ(lab.edge.sessions().find(two)->remote_state(), bfd::State::AdminDown);
  EXPECT_TRUE(lab.run_until([&] { return lab.edge.sessions().find(one) == nullptr; }));
}

INSTANTIATE_TEST_SUITE_P(Both, BfdEdgeHops, ::testing::Values(bfd::Hops::Single, bfd::Hops::Multi),
                         [](const auto& hops) { return hops.param == bfd::Hops::Single ? "Single" : "Multi"; });

TEST_F(BfdEdgeSockets, SayWhatIsWrongWithThem) {
  Lab lab;
  auto wrong = target("127.0.0.2", "192.0.2.1", bfd::Hops::Single);
  lab.edge.add(wrong);
  ASSERT_TRUE(lab.run_until([&] { return !lab.problems.empty(); }));
  EXPECT_THAT(lab.problems[0], ::testing::HasSubstr("source 192.0.2.1"));
  wrong.path = {bfd::Hops::Single, *net::parse_ip("127.0.0.4"), std::nullopt, "nosuchlink"};
  lab.edge.add(wrong);
  ASSERT_TRUE(lab.run_until([&] { return lab.problems.size() > 1; }));
  EXPECT_THAT(lab.problems[1], ::testing::HasSubstr("nosuchlink"));
}

TEST_F(BfdEdgeSockets, TellOfAPortThatSomebodyElseHas) {
  Lab first;
  first.edge.add(target("127.0.0.2", "127.0.0.3", bfd::Hops::Single));
  ASSERT_THAT(first.problems, ::testing::IsEmpty());
  Lab second;
  second.edge.add(target("127.0.0.5", "127.0.0.6", bfd::Hops::Single));
  ASSERT_EQ(second.problems.size(), 1U);
  EXPECT_THAT(second.problems[0], ::testing::HasSubstr("port 3784"));
}

}  // namespace
}  // namespace speaker
