// SPDX-License-Identifier: Apache-2.0
#include "netlink/link_table.hpp"

#include <gtest/gtest.h>
#include <linux/if.h>
#include <linux/if_addr.h>

namespace netlink {
namespace {

using Effect = LinkTable::Effect;

LinkMessage link(std::uint32_t index, const char* name, std::uint32_t flags = IFF_UP | IFF_RUNNING | IFF_LOWER_UP) {
  LinkMessage out;
  out.index = index;
  out.name = name;
  out.flags = flags;
  return out;
}
AddressMessage address(std::uint32_t interface, const char* text, std::uint8_t length, std::uint32_t flags = 0) {
  AddressMessage out;
  out.interface = interface;
  out.address = *net::parse_ip(text);
  out.peer = out.address;
  out.length = length;
  out.flags = flags;
  return out;
}

TEST(LinkTable, SaysWhetherAnythingChanged) {
  LinkTable table;
  EXPECT_EQ(table.apply(link(1, "eth0")), Effect::Changed);
  EXPECT_EQ(table.apply(link(1, "eth0")), Effect::None);
  EXPECT_EQ(table.apply(link(1, "eth0", 0)), Effect::Changed);
  EXPECT_EQ(table.apply(address(1, "10.0.0.1", 24)), Effect::Changed);
  EXPECT_EQ(table.apply(address(1, "10.0.0.1", 24)), Effect::None);
  EXPECT_EQ(table.apply(address(1, "10.0.0.1", 24, IFA_F_DEPRECATED)), Effect::Changed);
  EXPECT_EQ(table.apply(address(9, "10.0.0.1", 24)), Effect::None) << "a link we do not know";
  auto gone = address(1, "10.0.0.1", 24);
  gone.change = Change::Deleted;
  EXPECT_EQ(table.apply(gone), Effect::Changed);
  EXPECT_EQ(table.apply(gone), Effect::None);
}

TEST(LinkTable, KeepsAddressesAndKindWhenALinkIsHeardOfAgain) {
  LinkTable table;
  auto first = link(1, "eth0");
  first.kind = "veth";
  (void)table.apply(first);
  (void)table.apply(address(1, "10.0.0.1", 24));
  (void)table.apply(link(1, "eth1"));
  EXPECT_EQ(table.find(1)->name, "eth1");
  EXPECT_EQ(table.find(1)->kind, "veth");
  EXPECT_EQ(table.find(1)->addresses.size(), 1U);
  EXPECT_EQ(table.find("eth0"), nullptr);
}

TEST(LinkTable, ForgetsWhatADumpDoesNotMention) {
  LinkTable table;
  for (std::uint32_t index = 1; index <= 3; ++index) (void)table.apply(link(index, "x"));
  for (const auto* text : {"10.0.0.1", "10.0.0.2"}) (void)table.apply(address(1, text, 24));
  (void)table.apply(address(2, "10.0.0.3", 24));
  table.begin_dump();
  (void)table.apply(link(1, "x"));
  (void)table.apply(link(2, "x"));
  (void)table.apply(link(4, "x"));
  (void)table.apply(address(1, "10.0.0.2", 24));
  (void)table.apply(address(4, "10.0.0.4", 24));
  table.end_dump();
  ASSERT_EQ(table.links().size(), 3U);
  EXPECT_EQ(table.find(3), nullptr);
  ASSERT_EQ(table.find(1)->addresses.size(), 1U);
  EXPECT_EQ(table.find(1)->addresses[0].address, *net::parse_ip("10.0.0.2"));
  EXPECT_TRUE(table.find(2)->addresses.empty());
  EXPECT_EQ(table.find(4)->addresses.size(), 1U);
}

TEST(LinkTable, FindsTheMostSpecificConnectedSubnet) {
  LinkTable table;
  (void)table.apply(link(1, "lo", IFF_UP | IFF_LOWER_UP | IFF_LOOPBACK));
  (void)table.apply(link(2, "wide"));
  (void)table.apply(link(3, "narrow"));
  (void)table.apply(link(4, "down", IFF_UP));
  (void)table.apply(address(1, "10.0.0.5", 32));
  (void)table.apply(address(2, "10.0.0.1", 8));
  (void)table.apply(address(3, "10.0.0.1", 24));
  (void)table.apply(address(4, "10.0.0.1", 28));
  (void)table.apply(address(3, "192.0.2.1", 24, IFA_F_NOPREFIXROUTE));
  EXPECT_EQ(table.connected(*net::parse_ip("10.0.0.5"))->name, "narrow");
  EXPECT_EQ(table.connected(*net::parse_ip("10.9.0.5"))->name, "wide");
  EXPECT_EQ(table.connected(*net::parse_ip("11.0.0.5")), nullptr);
  EXPECT_EQ(table.connected(*net::parse_ip("192.0.2.2")), nullptr) << "the kernel has no route for this subnet";
  EXPECT_EQ(table.loopback()->index, 1U);
}

TEST(LinkTable, ConnectsToTheFarEndOfAPointToPointLink) {
  LinkTable table;
  (void)table.apply(link(1, "ppp0"));
  auto far = address(1, "10.0.0.1", 32);
  far.peer = *net::parse_ip("10.9.9.9");
  (void)table.apply(far);
  EXPECT_NE(table.connected(*net::parse_ip("10.9.9.9")), nullptr);
  EXPECT_EQ(table.connected(*net::parse_ip("10.0.0.1")), nullptr);
}

TEST(LinkTable, KnowsTheAddressesOfThisHost) {
  LinkTable table;
  (void)table.apply(link(1, "lo", IFF_UP | IFF_LOWER_UP | IFF_LOOPBACK));
  (void)table.apply(link(2, "eth0"));
  (void)table.apply(link(3, "down", IFF_UP));
  (void)table.apply(address(1, "192.0.2.1", 32));
  (void)table.apply(address(2, "10.0.0.1", 24));
  (void)table.apply(address(3, "10.0.1.1", 24));
  (void)table.apply(address(2, "fe80::1", 64));
  for (const auto* text : {"192.0.2.1", "10.0.0.1", "10.0.1.1"}) {
    EXPECT_TRUE(table.own(0, *net::parse_ip(text))) << text;
    EXPECT_TRUE(table.own(2, *net::parse_ip(text))) << text;
  }
  for (const auto* text : {"10.0.0.2", "0.0.0.0", "fe80::2"}) EXPECT_FALSE(table.own(2, *net::parse_ip(text))) << text;
  EXPECT_TRUE(table.own(2, *net::parse_ip("fe80::1")));
  EXPECT_FALSE(table.own(3, *net::parse_ip("fe80::1"))) << "a neighbour may have it on another link";
}

TEST(LinkTable, HasLinkLocalAddressesOnEveryLink) {
  LinkTable table;
  (void)table.apply(link(1, "eth0"));
  EXPECT_TRUE(table.on_link(1, *net::parse_ip("fe80::1")));
  EXPECT_FALSE(table.on_link(1, *net::parse_ip("2001:db8::1")));
  EXPECT_FALSE(table.on_link(2, *net::parse_ip("fe80::1")));
}

TEST(InterfaceAddress, ReadsItsFlags) {
  InterfaceAddress address;
  address.address = *net::parse_ip("2001:db8::1");
  address.flags = IFA_F_TENTATIVE;
  EXPECT_TRUE(address.tentative());
  address.flags = IFA_F_TENTATIVE | IFA_F_OPTIMISTIC;
  EXPECT_FALSE(address.tentative());
  address.flags = IFA_F_DADFAILED;
  EXPECT_TRUE(address.tentative());
  address.flags = IFA_F_SECONDARY;  // shares its bit with "temporary", which is what IPv6 means by it
  EXPECT_FALSE(address.secondary());
  address.address = *net::parse_ip("192.0.2.1");
  EXPECT_TRUE(address.secondary());
}

}  // namespace
}  // namespace netlink
