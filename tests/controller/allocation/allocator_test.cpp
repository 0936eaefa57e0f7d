// SPDX-License-Identifier: Apache-2.0
#include "controller/allocation/allocator.hpp"

#include <random>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace controller {
namespace {

using namespace std::chrono_literals;
using config::IPAddressPool;
using config::IpFamilyPolicy;
using net::Family;
using testing::HasSubstr;

constexpr net::TimePoint t0{};

IPAddressPool pool(const std::string& name, const std::vector<std::string>& ranges) {
  IPAddressPool out;
  out.meta.name = name;
  for (const auto& range : ranges) out.addresses.push_back(*net::parse_range(range));
  return out;
}

std::map<std::string, IPAddressPool> pools(const std::vector<IPAddressPool>& list) {
  std::map<std::string, IPAddressPool> out;
  for (const auto& one : list) out.emplace(one.meta.name, one);
  return out;
}

AddressRequest request(const std::string& service) {
  AddressRequest out;
  out.service = "default/" + service;
  out.namespace_name = "default";
  out.families = {Family::Ipv4};
  return out;
}

AddressRequest shared(const std::string& service, const std::string& key, std::uint16_t port) {
  auto out = request(service);
  out.sharing_key = key;
  out.ports = {{"", config::Protocol::Tcp, port, 0}};
  return out;
}

// "pool: a, b" or the refusal's reason.
std::string outcome(const Allocated& allocated) {
  if (!allocated) return allocated.error().reason;
  std::string text = allocated->pool + ":";
  for (const auto& address : allocated->addresses) text += " " + net::print(address);
  return text;
}

TEST(Allocator, GivesTheLowestFreeAddressInTheOrderOfThePool) {
  Allocator allocator;
  allocator.set_pools(pools({pool("a", {"192.0.2.9-192.0.2.10", "192.0.2.1/32"})}));
  EXPECT_EQ(outcome(allocator.allocate(request("one"), t0)), "a: 192.0.2.9");
  EXPECT_EQ(outcome(allocator.allocate(request("two"), t0)), "a: 192.0.2.10");
  EXPECT_EQ(outcome(allocator.allocate(request("three"), t0)), "a: 192.0.2.1");
  EXPECT_EQ(outcome(allocator.allocate(request("four"), t0)), "PoolExhausted");
  EXPECT_EQ(allocator.usage("a", Family::Ipv4).assigned, 3U);
  EXPECT_EQ(allocator.services("a"), 3U);
}

TEST(Allocator, PrefersPinnedPoolsByPriorityAndZeroGoesLast) {
  auto open = pool("a-open", {"192.0.2.0/30"});
  auto last = pool("b-zero", {"192.0.2.4/30"});
  auto second = pool("c-twenty", {"192.0.2.8/32"});
  auto first = pool("d-ten", {"192.0.2.12/32"});
  last.service_allocation = IPAddressPool::ServiceAllocation{0, {"default"}, {}, {}};
  second.service_allocation = IPAddressPool::ServiceAllocation{20, {}, {}, {}};
  first.service_allocation = IPAddressPool::ServiceAllocation{10, {"other", "default"}, {}, {}};
  Allocator allocator;
  allocator.set_pools(pools({open, last, second, first}));
  EXPECT_EQ(outcome(allocator.allocate(request("1"), t0)), "d-ten: 192.0.2.12");
  EXPECT_EQ(outcome(allocator.allocate(request("2"), t0)), "c-twenty: 192.0.2.8");
  EXPECT_EQ(outcome(allocator.allocate(request("3"), t0)), "b-zero: 192.0.2.4");
  auto elsewhere = request("4");
  elsewhere.namespace_name = "third";
  EXPECT_EQ(outcome(allocator.allocate(elsewhere, t0)), "a-open: 192.0.2.0");
}

TEST(Allocator, MatchesNamespaceOrItsLabelsAndServiceLabels) {
  auto only = pool("only", {"192.0.2.0/24"});
  only.service_allocation =
      IPAddressPool::ServiceAllocation{0, {"red"}, {{{{"team", "blue"}}, {}}}, {{{{"tier", "web"}}, {}}}};
  Allocator allocator;
  allocator.set_pools(pools({only}));
  auto ask = request("web");
  EXPECT_EQ(outcome(allocator.allocate(ask, t0)), "NoPoolAllowed");
  ask.labels = {{"tier", "web"}};
  EXPECT_EQ(outcome(allocator.allocate(ask, t0)), "NoPoolAllowed");
  ask.namespace_labels = {{"team", "blue"}};
  EXPECT_EQ(outcome(allocator.allocate(ask, t0)), "only: 192.0.2.0");
  ask.service = "red/web";
  ask.namespace_name = "red";
  ask.namespace_labels = {};
  EXPECT_EQ(outcome(allocator.allocate(ask, t0)), "only: 192.0.2.1");
}

TEST(Allocator, UsesAPoolWithoutAutoAssignOnlyWhenAsked) {
  auto manual = pool("manual", {"192.0.2.0/24"});
  manual.auto_assign = false;
  Allocator allocator;
  allocator.set_pools(pools({manual}));
  EXPECT_EQ(outcome(allocator.allocate(request("a"), t0)), "NoPoolAllowed");
  auto by_pool = request("b");
  by_pool.pool = "manual";
  EXPECT_EQ(outcome(allocator.allocate(by_pool, t0)), "manual: 192.0.2.0");
  auto by_address = request("c");
  by_address.addresses = {*net::parse_ip("192.0.2.77")};
  EXPECT_EQ(outcome(allocator.allocate(by_address, t0)), "manual: 192.0.2.77");
  by_pool.pool = "none";
  EXPECT_EQ(outcome(allocator.allocate(by_pool, t0)), "UnknownPool");
}

TEST(Allocator, AvoidsBuggyAddressesInEveryWay) {
  auto careful = pool("careful", {"192.0.2.254-192.0.3.2"});
  careful.avoid_buggy_ips = true;
  Allocator allocator;
  allocator.set_pools(pools({careful}));
  EXPECT_EQ(allocator.usage("careful", Family::Ipv4).capacity, 3U);
  auto exactly = request("x");
  exactly.addresses = {*net::parse_ip("192.0.3.0")};
  EXPECT_EQ(outcome(allocator.allocate(exactly, t0)), "AddressNotInPool");
  EXPECT_EQ(outcome(allocator.allocate(request("1"), t0)), "careful: 192.0.2.254");
  EXPECT_EQ(outcome(allocator.allocate(request("2"), t0)), "careful: 192.0.3.1");
  EXPECT_EQ(outcome(allocator.allocate(request("3"), t0)), "careful: 192.0.3.2");
  EXPECT_EQ(outcome(allocator.allocate(request("4"), t0)), "PoolExhausted");
}

TEST(Allocator, RefusesRequestedAddressesThatCannotBe) {
  auto narrow = pool("narrow", {"198.51.100.0/24"});
  narrow.service_allocation = IPAddressPool::ServiceAllocation{0, {"other"}, {}, {}};
  Allocator allocator;
  allocator.set_pools(pools({pool("a", {"192.0.2.0/24", "2001:db8::/64"}), pool("b", {"2001:db8:1::/64"}), narrow}));
  const auto ask = [&](const std::string& name, const std::vector<const char*>& addresses, IpFamilyPolicy policy) {
    auto out = request(name);
    for (const auto* address : addresses) out.addresses.push_back(*net::parse_ip(address));
    out.policy = policy;
    return outcome(allocator.allocate(out, t0));
  };
  const auto single = IpFamilyPolicy::SingleStack;
  const auto prefer = IpFamilyPolicy::PreferDualStack;
  EXPECT_EQ(ask("1", {"203.0.113.1"}, single), "AddressNotInPool");
  EXPECT_EQ(ask("2", {"2001:db8::1"}, single), "FamilyMismatch");
  EXPECT_EQ(ask("3", {"192.0.2.1", "192.0.2.2"}, prefer), "FamilyMismatch");
  EXPECT_EQ(ask("4", {"192.0.2.1"}, IpFamilyPolicy::RequireDualStack), "FamilyMismatch");
  EXPECT_EQ(ask("5", {"192.0.2.1", "2001:db8:1::1"}, prefer), "AddressesInSeveralPools");
  EXPECT_EQ(ask("6", {"198.51.100.1"}, single), "PoolNotAllowed");
  EXPECT_EQ(ask("7", {"192.0.2.1"}, single), "a: 192.0.2.1");
  EXPECT_EQ(ask("8", {"192.0.2.1"}, single), "AddressInUse");
  auto annotated = request("9");
  annotated.addresses = {*net::parse_ip("192.0.2.9")};
  annotated.pool = "b";
  EXPECT_EQ(outcome(allocator.allocate(annotated, t0)), "PoolMismatch");
  EXPECT_EQ(allocator.usage("a", Family::Ipv4).assigned, 1U);
}

struct DualStackCase {
  const char* name;
  IpFamilyPolicy policy;
  std::vector<Family> families;
  const char* expected;
};
class DualStack : public testing::TestWithParam<DualStackCase> {};
TEST_P(DualStack, ChoosesTheFamilies) {
  Allocator allocator;
  allocator.set_pools(pools({pool("a4", {"192.0.2.0/24"}), pool("dual", {"198.51.100.0/24", "2001:db8::/64"}),
                             pool("z6", {"2001:db8:1::/64"})}));
  auto ask = request("s");
  ask.policy = GetParam().policy;
  ask.families = GetParam().families;
  EXPECT_EQ(outcome(allocator.allocate(ask, t0)), GetParam().expected);
}
INSTANTIATE_TEST_SUITE_P(
    Policies, DualStack,
    testing::Values(
        DualStackCase{"single4", IpFamilyPolicy::SingleStack, {Family::Ipv4}, "a4: 192.0.2.0"},
        DualStackCase{"single6", IpFamilyPolicy::SingleStack, {Family::Ipv6}, "dual: 2001:db8::"},
        DualStackCase{"unsaid", IpFamilyPolicy::SingleStack, {}, "a4: 192.0.2.0"},
        DualStackCase{"require46",
                      IpFamilyPolicy::RequireDualStack,
                      {Family::Ipv4, Family::Ipv6},
                      "dual: 198.51.100.0 2001:db8::"},
        DualStackCase{"require64",
                      IpFamilyPolicy::RequireDualStack,
                      {Family::Ipv6, Family::Ipv4},
                      "dual: 2001:db8:: 198.51.100.0"},
        DualStackCase{
            "prefer46", IpFamilyPolicy::PreferDualStack, {Family::Ipv4, Family::Ipv6}, "dual: 198.51.100.0 2001:db8::"},
        DualStackCase{"prefer6", IpFamilyPolicy::PreferDualStack, {Family::Ipv6}, "dual: 2001:db8:: 198.51.100.0"}),
    [](const auto& test) { return test.param.name; });

TEST(DualStackFallback, TakesTheFirstFamilyFromASingleStackPoolAndIsWidenedLater) {
  Allocator allocator;
  allocator.set_pools(pools({pool("a", {"192.0.2.0/24"})}));
  auto ask = request("s");
  ask.policy = IpFamilyPolicy::PreferDualStack;
  ask.families = {Family::Ipv6, Family::Ipv4};
  EXPECT_EQ(outcome(allocator.allocate(ask, t0)), "a: 192.0.2.0");
  EXPECT_EQ(outcome(allocator.widen(ask, t0)), "PoolExhausted");
  allocator.set_pools(pools({pool("a", {"192.0.2.0/24", "2001:db8::/64"})}));
  EXPECT_EQ(outcome(allocator.widen(ask, t0)), "a: 2001:db8:: 192.0.2.0");
  EXPECT_EQ(outcome(allocator.widen(ask, t0)), "NotSingle");
  EXPECT_EQ(allocator.usage("a", Family::Ipv4).assigned, 1U);
  EXPECT_EQ(allocator.services("a"), 1U);
}

TEST(DualStackFallback, GivesBackTheHalfThatItCouldNotComplete) {
  Allocator allocator;
  allocator.set_pools(pools({pool("a", {"192.0.2.1/32"}), pool("b", {"2001:db8::1/128"})}));
  auto both = request("both");
  both.policy = IpFamilyPolicy::RequireDualStack;
  EXPECT_EQ(outcome(allocator.allocate(both, t0)), "PoolExhausted");
  EXPECT_EQ(outcome(allocator.allocate(request("four"), t0)), "a: 192.0.2.1");
}

TEST(Sharing, PutsServicesOfOneKeyOnOneAddress) {
  Allocator allocator;
  allocator.set_pools(pools({pool("a", {"192.0.2.0/24"})}));
  EXPECT_EQ(outcome(allocator.allocate(request("alone"), t0)), "a: 192.0.2.0");
  EXPECT_EQ(outcome(allocator.allocate(shared("http", "web", 80), t0)), "a: 192.0.2.1");
  EXPECT_EQ(outcome(allocator.allocate(shared("https", "web", 443), t0)), "a: 192.0.2.1");
  EXPECT_EQ(outcome(allocator.allocate(shared("again", "web", 80), t0)), "a: 192.0.2.2");
  EXPECT_EQ(outcome(allocator.allocate(shared("dns", "dns", 53), t0)), "a: 192.0.2.3");
  EXPECT_EQ(allocator.usage("a", Family::Ipv4).assigned, 4U);
  allocator.release("default/http", t0);
  EXPECT_EQ(allocator.usage("a", Family::Ipv4).assigned, 4U);
  allocator.release("default/https", t0);
  EXPECT_EQ(allocator.usage("a", Family::Ipv4).assigned, 3U);
}

// The other side of a key is whoever can read Services.
TEST(Sharing, ReachesNoOtherNamespaceUnlessBothSay) {
  Allocator allocator;
  allocator.set_pools(pools({pool("a", {"192.0.2.0/24"})}));
  const auto from = [](const std::string& space, const std::string& name, std::uint16_t port) {
    auto ask = shared(name, "key", port);
    ask.namespace_name = space;
    ask.service = space + "/" + name;
    return ask;
  };
  ASSERT_EQ(outcome(allocator.allocate(from("bank", "web", 443), t0)), "a: 192.0.2.0");
  auto thief = from("thief", "web", 8443);
  EXPECT_EQ(outcome(allocator.allocate(thief, t0)), "a: 192.0.2.1") << "an address of its own";
  thief.service = "thief/second";
  thief.addresses = {*net::parse_ip("192.0.2.0")};
  EXPECT_EQ(outcome(allocator.allocate(thief, t0)), "SharingNamespaceDiffers");
  thief.shares_with = {"bank"};
  EXPECT_EQ(outcome(allocator.allocate(thief, t0)), "SharingNamespaceDiffers") << "one side is not both";

  auto open = from("front", "web", 80);
  open.shares_with = {"*"};
  ASSERT_EQ(outcome(allocator.allocate(open, t0)), "a: 192.0.2.2");
  auto friendly = from("back", "web", 81);
  EXPECT_NE(outcome(allocator.allocate(friendly, t0)), "a: 192.0.2.2");
  friendly.service = "back/second";
  friendly.shares_with = {"front"};
  EXPECT_EQ(outcome(allocator.allocate(friendly, t0)), "a: 192.0.2.2");
}

TEST(Sharing, OfSeveralNamespacesStaysWhereItIsAlready) {
  Allocator allocator;
  allocator.set_pools(pools({pool("a", {"192.0.2.0/24"})}));
  for (const auto* space : {"one", "two"}) {
    auto ask = shared("web", "key", space == std::string{"one"} ? 80 : 81);
    ask.namespace_name = space;
    ask.service = std::string{space} + "/web";
    EXPECT_EQ(outcome(allocator.adopt(ask, {*net::parse_ip("192.0.2.9")}, t0)), "a: 192.0.2.9");
  }
}

TEST(Sharing, NamesWhyAnAddressCannotBeShared) {
  Allocator allocator;
  allocator.set_pools(pools({pool("a", {"192.0.2.0/24"})}));
  auto first = shared("first", "key", 80);
  first.traffic_policy = config::TrafficPolicy::Local;
  first.selector = {{"app", "x"}};
  first.addresses = {*net::parse_ip("192.0.2.5")};
  ASSERT_TRUE(allocator.allocate(first, t0));
  auto ask = shared("second", "other", 443);
  ask.addresses = first.addresses;
  EXPECT_EQ(outcome(allocator.allocate(ask, t0)), "SharingKeyDiffers");
  ask.sharing_key = "";
  EXPECT_EQ(outcome(allocator.allocate(ask, t0)), "AddressInUse");
  ask.sharing_key = "key";
  EXPECT_EQ(outcome(allocator.allocate(ask, t0)), "SharingPolicyDiffers");
  ask.traffic_policy = config::TrafficPolicy::Local;
  const auto refused = allocator.allocate(ask, t0);
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message, HasSubstr("same selector"));
  ask.selector = first.selector;
  ask.ports[0].port = 80;
  EXPECT_EQ(outcome(allocator.allocate(ask, t0)), "PortInUse");
  ask.ports[0].protocol = config::Protocol::Udp;
  EXPECT_EQ(outcome(allocator.allocate(ask, t0)), "a: 192.0.2.5");
}

