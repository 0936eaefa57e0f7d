// SPDX-License-Identifier: Apache-2.0
#include "controller/api/event_expiry.hpp"

#include <algorithm>

#include "controller/api/table.hpp"
#include "controller/store/json_text.hpp"

namespace controller {
namespace {

constexpr auto kept_for = std::chrono::hours{1};

std::optional<WallTime> last_seen(std::string_view event) {
  std::optional<WallTime> last;
  JsonCursor in{event};
  const auto take = [&] {
    if (const auto time = parse_rfc3339(in.string())) last = std::max(last.value_or(*time), *time);
  };
  in.members([&](std::string_view name) {
    if (name == "lastTimestamp" || name == "eventTime") take();
    if (name != "metadata") return;
    in.members([&](std::string_view field) {
      if (field == "creationTimestamp") take();
    });
  });
  return last;
}

}  // namespace

std::vector<Write> expired_events(const Store& store, WallTime now) {
  std::vector<Write> deletions;
  const auto events = store.list({.kind = config::Kind::Event});
  if (!events) return deletions;
  for (const auto& event : events->objects) {
    const auto last = last_seen(event->text);
    if (last && now - *last < kept_for) continue;
    deletions.push_back({.verb = Write::Verb::Delete, .key = event->key, .if_revision = event->revision});
  }
  return deletions;
}

}  // namespace controller
