// SPDX-License-Identifier: Apache-2.0
// What a cache says over the RPKI-to-Router protocol, in any pieces. Two sessions hear the same, one as it comes and
// one whole PDU by whole PDU: they must not differ. Their payloads are those of a plain model, or the connection ends
// with a report. Each step: a kind, its argument, and how many octets of what waits arrive.
#include <algorithm>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <utility>
#include <vector>

#include "bgp/rpki/rtr_session.hpp"
#include "net/reader.hpp"
#include "net/writer.hpp"
#include "tests/fuzz/require.hpp"

namespace {

using Bytes = std::vector<std::uint8_t>;
using Pdu = std::span<const std::uint8_t>;
using State = bgp::RtrSession::State;

constexpr std::size_t header_octets = 8;
constexpr std::uint16_t usual_session = 9;

// Types of PDUs, RFC 8210 section 5.
constexpr std::uint8_t serial_notify = 0;
constexpr std::uint8_t serial_query = 1;
constexpr std::uint8_t reset_query = 2;
constexpr std::uint8_t cache_response = 3;
constexpr std::uint8_t ipv4_prefix = 4;
constexpr std::uint8_t ipv6_prefix = 6;
constexpr std::uint8_t end_of_data = 7;
constexpr std::uint8_t cache_reset = 8;
constexpr std::uint8_t error_report = 10;

std::uint8_t type_of(Pdu pdu) {
  return pdu[1];
}
std::uint32_t length_of(Pdu pdu) {
  net::Reader in{pdu.subspan(4)};
  return in.u32();
}
std::uint16_t session_of(Pdu pdu) {
  return static_cast<std::uint16_t>(pdu[2] << 8 | pdu[3]);
}

// What the cache has said and still holds, in the plainest way.
class Model {
 public:
  void connected() { pending_.reset(); }
  void asked_for_all() { for_all_ = true; }
  // What is asked for are changes of what is held.
  void asked_for_changes(std::uint16_t session, std::uint32_t serial) {
    require(session_ == session && serial_ == serial);
    for_all_ = false;
  }

  void accepted(Pdu pdu, net::TimePoint now) {
    net::Reader in{pdu.subspan(header_octets)};
    switch (type_of(pdu)) {
      case cache_response:
        pending_session_ = session_of(pdu);
        pending_ = for_all_ ? std::set<bgp::Vrp>{} : table_;
        break;
      case ipv4_prefix:
      case ipv6_prefix:
        require(pending_.has_value());
        change(type_of(pdu), in);
        break;
      case end_of_data:
        require(pending_ && pending_session_ == session_of(pdu));
        if (!for_all_ && !session_) break;  // changes of what has expired
        table_ = *pending_;
        pending_.reset();
        session_ = pending_session_;
        serial_ = in.u32();
        in.skip(8);
        if (pdu[0] > 0) expire_ = std::clamp(net::Seconds{in.u32()}, net::Seconds{600}, net::Seconds{172800});
        expire_at_ = now + expire_;
        break;
      default:
        break;
    }
  }
  // It ended the connection. Another session: what was known of the one before means nothing any more; but of a PDU
  // that has not the form of the version that is spoken, nothing is believed.
  void refused(Pdu pdu, State before, std::uint8_t version) {
    const bool well_formed = pdu[0] == version && length_of(pdu) == header_octets;
    if (well_formed && type_of(pdu) == cache_response && before == State::Asking && !for_all_ && session_ &&
        session_ != session_of(pdu))
      forget();
    pending_.reset();
  }
  void tick(net::TimePoint now) {
    if (expire_at_ && *expire_at_ <= now) forget();
  }
  [[nodiscard]] std::vector<bgp::Vrp> table() const { return {table_.begin(), table_.end()}; }

 private:
  void change(std::uint8_t type, net::Reader& in) {
    const bool announced = in.u8() % 2 == 1;
    const auto length = in.u8();
    const auto max_length = in.u8();
    in.skip(1);
    const auto address = type == ipv4_prefix ? net::IpAddress{in.ipv4()} : net::IpAddress{in.ipv6()};
    const auto prefix = net::Prefix::make(address, length);
    require(prefix && length <= max_length && max_length <= net::address_bits(address.family()));
    const bgp::Vrp vrp{*prefix, max_length, net::Asn{in.u32()}};
    require(in.consumed());
    if (announced)
      require(pending_->insert(vrp).second);  // what holds already is refused
    else
      pending_->erase(vrp);
  }
  void forget() {
    table_.clear();
    if (!for_all_ && pending_) pending_->clear();
    session_.reset();
    expire_at_.reset();
  }

