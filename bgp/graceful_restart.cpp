// SPDX-License-Identifier: Apache-2.0
#include "bgp/graceful_restart.hpp"

#include <algorithm>
#include <utility>

#include "bgp/wire/notification.hpp"

namespace bgp {
namespace {

using Mode = GracefulRestart::Mode;

RestartTerms::Family family_terms(const GracefulRestart& config, AfiSafi family, const Capabilities& theirs) {
  RestartTerms::Family terms;
  for (const auto& each : theirs.graceful_restart->families) {
    if (each.family != family) continue;
    terms.kept = true;
    terms.forwarding = each.forwarding;
  }
  if (!theirs.long_lived || config.long_lived_time == net::Seconds{0}) return terms;
  for (const auto& each : *theirs.long_lived) {
    if (each.family != family) continue;
    terms.long_lived = std::min(each.stale_time, config.long_lived_time);
    terms.long_lived_forwarding = each.forwarding;
  }
  return terms;
}

}  // namespace

// RFC 4724 section 3: a helper offers the capability without families; its restart time means nothing then.
std::optional<GracefulRestartCapability> offer_graceful_restart(const GracefulRestart& config, Families families,
                                                                RestartState state) {
  if (config.mode == Mode::Off) return std::nullopt;
  GracefulRestartCapability offer;
  offer.notification = config.notification;
  if (config.mode == Mode::Helper) return offer;
  offer.restarting = state.restarting;
  offer.time = config.restart_time;
  for (const auto family : pairs(families)) offer.families.push_back({family, state.forwarding});
  return offer;
}

std::optional<std::vector<LongLivedFamily>> offer_long_lived(const GracefulRestart& config, Families families,
                                                             RestartState state) {
  if (config.mode == Mode::Off || config.long_lived_time == net::Seconds{0}) return std::nullopt;
  std::vector<LongLivedFamily> offer;
  if (config.mode == Mode::Helper) return offer;
  for (const auto family : pairs(families)) offer.push_back({family, state.forwarding, config.long_lived_time});
  return offer;
}

RestartTerms agree_on_restart(const GracefulRestart& config, Families families, const Capabilities& theirs) {
  RestartTerms terms;
  // RFC 9494 section 3.1: without the capability of RFC 4724 the other one is ignored.
  if (config.mode == Mode::Off || !theirs.graceful_restart) return terms;
  const auto& offer = *theirs.graceful_restart;
  terms.capable = true;
  terms.restarting = offer.restarting;
  terms.notification = config.notification && offer.notification;
  terms.long_lived_capable = theirs.long_lived.has_value();
  terms.ours_kept = config.mode == Mode::Full;
  terms.time = offer.time;
  if (families.ipv4) terms.ipv4 = family_terms(config, ipv4_unicast, theirs);
  if (families.ipv6) terms.ipv6 = family_terms(config, ipv6_unicast, theirs);
  return terms;
}

bool ends_for_good(const Notification& notification) {
  return is(notification, CeaseError::AdministrativeShutdown) || is(notification, CeaseError::PeerDeconfigured) ||
         is(notification, CeaseError::AdministrativeReset) || is(notification, CeaseError::MaximumPrefixes) ||
         is(notification, CeaseError::HardReset);
}

Notification hard_reset(const Notification& notification) {
  auto wrapped = cease(CeaseError::HardReset);
  wrapped.data = {notification.code, notification.subcode};
  wrapped.data.insert(wrapped.data.end(), notification.data.begin(), notification.data.end());
  return wrapped;
}

bool keeps_routes(const RestartTerms& terms, ClosedBy by, const std::optional<Notification>& notification) {
  if (!terms.capable) return false;
  switch (by) {
    case ClosedBy::Transport:
      return true;
    case ClosedBy::Us:
      return terms.notification && notification && !ends_for_good(*notification);
    case ClosedBy::Peer:
      break;
  }
  return terms.notification && !(notification && is(*notification, CeaseError::HardReset));
}

// ---- stale routes -----------------------------------------------------------------------------------

bool StaleRoutes::begin(const RestartTerms& terms, net::Family family, net::TimePoint now) {
  phase_ = Phase::Restarting;
  // RFC 9494 section 4.2, of consecutive restarts. What an even earlier one left shares the later time.
  if (faded_until_) older_until_ = std::exchange(faded_until_, std::nullopt);
  long_lived_ = terms.of(family).long_lived;
  // RFC 9494 section 4.2: a family of the long-lived capability alone has a restart time of zero.
  until_ = now + (terms.of(family).kept ? terms.time : net::Seconds{0});
  return older_until_.has_value();
}

StaleRoutes::Step StaleRoutes::returned(const RestartTerms& terms, net::Family family, net::Seconds stale_time,
                                        net::TimePoint now) {
  if (phase_ == Phase::None) return Step::Nothing;
  const auto& now_said = terms.of(family);
  const bool long_lived = faded_until_ || older_until_;
  const bool forwards = (phase_ == Phase::LongLived || (now_said.kept && now_said.forwarding)) &&
                        (!long_lived || now_said.long_lived_forwarding);
  if (!forwards) return end();
  // A long-lived stale time goes on until the End-of-RIB (RFC 9494 section 4.3).
  const auto longest = now + stale_time;
  until_ = phase_ == Phase::LongLived ? std::min(*until_, longest) : longest;
  phase_ = Phase::Refreshing;
  return Step::Nothing;
}

StaleRoutes::Step StaleRoutes::end_of_rib() {
  return phase_ == Phase::Refreshing ? end() : Step::Nothing;
}

StaleRoutes::Step StaleRoutes::tick(net::TimePoint now) {
  if (older_until_ && *older_until_ <= now) {
    older_until_.reset();
    return Step::DropOlder;
  }
  if (!until_ || now < *until_) return Step::Nothing;
  if (phase_ != Phase::Restarting || long_lived_ == net::Seconds{0}) return end();
  phase_ = Phase::LongLived;
  until_ = faded_until_ = now + long_lived_;
  return Step::Fade;
}

StaleRoutes::Step StaleRoutes::give_up() {
  return phase_ == Phase::None ? Step::Nothing : end();
}

StaleRoutes::Step StaleRoutes::end() {
  phase_ = Phase::None;
  until_.reset();
  faded_until_.reset();
  older_until_.reset();
  return Step::Drop;
}

std::string_view print(StaleRoutes::Phase phase) {
  switch (phase) {
    case StaleRoutes::Phase::None:
      return "none";
    case StaleRoutes::Phase::Restarting:
      return "restarting";
    case StaleRoutes::Phase::LongLived:
      return "long-lived";
    case StaleRoutes::Phase::Refreshing:
      break;
  }
  return "refreshing";
}

// ---- our own restart --------------------------------------------------------------------------------

void Deferral::begin(net::TimePoint now, net::Seconds longest, const Patience& patience) {
  ipv4_ = ipv6_ = true;
  until_ = now + longest;
  absent_until_ = now + std::min(longest, patience.absent);
  restarting_until_ = now + std::min(longest, patience.restarting);
}

std::optional<net::TimePoint> Deferral::deadline(net::TimePoint now) const {
  if (!active()) return std::nullopt;
  auto next = until_;
  for (const auto at : {absent_until_, restarting_until_})
    if (now < at) next = std::min(next, at);
  return next;
}

}  // namespace bgp
