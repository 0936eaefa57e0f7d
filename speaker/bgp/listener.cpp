// SPDX-License-Identifier: Apache-2.0
#include "speaker/bgp/listener.hpp"

#include <set>
#include <utility>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "speaker/bgp/edge.hpp"
#include "speaker/bgp/endpoint.hpp"
#include "speaker/bgp/socket_options.hpp"
#include "speaker/bgp/tcp_ao.hpp"

namespace speaker {

namespace asio = boost::asio;
using boost::system::error_code;

namespace {

constexpr int backlog = 128;
// When the process is out of descriptors, accept() fails at once for as long as it lasts.
constexpr std::chrono::milliseconds pause_after_error{100};

}  // namespace

BgpListener::BgpListener(BgpEdge& edge, asio::io_context& io, const net::IpAddress& address, std::uint16_t port)
    : edge_{&edge}, address_{address}, port_{port}, acceptor_{io} {}

net::Result<std::shared_ptr<BgpListener>, error_code> BgpListener::open(BgpEdge& edge, asio::io_context& io,
                                                                        const net::IpAddress& address,
                                                                        std::uint16_t port) {
  const auto endpoint = to_endpoint(address, port);
  if (!endpoint) return net::fail(error_code{boost::system::errc::no_such_device, boost::system::generic_category()});
  auto listener = std::make_shared<BgpListener>(edge, io, address, port);
  auto& acceptor = listener->acceptor_;
  error_code error;
  acceptor.open(endpoint->protocol(), error);
  if (error) return net::fail(error);
  acceptor.set_option(asio::socket_base::reuse_address{true}, error);
  set_common_options(acceptor.native_handle(), address.family());
  set_listener_options(acceptor.native_handle(), address.family());
  acceptor.bind(*endpoint, error);
  if (!error) acceptor.listen(backlog, error);
  if (error) return net::fail(error);
  return listener;
}

void BgpListener::start(std::shared_ptr<BgpListener> self) {
  const auto executor = self->acceptor_.get_executor();
  asio::co_spawn(executor, accept(std::move(self)), asio::detached);
}

void BgpListener::close() {
  edge_ = nullptr;
  error_code ignored;
  acceptor_.close(ignored);
}

asio::awaitable<void> BgpListener::accept(std::shared_ptr<BgpListener> self) {
  error_code error;
  auto token = asio::redirect_error(asio::use_awaitable, error);
  asio::steady_timer pause{self->acceptor_.get_executor()};
  while (self->edge_ != nullptr) {
    auto socket = co_await self->acceptor_.async_accept(token);
    if (self->edge_ == nullptr) co_return;
    if (!error) {
      self->edge_->accepted(*self, std::move(socket));
    } else {
      pause.expires_after(pause_after_error);
      co_await pause.async_wait(token);
    }
  }
}

std::map<net::Prefix, std::string> BgpListener::fit_keys(const std::map<net::Prefix, std::string>& wanted) {
  std::map<net::Prefix, std::string> errors;
  const auto socket = acceptor_.native_handle();
  for (auto key = keys_.begin(); key != keys_.end();) {
    if (wanted.contains(key->first)) {
      ++key;
      continue;
    }
    const auto removed = set_md5_key(socket, key->first, {});
    if (!removed) errors[key->first] = removed.error();
    key = keys_.erase(key);
  }
  std::set<net::Prefix> guarded;
  for (const auto& [neighbors, key] : wanted) {
    if (neighbors.family() != address_.family() || has_key(neighbors, key)) continue;
    const auto set = set_md5_key(socket, neighbors, key);
    if (set) {
      keys_[neighbors] = key;
      guarded.insert(neighbors);
    } else {
      keys_.erase(neighbors);
      errors[neighbors] = set.error();
    }
  }
  if (!guarded.empty()) turn_away(guarded);
  return errors;
}

void BgpListener::turn_away(const std::set<net::Prefix>& guarded) {
  error_code error;
  acceptor_.non_blocking(true, error);
  while (edge_ != nullptr && !error) {
    asio::ip::tcp::socket socket{acceptor_.get_executor()};
    acceptor_.accept(socket, error);
    if (error) return;
    error_code gone;
    const auto remote = socket.remote_endpoint(gone);
    const bool unguarded = !gone && std::ranges::none_of(guarded, [&](const net::Prefix& neighbors) {
      return neighbors.contains(to_address(remote));
    });
    if (unguarded) edge_->accepted(*this, std::move(socket));
  }
}

bool BgpListener::has_key(const net::Prefix& neighbors, const std::string& key) const {
  const auto found = keys_.find(neighbors);
  return found != keys_.end() && found->second == key;
}

std::map<net::Prefix, std::string> BgpListener::fit_ao_keys(
    const std::map<net::Prefix, bgp::AuthenticationKeys>& wanted) {
  std::map<net::Prefix, std::string> errors;
  const auto socket = acceptor_.native_handle();
  const auto fit = [&](const net::Prefix& neighbors, bgp::AuthenticationKeys& present,
                       const bgp::AuthenticationKeys& keys) {
    if (const auto done = speaker::fit_ao_keys(socket, neighbors, present, keys); !done)
      errors[neighbors] = done.error();
  };
  for (auto known = ao_keys_.begin(); known != ao_keys_.end();) {
    const bool stays = wanted.contains(known->first);
    if (!stays) fit(known->first, known->second, {});
    known = stays ? std::next(known) : ao_keys_.erase(known);
  }
  for (const auto& [neighbors, keys] : wanted) {
    if (neighbors.family() == address_.family()) fit(neighbors, ao_keys_[neighbors], keys);
  }
  return errors;
}

bool BgpListener::has_ao_keys(const net::Prefix& neighbors, const bgp::AuthenticationKeys& keys) const {
  const auto found = ao_keys_.find(neighbors);
  return found != ao_keys_.end() && found->second == keys;
}

}  // namespace speaker