TEST(Quarantine, KeepsAReleasedAddressFromOthersForItsTime) {
  Allocator allocator;
  allocator.set_pools(pools({pool("a", {"192.0.2.1-192.0.2.2"})}));
  ASSERT_TRUE(allocator.allocate(request("one"), t0));
  allocator.release("default/one", t0);
  EXPECT_EQ(outcome(allocator.allocate(request("two"), t0)), "a: 192.0.2.2");
  const auto refused = allocator.allocate(request("three"), t0 + 59s);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().reason, "PoolExhausted");
  EXPECT_EQ(allocator.next_expiry(), t0 + 60s);
  EXPECT_EQ(outcome(allocator.allocate(request("three"), t0 + 60s)), "a: 192.0.2.1");
}

TEST(Quarantine, GivesTheSameServiceItsAddressBackAtOnce) {
  Allocator allocator;
  allocator.set_pools(pools({pool("a", {"192.0.2.1-192.0.2.9"})}));
  ASSERT_TRUE(allocator.allocate(request("one"), t0));
  allocator.release("default/one", t0);
  EXPECT_EQ(outcome(allocator.allocate(request("one"), t0 + 1s)), "a: 192.0.2.1");
  EXPECT_EQ(allocator.next_expiry(), std::nullopt);
}

TEST(Quarantine, YieldsToAnExplicitRequestAndOutlivesAnEditOfThePool) {
  Allocator allocator;
  auto a = pool("a", {"192.0.2.1-192.0.2.9"});
  allocator.set_pools(pools({a}));
  ASSERT_TRUE(allocator.allocate(request("one"), t0));
  allocator.release("default/one", t0);
  a.auto_assign = true;
  a.addresses.push_back(*net::parse_range("198.51.100.0/24"));
  allocator.set_pools(pools({a}));
  EXPECT_EQ(allocator.usage("a", Family::Ipv4).quarantined, 1U);
  EXPECT_EQ(outcome(allocator.allocate(request("two"), t0)), "a: 192.0.2.2");
  auto exactly = request("three");
  exactly.addresses = {*net::parse_ip("192.0.2.1")};
  EXPECT_EQ(outcome(allocator.allocate(exactly, t0)), "a: 192.0.2.1");
}

