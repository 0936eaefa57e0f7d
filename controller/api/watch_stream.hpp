// SPDX-License-Identifier: Apache-2.0
// A watch: a position in the history of a kind from which events are pulled as fast as the client takes them.
// Nothing is queued for a slow client; one that stays behind for longer than the history is told 410.
#pragma once

#include <chrono>
#include <functional>

#include "controller/api/context.hpp"

namespace controller {

class WatchStream : public BodyStream {
 public:
  enum class Bookmarks : std::uint8_t { None, Sent };
  struct Options {
    config::Kind kind{};
    std::function<bool(const Object&)> selection{};
    Snapshot initial{};  // what it begins with; its revision is where it goes on
    bool marks_end_of_initial = false;
    Bookmarks bookmarks = Bookmarks::None;
    std::chrono::seconds lasts{};
  };

  WatchStream(const ApiContext& context, Options options, Rendering rendering);
  ~WatchStream() override;
  WatchStream(const WatchStream&) = delete;
  WatchStream& operator=(const WatchStream&) = delete;

  State next(std::string& piece, SteadyTime now) override;
  void on_ready(std::function<void()> ready) override;
  [[nodiscard]] std::optional<SteadyTime> wake_at() const override;

 private:
  void append_initial(std::string& piece);
  // False at the end of the watch.
  bool append_changes(std::string& piece);
  void append(std::string& piece, const Change& change);
  void append_event(std::string& piece, std::string_view type, const Object& object);
  void append_bookmark(std::string& piece, Rendering::Bookmark meaning);

  ApiContext context_;
  Options options_;
  Rendering rendering_;
  Rendering::Columns columns_ = Rendering::Columns::Shown;
  std::size_t next_initial_ = 0;
  bool initial_done_ = false;
  std::uint64_t position_ = 0;
  std::optional<SteadyTime> ends_at_;  // both from the first call of next()
  SteadyTime bookmark_at_;
  Subscription subscription_;
};

}  // namespace controller
