// SPDX-License-Identifier: Apache-2.0
// What bgp_blast is asked to do.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "net/address.hpp"

namespace blast {

using Seconds = std::chrono::duration<double>;

enum class Mode {
  Measure,  // phases, then a report
  Keep,     // the announce phase, a report, and then the sessions stay up until the process is ended
  Monitor,  // no phases: a line for each prefix heard
  Dump,     // the prefixes, and no session at all
};
enum class Overlap { Same, Disjoint };  // do all senders announce the same prefixes?
enum class Probing { Quiet, WhileLoading };

struct Endpoint {
  net::IpAddress address = net::Ipv4Address{0x0a000001};
  std::uint16_t port = 179;
};

struct Options {
  Mode mode = Mode::Measure;
  Endpoint dut;
  // Peer i has the address, AS number and next hop of the first one plus i.
  net::IpAddress source = net::Ipv4Address{0x0a000101};
  net::IpAddress next_hop_ipv6;
  std::uint32_t first_asn = 65001;
  unsigned senders = 1;
  unsigned receivers = 1;

  std::uint32_t prefixes = 1000;     // of each sender
  std::uint32_t attribute_sets = 0;  // of each sender; 0: one for eight prefixes
  Overlap overlap = Overlap::Same;
  net::Family family = net::Family::Ipv4;
  std::uint64_t seed = 1;
  std::string table;         // an MRT file whose table is announced; empty: what the seed makes
  unsigned hold_time = 180;  // seconds

  std::uint32_t flap = 0;  // prefixes that the first sender announces again, with a longer path
  unsigned probes = 0;     // single prefixes announced and withdrawn
  Probing probing = Probing::Quiet;
  std::chrono::milliseconds probe_gap{5};
  bool down = false;      // a last phase: the first sender's session is closed
  bool fib_down = false;  // that phase waits for the kernel's table, too

  Seconds timeout{300};         // of one phase
  Seconds connect_timeout{30};  // until all sessions are up
  Seconds settle{1};            // from there to the first phase
  Seconds quiet{1};             // without UPDATEs and with an idle DUT: the end of a phase
  std::chrono::milliseconds retry{20};

  std::vector<int> pids;  // processes of the DUT: processor time and memory are theirs
  int fib_pid = 0;        // counts routes in this process's network namespace; 0: does not
  bool verbose = false;
};

// The options, or the exit code of a run that ends here (help, or a mistake that has been printed).
std::variant<Options, int> parse_options(int argc, const char* const* argv);

}  // namespace blast
