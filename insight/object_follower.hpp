// SPDX-License-Identifier: Apache-2.0
// Tells which objects of some kinds are other than before, wherever they are kept: list, then what changes; list again
// and compare where that is not known any more.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "controller/store/store.hpp"

namespace insight {

class ObjectFollower {
 public:
  struct Difference {
    std::vector<controller::ObjectPtr> set;  // new, or of another revision
    std::vector<controller::ObjectKey> removed;
  };
  using OnChange = std::function<void(const Difference&)>;
  // `objects` must outlive this.
  ObjectFollower(controller::Objects& objects, std::vector<config::Kind> kinds, OnChange on_change)
      : objects_{objects}, kinds_{std::move(kinds)}, on_change_{std::move(on_change)} {}

  // Tells what is there, as one difference, and from then on what changes.
  void start();
  void stop() { subscriptions_.clear(); }

 private:
  struct Known {
    std::optional<std::uint64_t> up_to;  // all changes up to this one; nothing: not listed yet
    std::map<controller::ObjectKey, std::uint64_t> revisions;
  };
  void follow(config::Kind kind, Difference& difference);
  [[nodiscard]] bool take_changes(config::Kind kind, Known& known, Difference& difference);
  void compare(config::Kind kind, Known& known, Difference& difference);

  controller::Objects& objects_;
  std::vector<config::Kind> kinds_;
  OnChange on_change_;
  std::map<config::Kind, Known> known_;
  std::vector<controller::Subscription> subscriptions_;
};

}  // namespace insight