TEST(QuarantineOfAnEarlierLife, GoesOnForWhatIsLeftOfIt) {
  Allocator allocator;
  allocator.set_pools(pools({pool("a", {"192.0.2.1-192.0.2.2"})}));
  ASSERT_TRUE(allocator.adopt(request("holder"), {*net::parse_ip("192.0.2.2")}, t0));
  const auto before = t0 - 20s;
  allocator.recall("default/gone", *net::parse_ip("192.0.2.1"), before, t0);
  allocator.recall("default/gone", *net::parse_ip("192.0.2.2"), before, t0);     // somebody has it again
  allocator.recall("default/gone", *net::parse_ip("198.51.100.1"), before, t0);  // of no pool any more
  EXPECT_EQ(allocator.usage("a", Family::Ipv4).quarantined, 1U);
  EXPECT_EQ(allocator.next_expiry(), t0 + 40s);
  EXPECT_EQ(outcome(allocator.allocate(request("new"), t0 + 39s)), "PoolExhausted");
  EXPECT_EQ(outcome(allocator.allocate(request("new"), t0 + 40s)), "a: 192.0.2.1");
}

TEST(QuarantineOfAnEarlierLife, IsOverWhenItsTimeIsUpAndNeverLongerThanThePoolSays) {
  Allocator allocator;
  allocator.set_pools(pools({pool("a", {"192.0.2.1-192.0.2.2"})}));
  allocator.recall("default/gone", *net::parse_ip("192.0.2.1"), t0 - 60s, t0);
  EXPECT_EQ(allocator.next_expiry(), std::nullopt);
  // The clock was set back by an hour meanwhile.
  allocator.recall("default/gone", *net::parse_ip("192.0.2.2"), t0 + 3600s, t0);
  EXPECT_EQ(allocator.next_expiry(), t0 + 60s);
}

