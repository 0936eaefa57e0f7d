// SPDX-License-Identifier: Apache-2.0
#include "bgp/rib/exporter.hpp"

#include <gmock/gmock.h>

#include "tests/bgp/lab.hpp"

namespace bgp {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

const auto route = pfx("203.0.113.0/24");

// The router is AS 65000 of confederation 64999; member AS 65001 is in it, AS 65002 and 65003 are not.
struct BordersLab : Lab {
  static SpeakerOptions of_confederation() {
    auto options = external(1);
    options.confederation = true;
    return options;
  }
  static SpeakerOptions beyond(unsigned number) {
    auto options = external(number);
    options.router_asn = net::Asn{64999};
    return options;
  }

  Speaker& sender = add(beyond(2));
  Speaker& outside = add(beyond(3));
  Speaker& inside = add(internal(4));
  Speaker& member = add(of_confederation());

  BordersLab() {
    auto with = router.config();
    with.confederation = net::Asn{64999};
    router.configure(with, {}, start_time);
    establish();
  }
  void tell(const PathAttributes& attributes) {
    sender.announce({route}, attributes);
    settle();
  }
};

// RFC 4360 section 2: without the T bit a community does not leave the AS, which for others is the confederation.
TEST(Exporter, EndsNonTransitiveExtendedCommunitiesAtTheAs) {
  constexpr ExtendedCommunity target{0x0002fde800000064}, transitive_bandwidth{0x0004fde84cbebc20};
  constexpr ExtendedCommunity bandwidth{0x4004fde84cbebc20}, opaque{0x4300000000000002}, of_address{0x4102c00002010007};
  auto attributes = path({65002});
  attributes.extended_communities = {target, transitive_bandwidth, bandwidth, of_address, opaque};
  BordersLab lab;
  lab.tell(attributes);
  EXPECT_THAT(lab.outside.heard.at(route).extended_communities, ElementsAre(target, transitive_bandwidth));
  for (auto* each : {&lab.inside, &lab.member})
    EXPECT_EQ(each->heard.at(route).extended_communities, attributes.extended_communities) << each->options().name;
}

// RFC 5701 section 2 has the same bit.
TEST(Exporter, EndsNonTransitiveIpv6ExtendedCommunitiesAtTheAs) {
  Ipv6ExtendedCommunity target{{0x00, 0x02, 0x20, 0x01, 0x0d, 0xb8}};
  Ipv6ExtendedCommunity local{{0x40, 0x02, 0x20, 0x01, 0x0d, 0xb8}};
  auto attributes = path({65002});
  attributes.ipv6_extended_communities = {target, local};
  BordersLab lab;
  lab.tell(attributes);
  EXPECT_THAT(lab.outside.heard.at(route).ipv6_extended_communities, ElementsAre(target));
  for (auto* each : {&lab.inside, &lab.member})
    EXPECT_THAT(each->heard.at(route).ipv6_extended_communities, ElementsAre(target, local)) << each->options().name;

  attributes.ipv6_extended_communities = {local};
  lab.tell(attributes);
  EXPECT_THAT(lab.outside.heard.at(route).ipv6_extended_communities, IsEmpty());
}

}  // namespace
}  // namespace bgp
