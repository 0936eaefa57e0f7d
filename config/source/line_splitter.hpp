// SPDX-License-Identifier: Apache-2.0
// Lines out of pieces of a stream: the framing of watch events.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace config {

class LineSplitter {
 public:
  void add(std::string_view piece) {
    // What is consumed goes now, not per line: a burst of small lines costs its own size once.
    rest_.erase(0, consumed_);
    searched_ -= consumed_;
    consumed_ = 0;
    rest_ += piece;
  }

  // The next complete line without its end; empty lines are passed over. Valid until the next add().
  std::optional<std::string_view> next() {
    for (;;) {
      const auto end = rest_.find('\n', searched_);
      if (end == std::string::npos) {
        searched_ = rest_.size();
        return std::nullopt;
      }
      const auto line = std::string_view{rest_}.substr(consumed_, end - consumed_);
      consumed_ = searched_ = end + 1;
      if (!line.empty()) return line;
    }
  }

 private:
  std::string rest_;
  std::size_t consumed_ = 0;
  std::size_t searched_ = 0;  // no line ends before this; at least consumed_
};

}  // namespace config
