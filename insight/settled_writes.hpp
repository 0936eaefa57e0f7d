// SPDX-License-Identifier: Apache-2.0
// Writes statuses that hold: one that changes back and forth is never written, and no more are written a second than
// the API should have to bear. What only tells more of a condition that stays as it is goes slowly, so that a node
// which restarts behind ten thousand objects makes no flood. Decides nothing of what is said.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <map>
#include <set>

#include <nlohmann/json.hpp>

#include "config/source/rate_limiter.hpp"
#include "controller/conditions.hpp"
#include "controller/store/store.hpp"
#include "net/time.hpp"

namespace insight {

class SettledWrites {
 public:
  // How long a status has to hold before it is written, and how many are written a second. `Told`: every condition has
  // its status already, and the rest is another.
  struct Pace {
    std::chrono::milliseconds settle{500};
    int per_second = 50;
    std::chrono::milliseconds told_settle{2'000};
    int told_per_second = 5;
    std::chrono::milliseconds refused_pause{30'000};  // before an object is written again that the API refused
    std::size_t at_once = 32;                         // on their way
  };
  struct Listener {
    // It may be another object now than the status was made for: say again what it should have.
    std::function<void(const controller::ObjectKey&)> look;
    // The status was written; the object as it stood before. May be empty.
    std::function<void(const controller::Object&, const controller::ObjectStatus&)> written;
  };
  // `objects` must outlive this.
  SettledWrites(controller::Objects& objects, Pace pace, Listener listener);

  // What the status of the object has to say. Nothing is written while it says so, or the object is not there.
  void want(const controller::ObjectKey& key, controller::ObjectStatus said, net::TimePoint now);
  void forget(const controller::ObjectKey& key) { waiting_.erase(key); }
  // Writes what has held for long enough. Call it a few times a second.
  void write_due(net::TimePoint now);
  [[nodiscard]] bool waits() const { return !waiting_.empty(); }
  // Drops what waits, and what becomes of the writes under way.
  void abandon();

 private:
  struct Waiting {
    controller::ObjectStatus said;
    bool turned = false;  // a condition has another status
    net::TimePoint since{};
  };

  void write(const controller::ObjectKey& key, const controller::ObjectStatus& said, net::TimePoint now);
  void answered(const controller::ObjectPtr& before, const controller::ObjectStatus& said,
                const controller::WriteResult& result, net::TimePoint sent);

  controller::Objects& objects_;
  Pace pace_;
  Listener listener_;
  config::RateLimiter turns_;
  config::RateLimiter tells_;
  std::map<controller::ObjectKey, Waiting> waiting_;
  std::set<controller::ObjectKey> in_flight_;
  std::map<controller::ObjectKey, net::TimePoint> refused_;  // until when they are left alone
  std::uint64_t term_ = 0;                                   // goes up when what is under way is dropped
};

}  // namespace insight
