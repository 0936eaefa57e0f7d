// SPDX-License-Identifier: Apache-2.0
#include "netlink/links.hpp"

#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>

#include "tests/netlink/netns.hpp"

namespace netlink {
namespace {

class LinksInKernel : public InNamespace {};

TEST_F(LinksInKernel, KnowsEverythingAtOnce) {
  const Links links;
  const auto& table = links.table();
  ASSERT_EQ(table.links().size(), 5U);
  const auto* a0 = table.find("a0");
  ASSERT_NE(a0, nullptr);
  EXPECT_TRUE(a0->usable());
  EXPECT_TRUE(a0->multicast());
  EXPECT_EQ(a0->kind, "veth");
  EXPECT_EQ(a0->mtu, 1500U);
  EXPECT_EQ(a0->parent, table.find("b0")->index);
  ASSERT_TRUE(a0->mac);
  EXPECT_FALSE(a0->mac->group());
  std::set<std::string> addresses;
  for (const auto& address : a0->addresses)
    addresses.insert(net::print(address.address) + "/" + std::to_string(address.length));
  EXPECT_TRUE(addresses.count("10.0.0.1/24"));
  EXPECT_TRUE(addresses.count("2001:db8::1/64"));
  EXPECT_TRUE(table.loopback()->loopback());
  EXPECT_TRUE(table.loopback()->kind.empty());
}

TEST_F(LinksInKernel, FollowsEventsWithoutPolling) {
  Links links;
  (void)links.read();
  const auto index = links.table().find("a0")->index;
  const auto heard = [&](const std::function<bool()>& condition) {
    std::set<std::uint32_t> changed;
    const auto seen = eventually([&] {
      pollfd ready{links.fd(), POLLIN, 0};
      (void)::poll(&ready, 1, 100);
      for (const auto link : links.read()) changed.insert(link);
      return condition();
    });
    return seen && changed.count(index) != 0;
  };
  ASSERT_EQ(shell("ip link set b0 down"), 0);
  EXPECT_TRUE(heard([&] { return !links.table().find(index)->carrier(); }));
  ASSERT_EQ(shell("ip link set b0 up"), 0);
  EXPECT_TRUE(heard([&] { return links.table().find(index)->usable(); }));
  ASSERT_EQ(shell("ip link set a0 down"), 0);
  EXPECT_TRUE(heard([&] { return !links.table().find(index)->up(); }));
  ASSERT_EQ(shell("ip link set a0 address 02:00:00:00:00:42"), 0);
  EXPECT_TRUE(heard([&] { return net::print(*links.table().find(index)->mac) == "02:00:00:00:00:42"; }));
  ASSERT_EQ(shell("ip addr add 192.0.2.7/32 dev a0"), 0);
  EXPECT_TRUE(heard([&] { return links.table().find(index)->addresses.size() == 2; }));
  ASSERT_EQ(shell("ip link set a0 name renamed"), 0);
  EXPECT_TRUE(heard([&] { return links.table().find("renamed") != nullptr; }));
}

TEST_F(LinksInKernel, KeepsALinkThatJoinsAndLeavesABridge) {
  Links links;
  ASSERT_EQ(shell("ip link add br0 type bridge && ip link set a0 master br0"), 0);
  ASSERT_TRUE(eventually([&] {
    (void)links.read();
    const auto* bridge = links.table().find("br0");
    return bridge != nullptr && links.table().find("a0")->master == bridge->index;
  }));
  EXPECT_EQ(links.table().find("br0")->kind, "bridge");
  ASSERT_EQ(shell("ip link set a0 nomaster"), 0);
  EXPECT_TRUE(eventually([&] {
    (void)links.read();
    return links.table().find("a0") != nullptr && links.table().find("a0")->master == 0;
  }));
  ASSERT_EQ(shell("ip link del a0"), 0);
  EXPECT_TRUE(eventually([&] {
    (void)links.read();
    return links.table().find("a0") == nullptr && links.table().find("b0") == nullptr;
  }));
}

TEST_F(LinksInKernel, CatchesUpAfterAnOverrun) {
  Links links{2048};
  ASSERT_EQ(shell("for i in $(seq 1 200); do echo addr add 198.51.100.$i/32 dev a1; done | ip -batch -"), 0);
  const auto index = links.table().find("a1")->index;
  const auto changed = links.read();
  EXPECT_EQ(links.overruns(), 1U);
  EXPECT_THAT(changed, testing::Contains(index));
  EXPECT_GE(links.table().find("a1")->addresses.size(), 201U);
}

}  // namespace
}  // namespace netlink