TEST(QuarantineOfAnEarlierLife, GivesTheSameServiceItsAddressesBack) {
  Allocator allocator;
  allocator.set_pools(pools({pool("a", {"192.0.2.1-192.0.2.9", "2001:db8::1-2001:db8::9"})}));
  for (const auto* address : {"192.0.2.5", "2001:db8::5"})
    allocator.recall("default/again", *net::parse_ip(address), t0 - 1s, t0);
  auto ask = request("again");
  ask.policy = IpFamilyPolicy::RequireDualStack;
  EXPECT_EQ(outcome(allocator.allocate(ask, t0)), "a: 192.0.2.5 2001:db8::5");
}

TEST(LiveService, KeepsItsAddressWhateverIsDoneToPoolsThatStillHoldIt) {
  Allocator allocator;
  auto a = pool("a", {"192.0.2.0/24"});
  allocator.set_pools(pools({a}));
  ASSERT_TRUE(allocator.allocate(request("s"), t0));
  a.service_allocation = IPAddressPool::ServiceAllocation{0, {"other"}, {}, {}};
  a.auto_assign = false;
  allocator.set_pools(pools({a}));
  EXPECT_EQ(outcome(allocator.adopt(request("s"), {*net::parse_ip("192.0.2.0")}, t0)), "a: 192.0.2.0");
  // The same addresses under another name, and split.
  allocator.set_pools(pools({pool("b", {"192.0.2.128/25"}), pool("c", {"192.0.2.0/25"})}));
  EXPECT_TRUE(allocator.orphans().empty());
  EXPECT_EQ(allocator.assignment("default/s")->pool, "c");
  EXPECT_EQ(outcome(allocator.allocate(request("t"), t0)), "b: 192.0.2.128");
}

