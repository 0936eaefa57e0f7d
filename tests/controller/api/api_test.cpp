// SPDX-License-Identifier: Apache-2.0
#include "controller/api/api.hpp"

#include <gmock/gmock.h>

#include "api_fixture.hpp"

namespace controller::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class ApiWithAService : public ApiTest {
 public:
  ApiWithAService() { made = post(services, service_object("web")).body(); }
  json made;
};
class ApiOfLists : public ApiTest {};
class ApiOfWatches : public ApiTest {};
class ApiOfKinds : public ApiTest {};
class ApiForViewers : public ApiTest {};

std::vector<std::string> names(const json& list) {
  std::vector<std::string> all;
  for (const auto& item : list.at("items")) all.push_back(item.at("metadata").at("name"));
  return all;
}

TEST_F(ApiWithAService, AnswersCreateWithTheObject) {
  EXPECT_EQ(made["kind"], "Service");
  EXPECT_EQ(made["spec"]["ports"][0]["protocol"], "TCP") << "defaults are filled in";
  EXPECT_EQ(made["spec"]["ports"][0]["targetPort"], 80);
  EXPECT_FALSE(made["metadata"]["uid"].get<std::string>().empty());
  EXPECT_EQ(get(std::string{services} + "/web").body(), made);
}

TEST_F(ApiWithAService, CompletesGeneratedNames) {
  auto object = service_object("");
  object["metadata"] = {{"generateName", "web-"}};
  const auto answer = post(services, object);
  EXPECT_EQ(answer.status, 201U);
  EXPECT_THAT(answer.body()["metadata"]["name"].get<std::string>(), ::testing::MatchesRegex("web-[a-z0-9]{5}"));
}

TEST_F(ApiWithAService, DoesNotTakeAStatusFromWhoeverCreates) {
  auto object = service_object("forged");
  object["status"] = {{"loadBalancer", {{"ingress", {{{"ip", "192.0.2.1"}}}}}}};
  EXPECT_FALSE(post(services, object).body().contains("status"));
}

TEST_F(ApiWithAService, KeepsStatusAndSpecApart) {
  auto object = made;
  object["status"] = {{"loadBalancer", {{"ingress", {{{"ip", "192.0.2.1"}}}}}}};
  object["spec"]["type"] = "NodePort";
  auto answer = put(std::string{services} + "/web/status", object).body();
  EXPECT_EQ(answer["spec"]["type"], "LoadBalancer");
  EXPECT_EQ(answer["status"]["loadBalancer"]["ingress"][0]["ip"], "192.0.2.1");
  EXPECT_EQ(answer["metadata"]["generation"], 1);

  answer.erase("status");
  answer["spec"]["type"] = "NodePort";
  const auto replaced = put(std::string{services} + "/web", answer).body();
  EXPECT_EQ(replaced["spec"]["type"], "NodePort");
  EXPECT_EQ(replaced["status"]["loadBalancer"]["ingress"][0]["ip"], "192.0.2.1");
  EXPECT_EQ(replaced["metadata"]["generation"], 2);
}

TEST_F(ApiWithAService, PatchesInEveryWay) {
  const auto path = std::string{services} + "/web";
  EXPECT_EQ(patch(path, {{"metadata", {{"labels", {{"a", "b"}}}}}}).body()["metadata"]["labels"]["a"], "b");
  EXPECT_EQ(patch(path, json::parse(R"([{"op":"remove","path":"/metadata/labels/a"}])"), "application/json-patch+json")
                .body()["metadata"]["labels"]
                .size(),
            1U);
  EXPECT_EQ(patch(path, json::parse(R"({"spec":{"ports":[{"port":443}]}})"), "application/strategic-merge-patch+json")
                .body()["spec"]["ports"]
                .size(),
            2U);
  const auto applied = patch(path + "?fieldManager=me", json::parse(R"({"apiVersion":"v1","kind":"Service",
      "metadata":{"name":"web"},"spec":{"externalTrafficPolicy":"Local"}})"),
                             "application/apply-patch+yaml");
  EXPECT_EQ(applied.status, 200U);
  EXPECT_EQ(applied.body()["spec"]["externalTrafficPolicy"], "Local");
  EXPECT_EQ(patch(path + "/status", {{"status", {{"conditions", json::array()}}}, {"spec", {{"type", "NodePort"}}}})
                .body()["spec"]["type"],
            "LoadBalancer");
}

