// SPDX-License-Identifier: Apache-2.0
// A peer fed with events and bytes. The first byte of each step says what happens; the rest of a step is
// its argument. Holds the promises that the edge relies on, and stops when one is broken.
#include <cstdint>
#include <iterator>
#include <optional>
#include <set>
#include <span>
#include <utility>
#include <vector>

#include "bgp/peer.hpp"
#include "bgp/wire/notification.hpp"
#include "net/reader.hpp"
#include "tests/fuzz/require.hpp"

namespace {

bgp::PeerConfig config(std::uint8_t choice) {
  bgp::PeerConfig made;
  made.local_asn = net::Asn{65000};
  made.router_id = net::RouterId{choice % 2 == 0 ? 1U : 0xffffffffU};
  made.peer_asn.kind = choice % 3 == 0 ? bgp::ExpectedAsn::Kind::Internal : bgp::ExpectedAsn::Kind::External;
  made.hold_time = net::Seconds{choice % 5 == 0 ? 0 : 90};
  made.connect = static_cast<bgp::Connect>(choice % 7 % 3);
  made.families = {choice % 2 == 0, choice % 2 == 1 || choice % 4 == 0};
  return made;
}

std::vector<std::uint8_t> body_of(const std::vector<std::uint8_t>& message) {
  return {message.begin() + bgp::header_size, message.end()};
}

// What the peer writes is one message that reads, and is written again, as the same.
void look_at(const std::vector<std::uint8_t>& message) {
  const auto header = bgp::decode_header(message, bgp::max_message_size);
  require(header && header->length == message.size());
  const auto body = body_of(message);
  if (header->type == bgp::MessageType::Open) {
    const auto open = bgp::decode_open(body);
    require(open && bgp::encode(*open) == message);
  }
  if (header->type == bgp::MessageType::Notification) require(bgp::encode(bgp::decode_notification(body)) == message);
}

class Subject {
 public:
  explicit Subject(std::uint8_t choice) : peer_{config(choice), choice} {}

  void step(net::Reader& in) {
    const auto what = in.u8();
    const auto which = pick(in.u8());
    switch (what % 12) {
      case 0:
        peer_.start(now_, out_);
        break;
      case 1:
        peer_.stop(bgp::cease(bgp::CeaseError::AdministrativeShutdown), now_, out_);
        break;
      case 2:
        peer_.restart(bgp::cease(bgp::CeaseError::AdministrativeReset), now_, out_);
        break;
      case 3:
        accept();
        break;
      case 4:
        if (which) peer_.connected(*which, {}, now_, out_);
        break;
      case 5:
        if (which) open_.erase(*which), peer_.lost(*which, "lost", now_, out_);
        break;
      case 6:
        now_ += net::Seconds{in.u8()};
        break;
      case 7:
        if (const auto deadline = peer_.next_deadline()) now_ = std::max(now_, *deadline);
        break;
      case 8:
        peer_.violated(bgp::update_error(bgp::UpdateError::MalformedAsPath), now_, out_);
        break;
      case 9:
        peer_.reconfigure(config(in.u8()), now_, out_);
        break;
      case 10:
        if (which) peer_.blocked(*which, now_);
        break;
      default:
        read(which.value_or(bgp::ConnectionId{}), in.bytes(std::min<std::size_t>(in.u8(), in.remaining())));
    }
    perform();
    peer_.tick(now_, out_);
    perform();
    const auto deadline = peer_.next_deadline();
    require(!deadline || *deadline >= now_);
    require(open_.size() <= 2);
    require(peer_.state() != bgp::State::Idle || open_.empty());
    require(up_ == (peer_.established() != nullptr));
  }

 private:
  std::optional<bgp::ConnectionId> pick(std::uint8_t choice) const {
    if (open_.empty()) return std::nullopt;
    return *std::next(open_.begin(), choice % static_cast<std::ptrdiff_t>(open_.size()));
  }

  void accept() {
    if (const auto connection = peer_.accepted({}, now_, out_)) open_.insert(*connection);
  }

  void read(bgp::ConnectionId connection, std::span<const std::uint8_t> bytes) {
    while (const auto message = peer_.read(connection, bytes, now_, out_)) {
      require(peer_.established() != nullptr);
      if (const auto* refresh = std::get_if<bgp::RouteRefresh>(&*message))
        require(bgp::decode_route_refresh(body_of(bgp::encode(*refresh))) == *refresh);
    }
    require(bytes.empty());
  }

  void perform() {
    for (const auto& action : out_) {
      if (const auto* dial = std::get_if<bgp::Dial>(&action)) require(open_.insert(dial->connection).second);
      if (const auto* send = std::get_if<bgp::Send>(&action)) {
        require(open_.contains(send->connection));
        look_at(send->bytes);
      }
      if (const auto* hangup = std::get_if<bgp::Hangup>(&action)) require(open_.erase(hangup->connection) == 1);
      if (std::holds_alternative<bgp::WentUp>(action)) require(!std::exchange(up_, true));
      if (std::holds_alternative<bgp::WentDown>(action)) require(std::exchange(up_, false));
    }
    out_.clear();
  }

  bgp::Peer peer_;
  bgp::Actions out_;
  net::TimePoint now_{std::chrono::hours{1}};
  std::set<bgp::ConnectionId> open_;
  bool up_ = false;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  net::Reader in{{data, size}};
  Subject subject{in.u8()};
  while (in.remaining() > 0) subject.step(in);
  return 0;
}
