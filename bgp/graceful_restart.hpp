// SPDX-License-Identifier: Apache-2.0
// Graceful restart (RFC 4724, RFC 8538) and its long-lived form (RFC 9494): what two OPENs agree on, what the
// end of a session means for the peer's routes, and how long stale ones stay. Pure; the tables do what it says.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "bgp/peer_config.hpp"
#include "bgp/wire/capabilities.hpp"
#include "net/address.hpp"
#include "net/time.hpp"

namespace bgp {

// What this speaker says of itself in an OPEN.
struct RestartState {
  bool restarting = false;  // the R bit: this program was started anew and its peers may have kept its routes
  bool forwarding = false;  // the F bits: what was learned is still used for forwarding
  friend bool operator==(RestartState, RestartState) = default;
};

[[nodiscard]] std::optional<GracefulRestartCapability> offer_graceful_restart(const GracefulRestart& config,
                                                                              Families families, RestartState state);
[[nodiscard]] std::optional<std::vector<LongLivedFamily>> offer_long_lived(const GracefulRestart& config,
                                                                           Families families, RestartState state);

// What a session agreed on; everything off where either side does not take part.
struct RestartTerms {
  struct Family {
    bool kept = false;        // the peer's routes stay when the session is lost
    bool forwarding = false;  // the peer says that it still forwards by them
    net::Seconds long_lived{};
    bool long_lived_forwarding = false;
    friend bool operator==(const Family&, const Family&) = default;
  };
  bool capable = false;             // the peer will send End-of-RIB
  bool restarting = false;          // the peer's R bit
  bool notification = false;        // RFC 8538 holds, both ways
  bool long_lived_capable = false;  // long-lived stale routes may be told to the peer
  bool ours_kept = false;           // the peer was asked to keep our routes
  net::Seconds time{};              // how long the peer may be away
  Family ipv4;
  Family ipv6;
  [[nodiscard]] const Family& of(net::Family family) const { return family == net::Family::Ipv4 ? ipv4 : ipv6; }
  friend bool operator==(const RestartTerms&, const RestartTerms&) = default;
};
[[nodiscard]] RestartTerms agree_on_restart(const GracefulRestart& config, Families families,
                                            const Capabilities& theirs);

// RFC 8538 section 4: a Cease that ends the session for good, so that it has to be said as a hard reset.
[[nodiscard]] bool ends_for_good(const Notification& notification);
// The NOTIFICATION within a Hard Reset (RFC 8538 section 3.1).
[[nodiscard]] Notification hard_reset(const Notification& notification);
// Whether the end of a session with these terms leaves the peer's routes in use. `notification` is the one that
// was sent or received; none when TCP failed.
enum class ClosedBy : std::uint8_t { Us, Peer, Transport };
[[nodiscard]] bool keeps_routes(const RestartTerms& terms, ClosedBy by,
                                const std::optional<Notification>& notification);

// The stale routes of one family of one peer.
class StaleRoutes {
 public:
  // Restarting: the peer is away. LongLived: it is away for longer than it said, and its routes are a last resort.
  // Refreshing: it is back and has not sent everything yet.
  enum class Phase : std::uint8_t { None, Restarting, LongLived, Refreshing };
  // What the tables have to do now. Fade: mark what is stale as long-lived stale. DropOlder: what begin() had kept of
  // before.
  enum class Step : std::uint8_t { Nothing, Drop, Fade, DropOlder };

  // The session was lost and the routes are kept. Whether those are, too, that were stale before: those that a
  // long-lived stale time still runs for.
  [[nodiscard]] bool begin(const RestartTerms& terms, net::Family family, net::TimePoint now);
  // The peer is back.
  [[nodiscard]] Step returned(const RestartTerms& terms, net::Family family, net::Seconds stale_time,
                              net::TimePoint now);
  [[nodiscard]] Step end_of_rib();
  [[nodiscard]] Step tick(net::TimePoint now);
  // For any other reason.
  [[nodiscard]] Step give_up();

  [[nodiscard]] Phase phase() const { return phase_; }
  [[nodiscard]] std::optional<net::TimePoint> deadline() const {
    return until_ && older_until_ ? std::min(until_, older_until_) : until_;
  }

 private:
  Step end();
  Phase phase_ = Phase::None;
  std::optional<net::TimePoint> until_;
  net::Seconds long_lived_{};
  // When the long-lived stale time ends: of what was marked since the last begin(), and of what that kept.
  std::optional<net::TimePoint> faded_until_;
  std::optional<net::TimePoint> older_until_;
};
[[nodiscard]] std::string_view print(StaleRoutes::Phase phase);  // "none", "restarting", "long-lived", "refreshing"

// The restart of this router (RFC 4724 section 4.1): per family, neighbours and the kernel are told nothing
// before every neighbour that restarts with us has sent its End-of-RIB, or for too long.
class Deferral {
 public:
  // How long neighbours are waited for that have not come up, and those that say that they have restarted as well.
  struct Patience {
    net::Seconds absent{};
    net::Seconds restarting{};
  };
  void begin(net::TimePoint now, net::Seconds longest, const Patience& patience);
  void end(net::Family family) { (family == net::Family::Ipv4 ? ipv4_ : ipv6_) = false; }
  [[nodiscard]] bool active(net::Family family) const { return family == net::Family::Ipv4 ? ipv4_ : ipv6_; }
  [[nodiscard]] bool active() const { return ipv4_ || ipv6_; }
  [[nodiscard]] bool expired(net::TimePoint now) const { return now >= until_; }
  [[nodiscard]] bool waits_for_absent(net::TimePoint now) const { return now < absent_until_; }
  [[nodiscard]] bool waits_for_restarting(net::TimePoint now) const { return now < restarting_until_; }
  // The next time at which something ends by itself.
  [[nodiscard]] std::optional<net::TimePoint> deadline(net::TimePoint now) const;

 private:
  bool ipv4_ = false;
  bool ipv6_ = false;
  net::TimePoint until_;
  net::TimePoint absent_until_;
  net::TimePoint restarting_until_;
};

}  // namespace bgp
