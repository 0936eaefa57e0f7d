// SPDX-License-Identifier: Apache-2.0
// Messages of other projects (third_party_rows.hpp). Each is read to the outcome that its row states, and what the
// row says of its contents is compared. Where the RFC and the row's source differ, or the source reads something that
// this speaker passes on unread, `exceptions` names the row and says why.
#include <algorithm>
#include <map>
#include <set>
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bgp/wire/text.hpp"
#include "tests/bgp/wire/third_party_rows.hpp"

namespace bgp {
namespace {

using testing::UnorderedElementsAreArray;
using ThirdPartyMessages = ThirdPartyRows;

std::set<Outcome> outcomes_of(const std::string& word) {
  const std::map<std::string, Outcome> words{{"PROCEED", Outcome::Discarded},
                                             {"WITHDRAW", Outcome::Withdrawn},
                                             {"ERROR", Outcome::Reset},
                                             {"ATTRIBUTE-DISCARD", Outcome::Discarded},
                                             {"TREAT-AS-WITHDRAW", Outcome::Withdrawn},
                                             {"SESSION-RESET", Outcome::Reset},
                                             {"DISCARD", Outcome::Discarded},
                                             {"PARSE", Outcome::Accepted},
                                             {"ERR", Outcome::Reset}};
  const auto outcome = words.at(word);
  // "Proceed" and "discard" both leave the route standing, without the attribute.
  if (outcome == Outcome::Discarded) return {Outcome::Accepted, Outcome::Discarded};
  return {outcome};
}

// What the row demands; nothing when it only must not crash.
std::optional<std::set<Outcome>> expected(const ThirdPartyRow& row) {
  const auto expect = row.expect();
  for (const auto* const key : {"frr_attr_parse", "frr_expected", "frr_expected_ebgp", "frr_parse"})
    if (expect.contains(key)) return outcomes_of(expect[key].get<std::string>());
  const auto valid = row.json()["valid"];
  if (valid.is_null()) return std::nullopt;
  if (valid == true) return std::set{Outcome::Accepted};
  return std::set{Outcome::Discarded, Outcome::Withdrawn, Outcome::Reset};
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

const Exception* exception_for(const ThirdPartyRow& row, Outcome outcome) {
  const auto source = row.source();
  const auto note = row.note();
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
    const auto reading = row.read();
    const auto outcomes = expected(row);
    if (!outcomes || outcomes->contains(reading.outcome)) continue;
    const auto* const exception = exception_for(row, reading.outcome);
    used.insert(exception);
    if (exception != nullptr) continue;
    ADD_FAILURE() << "row " << i << ": " << print(reading.outcome) << " (" << reading.reason << ") instead of "
                  << print(*outcomes->begin()) << ": " << row.name() << " " << row.agreed().dump();
  }
  for (const auto& exception : exceptions)
    EXPECT_TRUE(used.contains(&exception)) << "no row needs the exception " << exception.source_part;
}

// An attribute of internal peers is discarded where the session is external, and read where it is not.
TEST_F(ThirdPartyMessages, AreReadByTheKindOfTheirSession) {
  std::size_t count = 0;
  for (const auto& row : rows_) {
    const auto expect = row.expect();
    for (const auto& [key, peer] :
         {std::pair{"frr_expected_ebgp", PeerType::External}, std::pair{"frr_expected_ibgp", PeerType::Internal}}) {
      if (!expect.contains(key)) continue;
      const auto reading = read(row.bytes(), row.context(peer), row.limit());
      EXPECT_TRUE(outcomes_of(expect[key].get<std::string>()).contains(reading.outcome))
          << row.name() << " " << key << ": " << print(reading.outcome) << " (" << reading.reason << ")";
      ++count;
    }
  }
  EXPECT_GE(count, 8U);
}

// Rows of families that we do not have cost nothing but themselves.
TEST_F(ThirdPartyMessages, OfOtherFamiliesNeverReset) {
  std::size_t count = 0;
  for (const auto& row : rows_) {
    const auto families = row.expect().value("exabgp", Json::object()).value("update", Json::object());
    for (const auto* const key : {"announce", "withdraw"}) {
      const auto of_key = families.value(key, Json::object());
      for (const auto& [family, unused] : of_key.items()) {
        if (family == "ipv4 unicast" || family == "ipv6 unicast") continue;
        ++count;
        EXPECT_NE(row.read().outcome, Outcome::Reset) << row.name();
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
    const auto expect = row.expect();
    if (!expect.contains("bgpdump")) continue;
    SCOPED_TRACE(row.name() + " " + row.json()["hex"].get<std::string>());
    const auto& dump = expect["bgpdump"];
    const auto reading = row.read();
    ASSERT_TRUE(reading.update.has_value());
    const auto& update = *reading.update;
    const auto& attributes = update.attributes;
    ++count;
    // bgpdump reads IPv4 multicast, SAFI 2 with a next hop of four octets, which is not one of our families.
    if (row.json()["hex"].get<std::string>().find("00010204") != std::string::npos) continue;
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

// exabgp writes path identifiers like addresses.
std::string exabgp_route(const Json& route) {
  const auto nlri = route["nlri"].get<std::string>();
  return route.contains("path-information") ? nlri + " path " + route["path-information"].get<std::string>() : nlri;
}
std::vector<std::string> routes_of(const NlriRuns& runs) {
  std::vector<std::string> all;
  for (const auto& run : runs) {
    for_each_route(run, [&](const net::Prefix& prefix, std::uint32_t id) {
      all.push_back(run.path_ids ? net::print(prefix) + " path " + net::print(net::RouterId{id}) : net::print(prefix));
    });
  }
  return all;
}

TEST_F(ThirdPartyMessages, SayWhatExabgpReadInThem) {
  std::size_t count = 0;
  for (const auto& row : rows_) {
    const auto expected_update = row.expect().value("exabgp", Json::object()).value("update", Json::object());
    if (expected_update.empty()) continue;
    const auto reading = row.read();
    if (!reading.update || exception_for(row, reading.outcome) != nullptr) continue;
    SCOPED_TRACE(row.name() + " " + row.json()["hex"].get<std::string>());
    ++count;
    std::vector<std::string> announced;
    const auto announce = expected_update.value("announce", Json::object());
    for (const auto& [family, hops] : announce.items()) {
      if (family != "ipv4 unicast" && family != "ipv6 unicast") continue;
      for (const auto& [hop, routes] : hops.items()) {
        for (const auto& route : routes) announced.push_back(exabgp_route(route));
        const auto& read_hop = family[3] == '4' ? reading.update->next_hop_ipv4 : reading.update->next_hop_ipv6;
        EXPECT_EQ(read_hop.address, net::parse_ip(hop));
      }
    }
    EXPECT_THAT(routes_of(reading.update->reachable), UnorderedElementsAreArray(announced));
    std::vector<std::string> withdrawn;
    const auto withdraw = expected_update.value("withdraw", Json::object());
    for (const auto& [family, routes] : withdraw.items()) {
      if (family != "ipv4 unicast" && family != "ipv6 unicast") continue;
      for (const auto& route : routes) withdrawn.push_back(exabgp_route(route));
    }
    EXPECT_THAT(routes_of(reading.update->withdrawn), UnorderedElementsAreArray(withdrawn));

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

TEST_F(ThirdPartyMessages, SayWhatExabgpReadInTheirOpens) {
  std::size_t count = 0;
  for (const auto& row : rows_) {
    const auto wanted = row.expect().value("exabgp", Json::object()).value("open", Json::object());
    if (wanted.empty()) continue;
    const auto bytes = row.bytes();
    const auto open = decode_open(std::span{bytes}.subspan(header_size));
    ASSERT_TRUE(open.has_value()) << row.name();
    EXPECT_EQ(open->version, wanted["version"].get<unsigned>());
    EXPECT_EQ(open->real_asn(), net::Asn{wanted["asn"].get<std::uint32_t>()});
    EXPECT_EQ(open->hold_time, net::Seconds{wanted["hold_time"].get<int>()});
    EXPECT_EQ(net::print(open->id), wanted["router_id"].get<std::string>());
    const auto& capabilities = wanted["capabilities"];
    EXPECT_EQ(capabilities["1"]["families"], Json::array({"ipv4/unicast"}));
    EXPECT_EQ(open->capabilities.multiprotocol, std::vector{ipv4_unicast});
    // The version of its software, behind an octet of length.
    const auto software = capabilities["75"]["software"].get<std::string>();
    Bytes value{static_cast<std::uint8_t>(software.size())};
    value.insert(value.end(), software.begin(), software.end());
    EXPECT_EQ(open->capabilities.unknown, (std::vector{RawCapability{75, value}}));
    ++count;
  }
  EXPECT_GE(count, 1U);
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
    const auto expect = row.expect();
    const auto reading = row.read();
    if (!expect.contains("as_path") || reading.outcome != Outcome::Accepted) continue;
    EXPECT_EQ(print(with_sorted_sets(reading.update->attributes.as_path)),
              normal_path(expect["as_path"].get<std::string>()))
        << row.name();
    ++count;
  }
  EXPECT_GT(count, 15U);
}

}  // namespace
}  // namespace bgp
