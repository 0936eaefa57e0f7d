// SPDX-License-Identifier: Apache-2.0
#include "speaker/layer2/link.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/speaker/world.hpp"

namespace speaker {
namespace {

TEST(Interfaces, OfContainersAreKnownByTheirNames) {
  for (const auto* name : {"lo", "docker0", "cbr0", "virbr0", "veth12ab", "cali0f", "tunl0", "flannel.1", "kube-ipvs0",
                           "cni0", "nodelocaldns", "lxc1", "dummy0"})
    EXPECT_TRUE(internal_interface(name)) << name;
  for (const auto* name : {"eth0", "bond0", "enp3s0f1", "br-lan", "vlan100", "loop", "local0"})
    EXPECT_FALSE(internal_interface(name)) << name;
}

TEST(Interfaces, AreAllowedByNameEvenWhenInternal) {
  EXPECT_TRUE(allows({}, "eth0"));
  EXPECT_FALSE(allows({}, "veth1"));
  EXPECT_TRUE(allows({"veth1"}, "veth1"));
  EXPECT_FALSE(allows({"eth1"}, "eth0"));
}

TEST(Interfaces, AnswerOnlyAsEthernetUpAndWithCarrier) {
  const L2Link good{
      .index = 2, .name = "eth0", .mac = {{2, 0, 0, 0, 0, 1}}, .up = true, .carrier = true, .subnets = {}};
  EXPECT_TRUE(answers(good));
  auto link = good;
  link.carrier = false;
  EXPECT_FALSE(answers(link));
  link = good;
  link.up = false;
  EXPECT_FALSE(answers(link));
  link = good;
  link.ethernet = false;
  EXPECT_FALSE(answers(link));
  link = good;
  link.mac = {};
  EXPECT_FALSE(answers(link));
}

TEST(Interfaces, ArePublishedWithTheirSubnetsInOrder) {
  L2Link lan{.index = 3, .name = "eth1", .mac = {{2, 0, 0, 0, 0, 1}}, .up = true, .carrier = true, .subnets = {}};
  lan.subnets = {prefix("fe80::/64"), prefix("2001:db8::/64"), prefix("10.0.0.0/24"), prefix("10.0.0.0/24")};
  L2Link down{.index = 2, .name = "eth0", .mac = {{2, 0, 0, 0, 0, 2}}, .up = true, .subnets = {prefix("10.1.0.0/24")}};
  L2Link bare{.index = 4, .name = "eth2", .mac = {{2, 0, 0, 0, 0, 3}}, .up = true, .subnets = {prefix("fe80::/64")}};
  const auto interfaces = published({lan, down, bare});
  ASSERT_EQ(interfaces.size(), 2U);
  EXPECT_EQ(interfaces[0].name, "eth0");
  EXPECT_FALSE(interfaces[0].carrier);
  EXPECT_EQ(interfaces[1].name, "eth1");
  EXPECT_TRUE(interfaces[1].carrier);
  EXPECT_THAT(interfaces[1].subnets, testing::ElementsAre(prefix("10.0.0.0/24"), prefix("2001:db8::/64")));
}

}  // namespace
}  // namespace speaker
