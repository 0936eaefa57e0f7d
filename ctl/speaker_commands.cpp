// SPDX-License-Identifier: Apache-2.0
// status, peers, routes, services, explain, restart, refresh: what a speaker's control socket offers.
#include <functional>
#include <iostream>

#include <fmt/format.h>

#include "config/source/api_client.hpp"
#include "ctl/commands.hpp"
#include "ctl/control_socket.hpp"
#include "ctl/hints.hpp"

namespace ctl {
namespace {

using nlohmann::json;

std::string word(const json& object, const char* key) {
  const auto found = object.find(key);
  if (found == object.end() || found->is_null()) return "-";
  return found->is_string() ? found->get<std::string>() : found->dump();
}

std::string joined(const json& object, const char* key) {
  std::string text;
  const auto found = object.find(key);
  if (found != object.end())
    for (const auto& entry : *found) text += (text.empty() ? "" : ",") + entry.get<std::string>();
  return text.empty() ? "-" : text;
}

void print_names(const json& entries, const char* key, std::ostream& out) {
  for (const auto& entry : entries) out << word(entry, key) << '\n';
}

Cell state_cell(const json& peer) {
  const auto state = word(peer, "state");
  if (peer.contains("heldDown")) return {"HeldDown", Colour::Bad};
  if (peer.contains("shutdown")) return {"Shutdown", Colour::Warning};
  if (peer.value("waitsForBfd", false)) return {"WaitsForBFD", Colour::Warning};
  return {state, state == "Established" ? Colour::Good : Colour::Bad};
}

Cell bfd_cell(const json& peer) {
  if (!peer.contains("bfd")) return {"-"};
  const auto& bfd = peer["bfd"];
  const auto state = word(bfd, "state");
  if (state != "Up") {
    const auto fell = bfd.contains("lastDown") ? ": " + word(bfd["lastDown"], "diagnostic") : std::string{};
    return {state + fell, Colour::Bad};
  }
  return {"Up", Colour::Good};
}

std::string bfd_up(const json& peer) {
  if (!peer.contains("bfd") || !peer["bfd"].contains("uptimeMsec")) return "-";
  return age(peer["bfd"]["uptimeMsec"].get<long long>());
}

// "50ms/60ms x3": how often packets go out and come in, and how many of the latter may be missing.
std::string bfd_timers(const json& peer) {
  if (!peer.contains("bfd") || !peer["bfd"]["remote"].contains("detectMultiplier")) return "-";
  const auto& bfd = peer["bfd"];
  const auto milliseconds = [&](const char* key) { return fmt::format("{:g}ms", bfd[key].get<double>()); };
  return milliseconds("transmitIntervalMsec") + "/" + milliseconds("receiveIntervalMsec") + " x" +
         word(bfd["remote"], "detectMultiplier") + (word(bfd["echo"], "state") == "active" ? " echo" : "");
}

std::string family_counts(const json& peer, const char* counter) {
  return word(peer["families"]["ipv4Unicast"], counter) + "/" + word(peer["families"]["ipv6Unicast"], counter);
}

// The last thing that went wrong, in words.
std::string trouble(const json& peer) {
  if (peer.contains("heldDown")) return word(peer, "heldDown");
  if (word(peer, "state") == "Established") return "";
  if (peer.contains("lastDialError")) return word(peer, "lastDialError");
  if (!peer.contains("lastReset")) return "";
  const auto& reset = peer["lastReset"];
  return reset.contains("notification") ? word(reset, "by") + ": " + word(reset, "notification") : word(reset, "text");
}

void peers(const Options& options, std::ostream& out) {
  const auto answer = ask_speaker(
      options, "GET", options.words.empty() ? "/peers" : "/peers/" + config::percent_encode(options.words.front()));
  if (print_structured(answer, options.format, out)) return;
  if (options.format == Format::Name) return print_names(answer["peers"], "name", out);
  if (answer["peers"].empty()) {
    out << "no peers on this node\n";
    return;
  }
  const auto wide = options.format == Format::Wide;
  std::vector<std::string> header{"PEER", "ADDRESS", "ASN", "STATE", "UP", "BFD", "RECEIVED", "ADVERTISED"};
  if (wide) header.insert(header.end(), {"ACCEPTED", "BEST", "HOLD", "ROUTER-ID", "BFD-TIMERS", "BFD-UP"});
  header.emplace_back("TROUBLE");
  Table table{header};
  for (const auto& peer : answer["peers"]) {
    std::vector<Cell> row{word(peer, "name"),
                          word(peer, "address"),
                          word(peer, "peerAsn"),
                          state_cell(peer),
                          peer.contains("uptimeMsec") ? age(peer["uptimeMsec"].get<long long>()) : "-",
                          bfd_cell(peer),
                          family_counts(peer, "received"),
                          family_counts(peer, "advertised")};
    if (wide) {
      const auto negotiated = peer.value("negotiated", json::object());
      row.insert(row.end(), {Cell{family_counts(peer, "accepted")}, Cell{family_counts(peer, "best")},
                             Cell{word(negotiated, "holdTimeSec")}, Cell{word(negotiated, "peerRouterId")},
                             Cell{bfd_timers(peer)}, Cell{bfd_up(peer)}});
    }
    row.emplace_back(trouble(peer), Colour::Bad);
    table.add(std::move(row));
  }
  table.print(out, options.paint);
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

void explain_route(const Options& options, const std::string& prefix, std::ostream& out) {
  const auto answer = ask_speaker(options, "GET", "/explain/route?prefix=" + config::percent_encode(prefix));
  if (print_structured(answer, options.format, out)) return;
  if (!answer.value("known", false)) {
    out << word(answer, "prefix") << " is not in the table\n";
    return;
  }
  Table paths{{"PATH FROM", "NEXT HOP", "AS PATH", "USED", "WHY"}};
  for (const auto& path : answer["paths"]) {
    const auto best = path.value("best", false);
    const auto used = best ? "best" : path.value("multipath", false) ? "multipath" : "no";
    paths.add({path["peer"].is_null() ? "this node" : word(path, "peer"),
               word(path, "nextHop"),
               word(path, "asPath"),
               {used, std::string{used} == "no" ? Colour::None : Colour::Good},
               word(path, "reason")});
  }
  paths.print(out, options.paint);
  if (answer["exports"].empty()) return;
  out << "\n";
  Table exports{{"TOLD TO", "SENT", "WHY"}};
  for (const auto& sent : answer["exports"]) {
    const auto yes = sent.value("sent", false);
    exports.add({word(sent, "peer"), {yes ? "yes" : "no", yes ? Colour::Good : Colour::None}, word(sent, "reason")});
  }
  exports.print(out, options.paint);
}

void explain(const Options& options, std::ostream& out) {
  if (options.words[0] == "service") return explain_service(options, options.words[1], out);
  if (options.words[0] == "route") return explain_route(options, options.words[1], out);
  throw Failure{"explain: must be service or route, got \"" + options.words[0] + "\"", 2};
}

// "name   text", a line of the status.
using Line = std::function<void(const char* name, const std::string& text, Colour colour)>;

void status_of_router(const json& answer, const Line& line) {
  if (answer.contains("asn")) {
    line("router",
         fmt::format("AS {}  id {}  listening on {}", word(answer, "asn"), word(answer, "routerId"),
                     joined(answer, "listening")),
         Colour::None);
    const auto& table = answer["table"];
    line("table",
         fmt::format("{} IPv4 and {} IPv6 prefixes, {} attribute sets, {} KiB", word(table, "ipv4Prefixes"),
                     word(table, "ipv6Prefixes"), word(table, "attributeSets"), table["bytes"].get<long long>() / 1024),
         Colour::None);
  } else {
    line("router", "none: " + word(answer, "noRouter"), Colour::Warning);
  }
  if (answer.value("draining", false))
    line("draining", "neighbors are told that this node is about to go", Colour::Warning);
  if (answer.value("restarting", false)) line("restarting", "waits for what the neighbors know", Colour::Warning);
  const auto& peers = answer["peers"];
  const auto up = peers.value("Established", 0);
  line("peers", fmt::format("{} of {} established", up, word(peers, "total")),
       up == peers.value("total", 0) ? Colour::Good : Colour::Bad);
  if (!answer.contains("bfd")) return;
  const auto& bfd = answer["bfd"];
  const auto all_up = bfd.value("Up", 0) == bfd.value("total", 0);
  line("BFD", fmt::format("{} of {} up", bfd.value("Up", 0), word(bfd, "total")), all_up ? Colour::Good : Colour::Bad);
}

void status_of_watchers(const json& answer, const Line& line) {
  for (const auto& station : answer.value("bmpStations", json::array())) {
    const auto connected = station.value("connected", false);
    std::string state = "connected, being told the tables";
    if (!connected)
      state = "not connected: " + word(station, "trouble");
    else if (station.value("tablesComplete", false))
      state = "connected for " + age(station["uptimeMsec"].get<long long>());
    line("BMP", fmt::format("{} port {}: {}", word(station, "address"), word(station, "port"), state),
         connected ? Colour::Good : Colour::Bad);
  }
  if (!answer.contains("mrt")) return;
  const auto& mrt = answer["mrt"];
  const auto trouble = mrt.contains("trouble");
  line("MRT", word(mrt, "directory") + (trouble ? ": " + word(mrt, "trouble") : ""),
       trouble ? Colour::Bad : Colour::None);
}

void status(const Options& options, std::ostream& out) {
  const auto answer = ask_speaker(options, "GET", "/status");
  if (print_structured(answer, options.format, out)) return;
  const auto line = [&](const char* name, const std::string& text, Colour colour = Colour::None) {
    out << painted(fmt::format("{:12}", name), Colour::Faint, options.paint) << painted(text, colour, options.paint)
        << "\n";
  };
  line("node", fmt::format("{}  herald {}  up {}", word(answer, "node"), word(answer, "version"),
                           age(answer["uptimeMsec"].get<long long>())));
  status_of_router(answer, line);
  line("announced", fmt::format("{} prefixes for {} service addresses by BGP", word(answer, "announcedPrefixes"),
                                word(answer, "announcedAddresses")));
  line("layer 2", fmt::format("{} of {} addresses answered here", word(answer["layer2"], "owned"),
                              word(answer["layer2"], "candidates")));
  line("live nodes", joined(answer, "liveNodes"));
  if (answer.contains("api")) {
    const auto reached = answer["api"].value("reachable", false);
    line("API", word(answer["api"], "url") + (reached ? " reached" : " not reached; everything stays as it is"),
         reached ? Colour::Good : Colour::Bad);
  }
  const auto& kernel = answer["kernel"];
  if (kernel.contains("routes")) {
    const auto& routes = kernel["routes"];
    line("kernel",
         fmt::format("{} routes programmed, {} pending, {} waiting, {} failed; table {}", word(routes, "programmed"),
                     word(routes, "pending"), word(routes, "waiting"), word(routes, "failed"), word(kernel, "table")));
  }
  if (const auto unreachable = joined(kernel, "unreachableNextHops"); unreachable != "-")
    line("next hops", "not reached: " + unreachable, Colour::Warning);
  status_of_watchers(answer, line);
  for (const auto& warning : kernel["warnings"]) line("warning", warning.get<std::string>(), Colour::Warning);
  for (const auto& problem : answer["problems"]) line("problem", problem.get<std::string>(), Colour::Bad);
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
  if (answer.error().unreachable())
    throw Failure{answer.error().message + "\n  Is herald-speaker running there, with --control " + control + "?"};
  throw Failure{answer.error().message};
}

void run_on_speaker(const Options& options, std::ostream& out) {
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
