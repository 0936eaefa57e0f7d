// SPDX-License-Identifier: Apache-2.0
#include "ctl/mrt_rows.hpp"

#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bgp/wire/text.hpp"

namespace ctl {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using namespace bgp::mrt;  // NOLINT: the records are what this is about

constexpr bgp::WallTime noon{1764000000, 7};

std::vector<std::uint8_t> attributes(std::vector<std::uint32_t> path) {
  bgp::PathAttributes made;
  for (auto asn = path.rbegin(); asn != path.rend(); ++asn) made.as_path.prepend(net::Asn{*asn});
  made.next_hop.address = net::Ipv4Address{0x0a000002};
  std::vector<std::uint8_t> out;
  encode_attributes(made, net::Family::Ipv4, out);
  return out;
}

Ends ends() {
  return {net::Asn{65001},
          net::Asn{65000},
          bgp::AsnWidth::FourOctets,
          0,
          net::Ipv4Address{0x0a000002},
          net::Ipv4Address{0x0a000001}};
}

struct Read {
  std::vector<std::string> rows;
  std::string problem;
};

Read read(const std::vector<std::uint8_t>& bytes) {
  std::istringstream file{std::string{bytes.begin(), bytes.end()}};
  Read result;
  result.problem = read_mrt(file, [&](const MrtRow& row) {
    auto text = std::to_string(row.offset) + " " + std::string{print(row.kind)};
    if (row.peer) text += " " + net::print(*row.peer);
    if (row.prefix) text += " " + net::print(*row.prefix);
    if (row.path_id) text += " id " + std::to_string(*row.path_id);
    if (row.attributes) text += " [" + bgp::print(row.attributes->as_path) + "]";
    if (!row.text.empty()) text += " " + row.text;
    result.rows.push_back(text);
  });
  return result;
}

PeerIndexTable peers() {
  return {net::RouterId{1},
          "",
          {{net::RouterId{2}, net::Ipv4Address{0x0a000002}, net::Asn{65001}, bgp::AsnWidth::FourOctets, 0}}};
}

TEST(MrtRows, AreThePathsOfATable) {
  std::vector<std::uint8_t> bytes;
  encode(make_record(noon, peers()), bytes);
  const auto at = std::to_string(bytes.size());
  encode(make_record(noon, Rib{0,
                               *net::parse_prefix("10.1.0.0/16"),
                               false,
                               true,
                               {{0, 5, 3, attributes({65001, 65002})}, {0, 5, 4, {0x40, 1, 9, 0}}}}),
         bytes);
  const auto [rows, problem] = read(bytes);
  EXPECT_EQ(problem, "");
  EXPECT_THAT(rows, ElementsAre(at + " route 10.0.0.2 10.1.0.0/16 id 3 [65001 65002]",
                                at + " route 10.0.0.2 10.1.0.0/16 id 4 malformed: an attribute does not fit"));
}

TEST(MrtRows, ArePrefixesAndStatesOfUpdates) {
  BgpMessage message{ends(), false, false, {}};
  const net::Ipv4Prefix prefix = net::parse_prefix("10.1.0.0/16")->v4();
  const net::Ipv4Prefix gone = net::parse_prefix("10.2.0.0/16")->v4();
  bgp::encode_withdrawn(std::span<const net::Ipv4Prefix>{&gone, 1}, 4096, message.message);
  std::vector<std::uint8_t> bytes;
  encode(make_record(noon, message), bytes);
  const auto second = std::to_string(bytes.size());
  message.message.clear();
  bgp::encode_reachable(std::span<const std::uint8_t>{attributes({65001})}, {}, std::span{&prefix, 1}, 4096,
                        message.message);
  encode(make_record(noon, message), bytes);
  const auto third = std::to_string(bytes.size());
  message.message.clear();
  bgp::encode_end_of_rib(net::Family::Ipv6, message.message);
  encode(make_record(noon, message), bytes);
  const auto fourth = std::to_string(bytes.size());
  encode(make_record(noon, StateChange{ends(), 6, 1}), bytes);
  const auto fifth = std::to_string(bytes.size());
  message.message = bgp::encode_keepalive();
  encode(make_record(noon, message), bytes);
  const auto [rows, problem] = read(bytes);
  EXPECT_EQ(problem, "");
  EXPECT_THAT(rows, ElementsAre("0 withdraw 10.0.0.2 10.2.0.0/16", second + " announce 10.0.0.2 10.1.0.0/16 [65001]",
                                third + " end-of-rib 10.0.0.2 IPv6", fourth + " state 10.0.0.2 Established -> Idle",
                                fifth + " message 10.0.0.2 KEEPALIVE"));
}

TEST(MrtRows, NameWhatIsNotKnownAndGoOn) {
  std::vector<std::uint8_t> bytes;
  encode({noon, static_cast<RecordType>(11), 0, Other{{1, 2}}}, bytes);
  encode(make_record(noon, StateChange{ends(), 1, 3}), bytes);
  const auto [rows, problem] = read(bytes);
  EXPECT_EQ(problem, "");
  EXPECT_THAT(rows, ElementsAre("0 unknown type 11 subtype 0, 2 octets", "14 state 10.0.0.2 Idle -> Active"));
}

TEST(MrtRows, EndAtDamageWithItsOffset) {
  std::vector<std::uint8_t> whole;
  encode(make_record(noon, peers()), whole);
  encode(make_record(noon, Rib{0, *net::parse_prefix("10.1.0.0/16"), false, false, {{0, 5, 0, attributes({65001})}}}),
         whole);
  const auto [rows, problem] = read(whole);
  EXPECT_EQ(problem, "");
  // Wherever it is cut, the offset is that of the end, unless that is between two records.
  std::size_t clean = 0;
  for (std::size_t size = 0; size < whole.size(); ++size) {
    const auto cut = read({whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size)});
    EXPECT_THAT(cut.rows, IsEmpty());
    if (cut.problem.empty())
      ++clean;
    else
      EXPECT_EQ(cut.problem.find("offset " + std::to_string(size) + ": the file ends within"), 0U) << cut.problem;
  }
  EXPECT_EQ(clean, 2U);  // nothing at all, and the first record alone

  std::vector<std::uint8_t> nobody;
  encode(make_record(noon, Rib{0, *net::parse_prefix("10.1.0.0/16"), false, false, {{7, 5, 0, {}}}}), nobody);
  EXPECT_EQ(read(nobody).problem, "offset 0: a path of 10.1.0.0/16 is of peer 7, and the peer table before it has 0");
  EXPECT_EQ(read({0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}).problem,
            "offset 0: the file is compressed: zcat FILE | heraldctl mrt show -");
}

}  // namespace
}  // namespace ctl
