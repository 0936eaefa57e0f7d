// SPDX-License-Identifier: Apache-2.0
// Who of several controllers acts: the rules of a coordination.k8s.io Lease as a machine. Records in, decisions out;
// time is an argument. Clocks of different machines are never compared: a holder is gone when its record has not
// changed for its own duration on our clock.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include <nlohmann/json.hpp>

#include "net/time.hpp"

namespace controller {

struct LeaseTiming {
  std::chrono::seconds duration{2};        // how long a record holds without being renewed
  std::chrono::milliseconds renewal{500};  // how often its holder renews it
  std::chrono::milliseconds retry{200};    // after a write that failed
  std::chrono::milliseconds safety{250};   // the holder stops that long before others may take over
};

// spec of a Lease, and its version.
struct LeaseRecord {
  std::string holder;  // empty: nobody
  std::chrono::seconds duration{0};
  std::int32_t transitions = 0;
  std::string acquired;          // as it stands in the object
  std::string resource_version;  // empty: there is no Lease
};
[[nodiscard]] LeaseRecord read_lease(const nlohmann::json& lease);

class Election {
 public:
  explicit Election(std::string identity, LeaseTiming timing = {}) : identity_{std::move(identity)}, timing_{timing} {}

  // The Lease as the API showed it now; an empty record: there is none.
  void observe(const LeaseRecord& record, net::TimePoint now);
  // What must be written now, if anything: the record wanted. Its resource_version guards the write; without one the
  // Lease has to be made. `wall` is the time for people, in RFC 3339 with microseconds.
  [[nodiscard]] std::optional<LeaseRecord> due(net::TimePoint now, const std::string& wall) const;
  // That record was written; `asked` is when the request went out. `version` is the Lease's new one.
  void wrote(const LeaseRecord& record, const std::string& version, net::TimePoint asked);
  void failed(net::TimePoint now) { not_before_ = now + timing_.retry; }
  // The record that gives the Lease up, while it is ours.
  [[nodiscard]] std::optional<LeaseRecord> release() const;

  // Ours without doubt: nobody else acts.
  [[nodiscard]] bool leads(net::TimePoint now) const;
  // Somebody else was seen to hold it after us: what was decided meanwhile is not ours any more.
  [[nodiscard]] bool lost() const { return !ours() && was_ours_; }
  void accept_loss() { was_ours_ = false; }
  // When due() or leads() may answer otherwise although nothing is observed.
  [[nodiscard]] net::TimePoint next_deadline(net::TimePoint now) const;
  [[nodiscard]] const std::string& holder() const { return record_.holder; }
  [[nodiscard]] const LeaseTiming& timing() const { return timing_; }

 private:
  [[nodiscard]] bool ours() const { return !record_.resource_version.empty() && record_.holder == identity_; }
  [[nodiscard]] net::TimePoint expiry() const { return changed_ + record_.duration; }

  std::string identity_;
  LeaseTiming timing_;
  LeaseRecord record_;
  bool observed_ = false;
  bool was_ours_ = false;
  net::TimePoint changed_{};                 // when we saw the record change
  std::optional<net::TimePoint> renewed_{};  // when our last successful write went out
  net::TimePoint not_before_{};
};

// A Lease object for the API.
[[nodiscard]] nlohmann::json print_lease(const LeaseRecord& record, const std::string& name,
                                         const std::string& namespace_name, const std::string& renewed);

}  // namespace controller
