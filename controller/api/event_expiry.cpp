// SPDX-License-Identifier: Apache-2.0
#include "controller/api/event_expiry.hpp"

#include <algorithm>

#include "controller/api/lookup.hpp"
#include "controller/api/table.hpp"

namespace controller {
namespace {

constexpr auto kept_for = std::chrono::hours{1};

}  // namespace

std::vector<Write> expired_events(const Store& store, WallTime now) {
  std::vector<Write> deletions;
  const auto events = store.list({.kind = config::Kind::Event});
  if (!events) return deletions;
  for (const auto& event : events->objects) {
    const auto object = nlohmann::json::parse(event->text, nullptr, false);
    std::optional<WallTime> last;
    for (const auto* field : {"lastTimestamp", "eventTime", "metadata.creationTimestamp"}) {
      if (const auto time = parse_rfc3339(text_at(object, field))) last = std::max(last.value_or(*time), *time);
    }
    if (last && now - *last < kept_for) continue;
    deletions.push_back({.verb = Write::Verb::Delete, .key = event->key, .if_revision = event->revision});
  }
  return deletions;
}

}  // namespace controller
