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

#include "net/prefix.hpp"
#include "speaker/bgp/edge.hpp"
#include "speaker/bgp/endpoint.hpp"
#include "speaker/bgp/socket_options.hpp"

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

std::map<net::IpAddress, std::string> BgpListener::fit_keys(const std::map<net::IpAddress, std::string>& wanted) {
  std::map<net::IpAddress, std::string> errors;
  const auto socket = acceptor_.native_handle();
  for (auto key = keys_.begin(); key != keys_.end();) {
    if (wanted.contains(key->first)) {
      ++key;
      continue;
    }
    const auto removed = set_md5_key(socket, net::Prefix::host(key->first), {});
    if (!removed) errors[key->first] = removed.error();
    key = keys_.erase(key);
  }
  std::set<net::IpAddress> guarded;
  for (const auto& [neighbor, key] : wanted) {
    if (neighbor.family() != address_.family() || has_key(neighbor, key)) continue;
    const auto set = set_md5_key(socket, net::Prefix::host(neighbor), key);
    if (set) {
      keys_[neighbor] = key;
      guarded.insert(neighbor);
    } else {
      keys_.erase(neighbor);
      errors[neighbor] = set.error();
    }
  }
  if (!guarded.empty()) turn_away(guarded);
  return errors;
}

void BgpListener::turn_away(const std::set<net::IpAddress>& guarded) {
  error_code error;
  acceptor_.non_blocking(true, error);
  while (edge_ != nullptr && !error) {
    asio::ip::tcp::socket socket{acceptor_.get_executor()};
    acceptor_.accept(socket, error);
    if (error) return;
    error_code gone;
    const auto remote = socket.remote_endpoint(gone);
    if (!gone && !guarded.contains(to_address(remote))) edge_->accepted(*this, std::move(socket));
  }
}

bool BgpListener::has_key(const net::IpAddress& neighbor, const std::string& key) const {
  const auto found = keys_.find(neighbor);
  return found != keys_.end() && found->second == key;
}

}  // namespace speaker