TEST_F(ApiWithAService, AppliesWhatIsNotThereYet) {
  const auto answer = ask(request(Method::Patch, std::string{pools} + "/p?fieldManager=me",
                                  "apiVersion: herald.dev/v1\nkind: IPAddressPool\nmetadata: {name: p}\n"
                                  "spec:\n  addresses: [192.0.2.0/28]\n",
                                  "application/apply-patch+yaml"));
  EXPECT_EQ(answer.status, 201U) << answer.text;
  EXPECT_EQ(answer.body()["metadata"]["managedFields"][0]["manager"], "me");
}

TEST_F(ApiWithAService, ChangesNothingInADryRun) {
  EXPECT_EQ(post(std::string{services} + "?dryRun=All", service_object("dry")).status, 201U);
  EXPECT_EQ(get(std::string{services} + "/dry").status, 404U);
  const auto path = std::string{services} + "/web?dryRun=All";
  EXPECT_EQ(patch(path, {{"spec", {{"type", "NodePort"}}}}).body()["spec"]["type"], "NodePort");
  EXPECT_EQ(del(path).status, 200U);
  EXPECT_EQ(del(std::string{services} + "/web", R"({"dryRun":["All"]})").status, 200U);
  EXPECT_EQ(get(std::string{services} + "/web").body(), made);
}

TEST_F(ApiWithAService, DeletesWithAStatus) {
  const auto answer =
      del(std::string{services} + "/web", R"({"propagationPolicy":"Background","gracePeriodSeconds":0})");
  EXPECT_EQ(answer.body()["status"], "Success");
  EXPECT_EQ(answer.body()["details"]["uid"], made["metadata"]["uid"]);
  EXPECT_EQ(get(std::string{services} + "/web").status, 404U);
}

TEST_F(ApiWithAService, DeletesOnlyWhatTheClientHasInMind) {
  EXPECT_EQ(del(std::string{services} + "/web", R"({"preconditions":{"uid":"another"}})").status, 409U);
  EXPECT_EQ(del(std::string{services} + "/web", R"({"preconditions":{"resourceVersion":"1"}})").status, 409U);
  const json right{{"preconditions", {{"uid", made["metadata"]["uid"]}}}};
  EXPECT_EQ(del(std::string{services} + "/web", right.dump()).status, 200U);
}

TEST_F(ApiWithAService, WaitsForFinalizers) {
  const auto path = std::string{services} + "/web";
  patch(path, {{"metadata", {{"finalizers", {"a/b"}}}}});
  const auto waiting = del(path);
  EXPECT_TRUE(waiting.body()["metadata"].contains("deletionTimestamp"));
  EXPECT_EQ(get(path).status, 200U);
  EXPECT_EQ(patch(path, {{"metadata", {{"finalizers", nullptr}}}}).status, 200U);
  EXPECT_EQ(get(path).status, 404U);
}

TEST_F(ApiWithAService, DeletesCollectionsBySelector) {
  post(services, service_object("other"));
  EXPECT_EQ(del(std::string{services} + "?labelSelector=app%3Dweb").status, 200U);
  EXPECT_THAT(names(get(services).body()), ElementsAre("other"));
}

TEST_F(ApiWithAService, LosesNothingWithANamespaceThatMayNotGo) {
  EXPECT_EQ(del("/api/v1/namespaces/default").status, 403U);
  EXPECT_EQ(get(std::string{services} + "/web").status, 200U);
}

TEST_F(ApiWithAService, GoesWithItsNamespace) {
  EXPECT_EQ(post("/api/v1/namespaces", {{"metadata", {{"name", "shop"}}}}).body()["status"]["phase"], "Active");
  EXPECT_EQ(post("/api/v1/namespaces/shop/services", service_object("cart")).status, 201U);
  EXPECT_EQ(del("/api/v1/namespaces/shop").status, 200U);
  EXPECT_THAT(names(get("/api/v1/services").body()), ElementsAre("web"));
  EXPECT_EQ(post("/api/v1/namespaces/shop/services", service_object("cart")).status, 404U);
}

TEST_F(ApiWithAService, IsShownAsATable) {
  const auto accept = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json";
  const auto table = get(services, accept).body();
  EXPECT_EQ(table["kind"], "Table");
  EXPECT_EQ(table["columnDefinitions"][0]["name"], "Name");
  EXPECT_EQ(table["rows"][0]["cells"][0], "web");
  EXPECT_EQ(table["rows"][0]["object"]["kind"], "PartialObjectMetadata");
  const auto one = get(std::string{services} + "/web?includeObject=Object", accept);
  EXPECT_EQ(one.content_type, "application/json;as=Table;v=v1;g=meta.k8s.io");
  EXPECT_EQ(one.body()["rows"][0]["object"], made);
  EXPECT_TRUE(get(std::string{services} + "?includeObject=None", accept).body()["rows"][0]["object"].is_null());
}

