// SPDX-License-Identifier: Apache-2.0
#include "speaker/link_view.hpp"

#include <gmock/gmock.h>
#include <linux/if.h>

#include "tests/speaker/world.hpp"

namespace speaker {
namespace {

void add_link(netlink::LinkTable& table, std::uint32_t index, const std::string& name, std::uint32_t flags) {
  netlink::LinkMessage message;
  message.index = index;
  message.name = name;
  message.flags = flags;
  (void)table.apply(message);
}
void add_address(netlink::LinkTable& table, std::uint32_t index, std::string_view address, std::uint8_t length) {
  netlink::AddressMessage message;
  message.interface = index;
  message.address = message.peer = ip(address);
  message.length = length;
  (void)table.apply(message);
}

TEST(LinkSubnets, AreThoseOfEveryLinkButTheLoopback) {
  netlink::LinkTable table;
  add_link(table, 1, "lo", IFF_LOOPBACK | IFF_UP);
  add_link(table, 2, "eth0", IFF_UP);
  add_link(table, 3, "eth1", IFF_UP);
  add_address(table, 1, "192.0.2.1", 32);
  add_address(table, 2, "10.0.0.1", 24);
  add_address(table, 2, "2001:db8::1", 64);
  add_address(table, 2, "fe80::1", 64);
  EXPECT_THAT(link_subnets(table),
              ::testing::ElementsAre(bgp::LinkSubnets{2, "eth0", {prefix("10.0.0.0/24"), prefix("2001:db8::/64")}},
                                     bgp::LinkSubnets{3, "eth1", {}}));
}

}  // namespace
}  // namespace speaker
