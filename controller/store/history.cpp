// SPDX-License-Identifier: Apache-2.0
#include "controller/store/history.hpp"

#include <algorithm>

namespace controller {

void History::trim(std::size_t capacity) {
  while (changes_.size() > capacity) {
    oldest_ = changes_.front().revision;
    changes_.pop_front();
  }
}

std::deque<Change>::const_iterator History::first_after(std::uint64_t revision) const {
  return std::ranges::upper_bound(changes_, revision, {}, &Change::revision);
}

net::Result<std::vector<Change>, Expired> History::after(std::uint64_t revision, std::size_t limit) const {
  if (revision < oldest_) return net::fail(Expired{oldest_});
  const auto first = first_after(revision);
  const auto available = static_cast<std::size_t>(changes_.end() - first);
  const auto count = static_cast<std::ptrdiff_t>(std::min(limit, available));
  return std::vector<Change>(first, first + count);
}

}  // namespace controller
