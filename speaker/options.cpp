// SPDX-License-Identifier: Apache-2.0
#include "speaker/options.hpp"

#include <algorithm>
#include <array>
#include <iostream>

#include <CLI/CLI.hpp>
#include <unistd.h>

namespace speaker {
namespace {

std::string host_name() {
  std::string name(256, '\0');
  if (::gethostname(name.data(), name.size() - 1) != 0) return {};
  name.resize(name.find('\0'));
  return name;
}

}  // namespace

std::variant<Options, int> parse_options(int argc, const char* const* argv) {
  Options options;
  CLI::App app{"Announces service IPs by BGP, ARP and NDP, and puts learned routes into the kernel.", "herald-speaker"};
  app.set_version_flag("--version", "herald-speaker " HERALD_VERSION);
  app.add_option("--node", options.node, "Name of this node (default: the host name)");
  auto* files = app.add_option("--resources", options.resources,
                               "Resource files, or folders of them; read again when they change")
                    ->type_name("PATH");
  auto* api =
      app.add_option("--api", options.api, "Controller to follow: http://HOST:PORT, https://HOST:PORT or unix:PATH")
          ->type_name("URL")
          ->excludes(files);
  auto* kubernetes =
      app.add_flag("--kubernetes", options.kubernetes,
                   "Follow a Kubernetes API: by --kubeconfig, else as the pod's service account, else by "
                   "$KUBECONFIG or ~/.kube/config")
          ->excludes(files)
          ->excludes(api);
  app.add_option("--kubeconfig", options.kubeconfig, "How the Kubernetes API is reached")
      ->type_name("FILE")
      ->needs(kubernetes);
  app.add_option("--context", options.context, "Context of the kubeconfig (default: its current one)")
      ->type_name("NAME")
      ->needs(kubernetes);
  app.add_option("--metallb-namespace", options.metallb_namespace,
                 "Where MetalLB's objects are obeyed (default metallb-system; \"\": nowhere)")
      ->type_name("NAME")
      ->needs(kubernetes);
  app.add_option("--token-file", options.token_file, "Bearer token for the API")->type_name("FILE")->needs(api);
  app.add_option("--ca-file", options.ca_file, "Certificates that the API's may be signed by")
      ->type_name("FILE")
      ->needs(api);
  app.add_option("--control", options.control, "Where heraldctl reaches this speaker: unix:PATH")
      ->type_name("ENDPOINT");
  app.add_option("--metrics", options.metrics, "Where Prometheus reaches this speaker")->type_name("ADDRESS:PORT");
  app.add_option("--class", options.load_balancer_class,
                 "Announce services of this loadBalancerClass only (default: those without one)")
      ->type_name("NAME");
  int heartbeat = 1000;
  app.add_option("--heartbeat", heartbeat, "Milliseconds between heartbeats to the API")->check(CLI::Range(100, 60000));
  app.add_flag("--bind-service-ips", options.bind_service_ips,
               "Put the addresses of announced services on the loopback interface");
  app.add_flag(
      "--tune-kernel", options.tune_kernel,
      "Set net.ipv4.nexthop_compat_mode=0 and the multipath hash policies to ports; for a host that is Herald's own");
  app.add_flag("--check", options.check, "Read and validate the resources, then exit");
  app.add_flag("--print-config", options.print_config, "Print the resources as they were understood, then exit");
  app.add_flag("--cleanup", options.cleanup, "Remove everything that Herald left in the kernel, then exit");
  std::string level = "info";
  app.add_option("--log-level", level, "debug, info, warning, error or none (default: info)")->type_name("LEVEL");
  std::string format = "text";
  app.add_option("--log-format", format, "text or json (default: text)")->type_name("FORMAT");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  const auto wrong = [](std::string_view option, const std::string& value, std::string_view allowed) {
    std::cerr << "herald-speaker: " << option << ": must be " << allowed << ", got \"" << value << "\"\n";
    return 2;
  };
  constexpr std::array levels{std::pair{"debug", LogLevel::Debug}, std::pair{"info", LogLevel::Info},
                              std::pair{"warning", LogLevel::Warning}, std::pair{"error", LogLevel::Error},
                              std::pair{"none", LogLevel::None}};
  const auto* const known =
      std::find_if(levels.begin(), levels.end(), [&](const auto& each) { return level == each.first; });
  if (known == levels.end()) return wrong("--log-level", level, "debug, info, warning, error or none");
  options.log_level = known->second;
  if (format != "text" && format != "json") return wrong("--log-format", format, "text or json");
  options.log_format = format == "json" ? LogFormat::Json : LogFormat::Text;
  // Whoever reaches it may drain the node: the file's owner alone.
  if (!options.control.empty() && options.control.rfind("unix:", 0) != 0)
    return wrong("--control", options.control, "unix:PATH");
  options.heartbeat = std::chrono::milliseconds{heartbeat};
  if (options.node.empty()) options.node = host_name();
  if ((options.check || options.print_config) && options.resources.empty()) {
    std::cerr << "herald-speaker: --check and --print-config read --resources\n";
    return 2;
  }
  if (!options.cleanup && options.resources.empty() && options.api.empty() && !options.kubernetes) {
    std::cerr << "herald-speaker: --resources, --api or --kubernetes is needed (see --help)\n";
    return 2;
  }
  return options;
}

}  // namespace speaker
