// SPDX-License-Identifier: Apache-2.0
#include "controller/api/watch_stream.hpp"

#include <fmt/format.h>

namespace controller {
namespace {

constexpr std::size_t piece_size = std::size_t{64} << 10U;
constexpr std::size_t changes_at_once = 64;
constexpr auto bookmark_interval = std::chrono::seconds{60};

}  // namespace

WatchStream::WatchStream(const ApiContext& context, Options options, Rendering rendering)
    : context_{context},
      options_{std::move(options)},
      rendering_{std::move(rendering)},
      position_{options_.initial.revision} {
  context_.metrics.watch_began(config::info(options_.kind).plural);
}

WatchStream::~WatchStream() {
  context_.metrics.watch_ended(config::info(options_.kind).plural);
}

BodyStream::State WatchStream::next(std::string& piece, SteadyTime now) {
  if (!ends_at_) {
    ends_at_ = now + options_.lasts;
    bookmark_at_ = now + bookmark_interval;
  }
  if (!initial_done_) {
    append_initial(piece);
    if (!initial_done_) return State::More;
  }
  if (!append_changes(piece)) return State::End;
  if (piece.size() >= piece_size) return State::More;

  // Everything up to now was sent.
  const auto over = now >= *ends_at_;
  if (options_.bookmarks == Bookmarks::Sent && (over || now >= bookmark_at_)) {
    append_bookmark(piece, Rendering::Bookmark::Progress);
    bookmark_at_ = now + bookmark_interval;
  }
  return over ? State::End : State::Waiting;
}

void WatchStream::append_initial(std::string& piece) {
  auto& objects = options_.initial.objects;
  while (next_initial_ < objects.size()) {
    if (piece.size() >= piece_size) return;
    const auto object = std::exchange(objects[next_initial_++], nullptr);
    append_event(piece, "ADDED", *object);
  }
  objects = {};
  initial_done_ = true;
  if (options_.marks_end_of_initial) append_bookmark(piece, Rendering::Bookmark::InitialEventsEnd);
}

bool WatchStream::append_changes(std::string& piece) {
  while (piece.size() < piece_size) {
    const auto changes = context_.store.changes(options_.kind, position_, changes_at_once);
    if (!changes) {
      piece += Rendering::error_event(
          expired(fmt::format("too old resource version: {} ({})", position_, changes.error().oldest)));
      return false;
    }
    if (changes->empty()) return true;
    for (const auto& change : *changes) {
      append(piece, change);
      position_ = change.revision;
    }
  }
  return true;
}

// An object that comes to match is ADDED for this client, one that stops to is DELETED.
void WatchStream::append(std::string& piece, const Change& change) {
  const auto matched = change.before && options_.selection(*change.before);
  const auto matches = change.type != Change::Type::Deleted && options_.selection(*change.object);
  if (matches) {
    append_event(piece, matched ? "MODIFIED" : "ADDED", *change.object);
  } else if (matched) {
    append_event(piece, "DELETED", *change.object);
  }
}

void WatchStream::append_event(std::string& piece, std::string_view type, const Object& object) {
  piece += rendering_.event(type, object, context_.now(), columns_);
  columns_ = Rendering::Columns::Known;
}

void WatchStream::append_bookmark(std::string& piece, Rendering::Bookmark meaning) {
  piece += rendering_.bookmark(std::max(position_, context_.store.revision(options_.kind)), meaning);
}

void WatchStream::on_ready(std::function<void()> ready) {
  subscription_ = context_.store.subscribe(options_.kind, std::move(ready));
}

std::optional<SteadyTime> WatchStream::wake_at() const {
  if (!ends_at_) return std::nullopt;
  return options_.bookmarks == Bookmarks::Sent ? std::min(*ends_at_, bookmark_at_) : *ends_at_;
}

}  // namespace controller
