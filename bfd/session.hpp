// SPDX-License-Identifier: Apache-2.0
// One BFD session: the state machine of RFC 5880 section 6.8 with its timers. Packets go in with the time, actions come
// out as data, and next_deadline() is the only timer the outside must keep. It must not know sockets, addresses or how
// packets found it; sessions.hpp does.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <variant>
#include <vector>

#include "bfd/authentication.hpp"
#include "bfd/packet.hpp"
#include "bfd/random.hpp"
#include "net/time.hpp"

namespace bfd {

// Section 6.1. Passive: nothing is sent before the other side was heard.
enum class Role : std::uint8_t { Active, Passive };
// The C bit: whether BFD goes on while the control plane that it serves is away.
enum class ControlPlane : std::uint8_t { Shared, Independent };

// What one session is asked to do. All of it may change while the session is Up.
struct SessionConfig {
  Interval desired_min_tx{300'000};
  Interval required_min_rx{300'000};  // 0: the other side must not send periodically
  std::uint8_t detect_multiplier = 3;
  // How often the other side may send echoes for this one to loop; 0: not at all.
  Interval required_min_echo_rx{0};
  // How often this side sends echoes, if the other loops them; 0: never.
  Interval echo_interval{0};
  Role role = Role::Active;
  ControlPlane control_plane = ControlPlane::Shared;
  std::optional<AuthKey> key{};

  friend bool operator==(const SessionConfig&, const SessionConfig&) = default;
};

// ---- what the outside has to do -----------------------------------------------------------------------

// Send these octets to the neighbour.
struct SendControl {
  std::vector<std::uint8_t> bytes;
  friend bool operator==(const SendControl&, const SendControl&) = default;
};
// How an echo comes back. Forwarded: it is addressed to this system and handed to the neighbour, whose forwarding
// returns it (RFC 5881 section 4). Reflected: it is addressed to the neighbour, whose software returns it, as some do
// for IPv6.
enum class EchoPath : std::uint8_t { Forwarded, Reflected };
// Send an echo with this number.
struct SendEcho {
  std::uint32_t sequence = 0;
  EchoPath path = EchoPath::Forwarded;
  friend bool operator==(const SendEcho&, const SendEcho&) = default;
};
// For the log and for what depends on the session.
struct StateChanged {
  State from{};
  State to{};
  Diagnostic diagnostic{};  // ours: why
  State remote_state{};     // AdminDown: the other side went on purpose; the path may be fine
  Diagnostic remote_diagnostic{};
  // What the neighbour's last C bit said. Shared: its control plane may be gone while it forwards (RFC 5882
  // section 4.3).
  ControlPlane remote_control_plane{};
  friend bool operator==(const StateChanged&, const StateChanged&) = default;
};
// The neighbour began or ceased to be AdminDown while the session was not Up.
struct RemoteAdminChanged {
  State remote_state{};
  friend bool operator==(const RemoteAdminChanged&, const RemoteAdminChanged&) = default;
};
using Action = std::variant<SendControl, SendEcho, StateChanged, RemoteAdminChanged>;
using Actions = std::vector<Action>;

// Off: none is wanted, or the neighbour loops none. Probing: sent, and none has come back yet, so their absence says
// nothing. Active: they come back, and the session goes down when they cease to.
enum class EchoState : std::uint8_t { Off, Probing, Active };

struct SessionStatus {
  State state = State::Down;
  Diagnostic diagnostic = Diagnostic::None;
  State remote_state = State::Down;
  Diagnostic remote_diagnostic = Diagnostic::None;
  std::uint32_t local_discriminator = 0;
  std::uint32_t remote_discriminator = 0;
  // As agreed. Zero: nothing is sent periodically; nothing is known of the other side yet.
  Interval transmit_interval{};
  Interval receive_interval{};
  net::Duration detection_time{};
  Interval echo_interval{};
  EchoState echo = EchoState::Off;
  // As the other side said last.
  std::uint8_t remote_multiplier = 0;
  Interval remote_desired_min_tx{};
  Interval remote_required_min_rx{};
  Interval remote_required_min_echo_rx{};
  bool remote_demand = false;
  ControlPlane remote_control_plane{};
  bool polling = false;
  std::optional<net::TimePoint> up_since;
  std::optional<net::TimePoint> down_since;  // of the last fall from Up
  Diagnostic last_down = Diagnostic::None;   // why it fell then
  std::uint64_t times_up = 0;
  std::uint64_t times_down = 0;
  std::uint64_t packets_in = 0;
  std::uint64_t packets_out = 0;
  std::uint64_t echoes_in = 0;
  std::uint64_t echoes_out = 0;
};

class Session {
 public:
  // `discriminator` is not zero. `seed` feeds jitter and the first sequence number.
  Session(std::uint32_t discriminator, SessionConfig config, std::uint64_t seed, net::TimePoint now);

  // A packet that was found to be for this session; `datagram` is what `packet` was decoded from. The reason when it is
  // not used.
  std::optional<Discard> received(const Packet& packet, std::span<const std::uint8_t> datagram, net::TimePoint now,
                                  Actions& out);
  // An echo of this session came back. Old and repeated ones do not count.
  void echo_returned(std::uint32_t sequence, net::TimePoint now);
  // Timers change by poll sequence where the session is Up.
  void configure(const SessionConfig& config, net::TimePoint now, Actions& out);
  // Section 6.8.16. The session goes on saying AdminDown until enable().
  void disable(net::TimePoint now, Actions& out);
  void enable(net::TimePoint now, Actions& out);
  // Something else found that the path is broken (section 6.8.17): the link went down.
  void path_down(net::TimePoint now, Actions& out);

  void tick(net::TimePoint now, Actions& out);
  [[nodiscard]] std::optional<net::TimePoint> next_deadline() const;

  [[nodiscard]] State state() const { return state_; }
  [[nodiscard]] State remote_state() const { return remote_state_; }
  [[nodiscard]] std::uint32_t discriminator() const { return local_discriminator_; }
  [[nodiscard]] const SessionConfig& config() const { return config_; }
  [[nodiscard]] SessionStatus status() const;

 private:
  // ---- state ----
  void learn(const Packet& packet);
  void follow(State heard, net::TimePoint now, Actions& out);
  void move(State to, Diagnostic diagnostic, net::TimePoint now, Actions& out);
  void expire(net::TimePoint now, Actions& out);
  // ---- timers ----
  void renegotiate();
  void finish_poll();
  [[nodiscard]] Interval wanted_tx() const;
  [[nodiscard]] Interval transmit_interval() const;
  [[nodiscard]] net::Duration detection_time() const;
  // Until the detection time is over, counted from `since`.
  void expect_packets(net::TimePoint now, net::TimePoint since);
  [[nodiscard]] bool transmits() const;
  [[nodiscard]] net::Duration jittered(net::Duration interval);
  void reschedule(net::TimePoint now);
  // ---- packets ----
  [[nodiscard]] Packet packet() const;
  enum class Answer : std::uint8_t { None, ToPoll };
  void send(Answer answer, net::TimePoint now, Actions& out);
  void send_if_changed(net::TimePoint now, Actions& out);
  // ---- echo ----
  [[nodiscard]] Interval agreed_echo_interval() const;
  void reschedule_echo(net::TimePoint now);
  void stop_echo();
  void send_echo(net::TimePoint now, Actions& out);

  SessionConfig config_;
  Random random_;
  Authentication authentication_;

  // Section 6.8.1.
  State state_ = State::Down;
  Diagnostic diagnostic_ = Diagnostic::None;
  std::uint32_t local_discriminator_;
  State remote_state_ = State::Down;
  Diagnostic remote_diagnostic_ = Diagnostic::None;
  std::uint32_t remote_discriminator_ = 0;
  std::uint8_t remote_multiplier_ = 0;
  Interval remote_desired_min_tx_{};
  Interval remote_required_min_rx_{1};
  Interval remote_required_min_echo_rx_{};
  bool remote_demand_ = false;
  ControlPlane remote_control_plane_ = ControlPlane::Shared;

  // What packets say, and what holds here. They differ while a poll sequence runs (section 6.8.3): a slower
  // transmission and a shorter detection time wait for its end.
  Interval advertised_tx_{};
  Interval advertised_rx_{};
  Interval active_tx_{};
  Interval active_rx_{};
  bool polling_ = false;

  std::optional<net::TimePoint> last_received_;
  std::optional<net::TimePoint> detect_at_;  // nothing: no packet is expected
  net::TimePoint silent_since_{};            // what detect_at_ is counted from
  std::optional<net::TimePoint> last_sent_;
  std::optional<net::TimePoint> send_at_;
  net::Duration scheduled_interval_{};  // that send_at_ was made with
  std::optional<Packet> last_packet_;

  EchoState echo_ = EchoState::Off;
  std::optional<net::TimePoint> echo_at_;
  std::optional<net::TimePoint> echo_detect_at_;
  std::uint32_t echo_sequence_ = 0;    // of the last one sent
  std::uint32_t echo_confirmed_ = 0;   // of the latest one that came back
  std::optional<EchoPath> echo_path_;  // the one that works
  unsigned probes_ = 0;

  SessionStatus counters_;  // the fields that are not derived
};

// The longest time between two packets while the session is not Up (section 6.8.3).
inline constexpr Interval slow_interval{1'000'000};

}  // namespace bfd
