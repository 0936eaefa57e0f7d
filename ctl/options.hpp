// SPDX-License-Identifier: Apache-2.0
// The command line of heraldctl as a value.
#pragma once

#include <string>
#include <variant>
#include <vector>

#include "ctl/table.hpp"

namespace ctl {

enum class Format : std::uint8_t { Table, Wide, Json, Yaml, Name };

enum class Verb : std::uint8_t {
  Get,
  Describe,
  Apply,
  Delete,
  Watch,
  Plan,
  Migrate,  // on resources, through the API
  Status,
  Peers,
  Routes,
  Services,
  Explain,
  Restart,
  Drain,
  Undrain,
  Refresh,  // on a speaker, through its control socket
  Mrt,      // on a file, or on a speaker
  Completion,
};

struct Options {
  Verb verb{};
  std::string server;       // API; default $HERALD_SERVER
  bool kubernetes = false;  // the API of a Kubernetes cluster instead of server
  std::string kubeconfig;
  std::string context;
  std::string control;  // speaker; default $HERALD_CONTROL
  std::string token_file;
  std::string ca_file;
  Format format = Format::Table;
  std::string namespace_name = "default";
  bool all_namespaces = false;
  std::string selector;
  bool managed_fields = false;                       // get: also who applied which fields
  bool dry_run = false;                              // apply: ask the API, change nothing
  bool deletion = false;                             // plan: what if the objects were deleted
  bool apply = false;                                // migrate: take the objects over
  std::string load_balancer_class;                   // plan, migrate: the controller's
  std::string metallb_namespace = "metallb-system";  // plan, migrate: where MetalLB's objects are
  std::vector<std::string> words;                    // what follows the verb
  std::vector<std::string> files;                    // -f
  std::string peer;                                  // routes in|out
  std::string family;                                // routes, mrt
  std::string prefix;                                // mrt: routes within it
  std::string asn;                                   // mrt: routes with it in their path, or of it as a peer
  std::string reason;                                // restart
  bool out = false;                                  // refresh: send ours again instead of asking for theirs
  Paint paint = Paint::Plain;
};

// An exit code when there is nothing to do: help (0) or an error of usage (2), already said.
[[nodiscard]] std::variant<Options, int> parse_options(int argc, const char* const* argv);

}  // namespace ctl
