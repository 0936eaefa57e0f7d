// SPDX-License-Identifier: Apache-2.0
#include "controller/run.hpp"

#include <ostream>

#include "config/source/files.hpp"
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

  const Log log{options.log_level, options.log_format};
  try {
    Process process{options, log, environment.notify_socket};
    process.run();
    log.info("stopped");
    return 0;
  } catch (const std::exception& error) {
    log.error("failed", {{"error", error.what()}});
    return failed;
  }
}

}  // namespace controller