TEST_F(ApiWithAService, IsShownAsMetadataAlone) {
  const auto accept = "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io";
  const auto list = get(services, accept).body();
  EXPECT_EQ(list["kind"], "PartialObjectMetadataList");
  EXPECT_EQ(list["items"][0]["metadata"]["name"], "web");
  EXPECT_FALSE(list["items"][0].contains("spec"));
}

TEST_F(ApiOfLists, ComeInPiecesOfOneRevision) {
  for (const auto* name : {"a", "b", "c", "d", "e"}) post(services, service_object(name));
  const auto first = get(std::string{services} + "?limit=2").body();
  EXPECT_THAT(names(first), ElementsAre("a", "b"));
  del(std::string{services} + "/c");
  post(services, service_object("cc"));
  const auto token = first["metadata"]["continue"].get<std::string>();
  EXPECT_EQ(token.find_first_of("+/="), std::string::npos) << "needs no escapes";
  const auto second = get(std::string{services} + "?limit=2&continue=" + token).body();
  EXPECT_THAT(names(second), ElementsAre("c", "d"));
  EXPECT_EQ(second["metadata"]["resourceVersion"], first["metadata"]["resourceVersion"]);
  const auto third =
      get(std::string{services} + "?limit=2&continue=" + second["metadata"]["continue"].get<std::string>()).body();
  EXPECT_THAT(names(third), ElementsAre("e"));
  EXPECT_FALSE(third["metadata"].contains("continue"));
}

TEST_F(ApiOfLists, AreEmptyWhereThereIsNothing) {
  const auto list = get("/api/v1/namespaces/nowhere/services");
  EXPECT_EQ(list.status, 200U);
  EXPECT_EQ(list.body()["items"], json::array());
  EXPECT_EQ(list.body()["kind"], "ServiceList");
}

TEST_F(ApiOfLists, CountNothingTwiceWithSelectors) {
  for (const auto* name : {"a", "b", "c"}) post(services, service_object(name));
  EXPECT_THAT(names(get("/api/v1/services?labelSelector=app+in+(a,c)&limit=2").body()), ElementsAre("a", "c"));
  EXPECT_THAT(names(get("/api/v1/services?fieldSelector=metadata.name%3Db").body()), ElementsAre("b"));
  EXPECT_TRUE(names(get("/api/v1/services?fieldSelector=spec.type%3DNodePort").body()).empty());
}

TEST_F(ApiOfWatches, BeginWithWhatThereIs) {
  post(services, service_object("a"));
  auto watching = watch(std::string{services} + "?watch=1");
  auto events = watching.events();
  ASSERT_EQ(events.size(), 1U);
  EXPECT_EQ(events[0]["type"], "ADDED");
  EXPECT_EQ(watching.state, BodyStream::State::Waiting);
  post(services, service_object("b"));
  del(std::string{services} + "/a");
  ASSERT_TRUE(queue.run_until([&] { return watching.woken > 0; }));
  events = watching.events();
  ASSERT_EQ(events.size(), 2U);
  EXPECT_EQ(events[0]["type"], "ADDED");
  EXPECT_EQ(events[1]["type"], "DELETED");
  EXPECT_EQ(events[1]["object"]["metadata"]["name"], "a");
}

TEST_F(ApiOfWatches, GoOnFromAList) {
  const auto list = get(services).body();
  post(services, service_object("a"));
  auto watching = watch(std::string{services} +
                        "?watch=true&resourceVersion=" + list["metadata"]["resourceVersion"].get<std::string>());
  EXPECT_EQ(watching.events().size(), 1U);
}

TEST_F(ApiOfWatches, SayWhenAnObjectComesToMatchAndStops) {
  post(services, service_object("a"));
  auto watching = watch(std::string{services} + "?watch=1&labelSelector=tier%3Dfront");
  EXPECT_TRUE(watching.events().empty());
  const auto path = std::string{services} + "/a";
  patch(path, {{"metadata", {{"labels", {{"tier", "front"}}}}}});
  patch(path, {{"metadata", {{"labels", {{"x", "y"}}}}}});
  patch(path, {{"metadata", {{"labels", {{"tier", "back"}}}}}});
  patch(path, {{"metadata", {{"labels", {{"x", "z"}}}}}});
  std::vector<std::string> types;
  for (const auto& event : watching.events()) types.push_back(event["type"]);
  EXPECT_THAT(types, ElementsAre("ADDED", "MODIFIED", "DELETED"));
}

