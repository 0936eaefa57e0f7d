// SPDX-License-Identifier: Apache-2.0
#include "config/source/kubeconfig.hpp"

#include <map>

#include <gmock/gmock.h>

#include "tests/config/folder.hpp"

namespace config {
namespace {

using testing::HasSubstr;

constexpr auto whole = R"(
apiVersion: v1
kind: Config
current-context: here
clusters:
- name: one
  cluster: {server: "https://10.0.0.1:6443", certificate-authority: ca.crt, tls-server-name: api.example}
- name: two
  cluster: {server: "https://[2001:db8::1]", insecure-skip-tls-verify: true}
users:
- name: anna
  user: {token: abc}
- name: bob
  user: {client-certificate-data: Q0VSVA==, client-key-data: S0VZ}
- name: carl
  user: {tokenFile: token}
- name: plug
  user: {exec: {command: aws}}
contexts:
- {name: here, context: {cluster: one, user: anna, namespace: web}}
- {name: there, context: {cluster: two, user: bob}}
- {name: file, context: {cluster: one, user: carl}}
- {name: plugin, context: {cluster: one, user: plug}}
- {name: lost, context: {cluster: three, user: anna}}
)";

class KubeconfigFile : public testing::Test {
 protected:
  KubeconfigFile() {
    folder.write("config", whole);
    folder.write("ca.crt", "CA");
    folder.write("token", "t\n");
  }
  AccessResult read(const std::string& context = {}) const { return read_kubeconfig(folder.path("config"), context); }
  Folder folder;
};

TEST_F(KubeconfigFile, GivesItsCurrentContext) {
  const auto access = read();
  ASSERT_TRUE(access) << access.error();
  EXPECT_EQ(print(access->endpoint), "https://10.0.0.1:6443");
  EXPECT_EQ(access->endpoint.token, "abc");
  EXPECT_EQ(access->endpoint.ca_file, folder.path("ca.crt")) << "relative to the file";
  EXPECT_EQ(access->endpoint.server_name, "api.example");
  EXPECT_EQ(access->endpoint.verification, ApiEndpoint::Verification::Required);
  EXPECT_EQ(access->namespace_name, "web");
}

TEST_F(KubeconfigFile, GivesTheContextAskedFor) {
  const auto access = read("there");
  ASSERT_TRUE(access) << access.error();
  EXPECT_EQ(print(access->endpoint), "https://[2001:db8::1]:443");
  EXPECT_EQ(access->endpoint.certificate.text, "CERT");
  EXPECT_EQ(access->endpoint.key.text, "KEY");
  EXPECT_EQ(access->endpoint.verification, ApiEndpoint::Verification::Skipped);
  EXPECT_EQ(access->namespace_name, "default");
}

TEST_F(KubeconfigFile, KeepsTheNameOfATokenFileSoThatItIsReadAgain) {
  const auto access = read("file");
  ASSERT_TRUE(access) << access.error();
  EXPECT_EQ(access->endpoint.token_file, folder.path("token"));
}

TEST_F(KubeconfigFile, SaysWhatItCannotUse) {
  EXPECT_THAT(read("plugin").error(), AllOf(HasSubstr("exec"), HasSubstr("kubectl create token"), HasSubstr(":18:")));
  EXPECT_THAT(read("lost").error(), AllOf(HasSubstr("cluster \"three\""), HasSubstr("one, two")));
  EXPECT_THAT(read("nowhere").error(), AllOf(HasSubstr("context \"nowhere\""), HasSubstr("here, there")));
  EXPECT_THAT(read_kubeconfig(folder.path("none")).error(), HasSubstr("cannot be read"));
  EXPECT_THAT(parse_kubeconfig("- a", "f").error(), HasSubstr("is not a kubeconfig"));
  EXPECT_THAT(parse_kubeconfig("a: [", "f").error(), HasSubstr("f:"));
  EXPECT_THAT(parse_kubeconfig("kind: Config", "f").error(), HasSubstr("current-context"));
}

AccessResult with(const std::string& cluster, const std::string& user) {
  return parse_kubeconfig(
      "current-context: c\ncontexts: [{name: c, context: {cluster: k, user: u}}]\n"
      "clusters: [{name: k, cluster: {" +
          cluster + "}}]\nusers: [{name: u, user: {" + user + "}}]\n",
      "f");
}

TEST(Kubeconfig, RefusesContradictionsAndWhatIsNotSupported) {
  const std::string server = "server: \"https://a\"";
  EXPECT_TRUE(with(server, "token: x"));
  EXPECT_THAT(with("server: \"ftp://a\"", "token: x").error(), HasSubstr("server"));
  EXPECT_THAT(with(server + ", proxy-url: \"http://p\"", "token: x").error(), HasSubstr("proxy-url"));
  EXPECT_THAT(with(server + ", insecure-skip-tls-verify: true, certificate-authority-data: Q0E=", "token: x").error(),
              HasSubstr("exclude each other"));
  EXPECT_THAT(with(server + ", certificate-authority-data: \"?\"", "token: x").error(), HasSubstr("base64"));
  EXPECT_THAT(with(server + ", certificate-authority: /not/there", "token: x").error(), HasSubstr("cannot read"));
  EXPECT_THAT(with(server, "username: a, password: b").error(), HasSubstr("no passwords"));
  EXPECT_THAT(with(server, "auth-provider: {name: x}").error(), HasSubstr("auth-provider"));
  EXPECT_THAT(with(server, "client-certificate-data: QQ==").error(), HasSubstr("one needs the other"));
}

TEST(InsideACluster, TheServiceAccountIsUsed) {
  Folder folder;
  folder.write("token", "t");
  folder.write("ca.crt", "CA");
  folder.write("namespace", "herald-system\n");
  std::map<std::string, std::string> variables{{"KUBERNETES_SERVICE_HOST", "10.96.0.1"},
                                               {"KUBERNETES_SERVICE_PORT", "443"}};
  const auto environment = [&](const char* name) { return variables[name]; };
  const auto access = in_cluster(environment, folder.path());
  ASSERT_TRUE(access) << access.error();
  EXPECT_EQ(print(access->endpoint), "https://10.96.0.1:443");
  EXPECT_EQ(access->endpoint.token_file, folder.path("token"));
  EXPECT_EQ(access->namespace_name, "herald-system");

  EXPECT_THAT(in_cluster(environment, folder.path("other")).error(), HasSubstr("automountServiceAccountToken"));
  variables.clear();
  EXPECT_THAT(in_cluster(environment, folder.path()).error(), HasSubstr("not inside a cluster"));
}

TEST_F(KubeconfigFile, IsFoundByTheEnvironment) {
  std::map<std::string, std::string> variables{{"KUBECONFIG", "/not/there:" + folder.path("config")}};
  const auto environment = [&](const char* name) { return variables[name]; };
  EXPECT_EQ(kubernetes_access({}, "there", environment)->endpoint.host, "2001:db8::1");
  variables = {{"HOME", folder.path()}};
  EXPECT_THAT(kubernetes_access({}, {}, environment).error(), HasSubstr("--kubeconfig"));
  folder.write(".kube/config", whole);
  folder.write(".kube/ca.crt", "CA");
  EXPECT_TRUE(kubernetes_access({}, {}, environment));
  variables["KUBECONFIG"] = "/not/there";
  EXPECT_THAT(kubernetes_access({}, {}, environment).error(), HasSubstr("none of its files"));
}

}  // namespace
}  // namespace config
