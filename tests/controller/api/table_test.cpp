// SPDX-License-Identifier: Apache-2.0
#include "controller/api/table.hpp"

#include <gtest/gtest.h>

namespace controller {
namespace {

using nlohmann::json;
using std::chrono::seconds;

const WallTime now = *parse_rfc3339("2026-01-31T12:00:00Z");

struct RowCase {
  config::Kind kind;
  const char* object;
  const char* cells;
};
class Row : public testing::TestWithParam<RowCase> {};

TEST_P(Row, ShowsWhatPeopleLookFor) {
  const auto& [kind, object, expected] = GetParam();
  const auto shown = cells(kind, json::parse(object), now);
  EXPECT_EQ(shown.dump(), json::parse(expected).dump());
  EXPECT_EQ(shown.size(), columns(kind).size());
}
using config::Kind;
constexpr auto bare = R"({"metadata":{"name":"x","creationTimestamp":"2026-01-31T11:59:00Z"}})";
INSTANTIATE_TEST_SUITE_P(
    Kinds, Row,
    testing::Values(
        RowCase{Kind::Service,
                R"({"metadata":{"name":"web","creationTimestamp":"2026-01-31T11:00:00Z"},
                    "spec":{"type":"LoadBalancer","clusterIP":"10.96.0.1","selector":{"app":"web"},
                            "ports":[{"port":80,"nodePort":30080,"protocol":"TCP"},{"port":53,"protocol":"UDP"}]},
                    "status":{"loadBalancer":{"ingress":[{"ip":"192.0.2.1"},{"ip":"2001:db8::1"}]}}})",
                R"(["web","LoadBalancer","10.96.0.1","192.0.2.1,2001:db8::1","80:30080/TCP,53/UDP","60m","app=web"])"},
        RowCase{Kind::Service, R"({"metadata":{"name":"web"},"spec":{"type":"LoadBalancer"}})",
                R"(["web","LoadBalancer","<none>","<pending>","<none>","<unknown>","<none>"])"},
        RowCase{Kind::Service, bare, R"(["x","ClusterIP","<none>","<none>","<none>","60s","<none>"])"},
        RowCase{
            Kind::Node,
            R"({"metadata":{"name":"n1","labels":{"node-role.kubernetes.io/router":""}},"spec":{"unschedulable":true},
                    "status":{"conditions":[{"type":"Ready","status":"True"}],
                              "addresses":[{"type":"InternalIP","address":"10.0.0.1"}]}})",
            R"(["n1","Ready,SchedulingDisabled","router","<unknown>","","10.0.0.1","<none>"])"},
        RowCase{Kind::Namespace, R"({"metadata":{"name":"a"},"status":{"phase":"Active"}})",
                R"(["a","Active","<unknown>"])"},
        RowCase{Kind::Secret, R"({"metadata":{"name":"s"},"type":"Opaque","data":{"a":"","b":""}})",
                R"(["s","Opaque",2,"<unknown>"])"},
        RowCase{Kind::EndpointSlice,
                R"({"metadata":{"name":"e"},"addressType":"IPv4","ports":[{"port":80}],
                    "endpoints":[{"addresses":["10.0.0.1"]},{"addresses":["10.0.0.2","10.0.0.3","10.0.0.4"]}]})",
                R"(["e","IPv4","80","10.0.0.1,10.0.0.2,10.0.0.3 + 1 more...","<unknown>"])"},
        RowCase{Kind::Event,
                R"({"metadata":{"name":"e"},"type":"Warning","reason":"PoolExhausted","message":"none left","count":3,
                    "lastTimestamp":"2026-01-31T11:59:30Z","involvedObject":{"kind":"Service","name":"web"},
                    "source":{"component":"herald"}})",
                R"(["30s","Warning","PoolExhausted","service/web","herald","none left","<unknown>","3","e"])"},
        RowCase{Kind::IPAddressPool,
                R"({"metadata":{"name":"p"},"spec":{"addresses":["192.0.2.0/24","2001:db8::/120"],"autoAssign":false},
                    "status":{"assignedIPv4":3,"availableIPv4":253,"assignedIPv6":1,"availableIPv6":255}})",
                R"(["p","false","false","192.0.2.0/24,2001:db8::/120","3/1","253/255","","","<unknown>"])"},
        RowCase{Kind::BGPPeer,
                R"({"metadata":{"name":"tor"},"spec":{"peerAddress":"10.0.0.1","dynamicASN":"external","passive":true},
                    "status":{"conditions":[{"type":"Other","status":"False"},
                                            {"type":"Accepted","status":"True","reason":"Accepted"}],
                              "sessions":{"nodes":3,"established":2,"summary":"2/3"}}})",
                R"(["tor","10.0.0.1","external","True","2/3","Accepted","","90s","true","false","<unknown>"])"},
        RowCase{Kind::BGPConfiguration, R"({"metadata":{"name":"default"},"spec":{"asn":65000,"listen":{"port":0}}})",
                R"(["default","65000","","0","","","<unknown>"])"},
        RowCase{Kind::BGPAdvertisement, R"({"metadata":{"name":"a"},"spec":{"peers":["x","y"],"localPref":7},
                    "status":{"conditions":[{"type":"Accepted","status":"False","reason":"SetAside"},
                                            {"type":"Effective","status":"False","reason":"NotAccepted"}]}})",
                R"(["a","","","x,y","","7","False","NotAccepted","SetAside","<unknown>"])"},
        RowCase{Kind::BFDProfile, R"({"metadata":{"name":"b"},"spec":{"receiveInterval":50}})",
                R"(["b","50","300","3","false","false","","","","<unknown>"])"},
        RowCase{Kind::BGPFilter, R"({"metadata":{"name":"f"},"spec":{"rules":[{},{}]}})",
                R"(["f",2,"","","<unknown>"])"},
        RowCase{Kind::L2Advertisement, R"({"metadata":{"name":"l"},"spec":{"interfaces":["eth0"]}})",
                R"(["l","","eth0","","","","<unknown>"])"},
        RowCase{Kind::Community, bare, R"(["x",0,"","","60s"])"},
        RowCase{Kind::SpeakerState,
                R"({"metadata":{"name":"n1"},"spec":{"heartbeat":12,"interfaces":[{"name":"eth0"}]}})",
                R"(["n1","12","eth0","false","<unknown>"])"}));

