// SPDX-License-Identifier: Apache-2.0
// Sessions fed with datagrams. What decodes must encode to the same octets, and no input may break what the edge relies
// on. Each step: a kind, an argument, and for a datagram its length and octets.
#include <cstdint>
#include <span>
#include <vector>

#include "bfd/echo.hpp"
#include "bfd/sessions.hpp"
#include "net/reader.hpp"
#include "tests/fuzz/require.hpp"

namespace {

const net::IpAddress remote{net::Ipv4Address{0x0a000001}};
const net::IpAddress local{net::Ipv4Address{0x0a000002}};

bfd::SessionConfig config(std::uint8_t choice) {
  bfd::SessionConfig made;
  made.desired_min_tx = made.required_min_rx = bfd::Interval{10'000U * (1U + choice % 50U)};
  made.detect_multiplier = static_cast<std::uint8_t>(1 + choice % 5);
  made.role = choice % 3 == 0 ? bfd::Role::Passive : bfd::Role::Active;
  if (choice % 4 == 0) made.echo_interval = made.required_min_echo_rx = bfd::Interval{50'000};
  if (choice >= 200) made.key = bfd::AuthKey{static_cast<bfd::AuthType>(1 + choice % 5), 1, "secret"};
  return made;
}

void round_trip(std::span<const std::uint8_t> datagram) {
  const auto packet = bfd::decode(datagram);
  if (!packet) return;
  std::vector<std::uint8_t> again;
  bfd::encode(*packet, again);
  require(bfd::decode(again) == packet);
  auto expected = bfd::signed_part(datagram);
  std::vector<std::uint8_t> normal{expected.begin(), expected.end()};
  // The reserved octet of a digest's section is not kept.
  if (packet->authentication && packet->authentication->type != bfd::AuthType::SimplePassword) normal[27] = 0;
  // A length that says more than there is to say, without a section, is taken and not repeated.
  if (!packet->authentication) {
    normal.resize(24);
    normal[3] = 24;
  }
  require(again == normal);
}

class Subject {
 public:
  explicit Subject(std::uint8_t choice) : sessions_{choice} { session_ = add(choice); }

  void step(net::Reader& in) {
    const auto what = in.u8();
    const auto argument = in.u8();
    switch (what % 6) {
      case 0:
        now_ += net::Milliseconds{argument * 10};
        break;
      case 1:
        if (const auto deadline = sessions_.next_deadline()) now_ = std::max(now_, *deadline);
        break;
      case 2:
        sessions_.configure(session_, config(argument), argument, now_);
        break;
      case 3:
        sessions_.remove(session_, now_);
        session_ = add(argument);
        break;
      case 4:
        sessions_.echo_returned(session_, argument, now_);
        break;
      default:
        receive(argument, in.bytes(std::min<std::size_t>(in.u8(), in.remaining())));
    }
    sessions_.tick(now_);
    perform();
    const auto deadline = sessions_.next_deadline();
    require(!deadline || *deadline > now_);
  }

 private:
  bfd::SessionId add(std::uint8_t choice) {
    up_ = false;
    return sessions_.add({bfd::Hops::Single, remote, std::nullopt, 0}, config(choice), 255, now_);
  }

  void receive(std::uint8_t flavour, std::span<const std::uint8_t> bytes) {
    round_trip(bytes);
    (void)bfd::decode_echo(bytes, 1);
    std::vector<std::uint8_t> datagram{bytes.begin(), bytes.end()};
    // An input cannot guess the discriminator.
    if (flavour % 2 == 1 && datagram.size() >= 12)
      for (unsigned i = 0; i < 4; ++i) datagram[8 + i] = static_cast<std::uint8_t>(session_.value >> (24 - 8 * i));
    sessions_.received({bfd::Hops::Single, remote, local, 1, 255}, datagram, now_);
  }

  void perform() {
    for (const auto& action : sessions_.take_actions()) {
      const auto* of = std::get_if<bfd::SessionAction>(&action);
      if (of == nullptr || of->session != session_) continue;
      if (const auto* send = std::get_if<bfd::SendControl>(&of->action)) {
        const auto packet = bfd::decode(send->bytes);
        require(packet.has_value() && !(packet->poll && packet->final));
        require(packet->my_discriminator == session_.value);
      }
      if (const auto* change = std::get_if<bfd::StateChanged>(&of->action)) {
        require((change->from == bfd::State::Up) == up_ && change->from != change->to);
        up_ = change->to == bfd::State::Up;
      }
    }
    require(up_ == (sessions_.find(session_)->state() == bfd::State::Up));
  }

  bfd::Sessions sessions_;
  bfd::SessionId session_;
  net::TimePoint now_{std::chrono::hours{1}};
  bool up_ = false;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  net::Reader in{{data, size}};
  Subject subject{in.u8()};
  while (in.remaining() > 0) subject.step(in);
  return 0;
}
