// SPDX-License-Identifier: Apache-2.0
// A router AS 65000 and speakers that are its neighbours, for tests of the router.
#pragma once

#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include <gmock/gmock.h>

#include "bgp/router.hpp"
#include "tests/bgp/speaker.hpp"

namespace bgp {

inline net::Prefix pfx(std::string_view text) {
  return *net::parse_prefix(text);
}

inline PathAttributes path(std::vector<std::uint32_t> asns) {
  PathAttributes attributes;
  AsPathSegment segment;
  for (const auto asn : asns) segment.asns.push_back(net::Asn{asn});
  if (!asns.empty()) attributes.as_path.segments.push_back(segment);
  return attributes;
}

inline std::vector<std::uint32_t> asns(const PathAttributes& attributes) {
  std::vector<std::uint32_t> all;
  for (const auto& segment : attributes.as_path.segments) {
    for (const auto asn : segment.asns) all.push_back(asn.value);
  }
  return all;
}

inline SpeakerOptions external(unsigned number) {
  return {.name = "e" + std::to_string(number),
          .asn = net::Asn{65000 + number},
          .id = net::RouterId{0x0a000100 + number},
          .address = net::Ipv4Address{0x0a000100 + number}};
}
inline SpeakerOptions internal(unsigned number) {
  auto options = external(number);
  options.name = "i" + std::to_string(number);
  options.asn = net::Asn{65000};
  return options;
}

class Lab {
 public:
  Speaker& add(const SpeakerOptions& options) {
    speakers_.push_back(std::make_unique<Speaker>(router, options));
    neighbors.push_back(speakers_.back()->neighbor());
    return *speakers_.back();
  }
  NeighborConfig& config(const Speaker& speaker) {
    for (auto& each : neighbors) {
      if (each.name == speaker.options().name) return each;
    }
    throw std::out_of_range{"no such neighbour"};
  }
  void configure() { router.configure(router.config(), neighbors, start_time); }
  void establish() {
    configure();
    for (auto& speaker : speakers_) ASSERT_TRUE(speaker->establish());
    settle();
  }
  // Until nobody has anything to do or say.
  void settle() {
    for (bool busy = true; busy;) {
      busy = router.work();
      for (auto& speaker : speakers_) busy = speaker->listen() || busy;
    }
    take();
    for (auto& speaker : speakers_) EXPECT_THAT(speaker->complaints, ::testing::IsEmpty());
  }
  void take() {
    for (auto& action : router.take_actions()) actions.push_back(std::move(action));
  }
  template <class Action>
  std::vector<Action> taken() {
    take();
    std::vector<Action> found;
    for (const auto& action : actions) {
      if (const auto* match = std::get_if<Action>(&action)) found.push_back(*match);
    }
    return found;
  }
  NeighborStatus status(const Speaker& speaker) {
    for (auto& each : router.neighbors()) {
      if (each.name == speaker.options().name) return each;
    }
    throw std::out_of_range{"no such neighbour"};
  }
  PeerId id(const Speaker& speaker) { return *router.find(speaker.options().name); }
  std::string best_reason(std::string_view prefix) {
    for (const auto& each : router.explain(pfx(prefix)).paths) {
      if (each.best) return each.peer + ": " + each.reason;
    }
    return "";
  }

  Router router{{.asn = net::Asn{65000}, .router_id = net::RouterId{0x0a000001}, .decision = {}}, 1};
  std::vector<NeighborConfig> neighbors;
  std::vector<RouterAction> actions;

 private:
  std::vector<std::unique_ptr<Speaker>> speakers_;
};

inline FilterRule rule(std::string name, RuleAction action) {
  FilterRule made;
  made.name = std::move(name);
  made.action = action;
  return made;
}

}  // namespace bgp
