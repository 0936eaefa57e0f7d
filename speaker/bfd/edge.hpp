// SPDX-License-Identifier: Apache-2.0
// Where BFD sessions meet UDP: receives, sends, and keeps the one timer. It decides nothing of the protocol. Everything
// runs on the one thread of the io_context.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>

#include "bfd/sessions.hpp"
#include "speaker/bfd/echo.hpp"
#include "speaker/bfd/sockets.hpp"

namespace speaker {

// One session as it is asked for.
struct BfdTarget {
  BfdPath path;
  bfd::SessionConfig config;
  std::uint8_t minimum_ttl = 254;  // Hops::Multi only
  friend bool operator==(const BfdTarget&, const BfdTarget&) = default;
};

// What the edge tells. All of these may call the edge, none may destroy it.
struct BfdEdgeEvents {
  std::function<void(bfd::SessionId, const bfd::StateChanged&)> changed;
  std::function<void(bfd::SessionId, const bfd::RemoteAdminChanged&)> admin_changed;
  // Something at the sockets that a person has to put right; said once when it begins.
  std::function<void(const std::string& where, const std::string& text)> problem;
};

class BfdEdge {
 public:
  BfdEdge(boost::asio::io_context& io, BfdEdgeEvents events);
  ~BfdEdge();
  BfdEdge(const BfdEdge&) = delete;
  BfdEdge& operator=(const BfdEdge&) = delete;

  bfd::SessionId add(const BfdTarget& target);
  // Precondition: the path is that of add().
  void configure(bfd::SessionId session, const BfdTarget& target);
  // Says AdminDown for a detection time, then goes.
  void remove(bfd::SessionId session);
  void path_down(bfd::SessionId session);

  [[nodiscard]] const bfd::Sessions& sessions() const { return sessions_; }
  // The ends of a session as packets show them; nothing before the first one came.
  [[nodiscard]] std::optional<BfdPlace> place(bfd::SessionId session) const;

 private:
  struct Listener {
    Listener(boost::asio::io_context& io, int fd, bfd::Hops h, net::Family f)
        : descriptor{io, fd}, hops{h}, family{f} {}
    boost::asio::posix::stream_descriptor descriptor;
    bfd::Hops hops;
    net::Family family;
  };
  struct Sender {
    BfdPath path;
    std::uint16_t port = 0;  // one for the life of the session (RFC 5881 section 4); 0: not chosen yet
    Descriptor socket;
  };

  void listen(bfd::Hops hops, net::Family family);
  void want_echo(const BfdTarget& target);
  void wait(Listener& listener);
  void read(Listener& listener);
  void read_all();
  void tick();
  void pump();
  void perform(const bfd::SessionsAction& action);
  void perform(bfd::SessionId session, const bfd::Action& action);
  void send(bfd::SessionId session, const bfd::SendControl& packet);
  void send_echo(bfd::SessionId session, const bfd::SendEcho& echo);
  [[nodiscard]] bool open(Sender& sender);
  [[nodiscard]] std::uint16_t free_port();
  void rearm();
  void report(const std::string& where, const std::string& text);

  boost::asio::io_context& io_;
  BfdEdgeEvents events_;
  std::uint64_t random_;
  bfd::Sessions sessions_;
  boost::asio::steady_timer timer_;
  std::optional<net::TimePoint> armed_for_;
  bool pumping_ = false;
  std::vector<std::unique_ptr<Listener>> listeners_;
  std::map<bfd::SessionId, Sender> senders_;
  std::map<net::IpAddress, BfdPlace> places_;  // of the neighbours of senders_
  std::unique_ptr<BfdEcho> echo_;
  std::map<std::string, std::string> problems_;  // what was said last, by where
};

}  // namespace speaker
