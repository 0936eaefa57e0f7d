// SPDX-License-Identifier: Apache-2.0
#include "ctl/peer_screen.hpp"

#include <algorithm>
#include <array>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "ctl/peer_capabilities.hpp"
#include "ctl/peer_table.hpp"
#include "ctl/words.hpp"

namespace ctl {
namespace {

using nlohmann::json;

constexpr std::array families{std::pair{"ipv4Unicast", "IPv4"}, std::pair{"ipv6Unicast", "IPv6"}};

// Lines of "name   text". One without a text is left out.
class Lines {
 public:
  Lines(Paint paint, std::ostream& out) : paint_{paint}, out_{out} {}
  void operator()(const char* name, const std::string& text, Colour colour = Colour::None) const {
    if (text.empty()) return;
    out_ << painted(fmt::format("{:18}", name), Colour::Faint, paint_) << painted(text, colour, paint_) << "\n";
  }

 private:
  Paint paint_;
  std::ostream& out_;
};

// Parts of a sentence; empty ones are left out.
class Parts {
 public:
  Parts& add(const std::string& part, const char* before = ", ") {
    if (!part.empty()) text_ += (text_.empty() ? "" : before) + part;
    return *this;
  }
  Parts& add_if(bool condition, const char* part) { return condition ? add(part) : *this; }
  [[nodiscard]] const std::string& text() const { return text_; }