TEST(LiveService, IsAnOrphanWhenNoPoolHoldsItAndCanMove) {
  Allocator allocator;
  allocator.set_pools(pools({pool("a", {"192.0.2.0/24"})}));
  ASSERT_TRUE(allocator.allocate(request("s"), t0));
  allocator.set_pools(pools({pool("b", {"198.51.100.0/24"})}));
  EXPECT_THAT(allocator.orphans(), testing::ElementsAre("default/s"));
  EXPECT_EQ(outcome(allocator.adopt(request("s"), {*net::parse_ip("192.0.2.0")}, t0)), "AddressNotInPool");
  EXPECT_EQ(outcome(allocator.allocate(request("s"), t0)), "b: 198.51.100.0");
  EXPECT_TRUE(allocator.orphans().empty());
}

TEST(LiveService, MovesWhenItAsksForAnotherAddressAndKeepsTheOldOneWhenThatCannotBe) {
  Allocator allocator;
  allocator.set_pools(pools({pool("a", {"192.0.2.0/29"})}));
  ASSERT_TRUE(allocator.allocate(request("other"), t0));
  ASSERT_TRUE(allocator.allocate(request("s"), t0));
  auto ask = request("s");
  ask.addresses = {*net::parse_ip("192.0.2.0")};
  EXPECT_EQ(outcome(allocator.allocate(ask, t0)), "AddressInUse");
  EXPECT_EQ(allocator.assignment("default/s")->addresses.front(), *net::parse_ip("192.0.2.1"));
  ask.addresses = {*net::parse_ip("192.0.2.6")};
  EXPECT_EQ(outcome(allocator.adopt(ask, {*net::parse_ip("192.0.2.1")}, t0)), "RequestChanged");
  EXPECT_EQ(outcome(allocator.allocate(ask, t0)), "a: 192.0.2.6");
  EXPECT_EQ(allocator.usage("a", Family::Ipv4).quarantined, 1U);
}

