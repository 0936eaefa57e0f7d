// SPDX-License-Identifier: Apache-2.0
// The command line of herald-speaker.
#pragma once

#include <chrono>
#include <string>
#include <variant>
#include <vector>

#include "speaker/log.hpp"

namespace speaker {

struct Options {
  std::string node;
  std::vector<std::string> resources;  // files or folders; or
  std::string api;                     // the controller's URL; or
  bool kubernetes = false;             // the API of a Kubernetes cluster
  std::string kubeconfig;              // empty: see config::kubernetes_access
  std::string context;
  std::string metallb_namespace = "metallb-system";  // empty: MetalLB's objects are left alone
  std::string token_file;
  std::string ca_file;
  std::string control;  // "unix:PATH"; empty: none
  std::string metrics;  // "ADDRESS:PORT"; empty: none
  std::string load_balancer_class;
  std::chrono::milliseconds heartbeat{1000};
  bool bind_service_ips = false;
  bool tune_kernel = false;
  bool check = false;
  bool print_config = false;
  bool cleanup = false;
  LogLevel log_level = LogLevel::Info;
  LogFormat log_format = LogFormat::Text;
};

// An exit code when there is nothing to run: --help and --version (0), or a usage error (2), already said.
[[nodiscard]] std::variant<Options, int> parse_options(int argc, const char* const* argv);

}  // namespace speaker
