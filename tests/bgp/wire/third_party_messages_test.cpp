// SPDX-License-Identifier: Apache-2.0
// Messages collected from the tests and captures of other projects, where the folder HERALD_TEST_DATA
// has them (bgp_messages.jsonl). Each is read to the outcome that its row states, and what the row says of
// its contents is compared. Where the RFC and the row's source differ, or the source reads something that
// this speaker passes on unread, `exceptions` names the row and says why.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "bgp/wire/text.hpp"
#include "bgp/wire/update.hpp"
#include "tests/bgp/wire/wire_bytes.hpp"

namespace bgp {
namespace {

using Json = nlohmann::json;
using testing::UnorderedElementsAreArray;

enum class Outcome : std::uint8_t { Accepted, Discarded, Withdrawn, Reset };

std::string_view print(Outcome outcome) {
  constexpr std::string_view names[] = {"accepted", "attribute discarded", "treated as withdrawn", "reset"};
  return names[static_cast<std::size_t>(outcome)];
}

struct Reading {
  Outcome outcome = Outcome::Accepted;
  std::string reason;
  Bytes body;
  std::optional<Update> update;
};

Reading read_update(Bytes content, const UpdateContext& context) {
  Reading reading;
  reading.body = std::move(content);
  auto update = decode_update(reading.body, context);
  if (!update) {
    reading.outcome = Outcome::Reset;
    reading.reason = describe(update.error());
    return reading;
  }
  if (!update->faults.empty()) {
    reading.outcome = update->treat_as_withdraw ? Outcome::Withdrawn : Outcome::Discarded;
    for (const auto& fault : update->faults) reading.reason += std::to_string(fault.type) + " " + fault.reason + "; ";
  }
  reading.update = std::move(*update);
  return reading;
}

template <class Value>
Reading reading_of(const Decoded<Value>& decoded) {
  if (decoded) return {};
  return {Outcome::Reset, describe(decoded.error()), {}, {}};
}

Reading read(const Bytes& bytes, const UpdateContext& context, std::size_t limit) {
  if (bytes.size() < header_size) return {Outcome::Reset, "shorter than a header", {}, {}};
  const auto header = decode_header(bytes, limit);
  if (!header) return reading_of(header);
  if (header->length != bytes.size()) return {Outcome::Reset, "not one whole message", {}, {}};
  Bytes content(bytes.begin() + header_size, bytes.end());
  switch (header->type) {
    case MessageType::Open:
      return reading_of(decode_open(content));
    case MessageType::Update:
      return read_update(std::move(content), context);
    case MessageType::Notification:
      EXPECT_FALSE(describe(decode_notification(content)).empty());
      return {};
    case MessageType::RouteRefresh:
      return reading_of(decode_route_refresh(content));
    case MessageType::Keepalive:
      return {};
  }
  return {};
}

// Rows do not say what kind of session they are from; attributes of internal peers do.
PeerType peer_type(const Json& row) {
  const auto expect = row.value("expect", Json::object());
  if (expect.contains("session")) return expect["session"] == "ibgp" ? PeerType::Internal : PeerType::External;
  if (expect.contains("frr_expected") || expect.contains("frr_expected_ebgp")) return PeerType::External;
  const auto bytes = hex(row["hex"].get<std::string>());
  UpdateContext context{.peer = PeerType::Internal, .peer_asn = {}, .enforce_first_as = false};
  context.asn_width = row.value("ctx", Json::object()).value("as4", true) ? AsnWidth::FourOctets : AsnWidth::TwoOctets;
  const auto reading = read(bytes, context, max_extended_message_size);
  if (!reading.update) return PeerType::External;
  const auto& attributes = reading.update->attributes;
  const bool internal = attributes.local_pref || attributes.originator_id || !attributes.cluster_list.empty();
  return internal ? PeerType::Internal : PeerType::External;
}

Reading read(const Json& row) {
  const auto ctx = row.value("ctx", Json::object());
  UpdateContext context{.peer = peer_type(row), .peer_asn = {}, .enforce_first_as = false};
  context.asn_width = ctx.value("as4", true) ? AsnWidth::FourOctets : AsnWidth::TwoOctets;
  const auto limit = ctx.value("extended_message", false) ? max_extended_message_size : max_message_size;
  return read(hex(row["hex"].get<std::string>()), context, limit);
}

// What the row demands; nothing when it only must not crash.
std::optional<std::set<Outcome>> expected(const Json& row) {
  // ADD-PATH (RFC 7911) is not offered, so that no session of ours reads such prefixes.
  if (row.value("ctx", Json::object()).value("add_path", false)) return std::nullopt;
  const auto expect = row.value("expect", Json::object());
  const std::map<std::string, Outcome> words{{"PROCEED", Outcome::Discarded},
                                             {"WITHDRAW", Outcome::Withdrawn},
                                             {"ERROR", Outcome::Reset},
                                             {"ATTRIBUTE-DISCARD", Outcome::Discarded},
                                             {"TREAT-AS-WITHDRAW", Outcome::Withdrawn},
                                             {"SESSION-RESET", Outcome::Reset},
                                             {"DISCARD", Outcome::Discarded},
                                             {"PARSE", Outcome::Accepted},
                                             {"ERR", Outcome::Reset}};
  for (const auto* const key : {"frr_attr_parse", "frr_expected", "frr_expected_ebgp", "frr_parse"}) {
    if (!expect.contains(key)) continue;
    const auto outcome = words.at(expect[key].get<std::string>());
    // "Proceed" and "discard" both leave the route standing, without the attribute.
    if (outcome == Outcome::Discarded) return std::set{Outcome::Accepted, Outcome::Discarded};
    return std::set{outcome};
  }
  if (row["valid"].is_null()) return std::nullopt;
  if (row["valid"] == true) return std::set{Outcome::Accepted};
  return std::set{Outcome::Discarded, Outcome::Withdrawn, Outcome::Reset};
}

std::vector<Json> load() {
  std::vector<Json> rows;
  const std::filesystem::path folder{HERALD_TEST_DATA};
  if (folder.empty()) return rows;
  std::ifstream file{folder / "bgp_messages.jsonl"};
  for (std::string line; std::getline(file, line);) rows.push_back(Json::parse(line));
  return rows;
}

class ThirdPartyMessages : public testing::Test {
 protected:
  void SetUp() override {
    if (rows_.empty()) GTEST_SKIP() << "no bgp_messages.jsonl in HERALD_TEST_DATA";
  }
  const std::vector<Json> rows_ = load();
};

std::string name_of(const Json& row) {
  return row["source"].get<std::string>() + " | " + row["note"].get<std::string>();
}

struct Exception {
  std::string_view source_part;
  std::string_view note_part;
  Outcome outcome;
  std::string_view why;
};
constexpr Exception exceptions[] = {
    {"exabgp:qa", "next-hop 255.255.255.255", Outcome::Withdrawn, "RFC 4271 section 6.3: no host has this address"},
    {"exabgp:qa", "next-hop 127.0.0", Outcome::Withdrawn, "RFC 4271 section 6.3: no host has this address"},
    {"exabgp:qa", "next-hop ::1", Outcome::Withdrawn, "no host has this address"},
    {"api-healthcheck", "", Outcome::Withdrawn, "next hop 127.0.0.1: RFC 4271 section 6.3"},
    {"test_mp_attr.c#IPv6", "global", Outcome::Withdrawn, "next hop fffe:... is a multicast address"},
    {"updates.20071015", "1192460718", Outcome::Withdrawn, "next hop ::, which no host has"},
    {"conf-generic-attribute", "0x99 0x", Outcome::Reset,
     "RFC 4271 section 6.3: 0x60 and 0x70 say well-known, and 0x99 is not"},
    {"BgpMessageParserFuzzTest", "seed", Outcome::Withdrawn,
     "RFC 7606 section 3 c: ATOMIC_AGGREGATE is well-known, AGGREGATOR transitive"},
    {"extended-nexthop.ci", "bad:cafe", Outcome::Reset, "RFC 8950 was not negotiated"},
    {"extended-nexthop.ci", "170.170.170.170", Outcome::Reset, "no RFC gives IPv6 routes a next hop of four octets"},
    {"BgpMessageParserTestData", "kBgpUpdateV4NexthopV6Msg", Outcome::Reset, "RFC 8950 was not negotiated"},
    {"BgpMessageSerializerTest", "ExtNhEncoding", Outcome::Reset, "RFC 8950 was not negotiated"},
    {"test_attr_parse.c#local-pref-len-0-ebgp-oad", "", Outcome::Discarded,
     "RFC 7606 section 7.5; sessions of one administration are a draft"},
    {"cases.py#local-pref-len-5", "", Outcome::Discarded, "RFC 7606 section 7.5: discarded, whatever it holds"},
    {"cases.py#as4path-seg-type-0", "", Outcome::Discarded,
     "RFC 6793 section 4.1: discarded unseen from a peer of four octets"},
    {"test_aspath.c#", "confed", Outcome::Withdrawn, "RFC 5065 section 5, as the row itself says"},
    {"test_mp_attr.c#IPv4-VPNv4", "", Outcome::Accepted, "a family that we do not have is not looked into"},
    {"test_mp_attr.c#IPv6-bug", "", Outcome::Accepted, "the prefix ::/0 twice: redundant, and well-formed"},
    {"prefix_sid_test.go", "SubSubTLVLength", Outcome::Accepted,
     "segment routing is passed on unread, its sub-TLVs too"},
    {"PREFIX-SID-SRv6-L3-Service-length-overflow", "", Outcome::Discarded, "RFC 8669 section 6: attribute discard"},
    {"PREFIX-SID-SRv6-L3-Service-", "PREFIX-SID rejects", Outcome::Accepted,
     "segment routing is passed on unread, its sub-TLVs too"},
    {"cases.py#pmsi-", "", Outcome::Accepted,
     "RFC 6514 asks it of speakers that support the attribute; types may be new"},
    {"cases.py#otc-value-0", "", Outcome::Accepted, "RFC 9234 section 5 calls a wrong length malformed and no value"},
    {"test_capability.c#test_segments/minsize", "", Outcome::Accepted,
     "a capability that we do not have is not looked into"},
    {"test_capability.c#misc_segments/ORF-", "", Outcome::Accepted,
     "a capability that we do not have is not looked into"},
};

const Exception* exception_for(const Json& row, Outcome outcome) {
  const auto source = row["source"].get<std::string>();
  const auto note = row["note"].get<std::string>();
  for (const auto& exception : exceptions)
    if (source.find(exception.source_part) != std::string::npos &&
        note.find(exception.note_part) != std::string::npos && exception.outcome == outcome)
      return &exception;
  return nullptr;
}

TEST_F(ThirdPartyMessages, AreReadToTheOutcomeOfTheirRow) {
  std::set<const Exception*> used;
  for (std::size_t i = 0; i < rows_.size(); ++i) {
    const auto& row = rows_[i];
    const auto reading = read(row);
    const auto outcomes = expected(row);
    if (!outcomes || outcomes->contains(reading.outcome)) continue;
    const auto* const exception = exception_for(row, reading.outcome);
    used.insert(exception);
    if (exception != nullptr) continue;
    ADD_FAILURE() << "row " << i << ": " << print(reading.outcome) << " (" << reading.reason << ") instead of "
                  << print(*outcomes->begin()) << ": " << name_of(row) << " " << row.value("ctx", Json{}).dump();
  }
  for (const auto& exception : exceptions)
    EXPECT_TRUE(used.contains(&exception)) << "no row needs the exception " << exception.source_part;
}

// Rows of families that we do not have cost nothing but themselves.
TEST_F(ThirdPartyMessages, OfOtherFamiliesNeverReset) {
  std::size_t count = 0;
  for (const auto& row : rows_) {
    const auto bytes = hex(row["hex"].get<std::string>());
    const auto families =
        row.value("expect", Json::object()).value("exabgp", Json::object()).value("update", Json::object());
    for (const auto* const key : {"announce", "withdraw"}) {
      const auto of_key = families.value(key, Json::object());
      for (const auto& [family, unused] : of_key.items()) {
        if (family == "ipv4 unicast" || family == "ipv6 unicast") continue;
        ++count;
        EXPECT_NE(read(row).outcome, Outcome::Reset) << name_of(row);
      }
    }
  }
  EXPECT_GT(count, 50U);
}

std::vector<std::string> strings(const Json& list) {
  std::vector<std::string> all;
  for (const auto& item : list) all.push_back(item.get<std::string>());
  return all;
}

// bgpdump writes sets with commas and well-known communities by name or number.
std::string normal_path(std::string text) {
  std::replace(text.begin(), text.end(), ',', ' ');
  return text;
}
std::string normal_communities(const std::string& text) {
  std::istringstream words{text};
  std::vector<Community> communities;
  for (std::string word; words >> word;) communities.push_back(parse_community(word).value_or(Community{}));
  return print(communities);
}

TEST_F(ThirdPartyMessages, SayWhatBgpdumpReadInThem) {
  std::size_t count = 0;
  for (const auto& row : rows_) {
    const auto expect = row.value("expect", Json::object());
    if (!expect.contains("bgpdump") || row.value("ctx", Json::object()).value("add_path", false)) continue;
    SCOPED_TRACE(name_of(row) + " " + row["hex"].get<std::string>());
    const auto& dump = expect["bgpdump"];
    const auto reading = read(row);
    ASSERT_TRUE(reading.update.has_value());
    const auto& update = *reading.update;
    const auto& attributes = update.attributes;
    ++count;
    // bgpdump reads IPv4 multicast, SAFI 2 with a next hop of four octets, which is not one of our families.
    if (row["hex"].get<std::string>().find("00010204") != std::string::npos) continue;
    EXPECT_THAT(prefixes(update.reachable), UnorderedElementsAreArray(strings(dump["announce"])));
    EXPECT_THAT(prefixes(update.withdrawn), UnorderedElementsAreArray(strings(dump["withdraw"])));
    if (!dump.contains("as_path")) continue;
    EXPECT_EQ(print(attributes.as_path), normal_path(dump["as_path"].get<std::string>()));
    std::string origin_name = dump["origin"].get<std::string>();
    std::transform(origin_name.begin(), origin_name.end(), origin_name.begin(),
                   [](char c) { return static_cast<char>(c | 0x20); });
    EXPECT_EQ(print(attributes.origin), origin_name);
    const bool ipv4 = update.reachable.size() != 0 && update.reachable[0].family == net::Family::Ipv4;
    const auto& hop = ipv4 ? update.next_hop_ipv4 : update.next_hop_ipv6;
    EXPECT_EQ(hop.address, net::parse_ip(dump["next_hop"].get<std::string>()));
    EXPECT_EQ(attributes.med.value_or(0), dump["med"].get<std::uint32_t>());
    EXPECT_EQ(attributes.local_pref.value_or(0), dump["local_pref"].get<std::uint32_t>());
    EXPECT_EQ(print(attributes.communities), normal_communities(dump["communities"].get<std::string>()));
    EXPECT_EQ(attributes.atomic_aggregate, dump["atomic_agg"] == "AG");
    const auto aggregator = attributes.aggregator ? net::print(attributes.aggregator->asn) + " " +
                                                        net::print(attributes.aggregator->address)
                                                  : "";
    EXPECT_EQ(aggregator, dump["aggregator"].get<std::string>());
  }
  EXPECT_GT(count, 100U);
}

TEST_F(ThirdPartyMessages, SayWhatExabgpReadInThem) {
  std::size_t count = 0;
  for (const auto& row : rows_) {
    const auto expected_update =
        row.value("expect", Json::object()).value("exabgp", Json::object()).value("update", Json::object());
    if (expected_update.empty() || row.value("ctx", Json::object()).value("add_path", false)) continue;
    const auto reading = read(row);
    if (!reading.update || exception_for(row, reading.outcome) != nullptr) continue;
    SCOPED_TRACE(name_of(row) + " " + row["hex"].get<std::string>());
    ++count;
    std::vector<std::string> announced;
    const auto announce = expected_update.value("announce", Json::object());
    for (const auto& [family, hops] : announce.items()) {
      if (family != "ipv4 unicast" && family != "ipv6 unicast") continue;
      for (const auto& [hop, routes] : hops.items()) {
        for (const auto& route : routes) announced.push_back(route["nlri"].get<std::string>());
        const auto& read_hop = family[3] == '4' ? reading.update->next_hop_ipv4 : reading.update->next_hop_ipv6;
        EXPECT_EQ(read_hop.address, net::parse_ip(hop));
      }
    }
    EXPECT_THAT(prefixes(reading.update->reachable), UnorderedElementsAreArray(announced));

    const auto wanted = expected_update.value("attribute", Json::object());
    const auto& attributes = reading.update->attributes;
    if (wanted.contains("origin")) {
      EXPECT_EQ(print(attributes.origin), wanted["origin"].get<std::string>());
    }
    if (wanted.contains("med")) {
      EXPECT_EQ(attributes.med, wanted["med"].get<std::uint32_t>());
    }
    if (wanted.contains("local-preference")) {
      EXPECT_EQ(attributes.local_pref, wanted["local-preference"].get<std::uint32_t>());
    }
    if (wanted.contains("originator-id")) {
      EXPECT_EQ(attributes.originator_id, net::parse_router_id(wanted["originator-id"].get<std::string>()));
    }
    std::vector<std::string> clusters;
    for (const auto id : attributes.cluster_list) clusters.push_back(net::print(id));
    EXPECT_EQ(clusters, strings(wanted.value("cluster-list", Json::array())));
    std::vector<Community> communities;
    const auto community_list = wanted.value("community", Json::array());
    for (const auto& pair : community_list)
      communities.push_back({pair[0].get<std::uint32_t>() << 16 | pair[1].get<std::uint32_t>()});
    EXPECT_EQ(attributes.communities, communities);
    std::vector<LargeCommunity> large;
    const auto large_community_list = wanted.value("large-community", Json::array());
    for (const auto& triple : large_community_list)
      large.push_back({triple[0].get<std::uint32_t>(), triple[1].get<std::uint32_t>(), triple[2].get<std::uint32_t>()});
    EXPECT_EQ(attributes.large_communities, large);
    std::vector<ExtendedCommunity> extended;
    const auto extended_community_list = wanted.value("extended-community", Json::array());
    for (const auto& community : extended_community_list) extended.push_back({community["value"].get<std::uint64_t>()});
    EXPECT_EQ(attributes.extended_communities, extended);
  }
  EXPECT_GT(count, 150U);
}

// FRR sorts sets and leaves out what is there twice; we keep them as they came.
AsPath with_sorted_sets(AsPath path) {
  for (auto& [type, asns] : path.segments) {
    if (type == AsPathSegment::Type::Sequence) continue;
    std::sort(asns.begin(), asns.end());
    asns.erase(std::unique(asns.begin(), asns.end()), asns.end());
  }
  return path;
}

TEST_F(ThirdPartyMessages, HaveThePathsThatFrrReadInThem) {
  std::size_t count = 0;
  for (const auto& row : rows_) {
    const auto expect = row.value("expect", Json::object());
    const auto reading = read(row);
    if (!expect.contains("as_path") || reading.outcome != Outcome::Accepted) continue;
    EXPECT_EQ(print(with_sorted_sets(reading.update->attributes.as_path)),
              normal_path(expect["as_path"].get<std::string>()))
        << name_of(row);
    ++count;
  }
  EXPECT_GT(count, 15U);
}

// What was accepted is sent on to an internal peer and arrives as it was.
TEST_F(ThirdPartyMessages, SurviveBeingSentOn) {
  std::size_t count = 0;
  for (const auto& row : rows_) {
    const auto reading = read(row);
    if (reading.outcome != Outcome::Accepted || !reading.update || reading.update->reachable.size() != 1) continue;
    const auto& update = *reading.update;
    if (update.reachable[0].family != net::Family::Ipv4) continue;
    auto attributes = update.attributes;
    attributes.next_hop = update.next_hop_ipv4;
    attributes.local_pref = 100;
    std::vector<net::Ipv4Prefix> sent;
    for_each_prefix<net::Ipv4Prefix>(update.reachable[0].bytes, [&](const auto& prefix) { sent.push_back(prefix); });
    Bytes encoded;
    encode_attributes(attributes, net::Family::Ipv4, {.peer = PeerType::Internal}, encoded);
    EXPECT_EQ(decode_canonical_attributes(encoded), attributes) << name_of(row);
    Bytes out;
    EXPECT_EQ(encode_reachable(std::span<const std::uint8_t>{encoded}, {}, std::span<const net::Ipv4Prefix>{sent},
                               max_extended_message_size, out),
              sent.size());
    const auto again = read(out, internal(), max_extended_message_size);
    EXPECT_EQ(again.outcome, Outcome::Accepted) << again.reason << " " << name_of(row);
    attributes.next_hop = {};
    EXPECT_EQ(again.update->attributes, attributes) << name_of(row);
    EXPECT_EQ(prefixes(again.update->reachable), prefixes(update.reachable)) << name_of(row);
    ++count;
  }
  EXPECT_GT(count, 200U);
}

}  // namespace
}  // namespace bgp
