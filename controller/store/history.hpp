// SPDX-License-Identifier: Apache-2.0
// The latest changes of one kind, in order of revision: what watchers pull from and what older lists are
// rebuilt with. Bounded; knows only changes.
#pragma once

#include <cstdint>
#include <deque>
#include <vector>

#include "controller/store/store.hpp"

namespace controller {

class History {
 public:
  // Nothing is known of what happened up to here.
  void start(std::uint64_t oldest) { oldest_ = oldest; }
  // Precondition: newer than all before.
  void add(Change change) { changes_.push_back(std::move(change)); }
  void trim(std::size_t capacity);

  [[nodiscard]] std::uint64_t oldest() const { return oldest_; }
  [[nodiscard]] net::Result<std::vector<Change>, Expired> after(std::uint64_t revision, std::size_t limit) const;
  // Visits the changes after `revision`, newest first: the order to undo them. Precondition: revision >= oldest().
  template <class Visit>
  void undo_to(std::uint64_t revision, Visit visit) const {
    const auto first = first_after(revision);
    for (auto change = changes_.end(); change != first;) visit(*--change);
  }

 private:
  [[nodiscard]] std::deque<Change>::const_iterator first_after(std::uint64_t revision) const;

  std::deque<Change> changes_;
  std::uint64_t oldest_ = 0;  // every change after this revision is in changes_
};

}  // namespace controller
