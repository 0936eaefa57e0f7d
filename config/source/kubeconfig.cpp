// SPDX-License-Identifier: Apache-2.0
#include "config/source/kubeconfig.hpp"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <optional>

#include "config/base64.hpp"
#include "config/document.hpp"
#include "config/source/contents.hpp"

namespace config {
namespace {

namespace fs = std::filesystem;

std::string trimmed(std::string text) {
  while (!text.empty() && static_cast<unsigned char>(text.back()) <= ' ') text.pop_back();
  return text;
}

const Value& member(const Value& value, std::string_view key) {
  static const Value nothing;
  const auto* found = value.find(key);
  return found == nullptr ? nothing : found->value;
}

std::string text(const Value& value, std::string_view key) {
  return member(value, key).text;
}

// One kubeconfig: its lists by name, and the first thing that is wrong with it.
class Kubeconfig {
 public:
  Kubeconfig(const Value& root, fs::path path) : root_{root}, path_{std::move(path)} {}

  AccessResult access(const std::string& asked) {
    const auto name = asked.empty() ? text(root_, "current-context") : asked;
    if (name.empty()) return net::fail(path_.string() + ": has no current-context; name one with --context");
    const auto& context = entry("contexts", "context", name);
    const auto& cluster = entry("clusters", "cluster", text(context, "cluster"));
    const auto user_name = text(context, "user");
    KubernetesAccess access;
    read_cluster(cluster, access.endpoint);
    if (!user_name.empty()) read_user(entry("users", "user", user_name), access.endpoint);
    access.namespace_name = text(context, "namespace");
    if (access.namespace_name.empty()) access.namespace_name = "default";
    if (!problem_.empty()) return net::fail(problem_);
    return access;
  }

 private:
  void fail(const Value& at, const std::string& what) {
    if (!problem_.empty()) return;
    problem_ = path_.string() + (at.line == 0 ? "" : ":" + std::to_string(at.line) + ":" + std::to_string(at.column)) +
               ": " + what;
  }

  // The element `name` of a list of {name: …, WHAT: {…}}.
  const Value& entry(std::string_view list, std::string_view what, const std::string& name) {
    const auto& all = member(root_, list);
    std::string known;
    for (const auto& one : all.items) {
      if (text(one, "name") == name) return member(one, what);
      known += (known.empty() ? "" : ", ") + text(one, "name");
    }
    fail(all, std::string{what} + " \"" + name + "\" is not in " + std::string{list} +
                  "; there are: " + (known.empty() ? "none" : known));
    static const Value nothing;
    return nothing;
  }

  std::string file_of(const Value& value, std::string_view key) {
    const auto name = text(value, key);
    if (name.empty()) return {};
    const auto file = fs::path{name}.is_absolute() ? fs::path{name} : path_.parent_path() / name;
    if (!std::ifstream{file}) fail(member(value, key), std::string{key} + ": cannot read " + file.string());
    return file.string();
  }

  std::string data_of(const Value& value, std::string_view key) {
    const auto encoded = text(value, key);
    if (encoded.empty()) return {};
    auto decoded = decode_base64(encoded);
    if (!decoded) fail(member(value, key), std::string{key} + ": must be base64");
    return decoded ? *std::move(decoded) : std::string{};
  }

  // Inline data wins over a file, as in kubectl.
  PemSource pem_of(const Value& value, const std::string& key) {
    PemSource source;
    source.text = data_of(value, key + "-data");
    if (source.text.empty()) source.file = file_of(value, key);
    return source;
  }

  void read_cluster(const Value& cluster, ApiEndpoint& endpoint) {
    if (!problem_.empty()) return;
    auto parsed = parse_api_endpoint(text(cluster, "server"));
    if (!parsed) return fail(member(cluster, "server"), "server: " + parsed.error());
    endpoint = *std::move(parsed);
    auto ca = pem_of(cluster, "certificate-authority");
    endpoint.ca_file = std::move(ca.file);
    endpoint.ca_text = std::move(ca.text);
    endpoint.server_name = text(cluster, "tls-server-name");
    if (!text(cluster, "proxy-url").empty())
      fail(member(cluster, "proxy-url"), "proxy-url: Herald does not use a proxy; leave it out");
    if (text(cluster, "insecure-skip-tls-verify") != "true") return;
    if (!endpoint.ca_file.empty() || !endpoint.ca_text.empty())
      fail(member(cluster, "insecure-skip-tls-verify"),
           "insecure-skip-tls-verify and a certificate-authority exclude each other");
    endpoint.verification = ApiEndpoint::Verification::Skipped;
  }