 private:
  std::string text_;
};

std::string age_under(const json& object, const char* key) {
  return age(std::max(0LL, object[key].get<long long>()));  // what is due may be a moment late
}

std::string seconds(const json& object, const char* key) {
  const auto count = object[key].get<long long>();
  return count < 120 ? fmt::format("{}s", count) : age(count * 1000);
}

std::string times(const json& object, const char* key, const char* one, const char* several) {
  const auto count = object.value(key, 0LL);
  return fmt::format("{} {}", count, count == 1 ? one : several);
}

// ---- the session -----------------------------------------------------------------------------------

void add_state(const json& peer, const Lines& line) {
  const auto state = state_cell(peer);
  Parts parts;
  parts.add(state.text);
  if (peer.contains("uptimeMsec")) parts.add("for " + age_under(peer, "uptimeMsec"), " ");
  if (peer.contains("establishedAt")) parts.add("since " + word(peer, "establishedAt"));
  if (peer.contains("heldDown")) parts.add(word(peer, "heldDown"), ": ");
  if (peer.contains("shutdown") && !word(peer, "shutdown").empty()) parts.add(word(peer, "shutdown"), ": ");
  if (peer.contains("nextAttemptMsec")) parts.add("next attempt in " + age_under(peer, "nextAttemptMsec"));
  line("state", parts.text(), state.colour);
  line("sessions", times(peer, "establishedCount", "time", "times") + " established, " +
                       times(peer, "failedAttempts", "attempt", "attempts") + " failed");
  if (peer.value("draining", false)) line("draining", "it is told to find other ways", Colour::Warning);
  if (peer.value("catchingUp", false)) line("catching up", "it is slower than others and sent its routes apart");
}

std::string who(const json& reset) {
  const auto by = word(reset, "by");
  return by == "local" ? "by this node" : by == "remote" ? "by the neighbor" : "by the connection";
}

void add_last_reset(const json& peer, const Lines& line) {
  if (peer.contains("lastReset")) {
    const auto& reset = peer["lastReset"];
    Parts parts;
    if (reset.contains("agoMsec")) parts.add(age_under(reset, "agoMsec") + " ago");
    parts.add(who(reset), " ").add(word(reset, "text"), ": ");
    line("last reset", parts.text());
  }
  if (!peer.contains("lastDialError")) return;
  const auto when = peer.contains("lastDialErrorAgoMsec") ? age_under(peer, "lastDialErrorAgoMsec") + " ago: " : "";
  line("last attempt", when + word(peer, "lastDialError"), Colour::Bad);
}

void add_addresses(const json& peer, const Lines& line) {
  Parts parts;
  parts.add(word(peer, "address") + " port " + word(peer, "port"));
  if (peer.contains("transport")) {
    const auto& transport = peer["transport"];
    if (transport["remotePort"] != peer["port"]) parts.add("connected from port " + word(transport, "remotePort"));
    parts.add("here " + word(transport, "local") + " port " + word(transport, "localPort"));
  }
  if (peer.contains("interface")) parts.add("on " + word(peer, "interface"));
  parts.add_if(peer.value("passive", false), "only it connects");
  line("addresses", parts.text());
}

void add_as_numbers(const json& peer, const Lines& line) {
  const auto negotiated = peer.value("negotiated", json::object());
  Parts parts;
  parts.add(negotiated.contains("peerAsn") ? word(negotiated, "peerAsn") : word(peer, "peerAsn"));
  if (negotiated.contains("type")) parts.add("(" + word(negotiated, "type") + ")", " ");
  parts.add("here " + word(peer, "localAsn"));
  if (peer.contains("routerAsn")) {
    parts.add("instead of " + word(peer, "routerAsn"), " ");
    if (const auto options = joined(peer, "localAsnOptions", ", "); options != "-") parts.add("(" + options + ")", " ");
  }
  if (negotiated.contains("peerRouterId")) parts.add("router ID " + word(negotiated, "peerRouterId"));
  line("AS numbers", parts.text());
}

void add_timers(const json& peer, const Lines& line) {
  const auto& configured = peer["timers"];
  const auto hold = [](const json& from) {
    if (from.value("holdTimeSec", 0) == 0) return std::string{"hold and keepalive off"};
    const auto keepalive = from.contains("keepaliveTimeSec") ? ", keepalive " + seconds(from, "keepaliveTimeSec") : "";
    return "hold " + seconds(from, "holdTimeSec") + keepalive;
  };
  Parts parts;
  if (peer.contains("negotiated")) parts.add(hold(peer["negotiated"]) + " agreed");
  if (peer.contains("negotiated") && peer["negotiated"].value("sendHoldTimeSec", 0) > 0)
    parts.add("send hold " + seconds(peer["negotiated"], "sendHoldTimeSec"));
  parts.add(hold(configured) + " configured", "; ").add("connect retry " + seconds(configured, "connectRetrySec"));
  line("timers", parts.text());
}

// ---- configuration ---------------------------------------------------------------------------------

void add_role(const json& peer, const Lines& line) {
  if (!peer.contains("role")) return;
  Parts parts;
  parts.add(word(peer, "role"));
  const auto agreed = "/negotiated/role/confirmed"_json_pointer;
  if (peer.contains(agreed))
    parts.add(peer[agreed].get<bool>() ? "confirmed by the neighbor" : "the neighbor says none");
  parts.add_if(peer.value("roleStrict", false), "it must say its own");
  line("role", parts.text());
}

void add_reach(const json& peer, const Lines& line) {
  if (!peer.contains("reach")) return line("reach", "any distance");
  const auto& reach = peer["reach"];
  const auto kind = word(reach, "kind");
  const auto ttl = "packets leave with TTL " + word(reach, "ttl");
  if (kind == "direct") return line("reach", "directly connected: " + ttl);
  if (kind == "multihop") return line("reach", "multihop: " + ttl);
  line("reach", "TTL security (GTSM): " + ttl + ", and with less than " + word(reach, "minimumTtl") + " are dropped");
}

void add_security(const json& peer, const Lines& line) {
  Parts parts;
  if (peer.contains("authentication")) {
    const auto& keys = peer["authentication"];
    const auto md5 = word(keys, "type") == "md5";
    parts.add(md5 ? "TCP MD5" : "TCP-AO " + word(keys, "algorithm") + " with keys " + joined(keys, "keys"));
  }
  parts.add_if(peer.contains("reach") && word(peer["reach"], "kind") == "ttl-security", "GTSM");
  line("security", parts.text().empty() ? "none" : parts.text());
}

// RFC 8212: nothing is accepted without a filter that does.
void add_filters(const json& peer, const Lines& line) {
  auto import = joined(peer, "import", ", ");
  const auto refuses = refuses_everything(peer);
  if (refuses) import += ": every route is refused, as without a filter (RFC 8212)";
  if (peer.value("keepRejected", false)) import += "; rejected routes are kept for display";
  line("import filters", import, refuses ? Colour::Warning : Colour::None);
  const auto own = "none: what this node announces, and nothing learned";
  line("export filters", peer.contains("export") ? joined(peer, "export", ", ") : own);
}

void add_paths(const json& peer, const Lines& line) {
  Parts as_path;
  as_path.add_if(peer.value("asOverride", false), "the neighbor's number becomes ours");
  const auto numbers = word(peer, "privateAsns");
  as_path.add_if(numbers == "remove", "private numbers are removed")
      .add_if(numbers == "replace", "private numbers become ours");
  if (peer.contains("allowedOwnAsns"))
    as_path.add("our number may stand in received ones " + times(peer, "allowedOwnAsns", "time", "times"));
  as_path.add_if(!peer.value("enforceFirstAs", true), "the neighbor's number need not come first");
  line("AS paths", as_path.text());
  const auto given = peer.contains("nextHops") ? ": " + joined(peer, "nextHops") : "";
  line("next hop", (peer.contains("nextHopMode") ? word(peer, "nextHopMode") : "auto") + given);
  Parts routes;
  routes.add_if(peer.value("routeReflectorClient", false), "route reflector client")
      .add_if(peer.value("defaultOriginate", false), "a default route is announced")
      .add_if(peer.value("aigp", false), "accumulated IGP metric")
      .add_if(peer.value("acceptBlackhole", false), "BLACKHOLE is obeyed")
      .add_if(!peer.value("honorGracefulShutdown", true), "GRACEFUL_SHUTDOWN is ignored");
  line("routes", routes.text());
  if (!peer.contains("addPath")) return;
  const auto& several = peer["addPath"];
  Parts add_path;
  add_path.add_if(several.value("receive", false), "several paths are taken");
  if (several.value("send", 0) > 0) add_path.add("the best " + word(several, "send") + " are announced");
  line("add-path", add_path.text());
}

void add_limits(const json& peer, const Lines& line) {
  const auto& limit = peer["prefixLimit"];
  Parts counts;
  for (const auto& [key, name] : families)
    if (limit.value(key, 0LL) != 0) counts.add(word(limit, key) + " " + name);
  if (limit.contains("maximumOut")) counts.add(word(limit, "maximumOut") + " of each family announced");
  if (counts.text().empty()) return line("prefix limits", "none");
  Parts parts;
  parts.add(counts.text());
  if (limit.value("warningPercent", 0) != 0) parts.add("warning at " + word(limit, "warningPercent") + "%", "; ");
  if (word(limit, "action") == "warn")
    parts.add("more are only warned of", "; ");
  else if (limit.contains("restartSec"))
    parts.add("more end the session, until it is tried again after " + seconds(limit, "restartSec"), "; ");
  else
    parts.add("more end the session", "; ");
  line("prefix limits", parts.text());
}

// What a range and each of its neighbours have in common.
void add_configuration(const json& peer, const Lines& line) {
  add_role(peer, line);
  add_timers(peer, line);
  add_reach(peer, line);
  add_security(peer, line);
  add_filters(peer, line);
  add_paths(peer, line);
  add_limits(peer, line);
}

// ---- what watches and outlives the session -----------------------------------------------------------

// "off", "helper", "full"; what the neighbour said; what holds of its routes now.
void add_restart(const json& peer, const Lines& line) {
  const auto& configured = peer["gracefulRestart"];
  Parts parts;
  parts.add(word(configured, "mode"));
  const auto agreed = "/negotiated/gracefulRestart"_json_pointer;
  if (peer.contains(agreed)) {
    const auto& terms = peer[agreed];
    const auto kept = terms["ipv4Unicast"].value("kept", false) || terms["ipv6Unicast"].value("kept", false);
    parts.add(kept ? "the neighbor may be away for " + seconds(terms, "restartTimeSec") : "no route of it is kept",
              "; ");
    parts.add_if(kept && terms.value("notification", false), "also after a NOTIFICATION that is no hard reset");
    parts.add_if(terms.value("longLived", false), "long-lived stale routes may be told to it");
  } else if (peer.contains("negotiated")) {
    parts.add("the neighbor takes no part", "; ");
  }
  for (const auto& [key, name] : families) {
    const auto& state = configured[key];
    if (word(state, "phase") == "none") continue;
    const auto left = state.contains("untilMsec") ? " for " + age_under(state, "untilMsec") + " more" : std::string{};
    parts.add(std::string{name} + " routes are stale (" + word(state, "phase") + ")" + left, "; ");
  }
  line("graceful restart", parts.text());
}

// "every 10ms" behind timers that say that it runs.
void add_echo(const json& bfd, Parts& parts) {
  const auto& echo = bfd["echo"];
  if (word(echo, "state") == "active" && echo.contains("intervalMsec"))
    parts.add(fmt::format("every {:g}ms", echo["intervalMsec"].get<double>()), " ");
  parts.add_if(word(echo, "state") == "probing", "echo is tried");
}

void add_bfd(const json& peer, const Lines& line) {
  if (!peer.contains("bfd")) return;
  const auto& bfd = peer["bfd"];
  const auto state = bfd_cell(peer);
  Parts parts;
  parts.add(state.text);
  if (bfd.contains("uptimeMsec")) parts.add("for " + age_under(bfd, "uptimeMsec"), " ");
  if (const auto timers = bfd_timers(peer); timers != "-") parts.add(timers);
  add_echo(bfd, parts);
  parts.add("profile " + word(bfd, "profile")).add_if(bfd.value("strict", false), "strict");
  parts.add_if(bfd.value("multihop", false), "multihop")
      .add_if(bfd.value("passive", false), "only the neighbor begins")
      .add_if(bfd["remote"].value("controlPlaneIndependent", false), "the neighbor's outlives its control plane");
  if (bfd.contains("authentication") && !bfd["authentication"].is_null())
    parts.add("packets are signed (" + word(bfd, "authentication") + ")");
  line("BFD", parts.text(), state.colour);
}

// What it announced although it came from here.
void add_loops(const json& peer, const Lines& line) {
  if (!peer.contains("loops")) return;
  constexpr std::array kinds{
      std::pair{"asPath", "through this AS"}, std::pair{"originatorId", "that this node originated"},
      std::pair{"clusterList", "through this cluster"}, std::pair{"nextHop", "with this node as next hop"}};
  Parts parts;
  for (const auto& [key, text] : kinds)
    if (const auto count = peer["loops"].value(key, 0LL); count != 0) parts.add(fmt::format("{} {}", count, text));
  line("loops", parts.text());
}

void add_messages(const json& peer, const Lines& line) {
  const auto counts = [](const json& by_type) {
    Parts parts;
    for (const auto& [type, count] : by_type.items())
      if (count != 0) parts.add(type + " " + count.dump());
    return parts.text().empty() ? "none" : parts.text();
  };
  line("messages in", counts(peer["messages"]["in"]));
  line("messages out", counts(peer["messages"]["out"]));
  if (const auto blocked = takes_nothing(peer); !blocked.empty()) line("blocked", blocked, Colour::Bad);
  add_loops(peer, line);
  if (!peer.contains("attributeFaults")) return;
  Parts faults;
  for (const auto& [type, count] : peer["attributeFaults"].items()) faults.add(count.dump() + " of attribute " + type);
  if (const auto& kept = peer["malformedUpdates"]; !kept.empty())
    faults.add("last: " + word(kept.back(), "reason"), "; ");
  line("malformed", faults.text(), Colour::Warning);
}

void print_families(const json& peer, Paint paint, std::ostream& out) {
  constexpr std::array counters{"received", "accepted", "filtered", "leaked", "best", "advertised", "stale"};
  Table table{{"FAMILY", "RECEIVED", "ACCEPTED", "FILTERED", "LEAKED", "BEST", "ADVERTISED", "STALE"}};
  for (const auto& [key, name] : families) {
    std::vector<Cell> row{name};
    for (const auto* counter : counters) row.emplace_back(std::to_string(peer["families"][key].value(counter, 0ULL)));
    table.add(std::move(row));
  }
  table.print(out, paint);
}

std::string title(const json& object) {
  return word(object, "name") + (object.contains("description") ? " (" + word(object, "description") + ")" : "");
}

}  // namespace

void print_peer(const json& peer, Paint paint, std::ostream& out) {
  const Lines line{paint, out};
  line("peer", title(peer));
  if (peer.contains("group")) line("of", word(peer, "group") + (peer.value("dynamic", false) ? ", by its range" : ""));
  add_state(peer, line);
  add_last_reset(peer, line);
  add_addresses(peer, line);
  add_as_numbers(peer, line);
  add_configuration(peer, line);
  add_restart(peer, line);
  add_bfd(peer, line);
  add_messages(peer, line);
  out << "\n";
  print_families(peer, paint, out);
  out << "\n";
  capabilities_of(peer).print(out, paint);
}

void print_range(const json& range, Paint paint, std::ostream& out) {
  const Lines line{paint, out};
  line("peer", title(range));
  line("range", word(range, "range") + (range.contains("interface") ? " on " + word(range, "interface") : ""));
  line("peers", word(range, "peers") + " of at most " + word(range, "maximumPeers"));
  if (range.contains("heldDown")) line("state", "HeldDown: " + word(range, "heldDown"), Colour::Bad);
  if (range.contains("shutdown")) line("state", "Shutdown", Colour::Warning);
  add_as_numbers(range, line);
  add_configuration(range, line);
}

}  // namespace ctl
