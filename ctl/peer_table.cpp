// SPDX-License-Identifier: Apache-2.0
#include "ctl/peer_table.hpp"

#include <limits>

#include <fmt/format.h>

#include "ctl/words.hpp"

namespace ctl {

using nlohmann::json;

namespace {

std::string bfd_up(const json& peer) {
  if (!peer.contains("bfd") || !peer["bfd"].contains("uptimeMsec")) return "-";
  return age(peer["bfd"]["uptimeMsec"].get<long long>());
}

std::string family_counts(const json& peer, const char* counter) {
  return word(peer["families"]["ipv4Unicast"], counter) + "/" + word(peer["families"]["ipv6Unicast"], counter);
}

// Why nothing of all that it announced is used.
std::string nothing_accepted(const json& peer) {
  long long filtered = 0, accepted = 0, looped = 0;
  for (const auto& [name, family] : peer["families"].items()) {
    filtered += family.value("filtered", 0LL);
    accepted += family.value("accepted", 0LL);
  }
  if (filtered == 0 || accepted > 0) return "";
  const auto loops = peer.value("loops", json::object());
  for (const auto& [kind, count] : loops.items()) looped += count.get<long long>();
  if (loops.value("asPath", 0LL) == filtered) return "all its routes went through this AS already";
  if (looped == filtered) return "all its routes went through this node already";
  if (refuses_everything(peer)) return "nothing is accepted without an import filter (RFC 8212)";
  return "the import filters let nothing through";
}

// The last thing that went wrong, in words.
std::string trouble(const json& peer) {
  if (peer.contains("heldDown")) return word(peer, "heldDown");
  if (word(peer, "state") == "Established") {
    const auto blocked = takes_nothing(peer);
    return blocked.empty() ? nothing_accepted(peer) : blocked;
  }
  const auto reset = peer.value("lastReset", json::object());
  // Whichever was later.
  if (peer.contains("lastDialError") &&
      peer.value("lastDialErrorAgoMsec", 0LL) <= reset.value("agoMsec", std::numeric_limits<long long>::max()))
    return word(peer, "lastDialError");
  if (reset.empty()) return "";
  return (reset.contains("notification") ? word(reset, "by") + ": " : "") + word(reset, "text");
}

void print_ranges(const json& ranges, Paint paint, std::ostream& out) {
  Table table{{"RANGE", "PEER", "ASN", "PEERS", "MAXIMUM", "TROUBLE"}};
  for (const auto& range : ranges)
    table.add({word(range, "range"),
               word(range, "name"),
               word(range, "peerAsn"),
               word(range, "peers"),
               word(range, "maximumPeers"),
               {range.contains("heldDown") ? word(range, "heldDown") : "", Colour::Bad}});
  table.print(out, paint);
}

}  // namespace

bool refuses_everything(const json& peer) {
  const auto import = joined(peer, "import", ", ");
  return import == "reject-all" || import == "-";
}

std::string takes_nothing(const json& peer) {
  constexpr long long worth_a_word = 5000;
  const auto blocked = peer.value("blockedMsec", 0LL);
  if (blocked < worth_a_word) return "";
  const auto text = "the neighbor has taken nothing for " + age(blocked);
  const auto longest = peer.value("negotiated", json::object()).value("sendHoldTimeSec", 0LL);
  return longest == 0 ? text : text + "; the session ends after " + age(longest * 1000);
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

std::string bfd_timers(const json& peer) {
  if (!peer.contains("bfd") || !peer["bfd"]["remote"].contains("detectMultiplier")) return "-";
  const auto& bfd = peer["bfd"];
  const auto milliseconds = [&](const char* key) { return fmt::format("{:g}ms", bfd[key].get<double>()); };
  return milliseconds("transmitIntervalMsec") + "/" + milliseconds("receiveIntervalMsec") + " x" +
         word(bfd["remote"], "detectMultiplier") + (word(bfd["echo"], "state") == "active" ? " echo" : "");
}

void print_peer_table(const json& answer, Format format, Paint paint, std::ostream& out) {
  const auto wide = format == Format::Wide;
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
  const auto ranges = answer.contains("ranges");
  if (!table.empty()) table.print(out, paint);
  if (table.empty() && !ranges) out << "no peers on this node\n";
  if (!table.empty() && ranges) out << "\n";
  if (ranges) print_ranges(answer["ranges"], paint, out);
}

}  // namespace ctl
