// SPDX-License-Identifier: Apache-2.0
// The connection to one monitoring station: dials, gives it what its feed has while it takes more, and begins anew with
// a fresh feed when it is lost or was too slow. The pause between two dials grows.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>

#include "bgp/bmp/feed.hpp"
#include "net/address.hpp"
#include "net/time.hpp"

namespace speaker {

struct StationConfig {
  net::IpAddress address;
  std::uint16_t port = 0;
  bgp::bmp::FeedConfig feed;
  net::Seconds statistics_interval{0};  // 0: none
  // What was said of this router at the beginning: with another, the station is to begin anew.
  net::Asn asn;
  net::RouterId router_id;
  friend bool operator==(const StationConfig&, const StationConfig&) = default;
};

struct StationStatus {
  StationConfig config;
  bool connected = false;
  bool walking = false;  // it does not have the whole tables yet
  std::optional<net::TimePoint> since;
  std::uint64_t connections = 0;
  std::uint64_t overflows = 0;  // connections given up because it was too slow
  std::uint64_t messages = 0;   // of all connections
  std::uint64_t bytes = 0;
  std::size_t waiting = 0;  // octets
  std::string trouble;      // why it is not connected
};

class Station : public std::enable_shared_from_this<Station> {
 public:
  // `changed` is called when feed() is another one, and when there is another reason why there is none.
  using Changed = std::function<void(const Station&)>;
  Station(boost::asio::io_context& io, bgp::Router& router, StationConfig config, Changed changed);

  void start();
  // The last words, and the end; then `done`, after two seconds at most. Nothing is called any more after that.
  void stop(const std::string& why, std::function<void()> done);
  // After every turn in which the feed was told something.
  void pump();

  // Nothing while it is not connected.
  [[nodiscard]] bgp::bmp::Feed* feed() const { return feed_.get(); }
  [[nodiscard]] const StationConfig& config() const { return config_; }
  [[nodiscard]] StationStatus status() const;

 private:
  void dial();
  void connected();
  void read();
  void write();
  void report_later();
  void hang_up(const std::string& why);
  void drop_feed();
  void finish();

  boost::asio::io_context& io_;
  boost::asio::ip::tcp::socket socket_;
  boost::asio::steady_timer redial_;
  boost::asio::steady_timer report_;
  boost::asio::steady_timer last_moment_;
  bgp::Router& router_;
  StationConfig config_;
  Changed changed_;
  std::function<void()> done_;  // once stopped
  bool stopped_ = false;
  std::unique_ptr<bgp::bmp::Feed> feed_;
  StationStatus past_;  // of feeds that are over
  net::Duration pause_{0};
  bool writing_ = false;
  bool posted_ = false;
  std::vector<std::uint8_t> in_flight_;
  std::array<std::uint8_t, 512> input_{};
};

}  // namespace speaker
