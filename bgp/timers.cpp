// SPDX-License-Identifier: Apache-2.0
#include "bgp/timers.hpp"

#include <algorithm>

namespace bgp {

std::uint64_t Random::next() {
  state_ += 0x9e3779b97f4a7c15ULL;
  auto value = state_;
  value = (value ^ value >> 30) * 0xbf58476d1ce4e5b9ULL;
  value = (value ^ value >> 27) * 0x94d049bb133111ebULL;
  return value ^ value >> 31;
}

net::Duration Random::jittered(net::Duration duration) {
  const auto ticks = duration.count();
  const auto steps = static_cast<net::Duration::rep>(next() % 1024);
  return net::Duration{ticks - ticks / 4096 * steps};
}

net::Duration Backoff::next(net::Duration ceiling) {
  constexpr unsigned most_doublings = 20;  // twelve days: beyond every ceiling, and far from overflow
  const auto failures = failures_;
  failures_ = std::min(failures_ + 1, most_doublings);
  if (failures == 0) return std::min(first_, ceiling);
  return std::min<net::Duration>(net::Seconds{1} * (1LL << (failures - 1)), ceiling);
}

std::optional<net::TimePoint> Deadlines::next() const {
  std::optional<net::TimePoint> first;
  for (const auto& at : at_) first = earlier(first, at);
  return first;
}

std::optional<Timer> Deadlines::take_due(net::TimePoint now) {
  const auto first = next();
  if (!first || *first > now) return std::nullopt;
  for (std::size_t i = 0; i < at_.size(); ++i) {
    if (at_[i] != first) continue;
    at_[i].reset();
    return static_cast<Timer>(i);
  }
  return std::nullopt;
}

std::optional<net::TimePoint> earlier(std::optional<net::TimePoint> one, std::optional<net::TimePoint> other) {
  if (!one) return other;
  if (!other) return one;
  return std::min(*one, *other);
}

}  // namespace bgp
