// SPDX-License-Identifier: Apache-2.0
// Messages of other projects (third_party_rows.hpp), written again from what was read in them. What comes out is the
// row's own bytes or, where a row is not written as we would, their normal form, which is made here from the row's
// bytes and not from what was decoded:
//   OPEN           the same capabilities, each once, in one parameter, in our order
//   ROUTE-REFRESH  without the outbound route filters behind it (RFC 5291), which were not agreed
//   UPDATE         one message for each of what is withdrawn, announced with NEXT_HOP, and announced with
//                  MP_REACH_NLRI, and for each path identifier; attributes in ascending order with their specified
//                  flags, those that end here left out; each large community once; no bits behind a prefix's length
#include <algorithm>
#include <map>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bgp/wire/text.hpp"
#include "tests/bgp/wire/third_party_rows.hpp"

namespace bgp {
namespace {

using ThirdPartyMessagesSentOn = ThirdPartyRows;

std::string text_of(const Bytes& bytes) {
  std::ostringstream out;
  for (const auto byte : bytes) out << std::hex << byte / 16 << byte % 16;
  return out.str();
}

unsigned u16_at(const Bytes& bytes, std::size_t at) {
  return static_cast<unsigned>(bytes[at] << 8 | bytes[at + 1]);
}

Bytes part(const Bytes& bytes, std::size_t from, std::size_t size) {
  const auto begin = bytes.begin() + static_cast<std::ptrdiff_t>(from);
  return {begin, begin + static_cast<std::ptrdiff_t>(size)};
}
Bytes behind(const Bytes& bytes, std::size_t from) {
  return part(bytes, from, bytes.size() - from);
}

// ---- OPEN -------------------------------------------------------------------------------------------------

// The capabilities of a well-formed OPEN as they stand in it: code, length and value.
std::vector<Bytes> capabilities_of(const Bytes& message) {
  std::vector<Bytes> all;
  const std::size_t parameters = header_size + 10;
  const bool extended = message.size() > parameters && message[parameters] == 255;  // RFC 9072
  auto at = extended ? parameters + 3 : parameters;
  while (at < message.size()) {
    const std::size_t length = extended ? u16_at(message, at + 1) : message[at + 1];
    at += extended ? 3 : 2;
    for (const auto end = at + length; at < end; at += 2U + message[at + 1])
      all.push_back(part(message, at, 2U + message[at + 1]));
  }
  return all;
}

// Without reserved bits, modes that are none, and what stands there twice.
std::vector<Bytes> normal_capabilities(const Bytes& message) {
  std::vector<Bytes> normal;
  std::optional<Bytes> restart;  // of several, the last counts (RFC 4724 section 3)
  for (auto each : capabilities_of(message)) {
    const auto code = each[0];
    if (code == 1) each[4] = 0;
    if (code == 2 || code == 6 || code == 70) each = {code, 0};
    if (code == 64) {
      each[2] &= 0xcf;
      for (std::size_t at = 4; at < each.size(); at += 4) each[at + 3] &= 0x80;
      restart = each;
      continue;
    }
    normal.push_back(each);
  }
  if (restart) normal.push_back(*restart);
  std::sort(normal.begin(), normal.end());
  normal.erase(std::unique(normal.begin(), normal.end()), normal.end());
  return normal;
}

TEST_F(ThirdPartyMessagesSentOn, OpensOfferTheSame) {
  std::size_t count = 0;
  std::size_t identical = 0;
  for (const auto& row : rows_) {
    if (row.type() != MessageType::Open || row.read().outcome != Outcome::Accepted) continue;
    SCOPED_TRACE(row.name());
    const auto bytes = row.bytes();
    const auto open = decode_open(behind(bytes, header_size));
    ASSERT_TRUE(open.has_value());
    const auto written = encode(*open);
    EXPECT_EQ(part(written, header_size, 9), part(bytes, header_size, 9));  // version to identifier
    auto sent = capabilities_of(written);
    std::sort(sent.begin(), sent.end());
    EXPECT_EQ(sent, normal_capabilities(bytes));
    EXPECT_EQ(decode_open(behind(written, header_size)), open);
    ++count;
    identical += written == bytes ? 1 : 0;
  }
  EXPECT_GT(count, 80U);
  EXPECT_GT(identical, 20U);
}

// ---- the short ones ---------------------------------------------------------------------------------------

TEST_F(ThirdPartyMessagesSentOn, NotificationsAreTheSameBytes) {
  std::size_t count = 0;
  for (const auto& row : rows_) {
    if (row.type() != MessageType::Notification) continue;
    const auto bytes = row.bytes();
    EXPECT_EQ(text_of(encode(decode_notification(behind(bytes, header_size)))), text_of(bytes)) << row.name();
    ++count;
  }
  EXPECT_GE(count, 12U);
}

TEST_F(ThirdPartyMessagesSentOn, RefreshesAreTheSameBytesWithoutFilters) {
  std::size_t count = 0;
  for (const auto& row : rows_) {
    if (row.type() != MessageType::RouteRefresh) continue;
    const auto bytes = row.bytes();
    const auto refresh = decode_route_refresh(behind(bytes, header_size));
    if (!refresh || refresh->kind == RefreshKind::Unknown) {
      // A mark with something behind it, and a kind that is not defined: none of the rows that are said to be valid.
      EXPECT_NE(row.json()["valid"], true) << row.name();
      continue;
    }
    EXPECT_EQ(encode(*refresh), message(5, part(bytes, header_size, 4))) << row.name();
    ++count;
  }
  EXPECT_GE(count, 8U);
}

TEST_F(ThirdPartyMessagesSentOn, KeepalivesAreTheSameBytes) {
  std::size_t count = 0;
  for (const auto& row : rows_) {
    if (row.type() != MessageType::Keepalive) continue;
    EXPECT_EQ(row.bytes(), encode_keepalive());
    ++count;
  }
  EXPECT_GE(count, 1U);
}

// ---- UPDATE -----------------------------------------------------------------------------------------------

struct Piece {
  unsigned flags = 0;
  unsigned type = 0;
  Bytes value;
};

std::vector<Piece> pieces(const Bytes& section) {
  std::vector<Piece> all;
  for (std::size_t at = 0; at < section.size();) {
    const unsigned flags = section[at];
    const bool extended = (flags & flag_extended_length) != 0;
    const std::size_t length = extended ? u16_at(section, at + 2) : section[at + 2];
    const std::size_t from = at + (extended ? 4 : 3);
    all.push_back({flags, section[at + 1], part(section, from, length)});
    at = from + length;
  }
  return all;
}

Bytes written(unsigned flags, unsigned type, const Bytes& value) {
  return attribute(value.size() > 255 ? flags | flag_extended_length : flags, type, value);
}

constexpr unsigned flags_of(unsigned type) {
  switch (type) {
    case 1:
    case 2:
    case 3:
    case 5:
    case 6:
      return flag_transitive;
    case 4:
    case 9:
    case 10:
    case 14:
    case 15:
    case 26:
      return flag_optional;
    case 7:
    case 8:
    case 16:
    case 17:
    case 18:
    case 25:
    case 32:
    case 35:
      return flag_optional | flag_transitive;
    default:
      return 0;
  }
}

// The first of equal elements (RFC 8092 section 3).
Bytes each_once(const Bytes& list, std::size_t size) {
  std::vector<Bytes> seen;
  Bytes once;
  for (std::size_t at = 0; at < list.size(); at += size) {
    const auto element = part(list, at, size);
    if (std::find(seen.begin(), seen.end(), element) != seen.end()) continue;
    seen.push_back(element);
    once = join({once, element});
  }
  return once;
}

// The attributes beside NEXT_HOP and the multiprotocol ones, by type.
std::map<unsigned, Bytes> normal_attributes(const Bytes& section, const Update& update, const UpdateContext& context) {
  std::map<unsigned, Bytes> normal;
  std::map<unsigned, unsigned> times;
  const auto all = pieces(section);
  for (const auto& piece : all) ++times[piece.type];
  for (const auto& [flags, type, value] : all) {
    if (type == 3 || type == 14 || type == 15 || normal.contains(type)) continue;
    // Of an attribute that is there twice the first is kept; any other fault is the attribute's end.
    const bool faulty = std::any_of(update.faults.begin(), update.faults.end(),
                                    [type = type](const AttributeFault& fault) { return fault.type == type; });
    if (faulty && times[type] == 1) continue;
    if (type == 26 && !context.aigp) continue;
    // AS4_PATH and AS4_AGGREGATOR are written anew.
    const auto kept = type == 17 || type == 18 ? 0U : flags & flag_partial;
    if (const auto specified = flags_of(type); specified != 0)
      normal[type] =
          written(static_cast<std::uint8_t>(specified | kept), type, type == 32 ? each_once(value, 12) : value);
    else if ((flags & flag_transitive) != 0)
      normal[type] = written(flag_optional | flag_transitive | flag_partial, type, value);
  }
  return normal;
}

struct SentRoute {
  std::uint32_t id = 0;
  Bytes nlri;  // with its identifier, without bits behind its length
};
template <class Prefix>
std::vector<SentRoute> routes_of(const NlriRun& run) {
  std::vector<SentRoute> all;
  for_each_route<Prefix>(run, [&](const Prefix& prefix, std::uint32_t id) {
    SentRoute route{id, {}};
    if (run.path_ids) route.nlri = join({u16(id >> 16), u16(id & 0xffff)});
    encode_prefix(prefix, route.nlri);
    all.push_back(route);
  });
  return all;
}

// Neighbouring routes with one identifier, which share messages.
template <class Prefix, class Visit>
void for_each_group(const NlriRun& run, Visit visit) {
  const auto routes = routes_of<Prefix>(run);
  std::vector<Prefix> all;
  for_each_route<Prefix>(run, [&](const Prefix& prefix, std::uint32_t) { all.push_back(prefix); });
  for (std::size_t from = 0; from < routes.size();) {
    auto to = from;
    Bytes nlri;
    for (; to < routes.size() && routes[to].id == routes[from].id; ++to)
      nlri.insert(nlri.end(), routes[to].nlri.begin(), routes[to].nlri.end());
    visit(std::span<const Prefix>{all}.subspan(from, to - from), run.path_ids ? PathId{routes[from].id} : std::nullopt,
          nlri);
    from = to;
  }
}

// What the message is made of by the RFCs, and what we make of it.
struct Both {
  Bytes normal;
  Bytes sent;
  std::size_t messages = 0;
};

template <class Prefix>
void withdraw(const NlriRun& run, Both& both) {
  for_each_group<Prefix>(run, [&](std::span<const Prefix> group, PathId id, const Bytes& nlri) {
    const bool ipv4 = run.family == net::Family::Ipv4;
    const auto unreach = written(flag_optional, 15, join({unreach6, nlri}));
    const auto content = ipv4 ? body(nlri, {}, {}) : body({}, unreach, {});
    both.normal = join({both.normal, message(2, content)});
    EXPECT_EQ(encode_withdrawn(group, max_extended_message_size, both.sent, id), group.size());
    ++both.messages;
  });
}

Bytes hop_octets(const NextHop& hop) {
  const auto bytes = hop.address.bytes();
  Bytes octets(bytes.begin(), bytes.end());
  if (hop.link_local) octets.insert(octets.end(), hop.link_local->octets.begin(), hop.link_local->octets.end());
  return octets;
}

template <class Prefix>
void announce(const NlriRun& run, const Update& update, std::map<unsigned, Bytes> normal, const UpdateContext& context,
              Both& both) {
  const bool ipv4 = run.family == net::Family::Ipv4;
  auto attributes = update.attributes;
  attributes.next_hop = ipv4 ? update.next_hop_ipv4 : update.next_hop_ipv6;
  const auto octets = hop_octets(attributes.next_hop);
  if (ipv4) normal[3] = written(flag_transitive, 3, octets);
  Bytes section;
  for (const auto& [type, bytes] : normal) section = join({section, bytes});
  Bytes encoded;
  encode_attributes(attributes, run.family, {context.peer, context.asn_width, max_extended_message_size}, encoded);

  for_each_group<Prefix>(run, [&](std::span<const Prefix> group, PathId id, const Bytes& nlri) {
    const auto reach = written(flag_optional, 14,
                               join({hex("0002 01"), {static_cast<std::uint8_t>(octets.size())}, octets, {0}, nlri}));
    const auto content = ipv4 ? body({}, section, nlri) : body({}, join({reach, section}), {});
    both.normal = join({both.normal, message(2, content)});
    EXPECT_EQ(encode_reachable(std::span<const std::uint8_t>{encoded}, attributes.next_hop, group,
                               max_extended_message_size, both.sent, id),
              group.size());
    ++both.messages;
  });
}

Both send_on(const ThirdPartyRow& row, const Reading& reading) {
  const auto& update = *reading.update;
  const auto context = row.context();
  const std::size_t withdrawn = u16_at(reading.body, 0);
  const auto section = part(reading.body, 4 + withdrawn, u16_at(reading.body, 2 + withdrawn));
  const auto normal = normal_attributes(section, update, context);
  Both both;
  for (const auto& run : update.withdrawn)
    run.family == net::Family::Ipv4 ? withdraw<net::Ipv4Prefix>(run, both) : withdraw<net::Ipv6Prefix>(run, both);
  for (const auto& run : update.reachable)
    run.family == net::Family::Ipv4 ? announce<net::Ipv4Prefix>(run, update, normal, context, both)
                                    : announce<net::Ipv6Prefix>(run, update, normal, context, both);
  return both;
}

// A path of two octets that AS4_PATH completed is written with all of it in AS4_PATH (RFC 6793 section 4.2.2), and
// not only what came that way.
bool completed(const Update& update, const UpdateContext& context, const Bytes& whole) {
  if (context.asn_width == AsnWidth::FourOctets || update.reachable.empty()) return false;
  const std::size_t withdrawn = u16_at(whole, header_size);
  const auto section = part(whole, header_size + 4 + withdrawn, u16_at(whole, header_size + 2 + withdrawn));
  const auto all = pieces(section);
  return std::any_of(all.begin(), all.end(), [](const Piece& piece) { return piece.type == 17 || piece.type == 18; });
}

TEST_F(ThirdPartyMessagesSentOn, UpdatesAreTheSameBytesOrTheirNormalForm) {
  std::map<std::string, std::size_t> counts;
  for (const auto& row : rows_) {
    const auto reading = row.read();
    if (!reading.update || reading.update->treat_as_withdraw) continue;
    SCOPED_TRACE(row.name() + " " + text_of(row.bytes()));
    const auto& update = *reading.update;
    if (update.reachable.empty() && update.withdrawn.empty()) {
      ++counts[update.end_of_rib ? "end of RIB" : "nothing of ours"];
      continue;
    }
    const auto both = send_on(row, reading);
    if (!completed(update, row.context(), row.bytes())) {
      EXPECT_EQ(text_of(both.sent), text_of(both.normal));
    }
    ++counts[both.sent == row.bytes() ? "identical" : "normal"];
    for (const auto& run : update.withdrawn)
      ++counts[run.family == net::Family::Ipv4 ? "withdrawn IPv4" : "withdrawn IPv6"];
    for (const auto& run : update.reachable) {
      ++counts[run.family == net::Family::Ipv4 ? "IPv4" : "IPv6"];
      counts["with identifiers"] += run.path_ids ? 1 : 0;
    }
  }
  EXPECT_GT(counts["identical"], 330U);
  EXPECT_GT(counts["IPv4"], 420U);
  EXPECT_GT(counts["IPv6"], 100U);
  EXPECT_GT(counts["withdrawn IPv4"], 40U);
  EXPECT_GT(counts["withdrawn IPv6"], 15U);
  EXPECT_GE(counts["with identifiers"], 16U);
  EXPECT_GE(counts["end of RIB"], 2U);
}

// Whatever was written is read as what was read first.
TEST_F(ThirdPartyMessagesSentOn, UpdatesAreReadAsTheyWere) {
  for (const auto& row : rows_) {
    const auto first = row.read();
    if (!first.update || first.update->treat_as_withdraw) continue;
    SCOPED_TRACE(row.name() + " " + text_of(row.bytes()));
    const auto& update = *first.update;
    const auto both = send_on(row, first);
    std::vector<std::string> withdrawn;
    std::vector<std::string> reachable;
    for (Bytes rest = both.sent; !rest.empty(); rest = behind(rest, u16_at(rest, 16))) {
      const auto again = read(part(rest, 0, u16_at(rest, 16)), row.context(), max_extended_message_size);
      ASSERT_TRUE(again.update.has_value()) << again.reason;
      EXPECT_EQ(again.outcome, Outcome::Accepted) << again.reason;
      for (auto& text : prefixes(again.update->withdrawn)) withdrawn.push_back(text);
      for (auto& text : prefixes(again.update->reachable)) reachable.push_back(text);
      if (again.update->reachable.empty()) continue;
      EXPECT_EQ(again.update->attributes, update.attributes);
      const bool ipv4 = again.update->reachable[0].family == net::Family::Ipv4;
      EXPECT_EQ(ipv4 ? again.update->next_hop_ipv4 : again.update->next_hop_ipv6,
                ipv4 ? update.next_hop_ipv4 : update.next_hop_ipv6);
    }
    EXPECT_EQ(withdrawn, prefixes(update.withdrawn));
    EXPECT_EQ(reachable, prefixes(update.reachable));
  }
}

TEST_F(ThirdPartyMessagesSentOn, EndsOfRibAreTheSameBytes) {
  std::size_t count = 0;
  for (const auto& row : rows_) {
    const auto reading = row.read();
    if (!reading.update || !reading.update->end_of_rib) continue;
    Bytes written_again;
    encode_end_of_rib(*reading.update->end_of_rib, written_again);
    // An attribute may say its length in two octets, and need not.
    Bytes section;
    for (const auto& [flags, type, value] : pieces(behind(reading.body, 4)))
      section = join({section, written(flags & ~unsigned{flag_extended_length}, type, value)});
    EXPECT_EQ(text_of(written_again), text_of(message(2, body({}, section, {})))) << row.name();
    ++count;
  }
  EXPECT_GE(count, 2U);
}

// Tables hold attributes in the same canonical form.
TEST_F(ThirdPartyMessagesSentOn, AttributesOfTablesAreReadAsTheyWere) {
  std::size_t count = 0;
  for (const auto& row : rows_) {
    const auto reading = row.read();
    if (!reading.update || reading.update->treat_as_withdraw || reading.update->reachable.empty()) continue;
    Bytes encoded;
    encode_attributes(reading.update->attributes, net::Family::Ipv6, {.peer = PeerType::Internal}, encoded);
    EXPECT_EQ(decode_canonical_attributes(encoded), reading.update->attributes) << row.name();
    ++count;
  }
  EXPECT_GT(count, 350U);
}

}  // namespace
}  // namespace bgp
