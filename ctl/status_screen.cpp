// SPDX-License-Identifier: Apache-2.0
#include "ctl/status_screen.hpp"

#include <functional>
#include <string>

#include <fmt/format.h>

#include "ctl/words.hpp"

namespace ctl {
namespace {

using nlohmann::json;

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

// Payloads without a connection are those that have not expired.
void status_of_caches(const json& answer, const Line& line) {
  if (!answer.contains("rpki")) return;
  const auto& rpki = answer["rpki"];
  for (const auto& cache : rpki["caches"]) {
    const auto synchronized = cache.value("synchronized", false);
    std::string state = "synchronized by version " + word(cache, "protocolVersion");
    if (synchronized && cache.contains("serial")) state += ", serial " + word(cache, "serial");
    if (!synchronized)
      state = cache.contains("trouble") ? "not connected: " + word(cache, "trouble") : "not synchronized yet";
    line("RPKI",
         fmt::format("{} port {}: {}; {} IPv4 and {} IPv6 VRPs", word(cache, "address"), word(cache, "port"), state,
                     word(cache, "ipv4Payloads"), word(cache, "ipv6Payloads")),
         synchronized ? Colour::Good : Colour::Bad);
  }
  if (rpki["caches"].size() > 1) line("", word(rpki, "payloads") + " distinct VRPs of all caches", Colour::None);
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

}  // namespace

void print_status(const json& answer, Paint paint, std::ostream& out) {
  const auto line = [&](const char* name, const std::string& text, Colour colour = Colour::None) {
    out << painted(fmt::format("{:12}", name), Colour::Faint, paint) << painted(text, colour, paint) << "\n";
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
  status_of_caches(answer, line);
  status_of_watchers(answer, line);
  for (const auto& warning : kernel["warnings"]) line("warning", warning.get<std::string>(), Colour::Warning);
  for (const auto& problem : answer["problems"]) line("problem", problem.get<std::string>(), Colour::Bad);
}

}  // namespace ctl
