// SPDX-License-Identifier: Apache-2.0
// The speaker's metrics in Prometheus' text form. Gauges and counters are read from the parts when somebody
// scrapes; only the latency histogram is kept here. docs/reference/metrics.md lists every name.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include <prometheus/histogram.h>

#include "bgp/router_status.hpp"
#include "net/time.hpp"
#include "netlink/fib.hpp"
#include "speaker/bfd_side.hpp"
#include "speaker/bmp/station.hpp"
#include "speaker/control/rpki_view.hpp"
#include "speaker/layer2/responder.hpp"
#include "speaker/mrt/mrt_files.hpp"

namespace speaker {

// What a scrape sees.
struct MetricsView {
  std::vector<bgp::NeighborStatus> neighbors;
  bgp::TableStatus table;
  std::map<std::string, BfdStatus> bfd;  // by peer
  std::optional<std::array<std::uint64_t, bfd::discard_kinds>> bfd_discarded;
  std::optional<netlink::FibCounters> kernel;
  std::vector<CacheStatus> rpki_caches;
  std::vector<StationStatus> stations;
  std::optional<MrtStatus> mrt;
  L2Counters layer2;
  std::size_t owned_addresses = 0;
  std::size_t announced_prefixes = 0;
  std::size_t announced_addresses = 0;
  std::map<std::string, std::size_t> resources;  // by kind
  std::size_t problems = 0;
  bool api = false;  // follows an API
  bool api_connected = false;
  double uptime_seconds = 0;
};

class Metrics {
 public:
  Metrics();
  // From the arrival of a change of resources to its routes being ready for the sessions' sockets.
  void announced_after(net::Duration latency);
  [[nodiscard]] std::string text(const MetricsView& view) const;

 private:
  prometheus::Histogram announce_;
};

}  // namespace speaker
