// SPDX-License-Identifier: Apache-2.0
// Keeps the statuses of Herald's own objects as object_status.hpp says they should be, and makes an Event of each
// refusal. MetalLB's objects have no place for it and are left alone.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>

#include "controller/observer.hpp"
#include "insight/object_follower.hpp"
#include "insight/object_status.hpp"
#include "insight/settled_writes.hpp"

namespace insight {

class ObjectConditions {
 public:
  explicit ObjectConditions(const controller::ObserverContext& context);

  void start() { follower_.start(); }
  void stop() { follower_.stop(); }
  // Anything may be different.
  void reset();

  void lead();
  void stand_by() { writes_.abandon(); }
  // Looks at some objects and writes what is due; whether there are more to look at. Only while it leads.
  bool work(const config::ResourceSet& set, const NodeNames& live, net::TimePoint now);

  // In Prometheus' text form.
  // Something is to be written when it has held for long enough.
  [[nodiscard]] bool waits() const { return writes_.waits(); }
  [[nodiscard]] std::string metrics() const;

 private:
  void judge(const config::ResourceSet& set, const NodeNames& live);
  void look(const controller::ObjectKey& key, net::TimePoint now);
  void written(const controller::Object& before, const controller::ObjectStatus& said);

  controller::Objects& objects_;
  SettledWrites writes_;
  ObjectFollower follower_;
  std::optional<SelectedNodes> nodes_;  // nothing: to be made again
  Speakers speakers_;                   // what the statuses were made of
  ObjectStatuses statuses_;
  std::set<controller::ObjectKey> queue_;  // to be looked at
  config::RateLimiter events_;
  std::uint64_t event_serial_ = 0;
};

}  // namespace insight
