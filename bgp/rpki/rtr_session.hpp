// SPDX-License-Identifier: Apache-2.0
// The router's side of the RPKI-to-Router protocol (RFC 8210, and RFC 6810 with caches that know no more), without
// input and output: bytes and time in, bytes out. What the cache says is shown when it has said all of it.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "bgp/rpki/roa_table.hpp"
#include "net/time.hpp"

namespace bgp {

class RtrSession {
 public:
  // Largest PDU that is taken; an error report quotes one and a text.
  static constexpr std::size_t largest_pdu = 65535;

  // A connection stands: asks for what is new, or for everything. No answer for a minute ends it.
  void connected(net::TimePoint now);
  // It ended. What was learned stays until it expires.
  void lost(net::TimePoint now);
  void received(std::span<const std::uint8_t> bytes, net::TimePoint now);
  void tick(net::TimePoint now);
  [[nodiscard]] std::optional<net::TimePoint> next_deadline() const;

  // Bytes to write.
  [[nodiscard]] std::vector<std::uint8_t> take_output() { return std::exchange(output_, {}); }
  // The connection is of no use any more: write the output, then close. Answered by lost().
  [[nodiscard]] bool wants_close() const { return closing_; }
  // When to dial again after lost().
  [[nodiscard]] net::TimePoint retry_at() const { return retry_at_; }

  // The payloads changed since the last call.
  [[nodiscard]] bool take_changed() { return std::exchange(changed_, false); }
  [[nodiscard]] const std::vector<Vrp>& vrps() const { return vrps_; }  // ascending

  enum class State : std::uint8_t { Down, Asking, Receiving, Synchronized };
  [[nodiscard]] State state() const { return state_; }
  [[nodiscard]] std::uint8_t version() const { return version_; }
  [[nodiscard]] std::optional<std::uint32_t> serial() const { return serial_; }
  [[nodiscard]] const std::string& last_error() const { return last_error_; }

 private:
  struct Pdu;
  // RFC 8210 section 12.
  enum class Error : std::uint16_t {
    CorruptData = 0,
    InternalError = 1,
    NoDataAvailable = 2,
    InvalidRequest = 3,
    UnsupportedVersion = 4,
    UnsupportedPduType = 5,
    WithdrawalOfUnknownRecord = 6,
    DuplicateAnnouncement = 7,
    UnexpectedVersion = 8,
  };
  // False: the rest of the input means nothing any more.
  bool handle(const Pdu& pdu, net::TimePoint now);
  void ask();
  void ask_everything();
  void begin(const Pdu& pdu);
  void take_prefix(const Pdu& pdu);
  void finish(const Pdu& pdu, net::TimePoint now);
  void take_report(const Pdu& pdu, net::TimePoint now);
  void notified(const Pdu& pdu);
  void fail_with(Error error, const Pdu& pdu, const std::string& text);
  void forget();
  [[nodiscard]] bool awaits_answer() const;

  State state_ = State::Down;
  bool closing_ = false;
  std::uint8_t version_ = 1;
  bool version_agreed_ = false;
  // Of what is known; an answer that is being received may be of another session.
  std::optional<std::uint16_t> session_;
  std::optional<std::uint32_t> serial_;
  std::uint16_t answering_session_ = 0;
  std::vector<std::uint8_t> input_;
  std::vector<std::uint8_t> output_;
  // What is being received: against nothing, or against what is known.
  bool full_ = true;
  std::map<Vrp, bool> received_;  // the last word on each; true: announced
  std::vector<Vrp> vrps_;
  bool changed_ = false;
  std::string last_error_;

  // RFC 8210 section 6.
  net::Seconds refresh_{3600};
  net::Seconds retry_{600};
  net::Seconds expire_{7200};
  std::optional<net::TimePoint> refresh_at_;
  std::optional<net::TimePoint> expire_at_;
  net::TimePoint heard_at_{};  // the last whole PDU, or the question before it
  net::TimePoint retry_at_{};
};

}  // namespace bgp
