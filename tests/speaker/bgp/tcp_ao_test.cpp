// SPDX-License-Identifier: Apache-2.0
// On a kernel with TCP-AO two ends with the same keys meet and others do not; on one without, the error says so.
#include "speaker/bgp/tcp_ao.hpp"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace speaker {
namespace {

using ::testing::HasSubstr;

const auto loopback = net::Prefix::host(*net::parse_ip("127.0.0.1"));

bgp::AuthenticationKeys keys(std::map<std::uint8_t, std::string> of) {
  return {bgp::AuthenticationKeys::Algorithm::HmacSha1, std::move(of)};
}

SocketResult fit(int socket, bgp::AuthenticationKeys present, const bgp::AuthenticationKeys& wanted) {
  return fit_ao_keys(socket, loopback, present, wanted);
}

class Socket {
 public:
  Socket() : fd_{::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)} {}
  explicit Socket(int fd) : fd_{fd} {}
  ~Socket() { ::close(fd_); }
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;
  [[nodiscard]] int fd() const { return fd_; }

 private:
  int fd_;
};

bool ready(int fd, short what, int milliseconds) {
  pollfd one{fd, what, 0};
  return ::poll(&one, 1, milliseconds) == 1 && (one.revents & (POLLERR | POLLHUP)) == 0;
}

TEST(TcpAo, NamesTheKernelsLackOrIsThere) {
  const Socket socket;
  const auto added = fit(socket.fd(), {}, keys({{1, "secret"}}));
  EXPECT_EQ(added.has_value(), has_tcp_ao());
  if (!added) {
    EXPECT_THAT(added.error(), HasSubstr("this kernel has none (CONFIG_TCP_AO"));
  }
}

TEST(TcpAo, RefusesKeysThatItCannotHave) {
  const Socket socket;
  for (const auto& key : {std::string{}, std::string(81, 'x')}) {
    const auto added = fit(socket.fd(), {}, keys({{1, key}}));
    ASSERT_FALSE(added);
    EXPECT_EQ(added.error(), "TCP-AO: a key must have 1 to 80 octets");
  }
}

TEST(TcpAo, LetsThoseMeetWhoHaveAKeyInCommon) {
  for (const auto& theirs : {std::string{"secret"}, std::string{"another"}}) {
    const Socket listener;
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    ASSERT_EQ(::bind(listener.fd(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    ASSERT_EQ(::listen(listener.fd(), 1), 0);
    socklen_t size = sizeof address;
    ::getsockname(listener.fd(), reinterpret_cast<sockaddr*>(&address), &size);
    const Socket dialler;
    const bool supported = has_tcp_ao();
    ASSERT_EQ(fit(listener.fd(), {}, keys({{1, "secret"}, {2, "next"}})).has_value(), supported);
    ASSERT_EQ(fit(dialler.fd(), {}, keys({{1, theirs}})).has_value(), supported);
    (void)::connect(dialler.fd(), reinterpret_cast<sockaddr*>(&address), sizeof address);
    const bool met = ready(dialler.fd(), POLLOUT, 500);
    EXPECT_EQ(met, !supported || theirs == "secret");
    if (!met || !supported) continue;

    // Roll-over: the newer key comes, is asked for, and the older one goes, on a connection that stays.
    const Socket accepted{::accept(listener.fd(), nullptr, nullptr)};
    ASSERT_TRUE(fit(dialler.fd(), keys({{1, "secret"}}), keys({{1, "secret"}, {2, "next"}})));
    ASSERT_TRUE(ask_for_ao_key(dialler.fd(), 2));
    ASSERT_TRUE(ask_for_ao_key(accepted.fd(), 2));
    for (int i = 0; i < 4; ++i) {
      const auto [from, to] =
          i % 2 == 0 ? std::pair{accepted.fd(), dialler.fd()} : std::pair{dialler.fd(), accepted.fd()};
      ASSERT_EQ(::send(from, "x", 1, 0), 1);
      char got = 0;
      ASSERT_TRUE(ready(to, POLLIN, 1000));
      ASSERT_EQ(::recv(to, &got, 1, 0), 1);
    }
    ASSERT_TRUE(fit(dialler.fd(), keys({{1, "secret"}, {2, "next"}}), keys({{2, "next"}})));
    ASSERT_EQ(::send(dialler.fd(), "y", 1, 0), 1);
    EXPECT_TRUE(ready(accepted.fd(), POLLIN, 1000));
  }
}

}  // namespace
}  // namespace speaker
