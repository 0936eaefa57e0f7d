// SPDX-License-Identifier: Apache-2.0
#include "speaker/bmp/station.hpp"

#include <algorithm>
#include <utility>

#include <boost/asio/buffer.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/write.hpp>

#include "net/time.hpp"
#include "speaker/bgp/endpoint.hpp"
#include "speaker/wall_clock.hpp"

namespace speaker {

using boost::system::error_code;

namespace {

constexpr net::Seconds first_pause{1};
constexpr net::Seconds longest_pause{120};
// A connection that lasted so long has shown that the station is well: the next pause is the first again.
constexpr net::Seconds stable_after{30};
constexpr net::Seconds last_moment{2};
// Given to the socket at once, and pieces of the tables that are read for it in one turn.
constexpr std::size_t write_size = 64 << 10;
constexpr int pieces_at_once = 4;

}  // namespace

Station::Station(boost::asio::io_context& io, bgp::Router& router, StationConfig config, Changed changed)
    : io_{io},
      socket_{io},
      redial_{io},
      report_{io},
      last_moment_{io},
      router_{router},
      config_{std::move(config)},
      changed_{std::move(changed)} {}

void Station::start() {
  dial();
}

// ---- the connection ---------------------------------------------------------------------------------

void Station::dial() {
  const auto remote = to_endpoint(config_.address, config_.port);
  if (!remote) return hang_up(remote.error());
  socket_.async_connect(*remote, [self = shared_from_this()](const error_code& error) {
    if (self->stopped_) return;
    if (error) return self->hang_up(error.message());
    self->connected();
  });
}

void Station::connected() {
  error_code ignored;
  // A station that is gone without a word is noticed though it is never heard.
  socket_.set_option(boost::asio::socket_base::keep_alive{true}, ignored);
  past_.since = net::Clock::now();
  ++past_.connections;
  past_.trouble.clear();
  feed_ = std::make_unique<bgp::bmp::Feed>(router_, config_.feed);
  feed_->set_time(wall_now());
  feed_->open();
  for (const auto peer : feed_->asks_again()) (void)router_.refresh_in(peer);
  changed_(*this);
  report_later();
  read();
  write();
}

// A station says nothing (RFC 7854 section 3.2); what it does say is not looked at.
void Station::read() {
  socket_.async_read_some(boost::asio::buffer(input_),
                          [self = shared_from_this()](const error_code& error, std::size_t) {
                            if (self->feed_ == nullptr) return;
                            if (error == boost::asio::error::eof) return self->hang_up("closed by the station");
                            if (error) return self->hang_up(error.message());
                            self->read();
                          });
}

void Station::pump() {
  if (feed_ == nullptr) return;
  if (feed_->overflowed()) {
    ++past_.overflows;
    return hang_up("too slow: more than " + std::to_string(config_.feed.limit >> 20) + " MiB waited for it");
  }
  write();
}

void Station::write() {
  if (feed_ == nullptr || writing_) return;
  in_flight_.clear();
  if (!stopped_) feed_->set_time(wall_now());
  for (int piece = 0; piece < pieces_at_once && in_flight_.size() < write_size; ++piece) feed_->pull(in_flight_);
  if (in_flight_.empty()) {
    if (stopped_) return finish();
    // A piece of the tables may have nothing for the station.
    if (feed_->walking() && !std::exchange(posted_, true)) {
      boost::asio::post(io_, [self = shared_from_this()] {
        self->posted_ = false;
        self->pump();
      });
    }
    return;
  }
  writing_ = true;
  boost::asio::async_write(socket_, boost::asio::buffer(in_flight_),
                           [self = shared_from_this()](const error_code& error, std::size_t) {
                             self->writing_ = false;
                             if (self->feed_ == nullptr) return;
                             if (error) return self->hang_up(error.message());
                             self->pump();
                           });
}

void Station::drop_feed() {
  if (feed_ == nullptr) return;
  past_.messages += feed_->counters().messages;
  past_.bytes += feed_->counters().bytes;
  feed_.reset();
}

void Station::hang_up(const std::string& why) {
  if (stopped_) return finish();
  const auto now = net::Clock::now();
  if (past_.since && now - *past_.since >= stable_after) pause_ = {};
  const bool news = feed_ != nullptr || why != past_.trouble;
  past_.since.reset();
  past_.trouble = why;
  report_.cancel();
  drop_feed();
  if (news) changed_(*this);
  error_code ignored;
  socket_.close(ignored);
  pause_ = pause_ == net::Duration{0} ? net::Duration{first_pause} : std::min<net::Duration>(2 * pause_, longest_pause);
  redial_.expires_after(pause_);
  redial_.async_wait([self = shared_from_this()](const error_code& error) {
    if (!error && !self->stopped_) self->dial();
  });
}

void Station::report_later() {
  if (config_.statistics_interval == net::Seconds{0}) return;
  report_.expires_after(config_.statistics_interval);
  report_.async_wait([self = shared_from_this()](const error_code& error) {
    if (error || self->stopped_ || self->feed_ == nullptr) return;
    self->feed_->set_time(wall_now());
    self->feed_->report();
    self->pump();
    if (self->feed_ != nullptr) self->report_later();
  });
}

// ---- the end ----------------------------------------------------------------------------------------

void Station::stop(const std::string& why, std::function<void()> done) {
  stopped_ = true;
  done_ = std::move(done);
  redial_.cancel();
  report_.cancel();
  if (feed_ == nullptr) return finish();
  feed_->set_time(wall_now());
  feed_->close(bgp::bmp::TerminationReason::Closed, why);
  last_moment_.expires_after(last_moment);
  last_moment_.async_wait([self = shared_from_this()](const error_code& error) {
    if (!error) self->finish();
  });
  write();
}

void Station::finish() {
  last_moment_.cancel();
  error_code ignored;
  socket_.shutdown(boost::asio::socket_base::shutdown_send, ignored);
  socket_.close(ignored);
  feed_.reset();
  if (done_) std::exchange(done_, nullptr)();
}

StationStatus Station::status() const {
  auto status = past_;
  status.config = config_;
  if (feed_ == nullptr) return status;
  status.connected = true;
  status.walking = feed_->walking();
  status.messages += feed_->counters().messages;
  status.bytes += feed_->counters().bytes;
  status.waiting = feed_->waiting() + (writing_ ? in_flight_.size() : 0);
  return status;
}

}  // namespace speaker
