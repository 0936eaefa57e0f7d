// SPDX-License-Identifier: Apache-2.0
// What is wrong with a request is said as Kubernetes says it: code, reason and, where it helps, the field.
#include <gmock/gmock.h>

#include "api_fixture.hpp"

namespace controller::testing {
namespace {

struct BadRequest {
  const char* name;
  Method method;
  std::string target;
  std::string body;
  std::string type;
  unsigned code;
  const char* reason;
  const char* message;  // part of it
};
void PrintTo(const BadRequest& one, std::ostream* out) {
  *out << one.name;
}

class RequestThatIsWrong : public ApiTest, public ::testing::WithParamInterface<BadRequest> {
 public:
  RequestThatIsWrong() {
    post(services, service_object("web"));
    post(peers, peer_object("tor"));
    post(pools, pool_object("pool"));
  }
};

TEST_P(RequestThatIsWrong, IsAnsweredWithAStatus) {
  const auto& one = GetParam();
  const auto answer = ask(request(one.method, one.target, one.body, one.type));
  const auto status = answer.body();
  EXPECT_EQ(answer.status, one.code) << answer.text;
  EXPECT_EQ(status["kind"], "Status");
  EXPECT_EQ(status["apiVersion"], "v1");
  EXPECT_EQ(status["status"], "Failure");
  EXPECT_EQ(status["code"], one.code);
  EXPECT_EQ(status["reason"], one.reason);
  EXPECT_THAT(status["message"].get<std::string>(), ::testing::HasSubstr(one.message));
}

const std::string in_default = services;
const std::string as_json = "application/json";
const std::string as_merge = "application/merge-patch+json";

std::string peer_with(const char* field, const json& value) {
  auto peer = peer_object("new");
  peer["spec"][field] = value;
  return peer.dump();
}
std::string named(std::string_view name) {
  return service_object(name).dump();
}

INSTANTIATE_TEST_SUITE_P(
    Paths, RequestThatIsWrong,
    ::testing::Values(
        BadRequest{"unknown path", Method::Get, "/nowhere", "", "", 404, "NotFound", "could not find the requested"},
        BadRequest{"unknown kind", Method::Get, "/api/v1/namespaces/default/endpoints", "", "", 404, "NotFound",
                   "could not find the requested"},
        BadRequest{"unknown group", Method::Get, "/apis/apps/v1/deployments", "", "", 404, "NotFound", ""},
        BadRequest{"unknown subresource", Method::Get, in_default + "/web/proxy", "", "", 404, "NotFound", ""},
        BadRequest{"status of a kind without", Method::Get, "/api/v1/namespaces/default/secrets/x/status", "", "", 404,
                   "NotFound", ""},
        BadRequest{"namespace on a kind without", Method::Get, "/apis/herald.dev/v1/namespaces/default/bgppeers", "",
                   "", 404, "NotFound", ""},
        BadRequest{"absent object", Method::Get, in_default + "/no", "", "", 404, "NotFound",
                   "services \"no\" not found"},
        BadRequest{"absent object of a group", Method::Get, std::string{peers} + "/no", "", "", 404, "NotFound",
                   "bgppeers.herald.dev \"no\" not found"},
        BadRequest{"absent object patched", Method::Patch, in_default + "/no", "{}", as_merge, 404, "NotFound", ""},
        BadRequest{"absent object replaced", Method::Put, in_default + "/no", named("no"), as_json, 404, "NotFound",
                   ""},
        BadRequest{"absent object deleted", Method::Delete, in_default + "/no", "", "", 404, "NotFound", ""}));

INSTANTIATE_TEST_SUITE_P(
    Methods, RequestThatIsWrong,
    ::testing::Values(
        BadRequest{"post to an object", Method::Post, in_default + "/web", named("web"), as_json, 405,
                   "MethodNotAllowed", "does not allow this method"},
        BadRequest{"put to a collection", Method::Put, in_default, named("web"), as_json, 405, "MethodNotAllowed", ""},
        BadRequest{"create in all namespaces", Method::Post, "/api/v1/services", named("x"), as_json, 405,
                   "MethodNotAllowed", ""},
        BadRequest{"head", Method::Other, in_default, "", "", 405, "MethodNotAllowed", ""},
        BadRequest{"delete of a status", Method::Delete, in_default + "/web/status", "", "", 405, "MethodNotAllowed",
                   ""},
        BadRequest{"post to discovery", Method::Post, "/apis", "{}", as_json, 405, "MethodNotAllowed", ""}));

INSTANTIATE_TEST_SUITE_P(
    Bodies, RequestThatIsWrong,
    ::testing::Values(
        BadRequest{"no body", Method::Post, in_default, "", as_json, 400, "BadRequest", "is empty"},
        BadRequest{"broken JSON", Method::Post, in_default, "{\"a\":\n 1,}", as_json, 400, "BadRequest",
                   "line 2, column 4"},
        BadRequest{"not UTF-8", Method::Post, in_default, "{\"a\":\"\xff\"}", as_json, 400, "BadRequest", "UTF-8"},
        BadRequest{"not an object", Method::Post, in_default, "[]", as_json, 400, "BadRequest", "not an object"},
        BadRequest{"too deep", Method::Post, in_default, std::string(5000, '['), as_json, 400, "BadRequest", "deep"},
        BadRequest{"broken YAML", Method::Post, in_default, "a: [", "application/yaml", 400, "BadRequest", "line 1"},
        BadRequest{"two YAML documents", Method::Post, in_default, "a: 1\n---\nb: 2\n", "application/yaml", 400,
                   "BadRequest", "2 YAML documents"},
        BadRequest{"broken protobuf", Method::Post, in_default, "k8s", "application/vnd.kubernetes.protobuf", 400,
                   "BadRequest", "protobuf"},
        BadRequest{"form", Method::Post, in_default, "a=b", "application/x-www-form-urlencoded", 415,
                   "UnsupportedMediaType", ""},
        BadRequest{"patch of no type", Method::Patch, in_default + "/web", "{}", as_json, 415, "UnsupportedMediaType",
                   "application/merge-patch+json"},
        BadRequest{"strategic merge of our kinds", Method::Patch, std::string{peers} + "/tor", "{}",
                   "application/strategic-merge-patch+json", 415, "UnsupportedMediaType", ""},
        BadRequest{"apply without a manager", Method::Patch, in_default + "/web", "{}", "application/apply-patch+yaml",
                   422, "Invalid", "fieldManager"},
        BadRequest{"another kind", Method::Post, in_default, R"({"kind":"Pod","metadata":{"name":"x"}})", as_json, 400,
                   "BadRequest", "kind in the object (Pod)"},
        BadRequest{"another version", Method::Post, in_default, R"({"apiVersion":"v2","metadata":{"name":"x"}})",
                   as_json, 400, "BadRequest", "apiVersion"},
        BadRequest{"another name", Method::Put, in_default + "/web", named("other"), as_json, 400, "BadRequest",
                   "name in the object (other)"},
        BadRequest{"another namespace", Method::Post, in_default, R"({"metadata":{"name":"x","namespace":"shop"}})",
                   as_json, 400, "BadRequest", "namespace"},
        BadRequest{"namespace in a kind without", Method::Post, peers,
                   R"({"metadata":{"name":"x","namespace":"shop"}})", as_json, 400, "BadRequest", "no namespace"},
        BadRequest{"revision on creation", Method::Post, in_default,
                   R"({"metadata":{"name":"x","resourceVersion":"7"}})", as_json, 400, "BadRequest",
                   "resourceVersion should not be set"},
        BadRequest{"revision that is none", Method::Put, in_default + "/web",
                   R"({"metadata":{"name":"web","resourceVersion":"seven"}})", as_json, 400, "BadRequest",
                   "must be a number"},
        BadRequest{"metadata that is none", Method::Post, in_default, R"({"metadata":7})", as_json, 400, "BadRequest",
                   "metadata"}));

INSTANTIATE_TEST_SUITE_P(
    Conflicts, RequestThatIsWrong,
    ::testing::Values(BadRequest{"name taken", Method::Post, in_default, named("web"), as_json, 409, "AlreadyExists",
                                 "services \"web\" already exists"},
                      BadRequest{"older revision", Method::Put, in_default + "/web",
                                 R"({"metadata":{"name":"web","resourceVersion":"1"}})", as_json, 409, "Conflict",
                                 "Operation cannot be fulfilled on services \"web\": the object has been modified"},
                      BadRequest{"older revision in a patch", Method::Patch, in_default + "/web",
                                 R"({"metadata":{"resourceVersion":"1"}})", as_merge, 409, "Conflict", "modified"},
                      BadRequest{"another uid", Method::Put, in_default + "/web",
                                 R"({"metadata":{"name":"web","uid":"x"}})", as_json, 409, "Conflict", "uid"},
                      BadRequest{"absent namespace", Method::Post, "/api/v1/namespaces/none/services", named("x"),
                                 as_json, 404, "NotFound", "namespaces \"none\" not found"},
                      BadRequest{"default namespace deleted", Method::Delete, "/api/v1/namespaces/default", "", "", 403,
                                 "Forbidden", "may not be deleted"}));

INSTANTIATE_TEST_SUITE_P(
    Objects, RequestThatIsWrong,
    ::testing::Values(
        BadRequest{"no name", Method::Post, in_default, named(""), as_json, 422, "Invalid", "metadata.name"},
        BadRequest{"upper case", Method::Post, in_default, named("Web"), as_json, 422, "Invalid", "metadata.name"},
        BadRequest{"service that begins with a digit", Method::Post, in_default, named("1web"), as_json, 422, "Invalid",
                   "begin with a letter"},
        BadRequest{"long name", Method::Post, in_default, named(std::string(64, 'a')), as_json, 422, "Invalid", "63"},
        BadRequest{"label that is none", Method::Patch, in_default + "/web", R"({"metadata":{"labels":{"a b":"c"}}})",
                   as_merge, 422, "Invalid", "metadata.labels"},
        BadRequest{"too many annotations", Method::Patch, in_default + "/web",
                   json{{"metadata", {{"annotations", {{"a", std::string(300'000, 'x')}}}}}}.dump(), as_merge, 422,
                   "Invalid", "metadata.annotations"},
        BadRequest{"port that is none", Method::Post, in_default,
                   R"({"metadata":{"name":"x"},"spec":{"ports":[{"port":70000}]}})", as_json, 422, "Invalid",
                   "spec.ports[0].port"},
        BadRequest{"hold time of two seconds", Method::Post, peers, peer_with("holdTime", "2s"), as_json, 422,
                   "Invalid", "spec.holdTime"},
        BadRequest{"address that is none", Method::Post, peers, peer_with("peerAddress", "10.0.0.300"), as_json, 422,
                   "Invalid", "spec.peerAddress"},
        BadRequest{"unknown field", Method::Post, peers, peer_with("holdTimer", 3), as_json, 422, "Invalid",
                   "spec.holdTimer"},
        BadRequest{"pool that overlaps", Method::Post, pools, pool_object("p2", "192.0.2.128/25").dump(), as_json, 422,
                   "Invalid", "192.0.2"},
        BadRequest{"pool that overlaps, of an earlier name", Method::Post, pools,
                   pool_object("a0", "192.0.2.128/25").dump(), as_json, 422, "Invalid", "192.0.2.128/25 overlaps"},
        BadRequest{"secret that is not base64", Method::Post, "/api/v1/namespaces/default/secrets",
                   R"({"metadata":{"name":"s"},"data":{"a":"*"}})", as_json, 422, "Invalid", "data"},
        BadRequest{"event about nothing", Method::Post, "/api/v1/namespaces/default/events",
                   R"({"metadata":{"name":"e"}})", as_json, 422, "Invalid", "involvedObject"}));

INSTANTIATE_TEST_SUITE_P(
    Queries, RequestThatIsWrong,
    ::testing::Values(
        BadRequest{"label selector", Method::Get, in_default + "?labelSelector=a%20b", "", "", 400, "BadRequest",
                   "label selector"},
        BadRequest{"field selector", Method::Get, in_default + "?fieldSelector=spec.ports%3D1", "", "", 400,
                   "BadRequest", "field label not supported: spec.ports"},
        BadRequest{"limit", Method::Get, in_default + "?limit=many", "", "", 400, "BadRequest", "limit"},
        BadRequest{"continue", Method::Get, in_default + "?continue=xyz", "", "", 400, "BadRequest", "continue"},
        BadRequest{"old continue", Method::Get,
                   in_default + "?limit=1&continue=eyJuYW1lIjoiYSIsIm5hbWVzcGFjZSI6ImEiLCJydiI6MX0", "", "", 410,
                   "Expired", "continue parameter is too old"},
        BadRequest{"old exact revision", Method::Get, in_default + "?resourceVersion=1&resourceVersionMatch=Exact", "",
                   "", 410, "Expired", "too old"},
        BadRequest{"revision to come", Method::Get, in_default + "?resourceVersion=99999999999999999", "", "", 504,
                   "Timeout", "Too large resource version"},
        BadRequest{"watch timeout", Method::Get, in_default + "?watch=1&timeoutSeconds=-1", "", "", 400, "BadRequest",
                   "timeoutSeconds"},
        BadRequest{"watch revision", Method::Get, in_default + "?watch=1&resourceVersion=now", "", "", 400,
                   "BadRequest", "resourceVersion"},
        BadRequest{"initial events", Method::Get, in_default + "?watch=1&sendInitialEvents=true", "", "", 400,
                   "BadRequest", "resourceVersionMatch"},
        BadRequest{"dry run", Method::Post, in_default + "?dryRun=Some", named("x"), as_json, 400, "BadRequest",
                   "dryRun"}));

TEST_F(ApiTest, NamesTheFieldsOfAnInvalidObject) {
  auto peer = peer_object("tor");
  peer["spec"]["holdTime"] = "2s";
  peer["spec"]["peerPort"] = 0;
  const auto details = post(peers, peer).body()["details"];
  EXPECT_EQ(details["kind"], "BGPPeer");
  EXPECT_EQ(details["group"], "herald.dev");
  EXPECT_EQ(details["name"], "tor");
  std::set<std::string> fields;
  for (const auto& cause : details["causes"]) fields.insert(cause["field"]);
  EXPECT_EQ(fields, (std::set<std::string>{"spec.holdTime", "spec.peerPort"}));
}

TEST_F(ApiTest, DoesNotSayWhatASecretHolds) {
  const auto answer = ask(request(Method::Post, "/api/v1/namespaces/default/secrets",
                                  R"({"metadata":{"name":"s"},"data":{"a":"hunter2!"}})", "application/json"));
  EXPECT_EQ(answer.status, 422U);
  EXPECT_EQ(answer.text.find("hunter2"), std::string::npos);
}

TEST_F(ApiTest, IsNotAcceptableWithoutJson) {
  const auto answer = get(services, "text/html");
  EXPECT_EQ(answer.status, 406U);
  EXPECT_EQ(answer.body()["reason"], "NotAcceptable");
}

}  // namespace
}  // namespace controller::testing