TEST_F(ApiOfWatches, OfOneObjectByName) {
  post(services, service_object("a"));
  post(services, service_object("b"));
  auto watching = watch(std::string{services} + "/b?watch=1");
  EXPECT_EQ(watching.events().at(0)["object"]["metadata"]["name"], "b");
}

TEST_F(ApiOfWatches, EndAfterTheirTimeWithABookmark) {
  const SteadyTime start{std::chrono::hours{1}};
  auto watching = watch(std::string{services} + "?watch=1&timeoutSeconds=90&allowWatchBookmarks=true");
  EXPECT_TRUE(watching.events(start).empty());
  EXPECT_EQ(watching.wake_at(), start + std::chrono::seconds{60});
  auto events = watching.events(start + std::chrono::seconds{60});
  ASSERT_EQ(events.size(), 1U);
  EXPECT_EQ(events[0]["type"], "BOOKMARK");
  EXPECT_EQ(events[0]["object"]["kind"], "Service");
  EXPECT_EQ(events[0]["object"]["metadata"]["resourceVersion"], std::to_string(store->revision(config::Kind::Service)));
  events = watching.events(start + std::chrono::seconds{90});
  ASSERT_EQ(events.size(), 1U);
  EXPECT_EQ(watching.state, BodyStream::State::End);
}

TEST_F(ApiOfWatches, MarkTheEndOfTheInitialEvents) {
  post(services, service_object("a"));
  auto watching = watch(std::string{services} +
                        "?watch=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true");
  const auto events = watching.events();
  ASSERT_EQ(events.size(), 2U);
  EXPECT_EQ(events[1]["type"], "BOOKMARK");
  EXPECT_EQ(events[1]["object"]["metadata"]["annotations"]["k8s.io/initial-events-end"], "true");
}

TEST_F(ApiOfWatches, FromTooLongAgoAreToldToListAgain) {
  auto watching = watch(std::string{services} + "?watch=1&resourceVersion=1");
  const auto events = watching.events();
  ASSERT_EQ(events.size(), 1U);
  EXPECT_EQ(events[0]["type"], "ERROR");
  EXPECT_EQ(events[0]["object"]["code"], 410);
  EXPECT_EQ(events[0]["object"]["reason"], "Expired");
  EXPECT_EQ(watching.state, BodyStream::State::End);
}

TEST_F(ApiOfWatches, ThatStayBehindAreCutOff) {
  history = 16;
  open();
  auto watching = watch(std::string{pools} + "?watch=1");
  EXPECT_TRUE(watching.events().empty());
  post(pools, pool_object("p"));
  for (auto i = 0; i < 40; ++i) {
    patch(std::string{pools} + "/p", {{"metadata", {{"annotations", {{"n", std::to_string(i)}}}}}});
  }
  EXPECT_EQ(watching.events().back()["object"]["code"], 410);
}

TEST_F(ApiOfWatches, ShowTablesWithTheirColumnsOnce) {
  post(services, service_object("a"));
  post(services, service_object("b"));
  auto watching = watch(std::string{services} + "?watch=1", "application/json;as=Table;v=v1;g=meta.k8s.io");
  const auto events = watching.events();
  ASSERT_EQ(events.size(), 2U);
  EXPECT_EQ(events[0]["object"]["columnDefinitions"][0]["name"], "Name");
  EXPECT_TRUE(events[1]["object"]["columnDefinitions"].empty());
  EXPECT_EQ(events[1]["object"]["rows"][0]["cells"][0], "b");
}

TEST_F(ApiOfKinds, TakesASecretsPlainText) {
  const auto secret = post("/api/v1/namespaces/default/secrets",
                           {{"metadata", {{"name", "s"}}}, {"stringData", {{"password", "hunter2"}}}})
                          .body();
  EXPECT_EQ(secret["data"]["password"], "aHVudGVyMg==");
  EXPECT_FALSE(secret.contains("stringData"));
  EXPECT_EQ(secret["type"], "Opaque");
}

