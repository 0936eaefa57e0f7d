// SPDX-License-Identifier: Apache-2.0
// The condition herald.dev/Announced on Services: asks announcements.hpp whenever the answer may be another, and has
// what is different written. One condition per service and none per node.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "controller/observer.hpp"
#include "insight/announcements.hpp"
#include "insight/settled_writes.hpp"

namespace insight {

inline constexpr std::string_view announced_condition = "herald.dev/Announced";

// What a Service has to say of it. No answer: nothing.
[[nodiscard]] controller::ObjectStatus status_of(const std::optional<Announced>& answer);

class AnnouncedStatus {
 public:
  explicit AnnouncedStatus(const controller::ObserverContext& context);

  // Anything may be different.
  void reset(const config::Resources& now, NodeNames live);
  // These objects are, or who lives is.
  void apply(const config::Resources& now, const std::vector<config::ObjectId>& changed, NodeNames live);

  // Everything is to be looked at, and may be written.
  void lead(const config::Resources& now) { look_at_all(now); }
  void stand_by() { writes_.abandon(); }
  // Looks at some services and writes what is due; whether there are more to look at. Only while it leads.
  bool work(const config::Resources& now, net::TimePoint time);

  // In Prometheus' text form.
  [[nodiscard]] std::string metrics() const;

 private:
  void look_at_all(const config::Resources& now);
  void look(const config::Resources& now, const std::string& service, net::TimePoint time);

  Announcements announcements_;
  SettledWrites writes_;
  std::set<std::string> queue_;          // to be looked at
  std::map<std::string, bool> answers_;  // service -> announced, for metrics
};

}  // namespace insight