  void read_user(const Value& user, ApiEndpoint& endpoint) {
    if (!problem_.empty()) return;
    for (const auto* key : {"exec", "auth-provider"})
      if (user.find(key) != nullptr)
        return fail(member(user, key), std::string{key} +
                                           ": Herald runs no credential plugins; use a token, a tokenFile or a client "
                                           "certificate (a ServiceAccount's token is made by `kubectl create token`)");
    if (user.find("username") != nullptr)
      return fail(member(user, "username"), "username: Kubernetes has no passwords any more; use a token");
    if (user.find("as") != nullptr) return fail(member(user, "as"), "as: impersonation is not supported");
    endpoint.certificate = pem_of(user, "client-certificate");
    endpoint.key = pem_of(user, "client-key");
    if (endpoint.certificate.empty() != endpoint.key.empty())
      fail(user, "client-certificate and client-key: one needs the other");
    endpoint.token = text(user, "token");
    if (endpoint.token.empty()) endpoint.token_file = file_of(user, "tokenFile");
  }

  const Value& root_;
  fs::path path_;
  std::string problem_;
};

// The first of the colon-separated files that is there.
std::string first_file(const std::string& list) {
  std::size_t begin = 0;
  while (begin <= list.size()) {
    const auto end = std::min(list.find(':', begin), list.size());
    auto name = list.substr(begin, end - begin);
    if (!name.empty() && fs::exists(name)) return name;
    begin = end + 1;
  }
  return {};
}

}  // namespace

AccessResult parse_kubeconfig(std::string_view text_given, const std::string& path, const std::string& context) {
  const auto documents = read_yaml(text_given, path);
  if (!documents.problems.empty()) return net::fail(print(documents.problems.front()));
  if (documents.values.empty() || documents.values.front().type != Value::Type::Mapping)
    return net::fail(path + ": is not a kubeconfig: it must be a mapping with clusters, users and contexts");
  return Kubeconfig{documents.values.front(), path}.access(context);
}

AccessResult read_kubeconfig(const std::string& path, const std::string& context) {
  const auto content = contents(path);
  if (!content) return net::fail(path + ": cannot be read");
  return parse_kubeconfig(*content, path, context);
}

std::string process_environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::string{} : std::string{value};
}

AccessResult in_cluster(const Environment& environment, const std::string& folder) {
  const auto host = environment("KUBERNETES_SERVICE_HOST");
  const auto port = environment("KUBERNETES_SERVICE_PORT");
  if (host.empty() || port.empty())
    return net::fail(
        std::string{"not inside a cluster: KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT are not set"});
  KubernetesAccess access;
  access.endpoint.transport = ApiEndpoint::Transport::Tls;
  access.endpoint.host = host;
  access.endpoint.port = port;
  access.endpoint.token_file = folder + "/token";
  access.endpoint.ca_file = folder + "/ca.crt";
  for (const auto& file : {access.endpoint.token_file, access.endpoint.ca_file})
    if (!std::ifstream{file})
      return net::fail("cannot read " + file + ": the pod needs a service account (automountServiceAccountToken)");
  const auto name = contents(folder + "/namespace");
  access.namespace_name = name ? trimmed(*name) : "default";
  return access;
}

AccessResult kubernetes_access(const std::string& kubeconfig, const std::string& context,
                               const Environment& environment) {
  if (!kubeconfig.empty()) return read_kubeconfig(kubeconfig, context);
  if (context.empty() && !environment("KUBERNETES_SERVICE_HOST").empty()) return in_cluster(environment);
  if (const auto list = environment("KUBECONFIG"); !list.empty()) {
    const auto file = first_file(list);
    if (file.empty()) return net::fail("$KUBECONFIG: none of its files is there: " + list);
    return read_kubeconfig(file, context);
  }
  const auto home = environment("HOME");
  const auto usual = home + "/.kube/config";
  if (!home.empty() && fs::exists(usual)) return read_kubeconfig(usual, context);
  return net::fail(std::string{"no Kubernetes to be found: give --kubeconfig, set KUBECONFIG, or run in a pod"});
}

}  // namespace config
