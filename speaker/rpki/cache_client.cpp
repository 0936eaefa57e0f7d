// SPDX-License-Identifier: Apache-2.0
#include "speaker/rpki/cache_client.hpp"

#include <algorithm>
#include <utility>

#include <boost/asio/buffer.hpp>
#include <boost/asio/write.hpp>

#include "net/time.hpp"
#include "speaker/bgp/endpoint.hpp"

namespace speaker {

using boost::system::error_code;

CacheClient::CacheClient(boost::asio::io_context& io, RpkiCache cache, std::function<void()> changed,
                         std::function<void()> moved)
    : socket_{io}, timer_{io}, cache_{cache}, changed_{std::move(changed)}, moved_{std::move(moved)} {}

void CacheClient::start() {
  dial();
}

void CacheClient::stop() {
  stopped_ = true;
  timer_.cancel();
  error_code ignored;
  socket_.close(ignored);
}

void CacheClient::dial() {
  const auto remote = to_endpoint(cache_.address, cache_.port);
  if (!remote) return hang_up(remote.error());
  socket_.async_connect(*remote, [self = shared_from_this()](const error_code& error) {
    if (self->stopped_) return;
    if (error) return self->hang_up(error.message());
    self->connected_ = true;
    self->tell("");
    self->session_.connected(net::Clock::now());
    self->read();
    self->pump();
  });
}

void CacheClient::read() {
  socket_.async_read_some(boost::asio::buffer(input_),
                          [self = shared_from_this()](const error_code& error, std::size_t size) {
                            if (self->stopped_ || !self->connected_) return;
                            if (error == boost::asio::error::eof) return self->hang_up("closed by the cache");
                            if (error) return self->hang_up(error.message());
                            self->session_.received({self->input_.data(), size}, net::Clock::now());
                            self->pump();
                            if (self->connected_) self->read();
                          });
}

// After anything that the session was told.
void CacheClient::pump() {
  if (session_.take_changed()) changed_();
  const auto output = session_.take_output();
  pending_.insert(pending_.end(), output.begin(), output.end());
  write();
  arm();
}

void CacheClient::write() {
  if (!connected_ || writing_) return;
  if (pending_.empty()) {
    if (session_.wants_close()) hang_up(session_.last_error());
    return;
  }
  writing_ = true;
  in_flight_ = std::exchange(pending_, {});
  boost::asio::async_write(socket_, boost::asio::buffer(in_flight_),
                           [self = shared_from_this()](const error_code& error, std::size_t /*size*/) {
                             self->writing_ = false;
                             if (self->stopped_ || !self->connected_) return;
                             if (error) return self->hang_up(error.message());
                             self->write();
                           });
}

void CacheClient::hang_up(const std::string& why) {
  connected_ = false;
  pending_.clear();
  session_.lost(net::Clock::now());
  error_code ignored;
  socket_.close(ignored);
  tell(why);
  arm();
}

void CacheClient::tell(const std::string& trouble) {
  if (std::exchange(trouble_, trouble) != trouble) moved_();
}

void CacheClient::arm() {
  constexpr auto least = std::chrono::seconds{1};  // a cache that refuses at once is not dialled in a loop
  auto due = session_.next_deadline();
  const auto now = net::Clock::now();
  if (!connected_) {
    const auto dial_at = std::max(session_.retry_at(), now + least);
    due = due ? std::min(*due, dial_at) : dial_at;
  }
  if (!due) return;
  timer_.expires_at(*due);
  timer_.async_wait([self = shared_from_this()](const error_code& error) {
    if (error || self->stopped_) return;
    const auto then = net::Clock::now();
    self->session_.tick(then);
    if (self->session_.take_changed()) self->changed_();
    if (!self->connected_ && !self->socket_.is_open() && self->session_.retry_at() <= then) return self->dial();
    self->pump();
  });
}

}  // namespace speaker
