// SPDX-License-Identifier: Apache-2.0
#include "tests/bench/bgp/blast/options.hpp"

#include <algorithm>
#include <charconv>
#include <iostream>
#include <optional>

#include <CLI/CLI.hpp>

namespace blast {
namespace {

constexpr unsigned max_probes = 65536;  // as many as there are /24s in the probes' block

std::optional<Endpoint> parse_endpoint(std::string_view text) {
  const auto colon = text.rfind(':');
  if (colon == std::string_view::npos) return std::nullopt;
  auto host = text.substr(0, colon);
  if (host.size() > 2 && host.front() == '[' && host.back() == ']') host = host.substr(1, host.size() - 2);
  const auto address = net::parse_ip(host);
  std::uint16_t port = 0;
  const auto digits = text.substr(colon + 1);
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
  if (!address || error != std::errc{} || end != digits.data() + digits.size()) return std::nullopt;
  return Endpoint{*address, port};
}

struct Texts {
  std::string dut = "10.0.0.1:179";
  std::string source = "10.0.1.1";
  std::string next_hop = "fd00::1:1";
  double timeout = 300, connect_timeout = 30, settle = 1, quiet = 1;  // seconds
  unsigned gap = 5, retry = 20;                                       // milliseconds
  bool disjoint = false, ipv6 = false, while_loading = false;
  bool monitor = false, keep = false, dump = false;
};

void declare(CLI::App& app, Options& options, Texts& texts) {
  app.add_option("--dut", texts.dut, "Where the daemon under test listens")->type_name("ADDRESS:PORT");
  app.add_option("--source", texts.source, "Address of the first peer; the next ones count up from it");
  app.add_option("--next-hop", texts.next_hop, "The first peer's IPv6 next hop");
  app.add_option("--first-asn", options.first_asn, "AS number of the first peer");
  app.add_option("--senders", options.senders, "Peers that announce");
  app.add_option("--receivers", options.receivers, "Peers that only listen");
  app.add_option("--prefixes", options.prefixes, "Prefixes of each sender");
  app.add_option("--attribute-sets", options.attribute_sets, "Attribute sets of each sender (0: an eighth of them)");
  app.add_flag("--disjoint", texts.disjoint, "Every sender has prefixes of its own (default: all the same)");
  app.add_flag("--ipv6", texts.ipv6, "IPv6 unicast instead of IPv4 unicast");
  app.add_option("--seed", options.seed, "Makes another set of prefixes and paths");
  app.add_option("--table", options.table,
                 "Announce the table of this MRT file (not compressed); sender i what its i-th largest peer had")
      ->check(CLI::ExistingFile);
  app.add_option("--hold-time", options.hold_time, "Seconds");
  app.add_option("--flap", options.flap, "Phase: the first sender announces N prefixes again, with a longer path");
  app.add_option("--probes", options.probes, "Phase: N single prefixes, announced and withdrawn")
      ->check(CLI::Range(0U, max_probes));
  app.add_flag("--while-loading", texts.while_loading,
               "The probes are sent while the second sender sends its prefixes, over and over");
  app.add_option("--gap", texts.gap, "Milliseconds between two probes");
  app.add_flag("--down", options.down, "Last phase: the first sender's session is closed");
  app.add_flag("--fib-down", options.fib_down, "That phase waits for the kernel's table, too");
  app.add_option("--timeout", texts.timeout, "Seconds for one phase");
  app.add_option("--connect-timeout", texts.connect_timeout, "Seconds until all sessions are up");
  app.add_option("--settle", texts.settle, "Seconds from there to the first phase");
  app.add_option("--quiet", texts.quiet, "Seconds of silence that end a phase");
  app.add_option("--retry", texts.retry, "Milliseconds between two attempts to connect");
  app.add_option("--pids", options.pids, "Processes of the daemon under test")->delimiter(',');
  app.add_option("--fib-pid", options.fib_pid, "Count the kernel's routes in the namespace of this process");
  app.add_flag("--monitor", texts.monitor, "No phases: print time, peer, + or -, and prefix for all that is heard");
  app.add_flag("--keep", texts.keep, "Announce, report, and stay until the process is ended");
  app.add_flag("--dump", texts.dump, "Print the prefixes and exit");
  app.add_flag("-v,--verbose", options.verbose, "Progress on standard error");
}

}  // namespace

std::variant<Options, int> parse_options(int argc, const char* const* argv) {
  Options options;
  Texts texts;
  CLI::App app{"Plays BGP peers against a daemon under test (DUT) and says when it has converged.", "bgp_blast"};
  declare(app, options, texts);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  const auto dut = parse_endpoint(texts.dut);
  const auto source = net::parse_ip(texts.source);
  const auto next_hop = net::parse_ip(texts.next_hop);
  if (!dut || !source || !next_hop) {
    std::cerr << "bgp_blast: --dut must be ADDRESS:PORT, --source and --next-hop must be addresses\n";
    return 2;
  }
  options.dut = *dut;
  options.source = *source;
  options.next_hop_ipv6 = *next_hop;
  options.overlap = texts.disjoint ? Overlap::Disjoint : Overlap::Same;
  options.family = texts.ipv6 ? net::Family::Ipv6 : net::Family::Ipv4;
  options.probing = texts.while_loading ? Probing::WhileLoading : Probing::Quiet;
  options.probe_gap = std::chrono::milliseconds{texts.gap};
  options.retry = std::chrono::milliseconds{texts.retry};
  options.timeout = Seconds{texts.timeout};
  options.connect_timeout = Seconds{texts.connect_timeout};
  options.settle = Seconds{texts.settle};
  options.quiet = Seconds{texts.quiet};
  options.mode = texts.dump ? Mode::Dump : texts.monitor ? Mode::Monitor : texts.keep ? Mode::Keep : Mode::Measure;
  const auto at_least_one = std::max(options.prefixes, 1U);
  if (options.attribute_sets == 0) options.attribute_sets = std::max(options.prefixes / 8, 1U);
  options.attribute_sets = std::min(options.attribute_sets, at_least_one);
  options.flap = options.senders > 0 ? std::min(options.flap, options.prefixes) : 0;
  if (options.probing == Probing::WhileLoading && options.senders < 2) {
    std::cerr << "bgp_blast: --while-loading needs --senders 2: the first one sends the probes\n";
    return 2;
  }
  if (!options.table.empty() && (options.overlap == Overlap::Disjoint || options.probes > 0)) {
    std::cerr << "bgp_blast: --table goes with neither --disjoint nor --probes\n";
    return 2;
  }
  return options;
}

}  // namespace blast
