// SPDX-License-Identifier: Apache-2.0
#include "bgp/rpki/roa_table.hpp"

#include <algorithm>

#include <gmock/gmock.h>

namespace bgp {
namespace {

net::Prefix pfx(std::string_view text) {
  return *net::parse_prefix(text);
}
std::vector<Vrp> sorted(std::vector<Vrp> vrps) {
  std::sort(vrps.begin(), vrps.end());
  return vrps;
}

// RFC 6811 section 2.
TEST(RoaTable, ValidatesOrigins) {
  RoaTable table;
  table.replace(1, sorted({{pfx("10.0.0.0/8"), 16, net::Asn{65001}},
                           {pfx("10.1.0.0/16"), 24, net::Asn{65002}},
                           {pfx("192.0.2.0/24"), 24, net::Asn{0}},
                           {pfx("2001:db8::/32"), 48, net::Asn{65001}}}));
  using enum OriginValidity;
  const auto validity = [&](std::string_view prefix, std::optional<net::Asn> origin) {
    return table.validate(pfx(prefix), origin);
  };
  EXPECT_EQ(validity("10.0.0.0/8", net::Asn{65001}), Valid);
  EXPECT_EQ(validity("10.2.0.0/16", net::Asn{65001}), Valid);
  EXPECT_EQ(validity("10.2.0.0/17", net::Asn{65001}), Invalid);  // too long
  EXPECT_EQ(validity("10.1.2.0/24", net::Asn{65002}), Valid);
  EXPECT_EQ(validity("10.1.2.0/24", net::Asn{65001}), Invalid);
  EXPECT_EQ(validity("10.1.0.0/16", net::Asn{65001}), Valid);  // by the one above it
  EXPECT_EQ(validity("10.1.0.0/16", std::nullopt), Invalid);   // ends in a set
  EXPECT_EQ(validity("11.0.0.0/8", net::Asn{65001}), NotFound);
  EXPECT_EQ(validity("0.0.0.0/0", net::Asn{65001}), NotFound);  // covers, is not covered
  EXPECT_EQ(validity("192.0.2.0/24", net::Asn{0}), Invalid);    // AS 0: nobody
  EXPECT_EQ(validity("2001:db8:1::/48", net::Asn{65001}), Valid);
  EXPECT_EQ(validity("2001:db8:1::/49", net::Asn{65001}), Invalid);
  EXPECT_EQ(validity("2001:db9::/32", net::Asn{65001}), NotFound);
}

TEST(RoaTable, IsTheUnionOfItsCaches) {
  RoaTable table;
  const Vrp shared{pfx("10.0.0.0/8"), 8, net::Asn{65001}};
  table.replace(1, {shared});
  const auto version = table.version();
  table.replace(1, {shared});
  EXPECT_EQ(table.version(), version);
  table.replace(2, sorted({shared, {pfx("11.0.0.0/8"), 8, net::Asn{65001}}}));
  EXPECT_EQ(table.size(), 2U);
  table.replace(1, {});
  EXPECT_EQ(table.validate(pfx("10.0.0.0/8"), net::Asn{65001}), OriginValidity::Valid);
  table.remove(2);
  EXPECT_EQ(table.validate(pfx("10.0.0.0/8"), net::Asn{65001}), OriginValidity::NotFound);
  EXPECT_EQ(table.size(), 0U);
  EXPECT_GT(table.version(), version);
}

TEST(RoaTable, AnswersAsItWasForAsLongAsASnapshotIsHeld) {
  RoaTable table;
  const Vrp first{pfx("10.0.0.0/8"), 8, net::Asn{65001}};
  const Vrp second{pfx("10.0.0.0/8"), 8, net::Asn{65002}};
  const auto valid = [](const auto& by, const Vrp& vrp) { return by.validate(vrp.prefix, vrp.asn); };
  using enum OriginValidity;
  const auto empty = table.snapshot();
  table.replace(1, {first});
  const auto one = table.snapshot();
  EXPECT_EQ(table.snapshot(), one);
  table.replace(1, {second});
  const auto two = table.snapshot();
  table.replace(1, {first});  // comes back, beside what it was
  EXPECT_EQ(valid(*empty, first), NotFound);
  EXPECT_EQ(valid(*one, first), Valid);
  EXPECT_EQ(valid(*one, second), Invalid);
  EXPECT_EQ(valid(*two, first), Invalid);
  EXPECT_EQ(valid(*two, second), Valid);
  EXPECT_EQ(valid(table, first), Valid);
  EXPECT_EQ(valid(table, second), Invalid);
  table.replace(1, {});
  EXPECT_EQ(valid(*two, second), Valid);
  EXPECT_EQ(valid(table, first), NotFound);
  EXPECT_EQ(table.size(), 0U);
}

TEST(RoaTable, KeepsNothingThatNoSnapshotHas) {
  RoaTable table;
  table.replace(1, {{pfx("10.0.0.0/8"), 8, net::Asn{65001}}});
  auto older = table.snapshot();
  table.replace(1, {{pfx("11.0.0.0/8"), 8, net::Asn{65001}}});
  auto newer = table.snapshot();
  table.replace(1, {});
  EXPECT_EQ(table.kept(), 2U);
  older.reset();
  table.replace(2, {{pfx("12.0.0.0/8"), 8, net::Asn{65001}}});
  EXPECT_EQ(table.kept(), 1U);
  newer.reset();
  table.remove(2);
  EXPECT_EQ(table.kept(), 0U);
}

}  // namespace
}  // namespace bgp