TEST(Row, SurvivesObjectsOfTheWrongShape) {
  const auto odd = json::parse(R"({"metadata":7,"spec":{"ports":5,"selector":[],"interfaces":{"a":1},"addresses":{}},
                                   "status":{"loadBalancer":[],"conditions":"x","addresses":[1,[]]},"endpoints":[7],
                                   "data":"x","involvedObject":[]})");
  for (const auto& kind : config::all_kinds()) EXPECT_EQ(cells(kind.kind, odd, now).size(), columns(kind.kind).size());
}

TEST(Duration, IsCoarserWithAge) {
  const std::vector<std::pair<int, const char*>> cases{
      {-5, "<invalid>"}, {-1, "0s"},      {0, "0s"},        {119, "119s"},      {120, "2m"},      {125, "2m5s"},
      {600, "10m"},      {10799, "179m"}, {10800, "3h"},    {11100, "3h5m"},    {28800, "8h"},    {172800, "2d"},
      {180000, "2d2h"},  {691200, "8d"},  {63072000, "2y"}, {63158400, "2y1d"}, {252288000, "8y"}};
  for (const auto& [duration, text] : cases) EXPECT_EQ(short_duration(seconds{duration}), text) << duration;
}

TEST(Timestamp, IsReadAsKubernetesWritesIt) {
  EXPECT_EQ(rfc3339(*parse_rfc3339("2026-02-28T23:59:59Z")), "2026-02-28T23:59:59Z");
  EXPECT_EQ(parse_rfc3339("2026-01-31T12:00:00.123456Z"), now);
  for (const auto* text : {"", "yesterday", "2026-01-31", "2026-01-31T12:00:00", "2026-01-31T12:00:00+01:00"}) {
    EXPECT_FALSE(parse_rfc3339(text)) << text;
  }
}

}  // namespace
}  // namespace controller
