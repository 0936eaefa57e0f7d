// SPDX-License-Identifier: Apache-2.0
// The command line of herald-controller as a value. One parse; nothing else reads arguments.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "controller/api/listen_address.hpp"
#include "controller/log.hpp"

namespace controller {

// A Kubernetes API to work for, instead of a store and an API of our own.
struct KubernetesOptions {
  std::string kubeconfig;  // empty: see config::kubernetes_access
  std::string context;
  std::string lease_namespace;  // empty: that of the pod or of the context
  std::string lease_name = "herald-controller";
  std::string metallb_namespace = "metallb-system";  // empty: MetalLB's objects are left alone
  std::optional<TcpEndpoint> webhook;                // where the validating webhook listens
  std::string webhook_configuration = "herald";      // the ValidatingWebhookConfiguration that lists its certificate
};

struct Options {
  std::filesystem::path store;
  std::vector<ListenAddress> listen;
  std::optional<TcpEndpoint> metrics;
  std::filesystem::path token_file;
  std::filesystem::path tls_certificate;
  std::filesystem::path tls_key;
  std::string load_balancer_class;  // services of this class are ours; empty: those without one
  Log::Level log_level = Log::Level::Info;
  Log::Format log_format = Log::Format::Text;
  std::optional<KubernetesOptions> kubernetes;
  bool print_crds = false;         // print the CustomResourceDefinitions and exit
  std::vector<std::string> check;  // validate these and exit
  std::vector<std::string> print;  // print these as configuration and exit
};

// What the program says instead of running, and the code it exits with.
struct Exit {
  int code = 0;
  std::string output;  // standard output when the code is 0, else standard error
};

[[nodiscard]] std::variant<Options, Exit> parse_options(const std::vector<std::string>& arguments);

}  // namespace controller