  std::set<bgp::Vrp> table_;
  std::optional<std::set<bgp::Vrp>> pending_;  // the table as it will be at the end of the answer
  std::optional<std::uint16_t> session_;       // of the table, and so is the serial
  std::uint32_t serial_ = 0;
  std::uint16_t pending_session_ = 0;
  bool for_all_ = true;  // what was asked for last
  net::Seconds expire_{7200};
  std::optional<net::TimePoint> expire_at_;
};

class Subject {
 public:
  explicit Subject(std::uint8_t choice) : version_{choice == 255 ? std::uint8_t{2} : std::uint8_t(choice % 2)} {
    connect();
  }

  void step(net::Reader& in) {
    const auto what = in.u8();
    const auto argument = in.u8();
    switch (what % 10) {
      case 0:
      case 1:
        append(in.bytes(std::min<std::size_t>(argument, in.remaining())));
        break;
      case 2:
      case 3:
        say_prefix(argument);
        break;
      case 4:
        say(cache_response, session(argument));
        break;
      case 5:
        say_end(argument);
        break;
      case 6:
        if (argument % 2 == 0)
          say(serial_notify, session(argument), {0, 0, 0, argument});
        else
          say(cache_reset, 0);
        break;
      case 7:
        say(error_report, argument % 9, {0, 0, 0, 0, 0, 0, 0, 1, argument});
        break;
      case 8:
        pass(argument * net::Seconds{30});
        break;
      default:
        lose();
        pass(argument * net::Seconds{1});
        connect();
    }
    deliver(in.u8());
    if (whole_.wants_close()) {
      lose();
      connect();
    }
  }

 private:
  // ---- what the cache says ----

  static std::uint16_t session(std::uint8_t choice) { return choice >= 250 ? choice : usual_session; }
  void append(Pdu bytes) { waiting_.insert(waiting_.end(), bytes.begin(), bytes.end()); }
  void say(std::uint8_t type, std::uint16_t session, const Bytes& body = {}) {
    net::Writer out{waiting_};
    out.u8(version_);
    out.u8(type);
    out.u16(session);
    out.u32(static_cast<std::uint32_t>(header_octets + body.size()));
    out.bytes(body);
  }
  void say_prefix(std::uint8_t choice) {
    const auto length = static_cast<std::uint8_t>(16 + choice / 2 % 4 * 3);
    Bytes body{static_cast<std::uint8_t>(choice % 2), length, static_cast<std::uint8_t>(length + choice / 8 % 3), 0};
    net::Writer out{body};
    const bool four = choice < 192;
    if (four)
      out.ipv4({0x0a090807});
    else
      out.ipv6({{0x20, 0x01, 0x0d, 0xb8, 1, 2, 3}});
    out.u32(64496U + choice / 24U % 4U);
    say(four ? ipv4_prefix : ipv6_prefix, 0, body);
  }
  void say_end(std::uint8_t choice) {
    Bytes body{0, 0, 0, choice};
    net::Writer out{body};
    if (version_ > 0)
      for (const auto seconds : {30U * choice, 10U * choice, 20U * choice}) out.u32(seconds);
    say(end_of_data, session(choice), body);
  }

  // ---- how it comes ----

  void connect() {
    pieces_.connected(now_);
    whole_.connected(now_);
    model_.connected();
    listen();
    compare();
  }
  void lose() {
    pieces_.lost(now_);
    whole_.lost(now_);
    require(whole_.state() == State::Down && whole_.retry_at() >= now_);
    waiting_.clear();
    stream_.clear();
    output_.clear();
    (void)pieces_.take_output();
  }
  void pass(net::Duration duration) {
    now_ += duration;
    pieces_.tick(now_);
    whole_.tick(now_);
    model_.tick(now_);
    listen();
    compare();
    require(!whole_.next_deadline() || *whole_.next_deadline() > now_);
  }

