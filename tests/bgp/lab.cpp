// SPDX-License-Identifier: Apache-2.0
#include "tests/bgp/lab.hpp"

#include <stdexcept>
#include <utility>

#include <gmock/gmock.h>

namespace bgp {

net::Prefix pfx(std::string_view text) {
  return *net::parse_prefix(text);
}

PathAttributes path(std::vector<std::uint32_t> asns) {
  PathAttributes attributes;
  AsPathSegment segment;
  for (const auto asn : asns) segment.asns.push_back(net::Asn{asn});
  if (!asns.empty()) attributes.as_path.segments.push_back(segment);
  return attributes;
}

std::vector<std::uint32_t> asns(const PathAttributes& attributes) {
  std::vector<std::uint32_t> all;
  for (const auto& segment : attributes.as_path.segments) {
    for (const auto asn : segment.asns) all.push_back(asn.value);
  }
  return all;
}

SpeakerOptions external(unsigned number) {
  return {.name = "e" + std::to_string(number),
          .asn = net::Asn{65000 + number},
          .id = net::RouterId{0x0a000100 + number},
          .address = net::Ipv4Address{0x0a000100 + number}};
}

SpeakerOptions internal(unsigned number) {
  auto options = external(number);
  options.name = "i" + std::to_string(number);
  options.asn = net::Asn{65000};
  return options;
}

SpeakerOptions without_refresh(unsigned number) {
  auto options = external(number);
  options.refresh = false;
  return options;
}

FilterRule rule(std::string name, RuleAction action) {
  FilterRule made;
  made.name = std::move(name);
  made.action = action;
  return made;
}

Lab::Lab() : router{{.asn = net::Asn{65000}, .router_id = net::RouterId{0x0a000001}, .decision = {}}, 1} {}

Speaker& Lab::add(const SpeakerOptions& options) {
  speakers_.push_back(std::make_unique<Speaker>(router, options));
  neighbors.push_back(speakers_.back()->neighbor());
  return *speakers_.back();
}

NeighborConfig& Lab::config(const Speaker& speaker) {
  for (auto& each : neighbors) {
    if (each.name == speaker.options().name) return each;
  }
  throw std::out_of_range{"no such neighbour"};
}

void Lab::establish() {
  configure();
  for (auto& speaker : speakers_) ASSERT_TRUE(speaker->establish());
  settle();
}

void Lab::settle() {
  for (bool busy = true; busy;) {
    busy = router.work();
    for (auto& speaker : speakers_) busy = speaker->listen() || busy;
  }
  take();
  for (auto& speaker : speakers_) EXPECT_THAT(speaker->complaints, ::testing::IsEmpty());
}

void Lab::take() {
  for (auto& action : router.take_actions()) actions.push_back(std::move(action));
}

NeighborStatus Lab::status(const Speaker& speaker) {
  for (auto& each : router.neighbors()) {
    if (each.name == speaker.options().name) return each;
  }
  throw std::out_of_range{"no such neighbour"};
}

std::string Lab::best_reason(std::string_view prefix) {
  for (const auto& each : router.explain(pfx(prefix)).paths) {
    if (each.best) return each.peer + ": " + each.reason;
  }
  return "";
}

}  // namespace bgp
