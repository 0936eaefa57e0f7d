// SPDX-License-Identifier: Apache-2.0
// mrt: what is in an MRT file, row by row as it is read, and files that a speaker writes.
#include <algorithm>
#include <array>
#include <chrono>
#include <ctime>
#include <fstream>
#include <iostream>
#include <thread>

#include <fmt/format.h>

#include "bgp/wire/text.hpp"
#include "ctl/commands.hpp"
#include "ctl/mrt_rows.hpp"

namespace ctl {
namespace {

using Json = nlohmann::ordered_json;

struct Wanted {
  std::optional<net::Prefix> prefix;
  std::optional<net::IpAddress> peer;
  std::optional<net::Asn> asn;
  std::optional<net::Family> family;

  [[nodiscard]] bool takes(const MrtRow& row) const {
    if (prefix && (!row.prefix || row.prefix->length() < prefix->length() || !prefix->contains(row.prefix->address())))
      return false;
    if (family && (!row.prefix || row.prefix->family() != *family)) return false;
    if (peer && row.peer != peer) return false;
    return !asn || row.asn == *asn || (row.attributes && row.attributes->as_path.contains(*asn));
  }
};

Wanted wanted(const Options& options) {
  Wanted made;
  if (!options.prefix.empty()) {
    made.prefix = net::parse_prefix(options.prefix);
    if (!made.prefix) throw Failure{"mrt: --prefix must be ADDRESS/LENGTH, got \"" + options.prefix + "\"", 2};
  }
  if (!options.peer.empty()) {
    made.peer = net::parse_ip(options.peer);
    if (!made.peer) throw Failure{"mrt: --peer must be an address, got \"" + options.peer + "\"", 2};
  }
  if (!options.asn.empty()) {
    made.asn = net::parse_asn(options.asn);
    if (!made.asn) throw Failure{"mrt: --asn must be an AS number, got \"" + options.asn + "\"", 2};
  }
  if (!options.family.empty()) made.family = options.family == "ipv4" ? net::Family::Ipv4 : net::Family::Ipv6;
  return made;
}

std::string print_time(const MrtRow& row) {
  const std::time_t seconds = row.time.seconds;
  std::tm parts{};
  ::gmtime_r(&seconds, &parts);
  auto text = fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}", parts.tm_year + 1900, parts.tm_mon + 1, parts.tm_mday,
                          parts.tm_hour, parts.tm_min, parts.tm_sec);
  if (row.microseconds) text += fmt::format(".{:06}", row.time.microseconds);
  return text + "Z";
}

Json view(const MrtRow& row) {
  Json out{{"offset", row.offset}, {"time", print_time(row)}, {"kind", print(row.kind)}};
  if (row.peer) {
    out["peer"] = net::print(*row.peer);
    out["peerAsn"] = row.asn.value;
  }
  if (row.sent) out["sent"] = true;
  if (row.prefix) out["prefix"] = net::print(*row.prefix);
  if (row.path_id) out["pathId"] = *row.path_id;
  if (row.attributes && row.kind != MrtRow::Kind::Withdrawn) {
    const auto& attributes = *row.attributes;
    const auto& next_hop = attributes.next_hop.address;
    const bool missing = next_hop == net::IpAddress{} && row.prefix && !row.prefix->is_v4();
    if (!missing) out["nextHop"] = net::print(next_hop);
    out["asPath"] = bgp::print(attributes.as_path);
    out["origin"] = bgp::print(attributes.origin);
    if (attributes.med) out["med"] = *attributes.med;
    if (attributes.local_pref) out["localPref"] = *attributes.local_pref;
    if (attributes.aigp) out["aigp"] = attributes.aigp->metric;
    const auto list = [&](const char* key, const auto& values) {
      for (const auto& value : values) out[key].push_back(bgp::print(value));
    };
    list("communities", attributes.communities);
    list("largeCommunities", attributes.large_communities);
    list("extendedCommunities", attributes.extended_communities);
    list("ipv6ExtendedCommunities", attributes.ipv6_extended_communities);
    if (attributes.atomic_aggregate) out["atomicAggregate"] = true;
    if (attributes.aggregator)
      out["aggregator"] = {{"asn", attributes.aggregator->asn.value},
                           {"address", net::print(net::IpAddress{attributes.aggregator->address})}};
  }
  if (!row.text.empty()) out["text"] = row.text;
  return out;
}

