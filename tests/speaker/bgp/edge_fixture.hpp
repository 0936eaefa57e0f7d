// SPDX-License-Identifier: Apache-2.0
// Routers with real sockets of one process, in a network namespace of its own, and waiting with a deadline.
#pragma once

#include <chrono>
#include <cstdlib>
#include <functional>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <system_error>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <fcntl.h>
#include <gmock/gmock.h>
#include <sched.h>
#include <unistd.h>

#include "bgp/router.hpp"
#include "speaker/bgp/edge.hpp"

namespace speaker {

inline net::IpAddress ip(const char* text) {
  return *net::parse_ip(text);
}
inline net::Prefix prefix(const std::string& text) {
  return *net::parse_prefix(text);
}

// A port that nothing listens on, on any loopback address.
inline std::uint16_t free_port() {
  boost::asio::io_context io;
  boost::asio::ip::tcp::acceptor acceptor{io, {boost::asio::ip::address_v4::any(), 0}};
  return acceptor.local_endpoint().port();
}

inline bgp::NeighborConfig neighbor(const char* address, std::uint16_t port, std::uint32_t local_asn,
                                    std::uint32_t peer_asn) {
  bgp::NeighborConfig made;
  made.name = address;
  made.session.address = ip(address);
  made.session.port = port;
  made.session.local_asn = net::Asn{local_asn};
  made.session.peer_asn = {bgp::ExpectedAsn::Kind::Exactly, net::Asn{peer_asn}};
  made.import = {bgp::accept_all()};
  return made;
}

// One router and its edge.
struct Node {
  Node(boost::asio::io_context& io, std::uint32_t asn, const char* router_id)
      : config{.asn = net::Asn{asn}, .router_id = *net::parse_router_id(router_id), .decision = {}},
        router{config, asn},
        edge{std::make_unique<BgpEdge>(io, router, events())} {}

  void set(bgp::NeighborConfig with) {
    with.session.router_id = config.router_id;
    neighbors[with.name] = std::move(with);
    apply();
  }
  void apply() {
    std::vector<bgp::NeighborConfig> list;
    for (const auto& [name, each] : neighbors) list.push_back(each);
    router.configure(config, list, net::Clock::now());
    edge->wake();
  }
  void announce(const std::string& text) {
    router.set_local(prefix(text), bgp::LocalRoute{.announcements = {bgp::Announcement{}}, .origin = bgp::Origin::Igp});
    edge->wake();
  }
  bgp::NeighborStatus status(std::size_t index = 0) const { return router.neighbors().at(index); }
  bgp::State state(std::size_t index = 0) const { return status(index).session.state; }

  BgpEdgeEvents events() {
    BgpEdgeEvents made;
    made.problem = [this](const BgpProblem& problem) { problems.push_back(problem.where + ": " + problem.text); };
    made.settled = [this] {
      router.drain_route_changes(100000, [this](const net::Prefix& changed, std::span<const bgp::RouteHop> hops) {
        if (hops.empty()) {
          routes.erase(changed);
        } else {
          routes[changed] = hops.front().address;
        }
      });
    };
    return made;
  }

  bgp::RouterConfig config;
  std::vector<std::string> problems;
  std::map<net::Prefix, net::IpAddress> routes;
  std::map<std::string, bgp::NeighborConfig> neighbors;
  bgp::Router router;
  std::unique_ptr<BgpEdge> edge;
};

// A network namespace whose loopback has addresses that may be next hops, which 127.0.0.0/8 and ::1 may not:
// 10.9.0.2 to 10.9.0.9, and 2001:db8:9::2 and ::3. Entered before anything else of a test is made.
class OwnNamespace {
 public:
  OwnNamespace() : home_{::open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC)} {
    if (::unshare(CLONE_NEWNET) != 0) throw std::system_error{errno, std::generic_category(), "network namespace"};
    std::string commands = "link set lo up\n";
    for (int i = 2; i <= 9; ++i) commands += "addr add 10.9.0." + std::to_string(i) + "/32 dev lo\n";
    for (int i = 2; i <= 3; ++i) commands += "addr add 2001:db8:9::" + std::to_string(i) + "/128 dev lo nodad\n";
    if (std::system(("printf '" + commands + "' | ip -batch -").c_str()) != 0)
      throw std::runtime_error{"addresses for the test"};
  }
  ~OwnNamespace() {
    (void)::setns(home_, CLONE_NEWNET);
    ::close(home_);
  }
  OwnNamespace(const OwnNamespace&) = delete;
  OwnNamespace& operator=(const OwnNamespace&) = delete;

 private:
  int home_;
};

class EdgeTest : public testing::Test, OwnNamespace {
 protected:
  // Runs the loop until it holds or ten seconds passed.
  bool eventually(const std::function<bool()>& holds, std::chrono::milliseconds limit = std::chrono::seconds{10}) {
    const auto deadline = std::chrono::steady_clock::now() + limit;
    while (!holds()) {
      if (std::chrono::steady_clock::now() >= deadline) return false;
      io.restart();
      io.run_one_for(std::chrono::milliseconds{20});
    }
    return true;
  }
  // For what must not happen: given a while, it did not.
  bool never(const std::function<bool()>& holds) { return !eventually(holds, std::chrono::milliseconds{400}); }

  boost::asio::io_context io;
};

}  // namespace speaker
