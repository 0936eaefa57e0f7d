// SPDX-License-Identifier: Apache-2.0
#include "speaker/bgp/connection.hpp"

#include <algorithm>
#include <utility>

#include <boost/asio/buffer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "speaker/bgp/edge.hpp"

namespace speaker {

namespace asio = boost::asio;
using boost::system::error_code;

namespace {

constexpr std::size_t bytes_a_turn = 64UL * 1024;
constexpr std::chrono::seconds longest_linger{2};

}  // namespace

BgpConnection::BgpConnection(BgpEdge& edge, asio::ip::tcp::socket socket, std::optional<bgp::Link> link)
    : edge_{&edge}, socket_{std::move(socket)}, linger_{socket_.get_executor()}, link_{link} {}

void BgpConnection::dial(std::shared_ptr<BgpConnection> self, asio::ip::tcp::endpoint remote) {
  const auto executor = self->socket_.get_executor();
  self->dialling_ = true;
  asio::co_spawn(executor, connect_then_read(std::move(self), std::move(remote)), asio::detached);
}

void BgpConnection::start_reading(std::shared_ptr<BgpConnection> self) {
  const auto executor = self->socket_.get_executor();
  asio::co_spawn(executor, read(std::move(self)), asio::detached);
}

void BgpConnection::close() {
  edge_ = nullptr;
  error_code ignored;
  socket_.close(ignored);
  linger_.cancel();
}

asio::awaitable<void> BgpConnection::connect_then_read(std::shared_ptr<BgpConnection> self,
                                                       asio::ip::tcp::endpoint remote) {
  error_code error;
  auto token = asio::redirect_error(asio::use_awaitable, error);
  co_await self->socket_.async_connect(remote, token);
  if (!self->open()) co_return;
  self->dialling_ = false;
  if (error) {
    self->edge_->lost(*self, error.message());
    co_return;
  }
  self->edge_->connected(*self);
  if (self->open()) start_reading(self);
}

asio::awaitable<void> BgpConnection::read(std::shared_ptr<BgpConnection> self) {
  error_code error;
  auto token = asio::redirect_error(asio::use_awaitable, error);
  while (self->open()) {
    co_await self->socket_.async_wait(asio::socket_base::wait_read, token);
    if (!self->open()) co_return;
    if (error) {
      self->edge_->lost(*self, error.message());
      continue;
    }
    // All others that are ready have their turn in between.
    while (self->open() && self->edge_->readable(*self)) co_await asio::post(token);
  }
}

void BgpConnection::flush(const std::shared_ptr<BgpConnection>& self) {
  if (!self->open() || self->write_waits_ || self->write_some() == Rest::None) return;
  self->write_waits_ = true;
  self->edge_->blocked(*self);
  asio::co_spawn(self->socket_.get_executor(), write(self), asio::detached);
}

// A socket that can take more at once waits too: all others get their turn in between.
asio::awaitable<void> BgpConnection::write(std::shared_ptr<BgpConnection> self) {
  error_code error;
  auto token = asio::redirect_error(asio::use_awaitable, error);
  co_await self->socket_.async_wait(asio::socket_base::wait_write, token);
  while (!error && self->open() && self->write_some() == Rest::Some) {
    self->edge_->blocked(*self);
    co_await self->socket_.async_wait(asio::socket_base::wait_write, token);
  }
  self->write_waits_ = false;
  if (self->open()) self->edge_->unblocked(*self);
}

BgpConnection::Rest BgpConnection::write_some() {
  if (!waiting_.empty()) {
    waiting_.erase(waiting_.begin(), waiting_.begin() + static_cast<std::ptrdiff_t>(put(waiting_)));
    if (!waiting_.empty()) return Rest::Some;
    waiting_ = {};
  }
  for (std::size_t written = 0; !finishing_;) {
    if (written >= bytes_a_turn) return Rest::Some;
    const auto [bytes, more] = edge_->take_output(*this);
    if (bytes.empty()) return Rest::None;
    const auto taken = put(bytes);
    written += taken;
    if (taken < bytes.size()) {
      waiting_.assign(bytes.begin() + static_cast<std::ptrdiff_t>(taken), bytes.end());
      return Rest::Some;
    }
    if (!more) return Rest::None;
  }
  error_code ignored;
  socket_.shutdown(asio::ip::tcp::socket::shutdown_send, ignored);
  return Rest::None;
}

// How many of the bytes TCP took. A broken one swallows all: whoever reads will find out that there is no more, and
// tells it with the cause, which TCP names once. That the peer had closed (EPIPE) is what a read says.
std::size_t BgpConnection::put(std::span<const std::uint8_t> bytes) {
  error_code error;
  const auto taken = socket_.write_some(asio::buffer(bytes.data(), bytes.size()), error);
  if (error && error != asio::error::would_block) {
    if (!broken_ && error != asio::error::broken_pipe) broken_ = error;
    return bytes.size();
  }
  edge_->written(*this, taken);
  return taken;
}

// Closing at once would answer bytes that the peer has under way with a reset, and a reset may throw away our
// NOTIFICATION on its side. So: the end of our stream first, and its end awaited, for a while.
void BgpConnection::finish(const std::shared_ptr<BgpConnection>& self, std::span<const std::uint8_t> last) {
  self->finishing_ = true;
  self->waiting_.insert(self->waiting_.end(), last.begin(), last.end());
  self->linger_.expires_after(longest_linger);
  self->linger_.async_wait([self](const error_code& error) {
    if (!error && self->open()) self->edge_->closed(*self);
  });
  flush(self);
}

}  // namespace speaker
