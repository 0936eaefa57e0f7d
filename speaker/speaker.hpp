// SPDX-License-Identifier: Apache-2.0
// One node: what the resources ask of it, done by BGP, by layer 2 and in the kernel. The composition of the parts; each
// decision is made by a pure function of one of them. Runs on one thread, that of the io_context.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include "config/source/files.hpp"
#include "speaker/bfd_side.hpp"
#include "speaker/bgp_side.hpp"
#include "speaker/desired.hpp"
#include "speaker/kernel_side.hpp"
#include "speaker/layer2/layer2.hpp"
#include "speaker/liveness.hpp"
#include "speaker/log.hpp"
#include "speaker/metrics.hpp"
#include "speaker/options.hpp"
#include "speaker/ownership.hpp"
#include "speaker/rpki/rpki_side.hpp"
#include "speaker/unnumbered/unnumbered_links.hpp"
#include "speaker/watch_side.hpp"

namespace speaker {

class Speaker {
 public:
  // Throws std::system_error when the kernel gives no sockets.
  Speaker(boost::asio::io_context& io, const Options& options, Log& log);
  ~Speaker();
  Speaker(const Speaker&) = delete;
  Speaker& operator=(const Speaker&) = delete;

  // The whole set of resources, from files or from a fresh list. It is the source's, must stay as it is until the next
  // call of this or of change(), and outlive the speaker.
  void replace(const config::Loaded& loaded);
  // The set after these changes. Policy among them: everything is looked at again.
  void change(const config::Loaded& loaded, std::span<const Change> changes);
  // What is in force stays, since what was to come could not be read, for these reasons; until replace().
  void keep(std::vector<config::Problem> unread) { unread_ = std::move(unread); }
  [[nodiscard]] const std::vector<config::Problem>& unread() const { return unread_; }
  // Whether the API is reached: while it is not, nobody is taken for dead.
  void set_api(Liveness::Api api);
  // Leaves in order: addresses given up, sessions closed with the reason, routes out of the kernel; then `done`.
  // ToRestart: where some peer keeps our routes while we restart (RFC 4724), sessions with such peers end without a
  // word, and what is in the kernel stays.
  void leave(const std::string& reason, bgp::Router::Leaving leaving, std::function<void()> done);
  // Before maintenance, and after it: the others find other ways while this node still forwards (RFC 8326), and take
  // over its layer 2 addresses.
  enum class Drain : std::uint8_t { Off, On };
  void drain(Drain drain);
  [[nodiscard]] bool draining() const { return draining_; }
  // What this node says of itself to the others.
  [[nodiscard]] config::SpeakerState own_state() const;
  // Called when own_state() has changed in more than its heartbeat.
  void on_state_changed(std::function<void()> notify) { state_changed_ = std::move(notify); }

  // For the control socket and for metrics.
  [[nodiscard]] const config::Loaded& loaded() const { return *loaded_; }
  [[nodiscard]] const Desired& desired() const { return desired_; }
  [[nodiscard]] const Ownership& ownership() const { return ownership_; }
  [[nodiscard]] const Layer2& layer2() const { return layer2_; }
  [[nodiscard]] BgpSide& bgp() { return bgp_; }
  [[nodiscard]] const BfdSide& bfd() const { return bfd_; }
  [[nodiscard]] const KernelSide& kernel() const { return kernel_; }
  [[nodiscard]] const RpkiSide& rpki() const { return rpki_; }
  [[nodiscard]] WatchSide& watch() { return watch_; }
  [[nodiscard]] const Options& options() const { return options_; }
  [[nodiscard]] std::set<std::string> live() const;
  [[nodiscard]] bool api_reachable() const { return api_ == Liveness::Api::Reachable; }
  [[nodiscard]] net::TimePoint started() const { return started_; }
  [[nodiscard]] std::string metrics();
  // The verdicts for a service on this node, with what only sessions and elections know.
  [[nodiscard]] std::vector<Verdict> explain(const std::string& service) const;

 private:
  void follow(const Difference& difference, net::TimePoint now);
  void configure_router(net::TimePoint now);
  void roas_changed();
  void cache_moved(const CacheClient& client);
  void tell_links();
  [[nodiscard]] bool has_session_over(std::uint32_t index) const;
  void observe_speakers(net::TimePoint now);
  void decide_layer2();
  void arm_liveness();
  void links_changed();
  void bind_addresses();
  void settled();
  void consider_sweep();
  // Logs the problems that were not there before.
  void tell_problems();

  Options options_;
  Log& log_;
  net::TimePoint started_ = net::Clock::now();
  const config::Loaded* loaded_;
  std::set<std::string> told_problems_;
  std::vector<config::Problem> unread_;
  Desired desired_;
  Liveness liveness_;
  Liveness::Api api_ = Liveness::Api::Reachable;
  Ownership ownership_;
  bool draining_ = false;
  std::optional<net::RouterId> fallback_router_id_;
  Metrics metrics_;
  std::optional<net::TimePoint> change_arrived_;
  KernelSide kernel_;
  BgpSide bgp_;
  WatchSide watch_;
  BfdSide bfd_;
  RpkiSide rpki_;
  Layer2 layer2_;
  UnnumberedLinks unnumbered_;
  std::set<std::string> unnumbered_wanted_;
  boost::asio::steady_timer liveness_timer_;
  boost::asio::steady_timer sweep_timer_;
  net::TimePoint last_route_change_ = started_;
  bool swept_ = false;
  bool restart_wanted_ = false;  // some peer is asked to keep our routes
  bool was_restarting_ = false;
  std::uint64_t told_sessions_ = 0;  // of BgpSide::session_changes()
  std::function<void()> state_changed_;
};

}  // namespace speaker
