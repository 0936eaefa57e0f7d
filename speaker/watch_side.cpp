// SPDX-License-Identifier: Apache-2.0
#include "speaker/watch_side.hpp"

#include <algorithm>

#include "speaker/bgp/endpoint.hpp"
#include "speaker/bgp_side.hpp"
#include "speaker/wall_clock.hpp"

namespace speaker {

// Hands on to each what the router says, with the time.
class WatchSide::Fan final : public bgp::RouterObserver {
 public:
  std::vector<bgp::bmp::Feed*> feeds;
  bgp::mrt::UpdateLog* log = nullptr;
  [[nodiscard]] bool empty() const { return feeds.empty() && log == nullptr; }

  void moved(bgp::PeerId peer, bgp::State from, bgp::State to) override {
    all([&](auto& each) { each.moved(peer, from, to); });
  }
  void went_up(bgp::PeerId peer) override {
    all([&](auto& each) { each.went_up(peer); });
  }
  void went_down(bgp::PeerId peer, const bgp::ResetReason& reason) override {
    all([&](auto& each) { each.went_down(peer, reason); });
  }
  void received(bgp::PeerId peer, std::span<const std::uint8_t> body, const bgp::Update* update) override {
    all([&](auto& each) { each.received(peer, body, update); });
  }
  void refreshed(bgp::PeerId peer, net::Family family) override {
    all([&](auto& each) { each.refreshed(peer, family); });
  }
  // The files have nothing of these.
  void sent(bgp::PeerId peer, std::span<const std::uint8_t> messages) override {
    stations([&](auto& each) { each.sent(peer, messages); });
  }
  void pulled(bgp::PeerId peer) override {
    stations([&](auto& each) { each.pulled(peer); });
  }
  void accepted(bgp::PeerId peer, bgp::NodeIndex node, const net::Prefix& prefix, std::uint32_t path_id,
                const bgp::AttributeSet* set) override {
    stations([&](auto& each) { each.accepted(peer, node, prefix, path_id, set); });
  }
  void selected(bgp::NodeIndex node, const net::Prefix& prefix, const bgp::Path* best) override {
    stations([&](auto& each) { each.selected(node, prefix, best); });
  }

 private:
  template <class Call>
  void stations(Call&& call) {
    if (feeds.empty()) return;
    const auto now = wall_now();
    for (auto* feed : feeds) {
      feed->set_time(now);
      call(*feed);
    }
  }
  template <class Call>
  void all(Call&& call) {
    stations(call);
    if (log == nullptr) return;
    log->set_time(wall_now());
    call(*log);
  }
};

WatchConfig watch_config(const config::BGPConfiguration& from, const bgp::RouterConfig& router,
                         const std::string& node) {
  WatchConfig made;
  for (const auto& station : from.bmp_stations) {
    const auto wants = [&](std::string_view what) {
      return std::find(station.what.begin(), station.what.end(), what) != station.what.end();
    };
    StationConfig config;
    config.address = station.address;
    config.port = station.port;
    config.feed = {.pre_policy = wants("pre-policy"),
                   .post_policy = wants("post-policy"),
                   .adj_rib_out = wants("adj-rib-out"),
                   .loc_rib = wants("loc-rib"),
                   .malformed = wants("malformed"),
                   .system_name = node,
                   .system_description = "Herald " HERALD_VERSION,
                   .limit = std::size_t{station.buffer_limit} << 20};
    config.statistics_interval = station.statistics_interval;
    config.asn = router.asn;
    config.router_id = router.router_id;
    made.stations.push_back(std::move(config));
  }
  if (from.mrt)
    made.mrt =
        MrtConfig{from.mrt->directory, from.mrt->rib_interval, from.mrt->updates, from.mrt->rotation, from.mrt->keep};
  return made;
}

WatchSide::WatchSide(boost::asio::io_context& io, Log& log, BgpSide& bgp)
    : io_{io}, log_{log}, bgp_{bgp}, fan_{std::make_unique<Fan>()} {}

WatchSide::~WatchSide() {
  if (auto* router = bgp_.router()) router->observe(nullptr);
  for (auto& station : stations_) station->stop("", nullptr);
}

void WatchSide::configure(const WatchConfig& config) {
  auto* router = bgp_.router();
  if (router == nullptr) return;
  std::erase_if(stations_, [&](const auto& station) {
    if (std::find(config.stations.begin(), config.stations.end(), station->config()) != config.stations.end())
      return false;
    station->stop("no longer configured", nullptr);
    return true;
  });
  for (const auto& wanted : config.stations) {
    const auto same = [&](const auto& station) { return station->config() == wanted; };
    if (std::any_of(stations_.begin(), stations_.end(), same)) continue;
    const auto changed = [this](const Station& station) { station_changed(station); };
    stations_.push_back(std::make_shared<Station>(io_, *router, wanted, changed));
    stations_.back()->start();
  }
  if (!config.mrt || !mrt_ || mrt_->config() != *config.mrt) {
    mrt_.reset();
    if (config.mrt)
      mrt_ = std::make_unique<MrtFiles>(io_, *router, *config.mrt, [this](const std::string& trouble) {
        log_.error("MRT file", {{"problem", trouble}});
      });
  }
  gather();
}

void WatchSide::station_changed(const Station& station) {
  const Log::Fields where{{"address", print_endpoint(station.config().address, station.config().port)}};
  if (station.feed() != nullptr) {
    log_.info("monitoring station connected", where);
  } else {
    auto fields = where;
    fields.emplace_back("problem", station.status().trouble);
    log_.warning("monitoring station not connected", fields);
  }
  gather();
  bgp_.wake();  // it may have asked peers for their routes
}

void WatchSide::gather() {
  fan_->feeds.clear();
  for (const auto& station : stations_) {
    if (station->feed() != nullptr) fan_->feeds.push_back(station->feed());
  }
  fan_->log = mrt_ ? mrt_->log() : nullptr;
  auto* router = bgp_.router();
  if (router == nullptr) return;
  router->observe(fan_->empty() ? nullptr : fan_.get());
}

void WatchSide::turn() {
  // A station that is given up leaves the list of feeds, not this one.
  for (const auto& station : stations_) station->pump();
  if (mrt_) mrt_->pump();
}

void WatchSide::leave(const std::string& why, std::function<void()> done) {
  mrt_.reset();
  const auto left = std::make_shared<std::size_t>(stations_.size() + 1);
  const auto one_less = [left, done = std::move(done)] {
    if (--*left == 0) done();
  };
  for (const auto& station : std::exchange(stations_, {})) station->stop(why, one_less);
  gather();
  one_less();
}

std::vector<StationStatus> WatchSide::stations() const {
  std::vector<StationStatus> all;
  for (const auto& station : stations_) all.push_back(station->status());
  return all;
}

std::optional<MrtStatus> WatchSide::mrt() const {
  return mrt_ ? std::optional{mrt_->status()} : std::nullopt;
}

net::Result<std::string, std::string> WatchSide::dump_tables() {
  if (!mrt_) return net::fail(std::string{"spec.mrt of the BGPConfiguration says no directory"});
  return mrt_->dump();
}

}  // namespace speaker
