// SPDX-License-Identifier: Apache-2.0
// status, peers, routes, services, explain, restart, refresh: what a speaker's control socket offers.
#include <iostream>

#include "config/source/api_client.hpp"
#include "ctl/commands.hpp"
#include "ctl/control_socket.hpp"
#include "ctl/hints.hpp"
#include "ctl/peer_screen.hpp"
#include "ctl/peer_table.hpp"
#include "ctl/status_screen.hpp"
#include "ctl/words.hpp"

namespace ctl {
namespace {

using nlohmann::json;

void print_names(const json& entries, const char* key, std::ostream& out) {
  for (const auto& entry : entries) out << word(entry, key) << '\n';
}

void peers(const Options& options, std::ostream& out) {
  const auto answer = ask_speaker(
      options, "GET", options.words.empty() ? "/peers" : "/peers/" + config::percent_encode(options.words.front()));
  if (print_structured(answer, options.format, out)) return;
  if (options.format == Format::Name) return print_names(answer["peers"], "name", out);
  if (options.words.empty() || options.format == Format::Wide)
    return print_peer_table(answer, options.format, options.paint, out);
  for (const auto& peer : answer["peers"]) print_peer(peer, options.paint, out);
  for (const auto& range : answer.value("ranges", json::array())) print_range(range, options.paint, out);
}

std::string hops_of(const json& route) {
  if (!route.contains("nextHops")) return word(route, "nextHop");
  return route.value("local", false) ? "local" : joined(route, "nextHops");
}

std::vector<Cell> kernel_row(const json& route) {
  const auto state = word(route, "state");
  return {word(route, "prefix"),
          hops_of(route),
          {state, state == "Programmed" ? Colour::Good : Colour::Bad},
          word(route, "reason")};
}

std::vector<Cell> table_row(const json& route) {
  return {word(route, "prefix"),
          hops_of(route),
          word(route, "asPath"),
          word(route, "localPref"),
          word(route, "med"),
          joined(route, "communities"),
          word(route, route.contains("selectionReason") ? "selectionReason" : "reason")};
}

void routes(const Options& options, std::ostream& out) {
  const auto& which = options.words.front();
  if (which != "in" && which != "best" && which != "out" && which != "kernel")
    throw Failure{"routes: must be in, best, out or kernel, got \"" + which + "\"", 2};
  if ((which == "in" || which == "out") && options.peer.empty())
    throw Failure{"routes " + which + ": --peer NAME is needed", 2};
  std::string query;
  const auto add = [&](const char* key, const std::string& value) {
    if (!value.empty()) query += (query.empty() ? "?" : "&") + std::string{key} + "=" + config::percent_encode(value);
  };
  add("peer", options.peer);
  add("family", options.family);
  if (options.words.size() > 1) add("prefix", options.words[1]);
  const auto answer = ask_speaker(options, "GET", "/routes/" + which + query);
  if (print_structured(answer, options.format, out)) return;
  if (options.format == Format::Name) return print_names(answer["routes"], "prefix", out);
  const auto kernel = which == "kernel";
  Table table{kernel ? std::vector<std::string>{"PREFIX", "NEXT HOPS", "STATE", "REASON"}
                     : std::vector<std::string>{"PREFIX", "NEXT HOPS", "AS PATH", "LP", "MED", "COMMUNITIES", "WHY"}};
  for (const auto& route : answer["routes"]) table.add(kernel ? kernel_row(route) : table_row(route));
  if (table.empty()) {
    out << "no routes\n";
    return;
  }
  table.print(out, options.paint);
}

void add_verdicts(const json& service, Table& table) {
  for (const auto& verdict : service["verdicts"]) {
    const auto announced = verdict.value("announced", false);
    auto how = word(verdict, "detail");
    if (announced && verdict.contains("peers")) how = "to " + joined(verdict, "peers");
    if (announced && verdict.contains("interfaces")) how = "on " + joined(verdict, "interfaces");
    table.add({word(service, "service"),
               word(verdict, "address"),
               word(verdict, "method"),
               {announced ? "announced" : word(verdict, "gate"), announced ? Colour::Good : Colour::Warning},
               how});
  }
}

void services(const Options& options, std::ostream& out) {
  const auto answer = ask_speaker(options, "GET", "/services");
  if (print_structured(answer, options.format, out)) return;
  if (options.format == Format::Name) return print_names(answer["services"], "service", out);
  Table table{{"SERVICE", "ADDRESS", "METHOD", "ON " + word(answer, "node"), "DETAIL"}};
  for (const auto& service : answer["services"]) add_verdicts(service, table);
  if (table.empty()) {
    out << "no services of type LoadBalancer\n";
    return;
  }
  table.print(out, options.paint);
}

void explain_service(const Options& options, const std::string& name, std::ostream& out) {
  const auto key = name.find('/') == std::string::npos ? options.namespace_name + "/" + name : name;
  const auto answer = ask_speaker(options, "GET", "/explain/service/" + key);
  if (print_structured(answer, options.format, out)) return;
  out << "service " << key << ", seen from node " << word(answer, "node") << "\n";
  if (answer.contains("assigned")) {
    const auto good = word(answer["assigned"], "status") == "True";
    out << "address: " << painted(word(answer["assigned"], "message"), good ? Colour::Good : Colour::Bad, options.paint)
        << "\n";
  }
  Table table{{"SERVICE", "ADDRESS", "METHOD", "RESULT", "DETAIL"}};
  add_verdicts(answer, table);
  table.print(out, options.paint);
  for (const auto& verdict : answer["verdicts"])
    if (verdict.contains("owner"))
      out << word(verdict, "address") << " is answered by node " << word(verdict, "owner") << "\n";
  const auto hints = hints_for(answer["verdicts"]);
  if (!hints.empty()) out << "\nWhat would help:\n";
  for (const auto& hint : hints) out << "  " << hint << "\n";
}

// Routes that import filters rejected are in no table unless somebody asked for that.
void say_what_is_not_kept(const nlohmann::json& answer, std::ostream& out) {
  if (!answer.contains("notKept")) return;
  out << "\nWhat import filters rejected is not shown, because it is not kept:\n";
  for (const auto& peer : answer["notKept"])
    out << "  " << word(peer, "peer") << ": " << peer["filtered"]
        << " announcements so far; keepRejected: true in BGPPeer/" << word(peer, "bgpPeer")
        << " keeps them, and the rule that rejects each is shown\n";
}

void explain_route(const Options& options, const std::string& prefix, std::ostream& out) {
  const auto answer = ask_speaker(options, "GET", "/explain/route?prefix=" + config::percent_encode(prefix));
  if (print_structured(answer, options.format, out)) return;
  if (!answer.value("known", false)) {
    out << word(answer, "prefix") << " is not in the table\n";
    return say_what_is_not_kept(answer, out);
  }
  if (word(answer, "prefix") != prefix) out << prefix << " is within " << word(answer, "prefix") << "\n";
  const auto validated = std::any_of(answer["paths"].begin(), answer["paths"].end(),
                                     [](const auto& path) { return path.contains("rpki"); });
  std::vector<std::string> header{"PATH FROM", "NEXT HOP", "AS PATH", "USED"};
  if (validated) header.emplace_back("RPKI");
  header.emplace_back("WHY");
  Table paths{header};
  for (const auto& path : answer["paths"]) {
    const auto best = path.value("best", false);
    const auto used = best ? "best" : path.value("multipath", false) ? "multipath" : "no";
    std::vector<Cell> row{path["peer"].is_null() ? "this node" : word(path, "peer"),
                          word(path, "nextHop"),
                          word(path, "asPath"),
                          {used, std::string{used} == "no" ? Colour::None : Colour::Good}};
    if (validated) row.emplace_back(word(path, "rpki"));
    row.emplace_back(word(path, "reason"));
    paths.add(std::move(row));
  }
  paths.print(out, options.paint);
  say_what_is_not_kept(answer, out);
  if (answer["exports"].empty()) return;
  out << "\n";
  Table exports{{"TOLD TO", "SENT", "WHY"}};
  for (const auto& sent : answer["exports"]) {
    const auto yes = sent.value("sent", false);
    const auto id = sent.contains("pathId") ? ", path " + word(sent, "pathId") : std::string{};
    exports.add(
        {word(sent, "peer") + id, {yes ? "yes" : "no", yes ? Colour::Good : Colour::None}, word(sent, "reason")});
  }
  exports.print(out, options.paint);
}

void explain(const Options& options, std::ostream& out) {
  if (options.words.size() < 2)
    throw Failure{"explain: what? service [NAMESPACE/]NAME, route PREFIX or route ADDRESS", 2};
  if (options.words[0] == "service") return explain_service(options, options.words[1], out);
  if (options.words[0] == "route") return explain_route(options, options.words[1], out);
  throw Failure{"explain: must be service or route, got \"" + options.words[0] + "\"", 2};
}

void status(const Options& options, std::ostream& out) {
  const auto answer = ask_speaker(options, "GET", "/status");
  if (!print_structured(answer, options.format, out)) print_status(answer, options.paint, out);
}

void drain(const Options& options, std::ostream& out) {
  const auto answer = ask_speaker(options, "POST", options.verb == Verb::Drain ? "/drain" : "/undrain");
  if (!print_structured(answer, options.format, out)) out << word(answer, "done") << "\n";
}

void command(const Options& options, std::ostream& out) {
  auto target = "/peers/" + config::percent_encode(options.words.front());
  target += options.verb == Verb::Restart ? "/restart?reason=" + config::percent_encode(options.reason)
                                          : "/refresh?direction=" + std::string{options.out ? "out" : "in"};
  const auto answer = ask_speaker(options, "POST", target);
  if (!print_structured(answer, options.format, out))
    out << word(answer, "peer") << ": " << word(answer, "done") << "\n";
}

}  // namespace

json ask_speaker(const Options& options, const std::string& method, const std::string& target) {
  const auto control = options.control.empty() ? only_control_socket("/run/herald") : options.control;
  const auto endpoint = config::parse_api_endpoint(control);
  if (!endpoint) throw Failure{"--control: " + endpoint.error(), 2};
  config::ApiClient client{*endpoint, std::chrono::seconds{60}};
  const auto answer = client.call({method, target, {}, {}});
  if (answer) return *answer;
  if (answer.error().message.find("Permission denied") != std::string::npos)
    throw Failure{answer.error().message + "\n  The socket is for the user that herald-speaker runs as, and for root."};
  if (answer.error().unreachable())
    throw Failure{answer.error().message + "\n  Is herald-speaker running there, with --control " + control + "?"};
  throw Failure{answer.error().message};
}

void run_on_speaker(const Options& options, std::ostream& out) {
  const bool lists = options.verb == Verb::Peers || options.verb == Verb::Routes || options.verb == Verb::Services;
  if (options.format == Format::Name && !lists)
    throw Failure{"-o name: only what lists has names: peers, routes, services and resources", 2};
  switch (options.verb) {
    case Verb::Status:
      return status(options, out);
    case Verb::Peers:
      return peers(options, out);
    case Verb::Routes:
      return routes(options, out);
    case Verb::Services:
      return services(options, out);
    case Verb::Explain:
      return explain(options, out);
    case Verb::Drain:
    case Verb::Undrain:
      return drain(options, out);
    case Verb::Restart:
    case Verb::Refresh:
      return command(options, out);
    default:
      throw Failure{"not a command on a speaker", 2};
  }
}

}  // namespace ctl
