// SPDX-License-Identifier: Apache-2.0
#include "speaker/bfd/edge.hpp"

#include <algorithm>
#include <random>

#include <net/if.h>

#include "net/match.hpp"

namespace speaker {
namespace {

net::TimePoint now() {
  return net::Clock::now();
}

std::uint64_t random_number() {
  std::random_device device;
  return std::uint64_t{device()} << 32 | device();
}

bfd::Endpoint endpoint_of(const BfdPath& path) {
  bfd::Endpoint end{path.hops, path.remote, path.source, 0};
  if (path.hops == bfd::Hops::Single && !path.interface.empty())
    end.interface_index = ::if_nametoindex(path.interface.c_str());
  return end;
}

}  // namespace

BfdEdge::BfdEdge(boost::asio::io_context& io, BfdEdgeEvents events)
    : io_{io}, events_{std::move(events)}, random_{random_number()}, sessions_{random_number()}, timer_{io} {}

BfdEdge::~BfdEdge() = default;

// ---- sessions -----------------------------------------------------------------------------------------

bfd::SessionId BfdEdge::add(const BfdTarget& target) {
  listen(target.path.hops, target.path.remote.family());
  want_echo(target);
  const auto id = sessions_.add(endpoint_of(target.path), target.config, target.minimum_ttl, now());
  senders_[id].path = target.path;
  pump();
  return id;
}

void BfdEdge::configure(bfd::SessionId session, const BfdTarget& target) {
  want_echo(target);
  sessions_.configure(session, target.config, target.minimum_ttl, now());
  pump();
}

void BfdEdge::remove(bfd::SessionId session) {
  sessions_.remove(session, now());
  pump();
}

void BfdEdge::path_down(bfd::SessionId session) {
  sessions_.path_down(session, now());
  pump();
}

std::optional<BfdPlace> BfdEdge::place(bfd::SessionId session) const {
  const auto sender = senders_.find(session);
  if (sender == senders_.end()) return std::nullopt;
  const auto found = places_.find(sender->second.path.remote);
  const auto heard = found != places_.end() && found->second.interface_index != 0;
  return heard ? std::optional{found->second} : std::nullopt;
}

// ---- receiving ----------------------------------------------------------------------------------------

void BfdEdge::listen(bfd::Hops hops, net::Family family) {
  const auto there = std::ranges::any_of(
      listeners_, [&](const auto& listener) { return listener->hops == hops && listener->family == family; });
  if (there) return;
  const auto where = "bfd " + std::string{net::print(family)} + " port " + std::to_string(bfd::port_of(hops));
  auto made = open_bfd_listener(family, bfd::port_of(hops));
  if (!made) return report(where, made.error());
  problems_.erase(where);
  listeners_.push_back(std::make_unique<Listener>(io_, made->release(), hops, family));
  wait(*listeners_.back());
}

void BfdEdge::wait(Listener& listener) {
  listener.descriptor.async_wait(boost::asio::posix::stream_descriptor::wait_read,
                                 [this, &listener](const boost::system::error_code& error) {
                                   if (error) return;  // closed with its owner
                                   read(listener);
                                   pump();
                                   wait(listener);
                                 });
}

void BfdEdge::read(Listener& listener) {
  receive_bfd(listener.descriptor.native_handle(), listener.family, [&](const BfdDatagram& datagram) {
    const bfd::Arrival arrival{listener.hops, datagram.remote, datagram.local, datagram.interface_index, datagram.ttl};
    // Only of neighbours: a stranger leaves no trace.
    if (const auto known = places_.find(datagram.remote); known != places_.end())
      known->second = {datagram.local, datagram.interface_index};
    sessions_.received(arrival, datagram.bytes, now());
  });
}

// What has come and was not read yet, because the loop was busy, must not be missed by a deadline.
void BfdEdge::read_all() {
  for (const auto& listener : listeners_) read(*listener);
  if (echo_ != nullptr) echo_->read();
}

void BfdEdge::tick() {
  read_all();
  sessions_.tick(now());
  pump();
}

// ---- actions ------------------------------------------------------------------------------------------

void BfdEdge::pump() {
  if (std::exchange(pumping_, true)) return;
  for (auto actions = sessions_.take_actions(); !actions.empty(); actions = sessions_.take_actions())
    for (const auto& action : actions) perform(action);
  pumping_ = false;
  rearm();
}

void BfdEdge::perform(const bfd::SessionsAction& action) {
  std::visit(net::match{
                 [&](const bfd::SessionAction& of) { perform(of.session, of.action); },
                 [&](const bfd::SessionGone& gone) {
                   const auto sender = senders_.find(gone.session);
                   if (sender == senders_.end()) return;
                   const auto remote = sender->second.path.remote;
                   senders_.erase(sender);
                   const auto others = std::ranges::any_of(
                       senders_, [&](const auto& each) { return each.second.path.remote == remote; });
                   if (!others) places_.erase(remote);
                 },
             },
             action);
}

void BfdEdge::perform(bfd::SessionId session, const bfd::Action& action) {
  std::visit(net::match{
                 [&](const bfd::SendControl& packet) { send(session, packet); },
                 [&](const bfd::SendEcho& echo) { send_echo(session, echo); },
                 [&](const bfd::StateChanged& change) {
                   if (events_.changed) events_.changed(session, change);
                 },
                 [&](const bfd::RemoteAdminChanged& change) {
                   if (events_.admin_changed) events_.admin_changed(session, change);
                 },
             },
             action);
}

void BfdEdge::send(bfd::SessionId session, const bfd::SendControl& packet) {
  const auto found = senders_.find(session);
  if (found == senders_.end()) return;
  auto& sender = found->second;
  if (!sender.socket && !open(sender)) return;
  if (send_bfd(sender.socket.get(), packet.bytes)) return;
  // The address that it was bound to, or the route, may be another by now.
  sender.socket = {};
  if (open(sender)) (void)send_bfd(sender.socket.get(), packet.bytes);
}

bool BfdEdge::open(Sender& sender) {
  const auto where = "bfd " + net::print(sender.path.remote);
  for (int attempt = 0; attempt < 64; ++attempt) {
    const auto port = sender.port != 0 ? sender.port : free_port();
    auto made = open_bfd_sender(sender.path, port);
    if (made) {
      sender.port = port;
      sender.socket = std::move(*made);
      problems_.erase(where);
      places_.try_emplace(sender.path.remote);
      return true;
    }
    if (!made.error().address_in_use) {
      report(where, made.error().text);
      return false;
    }
    sender.port = 0;
  }
  report(where, "no source port from 49152 to 65535 is free");
  return false;
}

std::uint16_t BfdEdge::free_port() {
  constexpr unsigned count = bfd::last_source_port - bfd::first_source_port + 1U;
  for (;;) {
    random_ = random_ * 6364136223846793005ULL + 1442695040888963407ULL;
    const auto port = static_cast<std::uint16_t>(bfd::first_source_port + (random_ >> 33) % count);
    const auto taken = std::ranges::any_of(senders_, [&](const auto& sender) { return sender.second.port == port; });
    if (!taken) return port;
  }
}

// ---- echo ---------------------------------------------------------------------------------------------

void BfdEdge::want_echo(const BfdTarget& target) {
  if (target.config.echo_interval.count() == 0 && target.config.required_min_echo_rx.count() == 0) return;
  if (echo_ == nullptr) {
    echo_ = std::make_unique<BfdEcho>(
        io_, random_number(),
        [this](const bfd::Echo& echo) {
          sessions_.echo_returned({echo.discriminator}, echo.sequence, now());
          rearm();
        },
        [this](const net::IpAddress& remote) { return places_.contains(remote); });
  }
  const auto where = "bfd echo " + std::string{net::print(target.path.remote.family())};
  if (const auto opened = echo_->open(target.path.remote.family()); !opened)
    report(where, opened.error());
  else
    problems_.erase(where);
}

void BfdEdge::send_echo(bfd::SessionId session, const bfd::SendEcho& echo) {
  const auto at = place(session);
  if (echo_ == nullptr || !at) return;
  echo_->send(senders_.at(session).path.remote, *at, {session.value, echo.sequence}, echo.path);
}

// ---- the timer ----------------------------------------------------------------------------------------

// A timer that fires too early costs less than one that is set anew for every packet.
void BfdEdge::rearm() {
  const auto next = sessions_.next_deadline();
  if (!next || (armed_for_ && *armed_for_ <= *next)) return;
  armed_for_ = next;
  timer_.expires_at(*next);
  timer_.async_wait([this](const boost::system::error_code& error) {
    if (error) return;
    armed_for_.reset();
    tick();
  });
}

void BfdEdge::report(const std::string& where, const std::string& text) {
  auto& said = problems_[where];
  if (said == text) return;
  said = text;
  if (events_.problem) events_.problem(where, text);
}

}  // namespace speaker
