// SPDX-License-Identifier: Apache-2.0
#include "netlink/service_addresses.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "netlink/links.hpp"
#include "tests/netlink/netns.hpp"

namespace netlink {
namespace {

using testing::ContainsRegex;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

std::set<net::IpAddress> addresses(std::initializer_list<const char*> texts) {
  std::set<net::IpAddress> out;
  for (const auto* text : texts) out.insert(*net::parse_ip(text));
  return out;
}
InterfaceAddress on_loopback(const char* text, std::uint8_t length, std::uint8_t protocol, std::uint32_t metric = 0) {
  InterfaceAddress out;
  out.address = out.peer = *net::parse_ip(text);
  out.length = length;
  out.protocol = protocol;
  out.metric = metric;
  return out;
}

TEST(PlanAddresses, AddsWhatIsMissingAndRemovesOnlyOurs) {
  Link loopback;
  loopback.addresses = {
      on_loopback("127.0.0.1", 8, 0),
      on_loopback("192.0.2.1", 32, herald_protocol),
      on_loopback("192.0.2.2", 32, herald_protocol),
      on_loopback("192.0.2.3", 32, 0),
      on_loopback("192.0.2.4", 24, herald_protocol),  // not an address of a service, whoever made it
      on_loopback("2001:db8::1", 128, 0, service_address_mark),
  };
  const auto plan = plan_addresses(addresses({"192.0.2.1", "192.0.2.3", "192.0.2.9", "2001:db8::9"}), loopback);
  EXPECT_EQ(plan.add, (std::vector<net::IpAddress>{*net::parse_ip("192.0.2.9"), *net::parse_ip("2001:db8::9")}));
  EXPECT_EQ(plan.remove, (std::vector<net::IpAddress>{*net::parse_ip("192.0.2.2"), *net::parse_ip("2001:db8::1")}));
}

class ServiceAddressesInKernel : public InNamespace {
 protected:
  // Reconciles with the links as they are.
  static std::vector<AddressProblem> reconcile(ServiceAddresses& service, const std::set<net::IpAddress>& desired) {
    const Links links;
    return service.reconcile(desired, links.table());
  }
  static std::string loopback() { return output_of("ip addr show dev lo"); }
};

TEST_F(ServiceAddressesInKernel, FollowsWhatIsDesired) {
  ServiceAddresses service;
  EXPECT_THAT(reconcile(service, addresses({"192.0.2.1", "2001:db8:ff::1"})), IsEmpty());
  EXPECT_THAT(loopback(), HasSubstr("192.0.2.1/32 "));
  EXPECT_THAT(loopback(), HasSubstr("scope host"));
  EXPECT_THAT(output_of("ip -6 -o addr show dev lo"),
              ContainsRegex("2001:db8:ff::1/128 .*scope global nodad deprecated"));
  EXPECT_EQ(shell("ping -c1 -W1 192.0.2.1 || ip route get 192.0.2.1 | grep '^local'"), 0);
  EXPECT_EQ(shell("ip route get 2001:db8:ff::1 | grep '^local'"), 0);

  EXPECT_THAT(reconcile(service, addresses({"192.0.2.2"})), IsEmpty());
  EXPECT_THAT(loopback(), Not(HasSubstr("192.0.2.1/32")));
  EXPECT_THAT(loopback(), Not(HasSubstr("2001:db8:ff::1")));
  EXPECT_THAT(loopback(), HasSubstr("192.0.2.2/32"));
  EXPECT_THAT(loopback(), HasSubstr("127.0.0.1/8"));
}

TEST_F(ServiceAddressesInKernel, IsNotChosenAsASource) {
  ServiceAddresses service;
  ASSERT_THAT(reconcile(service, addresses({"192.0.2.1", "2001:db8:ff::1"})), IsEmpty());
  ASSERT_EQ(shell("ip link add c0 type veth peer name c1 && ip link set c0 up && ip link set c1 up"), 0);
  ASSERT_EQ(shell("ip route add 198.51.100.0/24 dev c0"), 0);
  EXPECT_THAT(output_of("ip route get 198.51.100.1"), Not(HasSubstr("src 192.0.2.1")));
}

TEST_F(ServiceAddressesInKernel, RecognisesItsOwnInAnotherLife) {
  {
    ServiceAddresses before;
    ASSERT_THAT(reconcile(before, addresses({"192.0.2.1", "2001:db8:ff::1"})), IsEmpty());
  }
  ASSERT_EQ(shell("ip addr add 192.0.2.77/32 dev lo && ip -6 addr add 2001:db8:ff::77/128 dev lo"), 0);
  ServiceAddresses after;
  EXPECT_THAT(reconcile(after, {}), IsEmpty());
  EXPECT_THAT(loopback(), Not(HasSubstr("192.0.2.1/32")));
  EXPECT_THAT(loopback(), Not(HasSubstr("2001:db8:ff::1/128")));
  EXPECT_THAT(loopback(), HasSubstr("192.0.2.77/32"));
  EXPECT_THAT(loopback(), HasSubstr("2001:db8:ff::77/128"));
}

TEST_F(ServiceAddressesInKernel, LivesWithOthersAndWithOldNews) {
  ASSERT_EQ(shell("ip addr add 192.0.2.1/32 dev lo"), 0);
  ServiceAddresses service;
  const Links before;
  EXPECT_THAT(service.reconcile(addresses({"192.0.2.1", "192.0.2.2"}), before.table()), IsEmpty());
  EXPECT_THAT(service.reconcile(addresses({"192.0.2.1", "192.0.2.2"}), before.table()), IsEmpty())
      << "twice is no error";
  EXPECT_THAT(reconcile(service, {}), IsEmpty());
  EXPECT_THAT(loopback(), HasSubstr("192.0.2.1/32"));
  EXPECT_THAT(loopback(), Not(HasSubstr("192.0.2.2/32")));
}

TEST_F(ServiceAddressesInKernel, SaysWhatTheKernelRefuses) {
  ServiceAddresses service;
  const auto problems = reconcile(service, addresses({"ff02::1", "192.0.2.1"}));
  ASSERT_EQ(problems.size(), 1U);
  EXPECT_EQ(problems[0].address, *net::parse_ip("ff02::1"));
  EXPECT_THAT(problems[0].text, Not(IsEmpty()));
  EXPECT_THAT(loopback(), HasSubstr("192.0.2.1/32"));
}

}  // namespace
}  // namespace netlink