TEST(LiveService, LosesASharedAddressWhenItsPortsComeToClash) {
  Allocator allocator;
  allocator.set_pools(pools({pool("a", {"192.0.2.0/29"})}));
  ASSERT_TRUE(allocator.allocate(shared("one", "k", 80), t0));
  ASSERT_TRUE(allocator.allocate(shared("two", "k", 81), t0));
  const auto clash = shared("two", "k", 80);
  EXPECT_EQ(outcome(allocator.adopt(clash, {*net::parse_ip("192.0.2.0")}, t0)), "PortInUse");
  EXPECT_EQ(outcome(allocator.allocate(clash, t0)), "a: 192.0.2.1");
}

TEST(Restart, GivesEveryServiceWhatItHadInAnyOrder) {
  std::mt19937 random{7};
  const auto config = pools({pool("a", {"192.0.2.0/26"}), pool("b", {"2001:db8::/64", "198.51.100.0/26"})});
  Allocator before;
  before.set_pools(config);
  std::vector<AddressRequest> requests;
  for (int i = 0; i < 60; ++i) {
    auto ask = i % 4 == 0 ? shared(std::to_string(i), "k" + std::to_string(i % 3), static_cast<std::uint16_t>(i))
                          : request(std::to_string(i));
    ask.policy = i % 5 == 0 ? IpFamilyPolicy::PreferDualStack : IpFamilyPolicy::SingleStack;
    ASSERT_TRUE(before.allocate(ask, t0));
    requests.push_back(ask);
  }
  std::shuffle(requests.begin(), requests.end(), random);
  Allocator after;
  after.set_pools(config);
  for (const auto& ask : requests)
    EXPECT_EQ(outcome(after.adopt(ask, before.assignment(ask.service)->addresses, t0)),
              outcome(*before.assignment(ask.service)));
  EXPECT_EQ(after.usage("a", Family::Ipv4).assigned, before.usage("a", Family::Ipv4).assigned);
}

