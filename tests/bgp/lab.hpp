// SPDX-License-Identifier: Apache-2.0
// A router AS 65000 and speakers that are its neighbours, for tests of the router.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "bgp/router.hpp"
#include "tests/bgp/speaker.hpp"

namespace bgp {

net::Prefix pfx(std::string_view text);
PathAttributes path(std::vector<std::uint32_t> asns);
std::vector<std::uint32_t> asns(const PathAttributes& attributes);
SpeakerOptions external(unsigned number);
SpeakerOptions internal(unsigned number);
SpeakerOptions without_refresh(unsigned number);  // an external one that cannot be asked for its routes again
FilterRule rule(std::string name, RuleAction action);

class Lab {
 public:
  Lab();

  Speaker& add(const SpeakerOptions& options);
  NeighborConfig& config(const Speaker& speaker);
  void configure() { router.configure(router.config(), neighbors, start_time); }
  void establish();
  // Until nobody has anything to do or say.
  void settle();
  void take();
  template <class Action>
  std::vector<Action> taken() {
    take();
    std::vector<Action> found;
    for (const auto& action : actions) {
      if (const auto* match = std::get_if<Action>(&action)) found.push_back(*match);
    }
    return found;
  }
  NeighborStatus status(const Speaker& speaker);
  PeerId id(const Speaker& speaker) { return *router.find(speaker.options().name); }
  std::string best_reason(std::string_view prefix);

  Router router;
  std::vector<NeighborConfig> neighbors;
  std::vector<RouterAction> actions;

 private:
  std::vector<std::unique_ptr<Speaker>> speakers_;
};

}  // namespace bgp