  // 255: all of it.
  void deliver(std::uint8_t count) {
    const auto size = count == 255 ? waiting_.size() : std::min<std::size_t>(count, waiting_.size());
    const Bytes piece{waiting_.begin(), waiting_.begin() + static_cast<std::ptrdiff_t>(size)};
    waiting_.erase(waiting_.begin(), waiting_.begin() + static_cast<std::ptrdiff_t>(size));
    pieces_.received(piece, now_);
    stream_.insert(stream_.end(), piece.begin(), piece.end());
    while (const auto length = next_whole()) {
      const Bytes pdu{stream_.begin(), stream_.begin() + static_cast<std::ptrdiff_t>(*length)};
      stream_.erase(stream_.begin(), stream_.begin() + static_cast<std::ptrdiff_t>(*length));
      hear(pdu);
    }
    compare();
  }
  // Of a PDU whose length can be no length the header is all there is.
  [[nodiscard]] std::optional<std::size_t> next_whole() const {
    if (whole_.wants_close() || stream_.size() < header_octets) return std::nullopt;
    const std::size_t length = length_of(stream_);
    if (length < header_octets || length > bgp::RtrSession::largest_pdu) return header_octets;
    return stream_.size() < length ? std::nullopt : std::optional{length};
  }
  void hear(Pdu pdu) {
    const auto before = whole_.state();
    whole_.received(pdu, now_);
    if (whole_.wants_close())
      model_.refused(pdu, before, whole_.version());
    else
      model_.accepted(pdu, now_);
    const bool reported = listen();
    // A report is not answered with one; anything else that ends the connection is reported.
    require(reported == (whole_.wants_close() && type_of(pdu) != error_report));
    require(!whole_.wants_close() || !whole_.last_error().empty());
  }

  // What the session says; true: an error report, which is its last word.
  bool listen() {
    const auto said = whole_.take_output();
    output_.insert(output_.end(), said.begin(), said.end());
    bool reported = false;
    net::Reader in{said};
    while (in.remaining() > 0) {
      require(!reported);
      in.skip(1);
      const auto type = in.u8();
      const auto session = in.u16();
      auto body = in.sub(in.u32() - header_octets);
      require(type == serial_query || type == reset_query || type == error_report);
      reported = type == error_report;
      if (reported)
        for (int i = 0; i < 2; ++i) body.skip(body.u32());
      else if (type == serial_query)
        model_.asked_for_changes(session, body.u32());
      else
        model_.asked_for_all();
      require(in.ok() && body.consumed());
    }
    return reported;
  }

  void compare() {
    require(pieces_.take_output() == output_);
    output_.clear();
    require(pieces_.state() == whole_.state() && pieces_.wants_close() == whole_.wants_close());
    require(pieces_.vrps() == whole_.vrps() && pieces_.serial() == whole_.serial());
    require(pieces_.version() == whole_.version() && pieces_.last_error() == whole_.last_error());
    require(pieces_.next_deadline() == whole_.next_deadline() && pieces_.retry_at() == whole_.retry_at());

    const auto table = model_.table();
    require(whole_.vrps() == table);
    const bool changed = whole_.take_changed();
    require(changed == pieces_.take_changed() && (changed || table == shown_));
    if (!changed) return;
    shown_ = table;
    roas_.replace(1, table);
    require(roas_.size() == table.size());
    held_.emplace_back(roas_.snapshot(), table);
    if (held_.size() > 3) held_.pop_front();
    for (const auto& vrp : table) {
      require(roas_.validate(vrp.prefix, vrp.asn) == expected(vrp, table));
      for (const auto& [snapshot, then] : held_)
        require(snapshot->validate(vrp.prefix, vrp.asn) == expected(vrp, then));
    }
  }
  // RFC 6811 section 2, by looking at all of them.
  [[nodiscard]] static bgp::OriginValidity expected(const bgp::Vrp& of, const std::vector<bgp::Vrp>& vrps) {
    auto validity = bgp::OriginValidity::NotFound;
    for (const auto& vrp : vrps) {
      if (!vrp.prefix.contains(of.prefix)) continue;
      const bool matches = vrp.asn == of.asn && vrp.asn.value != 0 && of.prefix.length() <= vrp.max_length;
      if (matches) validity = bgp::OriginValidity::Valid;
      if (validity == bgp::OriginValidity::NotFound) validity = bgp::OriginValidity::Invalid;
    }
    return validity;
  }

  std::uint8_t version_;
  bgp::RtrSession pieces_;
  bgp::RtrSession whole_;
  Model model_;
  bgp::RoaTable roas_;
  std::deque<std::pair<std::shared_ptr<const bgp::RoaSnapshot>, std::vector<bgp::Vrp>>> held_;
  std::vector<bgp::Vrp> shown_;
  Bytes waiting_;  // said by the cache, and on its way
  Bytes stream_;   // has arrived, and is no whole PDU yet
  Bytes output_;   // of whole_
  net::TimePoint now_{std::chrono::hours{1}};
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  net::Reader in{{data, size}};
  Subject subject{in.u8()};
  while (in.remaining() > 0) subject.step(in);
  return 0;
}
