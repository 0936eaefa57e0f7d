// SPDX-License-Identifier: Apache-2.0
// What docs/reference/resources.md calls live does not touch a session, and what it calls re-open does.
#include "tests/reference.hpp"

#include <algorithm>
#include <array>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bgp/router.hpp"
#include "config/source/files.hpp"
#include "speaker/router_setup.hpp"

namespace speaker {
namespace {

// A change of one field: what the spec of the peer has before and after it, in YAML's flow form.
struct FieldChange {
  const char* field;
  const char* before;
  const char* after;
};

constexpr auto base = "peerAddress: 10.0.0.2, peerASN: 65002";
constexpr auto changes = std::to_array<FieldChange>({
    {"spec.peerAddress", "peerAddress: 10.0.0.2, peerASN: 65002", "peerAddress: 10.0.0.3, peerASN: 65002"},
    {"spec.peerPort", "peerPort: 179", "peerPort: 1179"},
    {"spec.peerASN", "peerAddress: 10.0.0.2, peerASN: 65002", "peerAddress: 10.0.0.2, peerASN: 65003"},
    {"spec.dynamicASN", "peerAddress: 10.0.0.2, peerASN: 65002", "peerAddress: 10.0.0.2, dynamicASN: external"},
    {"spec.myASN", "myASN: 65001", "myASN: 65009"},
    {"spec.routerID", "routerID: 10.0.0.1", "routerID: 10.0.0.9"},
    {"spec.sourceAddress", "sourceAddress: 10.0.0.1", "sourceAddress: 10.0.0.9"},
    {"spec.holdTime", "holdTime: 90s", "holdTime: 30s"},
    {"spec.keepaliveTime", "keepaliveTime: 30s", "keepaliveTime: 10s"},
    {"spec.connectTime", "connectTime: 10s", "connectTime: 5s"},
    {"spec.passive", "passive: false", "passive: true"},
    {"spec.ebgpMultiHop", "ebgpMultiHop: false", "ebgpMultiHop: true"},
    {"spec.ttlSecurity", "ttlSecurity: 1", "ttlSecurity: 2"},
    {"spec.password", "password: one", "password: two"},
    {"spec.passwordSecret.name", "passwordSecret: {name: one}", "passwordSecret: {name: two}"},
    {"spec.passwordSecret.namespace", "passwordSecret: {name: one}", "passwordSecret: {name: one, namespace: other}"},
    {"spec.families[]", "families: [ipv4-unicast]", "families: [ipv4-unicast, ipv6-unicast]"},
    {"spec.import[]", "import: [accept-all]", "import: [reject-all]"},
    {"spec.export[]", "export: [accept-all]", "export: [reject-all]"},
    {"spec.maxPrefixes", "maxPrefixes: 10", "maxPrefixes: 20"},
    {"spec.shutdownMessage", "shutdown: true, shutdownMessage: a", "shutdown: true, shutdownMessage: b"},
    {"spec.description", "description: a", "description: b"},
    {"spec.passwordSecret.key", "passwordSecret: {name: one}", "passwordSecret: {name: one, key: second}"},
    {"spec.maxPrefixesAction", "maxPrefixesAction: stop", "maxPrefixesAction: warn"},
    {"spec.maxPrefixesWarning", "maxPrefixesWarning: 75", "maxPrefixesWarning: 50"},
    {"spec.maxPrefixesRestart", "maxPrefixesRestart: 60s", "maxPrefixesRestart: 90s"},
    {"spec.maxPrefixesOut", "maxPrefixesOut: 10", "maxPrefixesOut: 20"},
    {"spec.keepRejected", "keepRejected: false", "keepRejected: true"},
    {"spec.localASN", "localASN: 65100", "localASN: 65101"},
    {"spec.localASNOptions[]", "localASN: 65100", "localASN: 65100, localASNOptions: [replace-as]"},
    {"spec.routeReflectorClient", "peerAddress: 10.0.0.2, peerASN: 65001",
     "peerAddress: 10.0.0.2, peerASN: 65001, routeReflectorClient: true"},
    {"spec.nextHopMode", "nextHopMode: Auto", "nextHopMode: Keep"},
    {"spec.nextHops[]", "nextHops: [10.0.0.7]", "nextHops: [10.0.0.8]"},
    {"spec.numAllowedLocalASNumbers", "numAllowedLocalASNumbers: 0", "numAllowedLocalASNumbers: 1"},
    {"spec.acceptBlackhole", "acceptBlackhole: false", "acceptBlackhole: true"},
    {"spec.enforceFirstAS", "enforceFirstAS: true", "enforceFirstAS: false"},
    {"spec.aigp", "aigp: false", "aigp: true"},
    {"spec.addPath.receive", "addPath: {receive: false}", "addPath: {receive: true}"},
    {"spec.addPath.send", "addPath: {send: 2}", "addPath: {send: 3}"},
    {"spec.asOverride", "asOverride: false", "asOverride: true"},
    {"spec.privateASNs", "privateASNs: keep", "privateASNs: remove"},
    {"spec.interface", "interface: eth0, peerASN: 65002", "interface: eth1, peerASN: 65002"},
    {"spec.peerSelectors[]", "peerSelectors: [{matchLabels: {rack: a}}], peerASN: 65002",
     "peerSelectors: [{matchLabels: {rack: b}}], peerASN: 65002"},
    {"spec.tcpAO.secret.name", "tcpAO: {secret: {name: keys}}", "tcpAO: {secret: {name: other-keys}}"},
    {"spec.tcpAO.secret.namespace", "tcpAO: {secret: {name: keys}}", "tcpAO: {secret: {name: keys, namespace: other}}"},
    {"spec.tcpAO.algorithm", "tcpAO: {secret: {name: keys}}",
     "tcpAO: {secret: {name: keys}, algorithm: aes-128-cmac-96}"},
    {"spec.enableGracefulRestart", "enableGracefulRestart: false", "enableGracefulRestart: true"},
    {"spec.gracefulRestart.mode", "gracefulRestart: {mode: helper}", "gracefulRestart: {mode: full}"},
    {"spec.gracefulRestart.restartTime", "gracefulRestart: {mode: full}",
     "gracefulRestart: {mode: full, restartTime: 60s}"},
    {"spec.gracefulRestart.stalePathTime", "gracefulRestart: {}", "gracefulRestart: {stalePathTime: 60s}"},
    {"spec.gracefulRestart.longLivedStaleTime", "gracefulRestart: {}", "gracefulRestart: {longLivedStaleTime: 1h}"},
    {"spec.gracefulRestart.notification", "gracefulRestart: {}", "gracefulRestart: {notification: false}"},
    {"spec.gracefulShutdown", "gracefulShutdown: false", "gracefulShutdown: true"},
    {"spec.honorGracefulShutdown", "honorGracefulShutdown: true", "honorGracefulShutdown: false"},
    {"spec.role", "role: provider", "role: peer"},
    {"spec.roleStrict", "role: provider", "role: provider, roleStrict: true"},
    {"spec.defaultOriginate.whenPresent[]", "defaultOriginate: {}", "defaultOriginate: {whenPresent: [10.0.0.0/8]}"},
});
// The session begins or ends with them: nothing to keep up.
const std::set<std::string> begin_or_end{"spec.nodeSelectors[]", "spec.shutdown"};

constexpr auto secrets = R"(
apiVersion: v1
kind: Secret
metadata: {name: one}
type: kubernetes.io/basic-auth
stringData: {password: one, second: another}
---
apiVersion: v1
kind: Secret
metadata: {name: two}
type: kubernetes.io/basic-auth
stringData: {password: two}
---
apiVersion: v1
kind: Secret
metadata: {name: one, namespace: other}
type: kubernetes.io/basic-auth
stringData: {password: other}
---
apiVersion: v1
kind: Secret
metadata: {name: keys}
stringData: {"1": first}
---
apiVersion: v1
kind: Secret
metadata: {name: other-keys}
stringData: {"1": first, "2": second}
---
apiVersion: v1
kind: Secret
metadata: {name: keys, namespace: other}
stringData: {"1": first, "2": third}
---
apiVersion: v1
kind: Node
metadata: {name: r2, labels: {rack: a}}
status: {addresses: [{type: InternalIP, address: 10.0.0.2}]}
---
apiVersion: v1
kind: Node
metadata: {name: r3, labels: {rack: b}}
status: {addresses: [{type: InternalIP, address: 10.0.0.3}]}
---
)";

RouterSetup setup_of(const std::string& spec) {
  const bool whole = spec.find("peerASN") != std::string::npos || spec.find("peerAddress") != std::string::npos;
  const auto text = std::string{secrets} +
                    "apiVersion: herald.dev/v1\nkind: BGPConfiguration\nmetadata: {name: default}\n"
                    "spec: {asn: 65001, routerID: 10.0.0.1}\n---\n"
                    "apiVersion: herald.dev/v1\nkind: BGPPeer\nmetadata: {name: tor}\nspec: {" +
                    (whole ? spec : std::string{base} + ", " + spec) + "}\n";
  const auto loaded = config::assemble(config::read_objects(text, "set.yaml", config::Syntax::Yaml));
  EXPECT_THAT(loaded.problems, ::testing::IsEmpty()) << spec;
  RouterFacts facts;
  facts.node = "r1";
  facts.peers = {"tor"};
  facts.heard = {{"eth0", *net::parse_ipv6("fe80::1")}, {"eth1", *net::parse_ipv6("fe80::2")}};
  return set_up_router(loaded.resources, facts);
}

// "live", "re-open", or "nothing".
std::string effect_of(const FieldChange& change) {
  const auto before = setup_of(change.before);
  const auto after = setup_of(change.after);
  bgp::Router router{before.router, 1};
  router.configure(before.router, before.neighbors, {});
  const auto plan = router.plan(after.router, after.neighbors);
  if (plan.empty()) return "nothing";
  const auto live = [](const bgp::PlannedChange& planned) { return planned.kind == bgp::PlannedChange::Kind::Live; };
  return std::ranges::all_of(plan, live) ? "live" : "re-open";
}

const std::vector<reference::Field>& table() {
  static const auto page = reference::read(HERALD_SOURCE_DIR "/docs/reference/resources.md");
  return page.at("BGPPeer");
}

TEST(ReferenceOfPeers, SaysWhichChangesReopenTheSession) {
  for (const auto& change : changes) {
    const auto row = std::ranges::find(table(), change.field, &reference::Field::path);
    ASSERT_NE(row, table().end()) << change.field;
    EXPECT_EQ(row->change, effect_of(change)) << change.field;
  }
}

TEST(ReferenceOfPeers, HasAChangeHereForEveryField) {
  std::set<std::string> tested = begin_or_end;
  // These are no part of what the router knows: BFD's side of the speaker follows them while the session stays.
  tested.insert({"spec.bfdProfile", "spec.bfdStrict", "spec.bfdHoldTime"});
  // They change what becomes of neighbours that connect, and nobody has here: tests/bgp/router_dynamic_test.cpp.
  tested.insert({"spec.listenRange", "spec.maxDynamicPeers"});
  for (const auto& change : changes) tested.insert(change.field);
  auto known = reference::without_parents(reference::paths(table()));
  std::erase_if(known, [](const auto& path) { return path.starts_with("status."); });  // nobody sets it
  EXPECT_EQ(known, tested);
}

}  // namespace
}  // namespace speaker
