// SPDX-License-Identifier: Apache-2.0
#include "bgp/rpki/rtr_session.hpp"

#include <algorithm>
#include <utility>

#include "net/reader.hpp"
#include "net/writer.hpp"

namespace bgp {
namespace {

enum class Type : std::uint8_t {
  SerialNotify = 0,
  SerialQuery = 1,
  ResetQuery = 2,
  CacheResponse = 3,
  Ipv4Prefix = 4,
  Ipv6Prefix = 6,
  EndOfData = 7,
  CacheReset = 8,
  RouterKey = 9,
  ErrorReport = 10,
};

constexpr std::size_t header_octets = 8;
constexpr net::Seconds first_retry{10};  // before a cache has said what it wants
// A cache that has died after it was asked leaves nothing for TCP to send again, and would be waited for without end.
constexpr net::Seconds longest_silence{60};

// The length that a PDU of the type must have; nothing where it varies.
std::optional<std::size_t> exact_length(Type type, std::uint8_t version) {
  switch (type) {
    case Type::SerialNotify:
    case Type::SerialQuery:
      return 12;
    case Type::ResetQuery:
    case Type::CacheResponse:
    case Type::CacheReset:
      return 8;
    case Type::Ipv4Prefix:
      return 20;
    case Type::Ipv6Prefix:
      return 32;
    case Type::EndOfData:
      return version == 0 ? 12 : 24;
    case Type::RouterKey:
    case Type::ErrorReport:
      break;
  }
  return std::nullopt;
}

net::Seconds between(std::uint32_t seconds, std::int64_t least, std::int64_t most) {
  return net::Seconds{std::clamp<std::int64_t>(seconds, least, most)};
}

}  // namespace

/*  | version | type | session or error or zero | length of all: 4 octets | body */
struct RtrSession::Pdu {
  std::uint8_t version = 0;
  Type type{};
  std::uint16_t session = 0;
  std::span<const std::uint8_t> body;
  std::span<const std::uint8_t> whole;
};

void RtrSession::connected(net::TimePoint now) {
  input_.clear();
  output_.clear();
  received_.clear();
  closing_ = false;
  version_agreed_ = false;
  retry_at_ = now + first_retry;
  heard_at_ = now;
  ask();
}

void RtrSession::lost(net::TimePoint now) {
  if (state_ == State::Down) return;
  // Some caches hang up when they do not know the session they are asked about, in place of saying so (RFC 8210 section
  // 5.1): everything is asked for next.
  if (state_ == State::Asking && !full_) session_.reset();
  state_ = State::Down;
  closing_ = false;
  refresh_at_.reset();
  // A cache that speaks an older version only is asked again at once.
  retry_at_ = std::max(now, std::min(retry_at_, now + retry_));
}

void RtrSession::ask() {
  if (!session_ || !serial_) return ask_everything();
  state_ = State::Asking;
  full_ = false;
  net::Writer out{output_};
  out.u8(version_);
  out.u8(static_cast<std::uint8_t>(Type::SerialQuery));
  out.u16(*session_);
  out.u32(12);
  out.u32(*serial_);
}

void RtrSession::ask_everything() {
  state_ = State::Asking;
  full_ = true;
  net::Writer out{output_};
  out.u8(version_);
  out.u8(static_cast<std::uint8_t>(Type::ResetQuery));
  out.u16(0);
  out.u32(header_octets);
}

void RtrSession::received(std::span<const std::uint8_t> bytes, net::TimePoint now) {
  if (state_ == State::Down || closing_) return;
  input_.insert(input_.end(), bytes.begin(), bytes.end());
  std::size_t at = 0;
  while (!closing_ && input_.size() - at >= header_octets) {
    const auto rest = std::span<const std::uint8_t>{input_}.subspan(at);
    net::Reader header{rest};
    Pdu pdu;
    pdu.version = header.u8();
    pdu.type = static_cast<Type>(header.u8());
    pdu.session = header.u16();
    const std::size_t length = header.u32();
    pdu.whole = rest.first(std::min(length, rest.size()));
    if (length < header_octets || length > largest_pdu) {
      pdu.whole = rest.first(header_octets);
      fail_with(Error::CorruptData, pdu, "length");
      break;
    }
    if (rest.size() < length) break;
    pdu.body = pdu.whole.subspan(header_octets);
    at += length;
    if (!handle(pdu, now)) break;
  }
  input_.erase(input_.begin(), input_.begin() + static_cast<std::ptrdiff_t>(std::min(at, input_.size())));
  if (closing_) input_.clear();
}

bool RtrSession::handle(const Pdu& pdu, net::TimePoint now) {
  heard_at_ = now;
  if (pdu.type == Type::ErrorReport) {
    take_report(pdu, now);
    return false;
  }
  // RFC 8210 section 7: an answer of version 0 to a question of version 1 means that there is no more.
  if (!version_agreed_ && pdu.version < version_) version_ = pdu.version;
  if (pdu.version != version_) {
    fail_with(Error::UnexpectedVersion, pdu, "version");
    return false;
  }
  version_agreed_ = true;
  if (const auto length = exact_length(pdu.type, version_); length && pdu.whole.size() != *length) {
    fail_with(Error::CorruptData, pdu, "length");
    return false;
  }
  switch (pdu.type) {
    case Type::SerialNotify:
      notified(pdu);
      break;
    case Type::CacheResponse:
      begin(pdu);
      break;
    case Type::Ipv4Prefix:
    case Type::Ipv6Prefix:
      take_prefix(pdu);
      break;
    case Type::EndOfData:
      finish(pdu, now);
      break;
    case Type::CacheReset:
      ask_everything();
      break;
    case Type::RouterKey:
      break;  // BGPsec is not spoken here
    case Type::SerialQuery:
    case Type::ResetQuery:
      fail_with(Error::InvalidRequest, pdu, "a question from a cache");
      break;
    default:
      fail_with(Error::UnsupportedPduType, pdu, "type");
      break;
  }
  return !closing_;
}

// Section 5.2: ignored while something is being received, which will be as new.
void RtrSession::notified(const Pdu& pdu) {
  net::Reader in{pdu.body};
  const auto serial = in.u32();
  if (state_ != State::Synchronized) return;
  if (session_ != pdu.session) return ask_everything();
  if (serial_ != serial) ask();
}

void RtrSession::begin(const Pdu& pdu) {
  if (state_ != State::Asking) return fail_with(Error::CorruptData, pdu, "an answer to no question");
  // Section 5.5: another session means that nothing of what was known holds. It is no fault where that has expired.
  if (!full_ && session_ && session_ != pdu.session) {
    forget();
    return fail_with(Error::CorruptData, pdu, "another session");
  }
  answering_session_ = pdu.session;
  received_.clear();
  state_ = State::Receiving;
}

/*  | flags | prefix length | max length | zero | prefix: 4 or 16 octets | AS: 4 octets |   sections 5.6 and 5.7 */
void RtrSession::take_prefix(const Pdu& pdu) {
  if (state_ != State::Receiving) return fail_with(Error::CorruptData, pdu, "a prefix out of place");
  net::Reader in{pdu.body};
  const bool announced = (in.u8() & 1) != 0;
  const unsigned length = in.u8();
  const auto max_length = in.u8();
  in.skip(1);
  const bool ipv4 = pdu.type == Type::Ipv4Prefix;
  Vrp vrp;
  bool valid = max_length >= length && max_length <= (ipv4 ? 32 : 128);
  if (ipv4) {
    const auto prefix = net::Ipv4Prefix::make(in.ipv4(), length);
    valid = valid && prefix;
    if (prefix) vrp.prefix = *prefix;
  } else {
    const auto prefix = net::Ipv6Prefix::make(in.ipv6(), length);
    valid = valid && prefix;
    if (prefix) vrp.prefix = *prefix;
  }
  vrp.max_length = max_length;
  vrp.asn = net::Asn{in.u32()};
  if (!valid || !in.ok()) return fail_with(Error::CorruptData, pdu, "lengths");
  // A payload may be announced and withdrawn in turn.
  const auto [entry, first] = received_.try_emplace(vrp, announced);
  const bool active = first ? !full_ && std::binary_search(vrps_.begin(), vrps_.end(), vrp) : entry->second;
  if (announced && active) return fail_with(Error::DuplicateAnnouncement, pdu, print(vrp.prefix));
  entry->second = announced;
}

void RtrSession::finish(const Pdu& pdu, net::TimePoint now) {
  if (state_ != State::Receiving || answering_session_ != pdu.session)
    return fail_with(Error::CorruptData, pdu, "an end out of place");
  if (!full_ && !session_) return ask_everything();  // what these are changes of has expired meanwhile
  std::vector<Vrp> now_known;
  for (const auto& [vrp, announced] : received_) {
    const bool known = full_ || std::binary_search(vrps_.begin(), vrps_.end(), vrp);
    if (!announced && !known) return fail_with(Error::WithdrawalOfUnknownRecord, pdu, print(vrp.prefix));
    if (announced) now_known.push_back(vrp);
  }
  if (!full_) {
    std::copy_if(vrps_.begin(), vrps_.end(), std::back_inserter(now_known),
                 [&](const Vrp& vrp) { return !received_.contains(vrp); });
    std::sort(now_known.begin(), now_known.end());
  }
  received_.clear();
  changed_ = changed_ || now_known != vrps_;
  vrps_ = std::move(now_known);

  net::Reader in{pdu.body};
  session_ = pdu.session;
  serial_ = in.u32();
  if (version_ > 0) {
    refresh_ = between(in.u32(), 1, 86400);
    retry_ = between(in.u32(), 1, 7200);
    expire_ = between(in.u32(), 600, 172800);
  }
  state_ = State::Synchronized;
  last_error_.clear();
  refresh_at_ = now + refresh_;
  expire_at_ = now + expire_;
}

/*  | length | the PDU that was wrong | length | text |   section 5.11 */
void RtrSession::take_report(const Pdu& pdu, net::TimePoint now) {
  net::Reader in{pdu.body};
  in.skip(in.u32());
  const auto text = in.bytes(in.u32());
  last_error_ = "cache: error " + std::to_string(pdu.session);
  if (!text.empty()) {
    last_error_ += ": ";
    for (const auto octet : text.first(std::min<std::size_t>(text.size(), 200)))
      last_error_ += octet >= 0x20 && octet < 0x7f ? static_cast<char>(octet) : '?';
  }
  const auto error = static_cast<Error>(pdu.session);
  if (error == Error::UnsupportedVersion && version_ > 0 && !version_agreed_) {
    version_ = 0;
    retry_at_ = now;
  } else {
    // A question about a session that the cache does not know is followed by one for everything, soon.
    const bool for_changes = state_ == State::Asking && !full_;
    retry_at_ = now + (for_changes ? std::min(retry_, first_retry) : retry_);
  }
  if (error != Error::NoDataAvailable && error != Error::UnsupportedVersion) session_.reset();
  closing_ = true;
}

void RtrSession::fail_with(Error error, const Pdu& pdu, const std::string& text) {
  last_error_ = "cache said something wrong: " + text;
  session_.reset();  // everything is asked for the next time
  closing_ = true;
  if (pdu.type == Type::ErrorReport) return;  // section 5.11: a report is not answered with one
  net::Writer out{output_};
  const auto quoted = pdu.whole.first(std::min<std::size_t>(pdu.whole.size(), 64));
  out.u8(version_);
  out.u8(static_cast<std::uint8_t>(Type::ErrorReport));
  out.u16(static_cast<std::uint16_t>(error));
  out.u32(static_cast<std::uint32_t>(header_octets + 8 + quoted.size() + text.size()));
  out.u32(static_cast<std::uint32_t>(quoted.size()));
  out.bytes(quoted);
  out.u32(static_cast<std::uint32_t>(text.size()));
  for (const char c : text) out.u8(static_cast<std::uint8_t>(c));
}

void RtrSession::forget() {
  session_.reset();
  serial_.reset();
  changed_ = changed_ || !vrps_.empty();
  vrps_.clear();
  expire_at_.reset();
}

bool RtrSession::awaits_answer() const {
  return !closing_ && (state_ == State::Asking || state_ == State::Receiving);
}

void RtrSession::tick(net::TimePoint now) {
  if (expire_at_ && *expire_at_ <= now) forget();
  if (awaits_answer() && heard_at_ + longest_silence <= now) {
    last_error_ = "cache has not answered for " + std::to_string(longest_silence.count()) + " s";
    closing_ = true;
  }
  if (!refresh_at_ || *refresh_at_ > now) return;
  refresh_at_ = now + retry_;
  if (state_ != State::Synchronized) return;
  heard_at_ = now;
  ask();
}

std::optional<net::TimePoint> RtrSession::next_deadline() const {
  std::optional<net::TimePoint> first;
  const auto add = [&](net::TimePoint deadline) { first = first ? std::min(*first, deadline) : deadline; };
  if (refresh_at_) add(*refresh_at_);
  if (expire_at_) add(*expire_at_);
  if (awaits_answer()) add(heard_at_ + longest_silence);
  return first;
}

}  // namespace bgp
