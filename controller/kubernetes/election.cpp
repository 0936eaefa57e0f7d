// SPDX-License-Identifier: Apache-2.0
#include "controller/kubernetes/election.hpp"

#include <algorithm>
#include <charconv>

#include "controller/json_member.hpp"

namespace controller {
namespace {

using nlohmann::json;

// A watch may tell of a write later than its answer did. Versions are numbers wherever Kubernetes runs; where they are
// not, being another one has to do. No version: the Lease is gone.
bool newer(const std::string& version, const std::string& than) {
  std::uint64_t left = 0, right = 0;
  const auto read = [](const std::string& text, std::uint64_t& out) {
    return std::from_chars(text.data(), text.data() + text.size(), out).ec == std::errc{};
  };
  if (!read(version, left) || !read(than, right)) return version != than;
  return left > right;
}

std::int64_t number(const json& object, const char* name) {
  const auto& value = member(object, name);
  return value.is_number_integer() ? value.get<std::int64_t>() : 0;
}

}  // namespace

LeaseRecord read_lease(const json& lease) {
  const auto& spec = member(lease, "spec");
  LeaseRecord record;
  record.holder = member_text(spec, "holderIdentity");
  record.duration = std::chrono::seconds{std::clamp<std::int64_t>(number(spec, "leaseDurationSeconds"), 0, 3600)};
  record.transitions =
      static_cast<std::int32_t>(std::clamp<std::int64_t>(number(spec, "leaseTransitions"), 0, 1 << 30));
  record.acquired = member_text(spec, "acquireTime");
  record.resource_version = member_text(member(lease, "metadata"), "resourceVersion");
  return record;
}

json print_lease(const LeaseRecord& record, const std::string& name, const std::string& namespace_name,
                 const std::string& renewed) {
  json spec{{"leaseDurationSeconds", record.duration.count()},
            {"leaseTransitions", record.transitions},
            {"acquireTime", record.acquired},
            {"renewTime", renewed}};
  // Nobody is said by leaving it out: newer API servers refuse an empty name.
  if (!record.holder.empty()) spec["holderIdentity"] = record.holder;
  json metadata{{"name", name}, {"namespace", namespace_name}};
  if (!record.resource_version.empty()) metadata["resourceVersion"] = record.resource_version;
  return {{"apiVersion", "coordination.k8s.io/v1"},
          {"kind", "Lease"},
          {"metadata", std::move(metadata)},
          {"spec", std::move(spec)}};
}

void Election::observe(const LeaseRecord& record, net::TimePoint now) {
  if (observed_ && !newer(record.resource_version, record_.resource_version)) return;
  observed_ = true;
  // Our own writes come back by the watch; of those the moment counts when they went out.
  const bool still_ours = ours() && record.holder == identity_;
  record_ = record;
  changed_ = now;
  if (!still_ours) renewed_.reset();
}

std::optional<LeaseRecord> Election::due(net::TimePoint now, const std::string& wall) const {
  if (!observed_ || now < not_before_) return std::nullopt;
  auto next = record_;
  next.duration = timing_.duration;
  if (ours() && renewed_) {
    if (now < *renewed_ + timing_.renewal) return std::nullopt;
    return next;
  }
  const bool free = record_.resource_version.empty() || record_.holder.empty() || ours();
  if (!free && now < expiry()) return std::nullopt;
  next.holder = identity_;
  next.acquired = wall;
  if (!record_.resource_version.empty()) ++next.transitions;
  return next;
}

void Election::wrote(const LeaseRecord& record, const std::string& version, net::TimePoint asked) {
  record_ = record;
  record_.resource_version = version;
  changed_ = asked;
  if (record.holder == identity_) {
    renewed_ = asked;
    was_ours_ = true;
  } else {
    renewed_.reset();
  }
}

std::optional<LeaseRecord> Election::release() const {
  if (!ours()) return std::nullopt;
  auto next = record_;
  next.holder.clear();
  next.duration = std::chrono::seconds{1};
  return next;
}

bool Election::leads(net::TimePoint now) const {
  return ours() && renewed_ && now < *renewed_ + timing_.duration - timing_.safety;
}

net::TimePoint Election::next_deadline(net::TimePoint now) const {
  auto next = now + timing_.duration;
  if (not_before_ > now) next = std::min(next, not_before_);
  if (!observed_) return next;
  const auto wake = ours() && renewed_ ? *renewed_ + timing_.renewal : expiry();
  next = std::min(next, std::max(wake, not_before_));
  if (renewed_) {
    const auto doubt = *renewed_ + timing_.duration - timing_.safety;
    if (doubt > now) next = std::min(next, doubt);
  }
  return std::max(next, now);
}

}  // namespace controller
