// SPDX-License-Identifier: Apache-2.0
#include "ctl/options.hpp"

#include <cstdlib>
#include <map>

#include <CLI/CLI.hpp>
#include <unistd.h>

namespace ctl {
namespace {

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::string{} : std::string{value};
}

void add_resource_commands(CLI::App& app, Options& options) {
  const auto command = [&](const char* name, const char* help, Verb verb) {
    auto* sub = app.add_subcommand(name, help);
    sub->callback([&options, verb] { options.verb = verb; });
    return sub;
  };
  auto* get = command("get", "List objects of a kind, or show one", Verb::Get);
  get->add_option("words", options.words, "KIND [NAME]")->required();
  get->add_option("-l,--selector", options.selector, "Only objects with these labels");
  command("describe", "Everything about one object, with its conditions and events", Verb::Describe)
      ->add_option("words", options.words, "KIND NAME")
      ->required();
  command("apply", "Create or change the objects in files", Verb::Apply)
      ->add_option("-f,--filename", options.files, "File, or - for standard input")
      ->required();
  auto* remove = command("delete", "Delete objects", Verb::Delete);
  remove->add_option("words", options.words, "KIND NAME...");
  remove->add_option("-f,--filename", options.files, "The objects in this file, or - for standard input");
  auto* watch = command("watch", "Print objects of a kind as they change", Verb::Watch);
  watch->add_option("words", options.words, "KIND")->required();
  watch->add_option("-l,--selector", options.selector, "Only objects with these labels");
}

void add_speaker_commands(CLI::App& app, Options& options) {
  const auto command = [&](const char* name, const char* help, Verb verb) {
    auto* sub = app.add_subcommand(name, help);
    sub->callback([&options, verb] { options.verb = verb; });
    return sub;
  };
  command("status", "One screen about the node", Verb::Status);
  command("peers", "BGP neighbours and their sessions", Verb::Peers)->add_option("words", options.words, "[NAME]");
  auto* routes = command("routes", "The tables: in, best, out, kernel", Verb::Routes);
  routes->add_option("words", options.words, "in|best|out|kernel [PREFIX]")->required();
  routes->add_option("--peer", options.peer, "The neighbour, for in and out");
  routes->add_option("--family", options.family, "ipv4 or ipv6")->check(CLI::IsMember({"ipv4", "ipv6"}));
  command("services", "Addresses of services and what this node does with each", Verb::Services);
  command("explain", "Why an address is announced or not, or a route chosen", Verb::Explain)
      ->add_option("words", options.words, "service [NAMESPACE/]NAME | route PREFIX")
      ->required();
  auto* restart = command("restart", "Close a neighbour's session and open it again", Verb::Restart);
  restart->add_option("words", options.words, "PEER")->required();
  restart->add_option("--reason", options.reason, "Told to the neighbour");
  auto* refresh = command("refresh", "Ask a neighbour for its routes again", Verb::Refresh);
  refresh->add_option("words", options.words, "PEER")->required();
  refresh->add_flag("--out", options.out, "Send our routes again instead");
  command("completion", "Print a completion script", Verb::Completion)
      ->add_option("words", options.words, "bash|zsh")
      ->required();
}

}  // namespace

std::variant<Options, int> parse_options(int argc, const char* const* argv) {
  Options options;
  CLI::App app{"Sees, changes and explains what Herald announces.", "heraldctl"};
  app.require_subcommand(1);
  app.fallthrough();
  app.set_version_flag("--version", "heraldctl " HERALD_VERSION);
  app.add_option("--server", options.server,
                 "The API ($HERALD_SERVER): http://HOST:PORT, https://HOST:PORT or unix:PATH");
  app.add_option("--control", options.control, "A speaker's control socket ($HERALD_CONTROL): unix:PATH");
  app.add_option("--token-file", options.token_file, "Bearer token for the API ($HERALD_TOKEN_FILE)");
  app.add_option("--ca-file", options.ca_file, "Certificates that the API's may be signed by");
  auto* kubernetes =
      app.add_flag("--kubernetes", options.kubernetes,
                   "The API is that of Kubernetes: by --kubeconfig, else as a pod's service account, else "
                   "by $KUBECONFIG or ~/.kube/config");
  app.add_option("--kubeconfig", options.kubeconfig, "How the Kubernetes API is reached")->needs(kubernetes);
  app.add_option("--context", options.context, "Context of the kubeconfig")->needs(kubernetes);
  const std::map<std::string, Format> formats{
      {"table", Format::Table}, {"wide", Format::Wide}, {"json", Format::Json}, {"yaml", Format::Yaml}};
  app.add_option("-o,--output", options.format, "table, wide, json or yaml")
      ->transform(CLI::CheckedTransformer(formats));
  app.add_option("-n,--namespace", options.namespace_name, "Namespace");
  app.add_flag("-A,--all-namespaces", options.all_namespaces, "All namespaces");
  add_resource_commands(app, options);
  add_speaker_commands(app, options);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  if (options.server.empty()) options.server = environment("HERALD_SERVER");
  if (options.server.empty()) options.server = "http://127.0.0.1:7472";
  if (options.control.empty()) options.control = environment("HERALD_CONTROL");
  if (options.token_file.empty()) options.token_file = environment("HERALD_TOKEN_FILE");
  options.paint = ::isatty(STDOUT_FILENO) != 0 && environment("NO_COLOR").empty() ? Paint::Terminal : Paint::Plain;
  return options;
}

}  // namespace ctl
