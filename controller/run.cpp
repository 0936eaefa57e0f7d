// SPDX-License-Identifier: Apache-2.0
#include "controller/run.hpp"

#include <ostream>

#include "config/source/files.hpp"
#include "config/source/kubeconfig.hpp"
#include "controller/kubernetes/crds.hpp"
#include "controller/kubernetes/kubernetes_process.hpp"
#include "controller/log.hpp"
#include "controller/options.hpp"
#include "controller/process.hpp"

namespace controller {
namespace {

constexpr auto failed = 1;
constexpr auto wrong_configuration = 2;

int print_configuration(const std::vector<std::string>& paths, const Environment& environment) {
  const auto loaded = config::load(paths);
  for (const auto& problem : loaded.problems) environment.err << config::print(problem) << '\n';
  environment.out << config::print_config(loaded.resources);
  return loaded.problems.empty() ? 0 : wrong_configuration;
}

int run_kubernetes(const Options& options, const Environment& environment, const Log& log) {
  auto access = config::kubernetes_access(options.kubernetes->kubeconfig, options.kubernetes->context,
                                          config::process_environment);
  if (!access) {
    environment.err << "herald-controller: --kubernetes: " << access.error() << '\n';
    return wrong_configuration;
  }
  KubernetesProcess process{options, *access, log, environment.notify_socket, environment.observer};
  process.run();
  log.info("stopped");
  return 0;
}

}  // namespace

int run(const std::vector<std::string>& arguments, const Environment& environment) {
  const auto parsed = parse_options(arguments);
  if (const auto* exit = std::get_if<Exit>(&parsed)) {
    (exit->code == 0 ? environment.out : environment.err) << exit->output;
    return exit->code;
  }
  const auto& options = std::get<Options>(parsed);
  if (!options.check.empty()) return config::check(options.check, {}, environment.out);
  if (!options.print.empty()) return print_configuration(options.print, environment);

  if (options.print_crds) {
    environment.out << print_crds();
    return 0;
  }

  const Log log{options.log_level, options.log_format};
  try {
    if (options.kubernetes) return run_kubernetes(options, environment, log);
    Process process{options, log, environment.notify_socket, environment.observer};
    process.run();
    log.info("stopped");
    return 0;
  } catch (const std::exception& error) {
    log.error("failed", {{"error", error.what()}});
    return failed;
  }
}

}  // namespace controller
