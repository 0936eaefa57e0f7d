// SPDX-License-Identifier: Apache-2.0
#include "speaker/bgp/socket_options.hpp"

#include <gmock/gmock.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

namespace speaker {
namespace {

using testing::HasSubstr;

class Socket {
 public:
  explicit Socket(int family) : handle_{::socket(family, SOCK_STREAM, 0)} {}
  ~Socket() { ::close(handle_); }
  Socket(const Socket&) = delete;
  operator int() const { return handle_; }
  int option(int level, int name) const {
    int value = -1;
    socklen_t size = sizeof(value);
    EXPECT_EQ(::getsockopt(handle_, level, name, &value, &size), 0);
    return value;
  }

 private:
  int handle_;
};

bgp::PeerConfig peer(bgp::Reach reach, std::uint32_t peer_asn = 65001) {
  bgp::PeerConfig config;
  config.local_asn = net::Asn{65000};
  config.peer_asn = {bgp::ExpectedAsn::Kind::Exactly, net::Asn{peer_asn}};
  config.reach = reach;
  return config;
}

TEST(HopLimits, FollowTheReachOfThePeer) {
  using Kind = bgp::Reach::Kind;
  EXPECT_EQ(hop_limits(peer({})), (HopLimits{1, 0})) << "external: one hop";
  EXPECT_EQ(hop_limits(peer({}, 65000)), (HopLimits{std::nullopt, 0})) << "internal: anywhere";
  EXPECT_EQ(hop_limits(peer({Kind::Multihop, 4})), (HopLimits{4, 0}));
  EXPECT_EQ(hop_limits(peer({Kind::Security, 1})), (HopLimits{255, 255}));
  EXPECT_EQ(hop_limits(peer({Kind::Security, 3})), (HopLimits{255, 253}));
  auto any = peer({});
  any.peer_asn.kind = bgp::ExpectedAsn::Kind::External;
  EXPECT_EQ(hop_limits(any).sent, 1);
  any.peer_asn.kind = bgp::ExpectedAsn::Kind::Internal;
  EXPECT_EQ(hop_limits(any).sent, std::nullopt);
}

TEST(HopLimits, AreSetAndTakenBack) {
  const Socket v4{AF_INET};
  const auto usual = v4.option(IPPROTO_IP, IP_TTL);
  ASSERT_TRUE(set_hop_limits(v4, net::Family::Ipv4, {255, 254}));
  EXPECT_EQ(v4.option(IPPROTO_IP, IP_TTL), 255);
  EXPECT_EQ(v4.option(IPPROTO_IP, IP_MINTTL), 254);
  ASSERT_TRUE(set_hop_limits(v4, net::Family::Ipv4, {}));
  EXPECT_EQ(v4.option(IPPROTO_IP, IP_TTL), usual);
  EXPECT_EQ(v4.option(IPPROTO_IP, IP_MINTTL), 0);

  const Socket v6{AF_INET6};
  ASSERT_TRUE(set_hop_limits(v6, net::Family::Ipv6, {1, 0}));
  EXPECT_EQ(v6.option(IPPROTO_IPV6, IPV6_UNICAST_HOPS), 1);
  ASSERT_TRUE(set_hop_limits(v6, net::Family::Ipv6, {255, 255}));
  EXPECT_EQ(v6.option(IPPROTO_IPV6, 73), 255);
}

TEST(CommonOptions, GivePrecedenceAndNoDelay) {
  const Socket v4{AF_INET};
  set_common_options(v4, net::Family::Ipv4);
  set_user_timeout(v4, std::chrono::seconds{480});
  EXPECT_EQ(v4.option(IPPROTO_IP, IP_TOS), 0xc0);
  EXPECT_EQ(v4.option(IPPROTO_TCP, TCP_NODELAY), 1);
  EXPECT_EQ(v4.option(IPPROTO_TCP, TCP_USER_TIMEOUT), 480000);
  const Socket v6{AF_INET6};
  set_common_options(v6, net::Family::Ipv6);
  set_listener_options(v6, net::Family::Ipv6);
  EXPECT_EQ(v6.option(IPPROTO_IPV6, IPV6_TCLASS), 0xc0);
  EXPECT_EQ(v6.option(IPPROTO_IPV6, IPV6_V6ONLY), 1);
}

TEST(Md5Key, IsSetChangedAndRemovedOnALiveSocket) {
  const Socket v4{AF_INET};
  const auto host = net::Prefix::host(net::Ipv4Address{0x0a000001});
  EXPECT_TRUE(set_md5_key(v4, host, "one"));
  EXPECT_TRUE(set_md5_key(v4, host, std::string(80, 'x')));
  EXPECT_TRUE(set_md5_key(v4, host, {}));
  EXPECT_TRUE(set_md5_key(v4, host, {})) << "there is none any more";
  const Socket v6{AF_INET6};
  EXPECT_TRUE(set_md5_key(v6, net::Prefix::host(*net::parse_ip("2001:db8::1")), "one"));
  EXPECT_TRUE(set_md5_key(v6, *net::parse_prefix("2001:db8::/64"), "one"));
}

TEST(SocketOptions, SayWhatFailed) {
  EXPECT_THAT(set_md5_key(-1, net::Prefix::host(net::Ipv4Address{1}), "one").error(), HasSubstr("TCP MD5: "));
  EXPECT_THAT(set_md5_key(-1, net::Prefix::host(net::Ipv4Address{1}), std::string(81, 'x')).error(),
              HasSubstr("longer than 80"));
  EXPECT_THAT(set_hop_limits(-1, net::Family::Ipv4, {}).error(), HasSubstr("TTL: "));
  EXPECT_THAT(bind_to_interface(-1, "eth0").error(), HasSubstr("interface eth0: "));
  EXPECT_THAT(bind_to_interface(-1, std::string(16, 'x')).error(), HasSubstr("too long"));
}

}  // namespace
}  // namespace speaker
