// SPDX-License-Identifier: Apache-2.0
#include "ctl/table.hpp"

#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ctl/columns.hpp"

namespace ctl {
namespace {

using nlohmann::json;

std::string printed(const Table& table, Paint paint = Paint::Plain) {
  std::ostringstream out;
  table.print(out, paint);
  return out.str();
}

TEST(Table, AlignsItsColumnsAndLeavesNoBlanksAtTheEnd) {
  Table table{{"NAME", "STATE"}};
  table.add({"a-long-name", "up"});
  table.add({"b", "down"});
  EXPECT_EQ(printed(table), "NAME         STATE\na-long-name  up\nb            down\n");
}

TEST(Table, PaintsWithoutMovingColumns) {
  Table table{{"A", "B"}};
  table.add({Cell{"x", Colour::Good}, Cell{"y", Colour::Bad}});
  EXPECT_EQ(printed(table, Paint::Terminal), "\x1b[2mA\x1b[0m  \x1b[2mB\x1b[0m\n\x1b[32mx\x1b[0m  \x1b[31my\x1b[0m\n");
}

TEST(Table, IsPlainInAPipe) {
  Table table{{"A"}};
  table.add({Cell{"x", Colour::Warning}});
  EXPECT_EQ(printed(table).find('\x1b'), std::string::npos);
}

TEST(Age, TakesTheTwoUnitsThatMatter) {
  EXPECT_EQ(age(850), "850ms");
  EXPECT_EQ(age(9'999), "9999ms");
  EXPECT_EQ(age(10'000), "10s");
  EXPECT_EQ(age(119'000), "119s");
  EXPECT_EQ(age(312'000), "5m12s");
  EXPECT_EQ(age(7'260'000), "2h1m");
  EXPECT_EQ(age(273'600'000), "3d4h");
}

TEST(Age, OfATimestamp) {
  const auto now = std::chrono::system_clock::from_time_t(1'800'000'000);  // 2027-01-15T08:00:00Z
  EXPECT_EQ(age_of("2027-01-15T07:59:57Z", now), "3s");
  EXPECT_EQ(age_of("2027-01-15T07:00:00Z", now), "1h0m");
  EXPECT_EQ(age_of("2027-01-15T08:00:01Z", now), "0s");  // clocks of two machines
  EXPECT_EQ(age_of("", now), "-");
  EXPECT_EQ(age_of("yesterday", now), "-");
}

std::string listed(const char* kind, const json& object, Format format = Format::Table) {
  Options options;
  options.format = format;
  ObjectTable table{*config::find_kind_by_word(kind), options, std::chrono::system_clock::from_time_t(1'800'000'000)};
  table.add(object);
  std::ostringstream out;
  table.print(out, Paint::Plain);
  return out.str();
}

TEST(ObjectTable, ShowsAServiceWithItsAssignment) {
  const json service = {
      {"metadata", {{"name", "shop"}, {"creationTimestamp", "2027-01-15T07:59:00Z"}}},
      {"spec", {{"type", "LoadBalancer"}, {"ports", {{{"port", 80}}, {{"port", 443}}}}}},
      {"status",
       {{"loadBalancer", {{"ingress", {{{"ip", "192.0.2.1"}}, {{"hostname", "x"}}}}}},
        {"conditions", {{{"type", "herald.dev/Assigned"}, {"status", "True"}, {"reason", "IPAllocated"}}}}}}};
  EXPECT_EQ(listed("svc", service),
            "NAME  TYPE          ADDRESSES  PORTS   STATE        AGE\n"
            "shop  LoadBalancer  192.0.2.1  80,443  IPAllocated  60s\n");
}

TEST(ObjectTable, ShowsADashForWhatIsAbsent) {
  EXPECT_EQ(listed("svc", {{"metadata", {{"name", "x"}}}}),
            "NAME  TYPE  ADDRESSES  PORTS  STATE  AGE\nx     -     -          -      -      -\n");
}

TEST(ObjectTable, ShowsWhereAPeerIsEstablishedOrWhyItIsNotAccepted) {
  json peer = {{"metadata", {{"name", "tor"}}},
               {"spec", {{"peerASN", 65001}, {"peerAddress", "10.0.0.1"}}},
               {"status",
                {{"sessions", {{"summary", "2/3"}}},
                 {"conditions", {{{"type", "Accepted"}, {"status", "True"}, {"reason", "Accepted"}}}}}}};
  EXPECT_EQ(listed("peer", peer),
            "NAME  ASN    ADDRESS   ACCEPTED  ESTABLISHED  IMPORT  EXPORT  ADMIN  AGE\n"
            "tor   65001  10.0.0.1  True      2/3          -       -       -      -\n");
  peer["status"]["conditions"][0].update({{"status", "False"}, {"reason", "HeldDown"}});
  EXPECT_NE(listed("peer", peer).find("HeldDown"), std::string::npos);
}

TEST(ObjectTable, WideShowsLabels) {
  EXPECT_EQ(listed("ns", {{"metadata", {{"name", "x"}, {"labels", {{"a", "b"}}}}}}, Format::Wide),
            "NAME  AGE  LABELS\nx     -    {\"a\":\"b\"}\n");
}

TEST(ObjectTable, SaysAllWhereAnAdvertisementSelectsNothing) {
  EXPECT_EQ(
      listed("bgpad", {{"metadata", {{"name", "x"}}}}),
      "NAME  POOLS  PREFIXES  PEERS  COMMUNITIES  STATE  AGE\nx     all    -         all    -            -      -\n");
  // With prefixes alone, no service is announced by it.
  EXPECT_EQ(listed("bgpad", {{"metadata", {{"name", "x"}}}, {"spec", {{"prefixes", {"10.0.0.0/8"}}}}}),
            "NAME  POOLS  PREFIXES    PEERS  COMMUNITIES  STATE  AGE\nx     -      10.0.0.0/8  all    -            -   "
            "   -\n");
}

// An object that another client wrote may lack anything.
TEST(ObjectTable, HasColumnsForEveryKind) {
  for (const auto& kind : config::all_kinds()) {
    const auto columns = columns_of(kind);
    EXPECT_EQ(columns.row(json::object()).size(), columns.header.size()) << kind.name;
  }
}

}  // namespace
}  // namespace ctl