TEST_F(ApiOfKinds, HoldsAnImmutableSecretToItsWord) {
  post("/api/v1/namespaces/default/secrets",
       {{"metadata", {{"name", "s"}}}, {"immutable", true}, {"data", {{"a", "YQ=="}}}});
  const auto path = "/api/v1/namespaces/default/secrets/s";
  EXPECT_EQ(patch(path, {{"data", {{"a", "Yg=="}}}}).status, 422U);
  EXPECT_EQ(patch(path, {{"metadata", {{"labels", {{"a", "b"}}}}}}).status, 200U);
}

TEST_F(ApiOfKinds, LetsNodesComeWithTheirStatus) {
  const json node{{"metadata", {{"name", "n1"}}},
                  {"status", {{"addresses", {{{"type", "InternalIP"}, {"address", "10.0.0.1"}}}}}}};
  EXPECT_EQ(post("/api/v1/nodes", node).body()["status"]["addresses"][0]["address"], "10.0.0.1");
}

TEST_F(ApiOfKinds, KeepsHeartbeatsInTheirObject) {
  const auto path = "/apis/herald.dev/v1/speakerstates";
  EXPECT_EQ(post(path, {{"metadata", {{"name", "n1"}}}, {"spec", {{"heartbeat", 1}}}}).status, 201U);
  EXPECT_EQ(patch(std::string{path} + "/n1", {{"spec", {{"heartbeat", 2}}}}).body()["spec"]["heartbeat"], 2);
  EXPECT_EQ(get(std::string{path} + "/n1/status").status, 404U);
}

TEST_F(ApiOfKinds, TakesEveryHeraldKind) {
  EXPECT_EQ(post(pools, pool_object("p")).status, 201U);
  EXPECT_EQ(post(peers, peer_object("tor")).status, 201U);
  const auto at = [](const char* plural) { return std::string{"/apis/herald.dev/v1/"} + plural; };
  EXPECT_EQ(post(at("bgpconfigurations"), {{"metadata", {{"name", "default"}}}, {"spec", {{"asn", 65000}}}}).status,
            201U);
  EXPECT_EQ(post(at("bgpadvertisements"), {{"metadata", {{"name", "a"}}}, {"spec", {{"peers", {"tor"}}}}}).status,
            201U);
  EXPECT_EQ(
      post(at("bgpfilters"), {{"metadata", {{"name", "f"}}}, {"spec", {{"rules", {{{"action", "accept"}}}}}}}).status,
      201U);
  EXPECT_EQ(post(at("l2advertisements"), {{"metadata", {{"name", "l"}}}, {"spec", json::object()}}).status, 201U);
  EXPECT_EQ(post(at("communities"),
                 {{"metadata", {{"name", "c"}}}, {"spec", {{"communities", {{{"name", "x"}, {"value", "65000:1"}}}}}}})
                .status,
            201U);
}

TEST_F(ApiForViewers, ShowsAllButSecretsAndChangesNothing) {
  const auto as_viewer = [this](Method method, std::string_view target, std::string body = {}) {
    auto made = request(method, target, std::move(body), "application/json");
    made.caller = {"eve", Caller::Role::Viewer};
    return ask(std::move(made));
  };
  EXPECT_EQ(as_viewer(Method::Get, services).status, 200U);
  const auto refused = as_viewer(Method::Get, "/api/v1/namespaces/default/secrets");
  EXPECT_EQ(refused.status, 403U);
  EXPECT_EQ(refused.body()["message"],
            "secrets is forbidden: user \"eve\" cannot list resource \"secrets\" in API group \"\" in the namespace "
            "\"default\"");
  EXPECT_EQ(as_viewer(Method::Post, services, service_object("x").dump()).status, 403U);
  EXPECT_EQ(as_viewer(Method::Delete, std::string{services} + "/x").status, 403U);
}

TEST_F(ApiTest, CountsWhatItDoes) {
  get(services);
  post(services, service_object("a"));
  post(services, service_object("a"));
  const auto text = get("/metrics").text;
  EXPECT_THAT(text, HasSubstr(R"(herald_api_requests_total{code="200",resource="services",verb="list"} 1)"));
  EXPECT_THAT(text, HasSubstr(R"(herald_api_requests_total{code="409",resource="services",verb="create"} 1)"));
  EXPECT_THAT(text, HasSubstr(R"(herald_store_objects{kind="Service"} 1)"));
}

TEST_F(ApiTest, IsHealthy) {
  for (const auto* path : {"/healthz", "/livez", "/readyz", "/readyz/ping"}) EXPECT_EQ(get(path).text, "ok") << path;
  EXPECT_EQ(get("/version").body()["major"], "1");
}

}  // namespace
}  // namespace controller::testing
