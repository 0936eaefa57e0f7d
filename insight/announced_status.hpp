// SPDX-License-Identifier: Apache-2.0
// Writes the condition herald.dev/Announced on Services: follows everything that decides whether they are announced,
// asks announcements.hpp, and writes what is different. One object per service and none per node; what only names other
// nodes is written slowly, so that a node that restarts behind ten thousand services makes no flood.
#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>

#include <boost/asio/steady_timer.hpp>
#include <nlohmann/json.hpp>

#include "config/resource_set.hpp"
#include "config/source/api_watcher.hpp"
#include "config/source/rate_limiter.hpp"
#include "controller/kubernetes/observer.hpp"
#include "insight/announcements.hpp"
#include "speaker/liveness.hpp"

namespace insight {

inline constexpr std::string_view announced_condition = "herald.dev/Announced";

// The conditions that a Service has to have, given as it stands; nothing when they are right. No answer: without ours.
// Conditions of others stay, and the time of the last transition stays with the status. `timestamp` is RFC 3339.
[[nodiscard]] std::optional<nlohmann::json> conditions_with(const nlohmann::json& service,
                                                            const std::optional<Announced>& announced,
                                                            const std::string& timestamp);

class AnnouncedStatus final : public controller::Observer {
 public:
  // How long an answer has to hold before it is written, and how many are written a second. `Told` is of services whose
  // status stays and whose message is another.
  struct Pace {
    std::chrono::milliseconds settle{500};
    int per_second = 50;
    std::chrono::milliseconds told_settle{2'000};
    int told_per_second = 5;
  };
  explicit AnnouncedStatus(const controller::ObserverContext& context) : AnnouncedStatus{context, Pace{}} {}
  AnnouncedStatus(const controller::ObserverContext& context, Pace pace);

  void start() override;
  void lead() override;
  void stand_by() override;
  void stop() override;
  [[nodiscard]] nlohmann::json review(const nlohmann::json& asked) const override;
  [[nodiscard]] std::string metrics() const override;

 private:
  // A service whose condition is not what it should be.
  struct Waiting {
    std::optional<Announced> answer;
    bool turned = false;  // the status is another, not the message alone
    net::TimePoint since{};
  };

  void take(config::Changes changes);
  void keep(const config::Changes& changes);
  void tick();
  [[nodiscard]] NodeNames live(net::TimePoint now);
  void look(const std::string& service, net::TimePoint now);
  void write_due(net::TimePoint now);
  void write(const std::string& service, const std::optional<Announced>& answer);
  void enqueue_all();
  [[nodiscard]] static controller::ObjectKey key_of(const std::string& service);

  controller::ObserverContext context_;
  Pace pace_;
  config::ResourceSet set_;
  config::Resources all_;  // what can be read of the kinds that reviews are about, also what is set aside
  config::ApiWatcher watcher_;
  speaker::Liveness liveness_;
  Announcements announcements_;
  boost::asio::steady_timer timer_;
  config::RateLimiter turns_;
  config::RateLimiter tells_;
  std::set<std::string> queue_;             // to be looked at
  std::map<std::string, Waiting> waiting_;  // to be written
  std::map<std::string, bool> answers_;     // service -> announced, for metrics
  std::set<std::string> in_flight_;
  std::uint64_t term_ = 0;
  bool synced_ = false;
  bool leading_ = false;
};

[[nodiscard]] controller::ObserverFactory announced_status();

}  // namespace insight
