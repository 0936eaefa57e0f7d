// SPDX-License-Identifier: Apache-2.0
#include "ctl/options.hpp"

#include <cstdlib>
#include <functional>
#include <iostream>

#include <CLI/CLI.hpp>
#include <unistd.h>

#include "config/nearest.hpp"

namespace ctl {
namespace {

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::string{} : std::string{value};
}

// One of a few words; the message names them all.
CLI::Validator one_of(std::vector<std::string> words) {
  return CLI::Validator{[words = std::move(words)](std::string& given) -> std::string {
                          std::string wanted;
                          for (std::size_t i = 0; i < words.size(); ++i) {
                            if (words[i] == given) return {};
                            wanted += (i == 0 ? "" : i + 1 == words.size() ? " or " : ", ") + words[i];
                          }
                          return "must be " + wanted + ", got \"" + given + "\"";
                        },
                        ""};
}

using Commands = std::function<CLI::App*(const char* name, const char* help, Verb verb)>;

void add_resource_commands(const Commands& command, Options& options) {
  const auto objects = [&](CLI::App* app, const char* help) { app->add_option("KIND", options.words, help); };
  auto* get = command("get", "List objects of a kind, or show some", Verb::Get);
  get->add_option("KIND", options.words, "KIND[,KIND...], KIND NAME..., KIND/NAME... or all")->required();
  get->add_option("-l,--selector", options.selector, "Only objects with these labels: app=web,tier!=back")
      ->type_name("LABELS");
  get->add_flag("--show-managed-fields", options.managed_fields, "Also show who applied which fields");
  command("describe", "Everything about one object, with its conditions and events", Verb::Describe)
      ->add_option("KIND", options.words, "KIND NAME... or KIND/NAME...")
      ->required();
  auto* apply = command("apply", "Create or change the objects in files", Verb::Apply);
  apply->add_option("-f,--filename", options.files, "File, or - for standard input")->required()->type_name("FILE");
  apply->add_flag("--dry-run", options.dry_run, "Let the API check everything, and change nothing");
  auto* remove = command("delete", "Delete objects", Verb::Delete);
  objects(remove, "KIND NAME... or KIND/NAME...");
  remove->add_option("-f,--filename", options.files, "The objects in this file, or - for standard input")
      ->type_name("FILE");
  auto* watch = command("watch", "Print objects of a kind as they change", Verb::Watch);
  watch->add_option("KIND", options.words, "KIND")->required()->expected(1);
  watch->add_option("-l,--selector", options.selector, "Only objects with these labels")->type_name("LABELS");
}

void add_plan_commands(const Commands& command, Options& options) {
  auto* plan = command("plan", "What would change: addresses of services, and sessions", Verb::Plan);
  plan->add_option("-f,--filename", options.files, "File, or - for standard input")->required()->type_name("FILE");
  plan->add_flag("--delete", options.deletion, "What if the objects were deleted");
  auto* migrate =
      command("migrate", "What Herald makes of another product's objects, and take them over", Verb::Migrate);
  migrate->add_option("FROM", options.words, "metallb")->required()->expected(1);
  migrate->add_flag("--apply", options.apply, "Write them as objects of herald.dev, unless an address would change");
  for (auto* one : {plan, migrate}) {
    one->add_option("--class", options.load_balancer_class, "The controller's class of load balancers")
        ->type_name("NAME");
    one->add_option("--metallb-namespace", options.metallb_namespace, "Where MetalLB's objects are")->type_name("NAME");
  }
}

void add_speaker_commands(const Commands& command, Options& options) {
  command("status", "One screen about the node", Verb::Status);
  command("peers", "BGP neighbours and their sessions", Verb::Peers)
      ->add_option("NAME", options.words, "The neighbour")
      ->expected(0, 1);
  auto* routes = command("routes", "The tables: in, best, out, kernel", Verb::Routes);
  routes->add_option("TABLE", options.words, "in, best, out or kernel; then a PREFIX")->required()->expected(1, 2);
  routes->add_option("--peer", options.peer, "The neighbour; of best and kernel: what is reached through it")
      ->type_name("NAME");
  routes->add_option("--family", options.family, "ipv4 or ipv6")->type_name("FAMILY")->check(one_of({"ipv4", "ipv6"}));
  command("services", "Addresses of services and what this node does with each", Verb::Services);
  command("explain", "Why an address is announced or not, or a route chosen", Verb::Explain)
      ->add_option("WHAT", options.words, "service [NAMESPACE/]NAME, or route PREFIX|ADDRESS")
      ->required()
      ->expected(1, 2);
  auto* restart = command("restart", "Close a neighbour's session and open it again", Verb::Restart);
  restart->add_option("NAME", options.words, "The neighbour")->required()->expected(1);
  restart->add_option("--reason", options.reason, "Told to the neighbour")->type_name("TEXT");
  command("drain", "Tell all neighbours that this node is about to go, while it still forwards", Verb::Drain);
  command("undrain", "The node stays after all", Verb::Undrain);
  auto* refresh = command("refresh", "Ask a neighbour for its routes again", Verb::Refresh);
  refresh->add_option("NAME", options.words, "The neighbour")->required()->expected(1);
  refresh->add_flag("--out", options.out, "Send our routes again instead");
  auto* mrt = command("mrt", "Read an MRT file, or have the speaker write its tables to one", Verb::Mrt);
  mrt->add_option("WHAT", options.words, "show FILE (- for standard input), or dump")->required()->expected(1, 2);
  mrt->add_option("--prefix", options.prefix, "show: only routes within it")->type_name("PREFIX");
  mrt->add_option("--peer", options.peer, "show: only what this address said")->type_name("ADDRESS");
  mrt->add_option("--asn", options.asn, "show: only paths with this AS, and sessions with it")->type_name("ASN");
  mrt->add_option("--family", options.family, "ipv4 or ipv6")->type_name("FAMILY")->check(one_of({"ipv4", "ipv6"}));
  command("completion", "Print a completion script", Verb::Completion)
      ->add_option("SHELL", options.words, "bash or zsh")
      ->required()
      ->expected(1);
}

void add_general(CLI::App& app, Options& options, std::string& format) {
  app.set_version_flag("--version", "heraldctl " HERALD_VERSION);
  app.add_option("--server", options.server,
                 "The API ($HERALD_SERVER): http://HOST:PORT, https://HOST:PORT or unix:PATH")
      ->type_name("URL");
  app.add_option("--control", options.control,
                 "A speaker's control socket ($HERALD_CONTROL): unix:PATH. Default: the only one in /run/herald")
      ->type_name("ENDPOINT");
  app.add_option("--token-file", options.token_file, "Bearer token for the API ($HERALD_TOKEN_FILE)")
      ->type_name("FILE");
  app.add_option("--ca-file", options.ca_file, "Certificates that the API's may be signed by ($HERALD_CA_FILE)")
      ->type_name("FILE");
  auto* kubernetes =
      app.add_flag("--kubernetes", options.kubernetes,
                   "The API is that of Kubernetes: by --kubeconfig, else as a pod's service account, else "
                   "by $KUBECONFIG or ~/.kube/config");
  app.add_option("--kubeconfig", options.kubeconfig, "How the Kubernetes API is reached")
      ->type_name("FILE")
      ->needs(kubernetes);
  app.add_option("--context", options.context, "Context of the kubeconfig")->type_name("NAME")->needs(kubernetes);
  app.add_option("-o,--output", format, "table, wide, json, yaml or name")
      ->type_name("FORMAT")
      ->check(one_of({"table", "wide", "json", "yaml", "name"}));
  app.add_option("-n,--namespace", options.namespace_name, "Namespace")->type_name("NAME");
  app.add_flag("-A,--all-namespaces", options.all_namespaces, "All namespaces");
}

Format format_of(const std::string& word) {
  if (word == "wide") return Format::Wide;
  if (word == "json") return Format::Json;
  if (word == "yaml") return Format::Yaml;
  return word == "name" ? Format::Name : Format::Table;
}

// 0 for help and version, which go to standard output; else 2, and what is wrong in one line.
int say(const CLI::App& app, const CLI::ParseError& error, int argc) {
  if (error.get_exit_code() == 0) return app.exit(error);
  if (argc <= 1) {
    std::cerr << app.help();
    return 2;
  }
  const auto used = app.get_subcommands();
  const auto words = app.remaining();
  if (used.empty() && !words.empty()) {
    std::vector<std::string> names;
    for (const auto* command : app.get_subcommands(nullptr)) names.push_back(command->get_name());
    const std::vector<std::string_view> known{names.begin(), names.end()};
    const auto close = config::nearest_word(words.front(), known);
    std::cerr << "heraldctl: there is no command \"" << words.front() << "\""
              << (close.empty() ? "; see heraldctl --help" : "; did you mean " + std::string{close} + "?") << "\n";
    return 2;
  }
  const auto command = used.empty() ? std::string{} : used.front()->get_name();
  std::cerr << "heraldctl" << (command.empty() ? "" : " " + command) << ": " << error.what() << "\n"
            << "  See heraldctl " << (command.empty() ? "" : command + " ") << "--help\n";
  return 2;
}

}  // namespace

std::variant<Options, int> parse_options(int argc, const char* const* argv) {
  Options options;
  std::string format = "table";
  CLI::App app{"Sees, changes and explains what Herald announces.", "heraldctl"};
  app.require_subcommand(1);
  app.fallthrough();
  const Commands command = [&](const char* name, const char* help, Verb verb) {
    auto* sub = app.add_subcommand(name, help);
    sub->callback([&options, verb] { options.verb = verb; });
    return sub;
  };
  add_general(app, options, format);
  add_resource_commands(command, options);
  add_plan_commands(command, options);
  add_speaker_commands(command, options);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return say(app, error, argc);
  }
  options.format = format_of(format);
  if (options.server.empty()) options.server = environment("HERALD_SERVER");
  if (options.server.empty()) options.server = "http://127.0.0.1:7472";
  if (options.control.empty()) options.control = environment("HERALD_CONTROL");
  if (options.token_file.empty()) options.token_file = environment("HERALD_TOKEN_FILE");
  if (options.ca_file.empty()) options.ca_file = environment("HERALD_CA_FILE");
  options.paint = ::isatty(STDOUT_FILENO) != 0 && environment("NO_COLOR").empty() ? Paint::Terminal : Paint::Plain;
  return options;
}

}  // namespace ctl