// Columns are of fixed width: the file is never in memory.
void print_line(const MrtRow& row, std::ostream& out) {
  std::string rest = row.text;
  std::string next_hop = "-";
  if (row.attributes && row.kind != MrtRow::Kind::Withdrawn) {
    next_hop = net::print(row.attributes->next_hop.address);
    const auto path = bgp::print(row.attributes->as_path);
    rest = (path.empty() ? "-" : path) + (rest.empty() ? "" : "  " + rest);
  }
  auto prefix = row.prefix ? net::print(*row.prefix) : std::string{"-"};
  if (row.path_id) prefix += " id " + std::to_string(*row.path_id);
  const auto peer = row.peer ? net::print(*row.peer) + " AS" + std::to_string(row.asn.value) : std::string{"-"};
  out << fmt::format("{:<27} {:<10} {:<28} {:<24} {:<16} {}\n", print_time(row), print(row.kind),
                     (row.sent ? "to " : "") + peer, prefix, next_hop, rest);
}

void show(const Options& options, const std::string& name, std::ostream& out) {
  const auto filter = wanted(options);
  if (options.format == Format::Yaml || options.format == Format::Name)
    throw Failure{"mrt show: -o must be table, wide or json", 2};
  std::ifstream file;
  if (name != "-") {
    file.open(name, std::ios::binary);
    if (!file) throw Failure{name + ": cannot be read"};
  }
  auto& input = name == "-" ? std::cin : file;
  const auto json = options.format == Format::Json;
  std::size_t rows = 0;
  if (json)
    out << R"({"schemaVersion":1,"rows":[)";
  else
    out << fmt::format("{:<27} {:<10} {:<28} {:<24} {:<16} {}\n", "TIME", "KIND", "PEER", "PREFIX", "NEXT HOP",
                       "AS PATH");
  const auto problem = read_mrt(input, [&](const MrtRow& row) {
    if (!filter.takes(row)) return;
    if (json)
      out << (rows == 0 ? "\n" : ",\n") << view(row).dump(-1, ' ', false, Json::error_handler_t::replace);
    else
      print_line(row, out);
    ++rows;
  });
  if (json) out << "\n]}\n";
  if (!problem.empty()) throw Failure{(name == "-" ? std::string{"standard input"} : name) + ": " + problem};
}

// Asks for a file and waits until it is whole.
void dump(const Options& options, std::ostream& out) {
  const auto begun = ask_speaker(options, "POST", "/mrt/dump");
  const auto file = begun.at("file").get<std::string>();
  for (;;) {
    const auto status = ask_speaker(options, "GET", "/mrt");
    const auto last = status.value("lastTable", nlohmann::json::object());
    if (last.value("file", "") != file) throw Failure{file + ": was given up"};
    if (!status.value("dumping", false)) {
      if (last.contains("error")) throw Failure{last["error"].get<std::string>()};
      if (print_structured(last, options.format, out)) return;
      out << file << ": " << last.value("prefixes", 0) << " prefixes\n";
      return;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds{50});
  }
}

}  // namespace

void run_on_mrt(const Options& options, std::ostream& out) {
  const auto& words = options.words;
  if (words.size() == 1 && words[0] == "dump") return dump(options, out);
  if (words.size() == 2 && words[0] == "show") return show(options, words[1], out);
  if (words.size() == 1 && words[0] != "show") return show(options, words[0], out);
  throw Failure{"mrt: must be show FILE or dump", 2};
}

}  // namespace ctl