TEST(RandomOperations, NeverGiveOneAddressToTwoServices) {
  std::mt19937 random{11};
  Allocator allocator;
  const auto config = pools({pool("a", {"192.0.2.0/28"}), pool("b", {"198.51.100.0/29", "2001:db8::/125"})});
  allocator.set_pools(config);
  auto now = t0;
  std::set<std::string> live;
  for (int step = 0; step < 20000; ++step) {
    now += std::chrono::seconds{random() % 5};
    auto ask = request(std::to_string(random() % 40));
    ask.policy = static_cast<IpFamilyPolicy>(random() % 3);
    if (random() % 3 == 0) {
      allocator.release(ask.service, now);
      live.erase(ask.service);
    } else {
      const auto got = allocator.allocate(ask, now);
      if (got || allocator.assignment(ask.service) != nullptr)
        live.insert(ask.service);
      else
        live.erase(ask.service);
    }
    if (step % 1000 == 0) allocator.set_pools(config);
    std::set<net::IpAddress> used;
    for (const auto& service : live) {
      ASSERT_NE(allocator.assignment(service), nullptr);
      for (const auto& address : allocator.assignment(service)->addresses) ASSERT_TRUE(used.insert(address).second);
    }
    const auto four = allocator.usage("a", Family::Ipv4).assigned + allocator.usage("b", Family::Ipv4).assigned;
    const auto six = allocator.usage("b", Family::Ipv6).assigned;
    ASSERT_EQ(four + six, used.size());
  }
}

}  // namespace
}  // namespace controller
