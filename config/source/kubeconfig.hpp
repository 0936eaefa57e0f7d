// SPDX-License-Identifier: Apache-2.0
// How a Kubernetes API is reached: a kubeconfig file, or what a pod is given. The meaning of --kubernetes.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "config/source/api_endpoint.hpp"
#include "net/result.hpp"

namespace config {

struct KubernetesAccess {
  ApiEndpoint endpoint;
  std::string namespace_name;  // of the context or of the pod; "default" where none is said
};
using AccessResult = net::Result<KubernetesAccess, std::string>;

// The context of this name, or the current one. Relative paths in the file are relative to it. What cannot be used
// (an exec or auth-provider plugin, a proxy, a user with a password) is an error that says so.
[[nodiscard]] AccessResult read_kubeconfig(const std::string& path, const std::string& context = {});
[[nodiscard]] AccessResult parse_kubeconfig(std::string_view text, const std::string& path,
                                            const std::string& context = {});

// Variables of the environment by name; empty: not set.
using Environment = std::function<std::string(const char*)>;
[[nodiscard]] std::string process_environment(const char* name);

// The service account of the pod this runs in: its token, which is read again for every request, and the CA.
[[nodiscard]] AccessResult in_cluster(const Environment& environment,
                                      const std::string& folder = "/var/run/secrets/kubernetes.io/serviceaccount");

// What to use: the file given, else the pod's account inside a cluster, else $KUBECONFIG, else ~/.kube/config.
// A context without a file is looked for in the last two.
[[nodiscard]] AccessResult kubernetes_access(const std::string& kubeconfig, const std::string& context,
                                             const Environment& environment);

}  // namespace config
