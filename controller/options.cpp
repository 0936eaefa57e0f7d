// SPDX-License-Identifier: Apache-2.0
#include "controller/options.hpp"

#include <algorithm>
#include <sstream>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

namespace controller {
namespace {

constexpr auto usage_error = 2;

struct Texts {
  std::string store;
  std::vector<std::string> listen;
  std::string metrics;
  std::string token_file, tls_certificate, tls_key, webhook;
  std::string load_balancer_class;
  std::string log_level = "info";
  std::string log_format = "text";
  bool kubernetes = false;
  KubernetesOptions cluster;
  bool print_crds = false;
  std::vector<std::string> check, print;
};

Exit wrong(std::string_view option, std::string_view why) {
  return {usage_error, fmt::format("herald-controller: {}: {}\n", option, why)};
}

std::optional<TcpEndpoint> tcp_endpoint(const std::string& text) {
  const auto address = parse_listen_address(text);
  if (!address || !std::holds_alternative<TcpEndpoint>(*address)) return std::nullopt;
  return std::get<TcpEndpoint>(*address);
}

std::variant<Options, Exit> checked(const Texts& texts) {
  Options options{.store = texts.store,
                  .listen = {},
                  .metrics = {},
                  .token_file = texts.token_file,
                  .tls_certificate = texts.tls_certificate,
                  .tls_key = texts.tls_key,
                  .load_balancer_class = texts.load_balancer_class,
                  .kubernetes = {},
                  .print_crds = texts.print_crds,
                  .check = texts.check,
                  .print = texts.print};
  const auto level = parse_log_level(texts.log_level);
  if (!level) return wrong("--log-level", "must be debug, info, warning or error");
  options.log_level = *level;
  if (texts.log_format != "text" && texts.log_format != "json") return wrong("--log-format", "must be text or json");
  options.log_format = texts.log_format == "json" ? Log::Format::Json : Log::Format::Text;
  if (!options.check.empty() || !options.print.empty() || options.print_crds) return options;

  if (texts.kubernetes) {
    options.kubernetes = texts.cluster;
    if (!options.store.empty() || !texts.listen.empty())
      return wrong("--kubernetes", "excludes --store and --listen: the API is that of Kubernetes");
  } else if (options.store.empty()) {
    return wrong("--store", "is required, or --kubernetes");
  }
  for (const auto& text : texts.listen) {
    auto address = parse_listen_address(text);
    if (!address) return wrong("--listen", address.error());
    options.listen.push_back(std::move(*address));
  }
  if (options.listen.empty()) options.listen.emplace_back(TcpEndpoint{*net::parse_ip("127.0.0.1"), 7472});
  if (!texts.metrics.empty()) {
    options.metrics = tcp_endpoint(texts.metrics);
    if (!options.metrics) return wrong("--metrics", fmt::format("must be ADDRESS:PORT, got \"{}\"", texts.metrics));
  }
  if (!texts.webhook.empty()) {
    const auto address = tcp_endpoint(texts.webhook);
    if (!address) return wrong("--webhook", fmt::format("must be ADDRESS:PORT, got \"{}\"", texts.webhook));
    options.kubernetes->webhook = address;
  }
  if (options.tls_certificate.empty() != options.tls_key.empty()) {
    return wrong("--tls-cert, --tls-key", "one needs the other");
  }
  const auto exposed = std::ranges::find_if_not(options.listen, is_local);
  if (exposed != options.listen.end() && options.token_file.empty()) {
    return wrong("--listen",
                 fmt::format("{} is reachable from other machines: --token-file is required", print(*exposed)));
  }
  return options;
}

}  // namespace

std::variant<Options, Exit> parse_options(const std::vector<std::string>& arguments) {
  Texts texts;
  CLI::App app{"Assigns service addresses from pools and serves Herald's API.", "herald-controller"};
  app.set_version_flag("--version", "herald-controller " HERALD_VERSION);
  app.add_option("--store", texts.store, "SQLite file with all resources; made when absent")->type_name("FILE");
  app.add_option("--listen", texts.listen,
                 "Where the API listens; may be repeated (default 127.0.0.1:7472). Beyond this machine only with "
                 "--token-file")
      ->type_name("ADDR:PORT|unix:PATH")
      ->allow_extra_args(false);
  app.add_option("--token-file", texts.token_file,
                 "Bearer tokens that TCP clients must have, one a line: TOKEN[,NAME[,admin|viewer]]; read again when "
                 "it changes")
      ->type_name("FILE");
  app.add_option("--tls-cert", texts.tls_certificate, "Certificate chain, PEM: TLS on TCP")->type_name("FILE");
  app.add_option("--tls-key", texts.tls_key, "Its private key, PEM")->type_name("FILE");
  app.add_option("--class", texts.load_balancer_class,
                 "Assign addresses to services of this loadBalancerClass (default: those without one)")
      ->type_name("NAME");
  auto* kubernetes = app.add_flag("--kubernetes", texts.kubernetes,
                                  "Work for a Kubernetes API: by --kubeconfig, else as the pod's service account, else "
                                  "by $KUBECONFIG or ~/.kube/config");
  app.add_option("--kubeconfig", texts.cluster.kubeconfig, "How the Kubernetes API is reached")
      ->type_name("FILE")
      ->needs(kubernetes);
  app.add_option("--context", texts.cluster.context, "Context of the kubeconfig (default: its current one)")
      ->type_name("NAME")
      ->needs(kubernetes);
  app.add_option("--lease-namespace", texts.cluster.lease_namespace,
                 "Namespace of the Lease that one of several controllers holds (default: the pod's or the context's)")
      ->type_name("NAME")
      ->needs(kubernetes);
  app.add_option("--lease-name", texts.cluster.lease_name, "Its name (default herald-controller)")
      ->type_name("NAME")
      ->needs(kubernetes);
  app.add_option("--metallb-namespace", texts.cluster.metallb_namespace,
                 "Where MetalLB's objects are obeyed (default metallb-system; \"\": nowhere)")
      ->type_name("NAME")
      ->needs(kubernetes);
  app.add_option("--webhook", texts.webhook, "Serve a validating webhook here, by HTTPS with a certificate of its own")
      ->type_name("ADDR:PORT")
      ->needs(kubernetes);
  app.add_option("--webhook-configuration", texts.cluster.webhook_configuration,
                 "The ValidatingWebhookConfiguration in which it lists its certificate (default herald)")
      ->type_name("NAME")
      ->needs(kubernetes);
  app.add_flag("--print-crds", texts.print_crds, "Print the CustomResourceDefinitions of Herald's kinds and exit");
  app.add_option("--metrics", texts.metrics,
                 "Serve Prometheus metrics here as well, without a token; with "
                 "--kubernetes also /healthz and /readyz")
      ->type_name("ADDR:PORT");
  app.add_option("--log-level", texts.log_level, "debug, info, warning or error (default info)")->type_name("LEVEL");
  app.add_option("--log-format", texts.log_format, "text or json (default text)")->type_name("FORMAT");
  app.add_option("--check", texts.check, "Validate these files or folders and exit")->type_name("PATH");
  app.add_option("--print-config", texts.print, "Print these files or folders in canonical form and exit")
      ->type_name("PATH");
  auto reversed = arguments;
  std::ranges::reverse(reversed);  // as CLI11 wants them
  try {
    app.parse(reversed);
  } catch (const CLI::ParseError& error) {
    std::ostringstream out, err;
    const auto code = app.exit(error, out, err);
    return code == 0 ? Exit{0, out.str()} : Exit{usage_error, err.str()};
  }
  return checked(texts);
}

}  // namespace controller
