// SPDX-License-Identifier: Apache-2.0
// Who watches the router: monitoring stations (BMP) and files (MRT). While nobody does, the router is told so and
// spends nothing on it.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <boost/asio/io_context.hpp>

#include "bgp/router.hpp"
#include "config/resources.hpp"
#include "speaker/bmp/station.hpp"
#include "speaker/log.hpp"
#include "speaker/mrt/mrt_files.hpp"

namespace speaker {

class BgpSide;

struct WatchConfig {
  std::vector<StationConfig> stations;
  std::optional<MrtConfig> mrt;
};
// `node` and the version are what stations are told of this system.
[[nodiscard]] WatchConfig watch_config(const config::BGPConfiguration& from, const bgp::RouterConfig& router,
                                       const std::string& node);

class WatchSide {
 public:
  WatchSide(boost::asio::io_context& io, Log& log, BgpSide& bgp);
  ~WatchSide();
  WatchSide(const WatchSide&) = delete;
  WatchSide& operator=(const WatchSide&) = delete;

  // Exactly these watch; one that stays the same is not disturbed.
  void configure(const WatchConfig& config);
  // After every turn in which the router did something.
  void turn();
  // Stations hear that this is the end; then `done`, after a moment at most.
  void leave(const std::string& why, std::function<void()> done);

  [[nodiscard]] std::vector<StationStatus> stations() const;
  // Nothing unless it is configured.
  [[nodiscard]] std::optional<MrtStatus> mrt() const;
  // Writes the tables to a file and answers with its name; the error says why not.
  net::Result<std::string, std::string> dump_tables();

 private:
  class Fan;
  void station_changed(const Station& station);
  void gather();  // who is to be told

  boost::asio::io_context& io_;
  Log& log_;
  BgpSide& bgp_;
  std::vector<std::shared_ptr<Station>> stations_;
  std::unique_ptr<MrtFiles> mrt_;
  std::unique_ptr<Fan> fan_;
};

}  // namespace speaker
