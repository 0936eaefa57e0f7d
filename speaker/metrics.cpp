// SPDX-License-Identifier: Apache-2.0
#include "speaker/metrics.hpp"

#include <array>

#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

#include "speaker/bgp/endpoint.hpp"

namespace speaker {
namespace {

using Labels = std::vector<std::pair<std::string, std::string>>;
using prometheus::MetricFamily;
using prometheus::MetricType;

// Collects samples into families, in the order in which they are first named.
class Page {
 public:
  void gauge(const std::string& name, const std::string& help, double value, const Labels& labels = {}) {
    sample(name, help, MetricType::Gauge, labels).gauge.value = value;
  }
  void counter(const std::string& name, const std::string& help, double value, const Labels& labels = {}) {
    sample(name, help, MetricType::Counter, labels).counter.value = value;
  }
  void histogram(const std::string& name, const std::string& help, const prometheus::Histogram& from) {
    auto& metric = sample(name, help, MetricType::Histogram, {});
    metric = from.Collect();
  }
  [[nodiscard]] std::string text() const { return prometheus::TextSerializer{}.Serialize(families_); }

 private:
  prometheus::ClientMetric& sample(const std::string& name, const std::string& help, MetricType type,
                                   const Labels& labels) {
    const auto [at, added] = index_.try_emplace(name, families_.size());
    if (added) families_.push_back(MetricFamily{name, help, type, {}});
    auto& metric = families_[at->second].metric.emplace_back();
    for (const auto& [key, value] : labels) {
      metric.label.emplace_back();
      metric.label.back().name = key;
      metric.label.back().value = value;
    }
    return metric;
  }
  std::vector<MetricFamily> families_;
  std::map<std::string, std::size_t> index_;
};

constexpr std::array message_types{"", "open", "update", "notification", "keepalive", "route_refresh"};

double number(std::uint64_t value) {
  return static_cast<double>(value);
}

void add_family(Page& page, const std::string& peer, const std::string& family, const bgp::FamilyCounters& counters) {
  const Labels labels{{"peer", peer}, {"family", family}};
  page.gauge("herald_bgp_prefixes_received", "Prefixes held from the peer", number(counters.received), labels);
  page.gauge("herald_bgp_prefixes_accepted", "Of these, accepted by import filters", number(counters.accepted), labels);
  page.gauge("herald_bgp_prefixes_best", "Prefixes whose best path is the peer's", number(counters.best), labels);
  page.gauge("herald_bgp_prefixes_advertised", "Prefixes that the peer has from us", number(counters.advertised),
             labels);
  page.gauge("herald_bgp_prefixes_stale", "Prefixes of an earlier session that are still in use",
             number(counters.stale), labels);
  page.counter("herald_bgp_prefixes_leaked_total", "Announcements that RFC 9234 forbids", number(counters.leaked),
               labels);
  page.counter("herald_bgp_prefixes_filtered_total", "Announcements that import filters or loop detection rejected",
               number(counters.filtered), labels);
}

void add_neighbor(Page& page, const bgp::NeighborStatus& neighbor) {
  const Labels peer{{"peer", neighbor.name}};
  const auto& session = neighbor.session;
  page.gauge("herald_bgp_session_up", "1 while the session is Established",
             session.state == bgp::State::Established ? 1 : 0, peer);
  page.gauge("herald_bgp_session_held_down", "1 while the peer is kept down because something is missing",
             neighbor.hold_down.empty() ? 0 : 1, peer);
  page.counter("herald_bgp_sessions_established_total", "How often the session came up",
               number(session.established_count), peer);
  add_family(page, neighbor.name, "ipv4", neighbor.ipv4);
  add_family(page, neighbor.name, "ipv6", neighbor.ipv6);
  for (std::size_t type = 1; type < message_types.size(); ++type) {
    const auto* help = "BGP messages by type and direction";
    page.counter("herald_bgp_messages_total", help, number(session.messages.in[type]),
                 {{"peer", neighbor.name}, {"type", message_types[type]}, {"direction", "in"}});
    page.counter("herald_bgp_messages_total", help, number(session.messages.out[type]),
                 {{"peer", neighbor.name}, {"type", message_types[type]}, {"direction", "out"}});
  }
  for (const auto& [type, count] : neighbor.attribute_faults)
    page.counter("herald_bgp_attribute_faults_total", "Malformed attributes handled by RFC 7606, by attribute type",
                 number(count), {{"peer", neighbor.name}, {"attribute", std::to_string(type)}});
}

void add_bfd(Page& page, const std::string& name, const BfdStatus& bfd) {
  const Labels peer{{"peer", name}};
  const auto& session = bfd.session;
  const auto seconds = [](auto interval) { return std::chrono::duration<double>(interval).count(); };
  page.gauge("herald_bfd_session_up", "1 while the BFD session is Up", session.state == bfd::State::Up ? 1 : 0, peer);
  page.counter("herald_bfd_session_up_events_total", "How often the BFD session came up", number(session.times_up),
               peer);
  page.counter("herald_bfd_session_down_events_total", "How often it went down from Up", number(session.times_down),
               peer);
  page.gauge("herald_bfd_detection_seconds", "After how long without a packet the peer is taken for lost",
             seconds(session.detection_time), peer);
  page.counter("herald_bfd_control_packets_total", "BFD Control packets", number(session.packets_in),
               {{"peer", name}, {"direction", "in"}});
  page.counter("herald_bfd_control_packets_total", "", number(session.packets_out),
               {{"peer", name}, {"direction", "out"}});
  page.counter("herald_bfd_echo_packets_total", "Echoes of this node: sent, and come back", number(session.echoes_in),
               {{"peer", name}, {"direction", "in"}});
  page.counter("herald_bfd_echo_packets_total", "", number(session.echoes_out), {{"peer", name}, {"direction", "out"}});
}

void add_kernel(Page& page, const netlink::FibCounters& kernel) {
  const auto* help = "Routes by what became of them";
  page.gauge("herald_kernel_routes", help, number(kernel.routes.programmed), {{"state", "programmed"}});
  page.gauge("herald_kernel_routes", help, number(kernel.routes.pending), {{"state", "pending"}});
  page.gauge("herald_kernel_routes", help, number(kernel.routes.waiting), {{"state", "waiting"}});
  page.gauge("herald_kernel_routes", help, number(kernel.routes.failed), {{"state", "failed"}});
  page.gauge("herald_next_hops", "Next hops of learned routes, by whether a way to them is known",
             number(kernel.tracked - kernel.unreachable), {{"state", "reachable"}});
  page.gauge("herald_next_hops", "", number(kernel.unreachable), {{"state", "unreachable"}});
  page.gauge("herald_kernel_nexthops", "Nexthop objects in the kernel", number(kernel.routes.nexthops));
  page.gauge("herald_kernel_nexthop_groups", "Nexthop groups in the kernel", number(kernel.routes.groups));
  page.counter("herald_kernel_messages_total", "Messages written to the kernel", number(kernel.messages));
  page.counter("herald_kernel_batches_total", "System calls that wrote them", number(kernel.batches));
  page.counter("herald_kernel_errors_total", "Messages that the kernel refused", number(kernel.routes.errors));
  page.counter("herald_kernel_routes_reasserted_total", "Routes written again because somebody took them away",
               number(kernel.routes.reasserted));
  page.counter("herald_kernel_routes_adopted_total", "Routes of an earlier life found at start",
               number(kernel.routes.adopted));
  page.counter("herald_kernel_event_overruns_total", "Times that the kernel dropped events", number(kernel.overruns));
  page.counter("herald_kernel_resyncs_total", "Comparisons with all that the kernel has", number(kernel.resyncs));
  page.counter("herald_kernel_write_seconds_total", "Time spent waiting for the kernel",
               std::chrono::duration<double>(kernel.writing).count());
}

void add_cache(Page& page, const CacheStatus& cache) {
  const auto name = print_endpoint(cache.address, cache.port);
  page.gauge("herald_rpki_session_up", "1 while the RPKI cache is connected and has said everything",
             cache.synchronized ? 1 : 0, {{"cache", name}});
  page.gauge("herald_rpki_payloads", "Validated ROA payloads from the cache that are in use",
             number(cache.ipv4_payloads), {{"cache", name}, {"family", "ipv4"}});
  page.gauge("herald_rpki_payloads", "", number(cache.ipv6_payloads), {{"cache", name}, {"family", "ipv6"}});
}

void add_station(Page& page, const StationStatus& station) {
  const Labels labels{{"station", print_endpoint(station.config.address, station.config.port)}};
  page.gauge("herald_bmp_connected", "1 while the monitoring station is connected", station.connected ? 1 : 0, labels);
  page.counter("herald_bmp_connections_total", "Connections to the station", number(station.connections), labels);
  page.counter("herald_bmp_overflows_total", "Connections given up because the station was too slow",
               number(station.overflows), labels);
  page.counter("herald_bmp_messages_total", "BMP messages made for the station", number(station.messages), labels);
  page.counter("herald_bmp_octets_total", "Octets given to its connections", number(station.bytes), labels);
  page.gauge("herald_bmp_waiting_octets", "Octets that wait for the station", number(station.waiting), labels);
}

void add_mrt(Page& page, const MrtStatus& mrt) {
  page.counter("herald_mrt_tables_total", "MRT files of the tables that were written", number(mrt.tables));
  page.counter("herald_mrt_records_total", "MRT records of what neighbours said", number(mrt.records));
  page.counter("herald_mrt_dropped_octets_total", "Octets of records lost because the disk was too slow",
               number(mrt.dropped_octets));
  page.gauge("herald_mrt_trouble", "1 while MRT files cannot be written", mrt.trouble.empty() ? 0 : 1);
}

void add_layer2(Page& page, const L2Counters& layer2) {
  page.counter("herald_layer2_requests_total", "Requests for addresses that this node answers for",
               number(layer2.arp_requests), {{"protocol", "arp"}});
  page.counter("herald_layer2_requests_total", "", number(layer2.ndp_solicitations), {{"protocol", "ndp"}});
  page.counter("herald_layer2_replies_total", "Answers sent", number(layer2.arp_replies), {{"protocol", "arp"}});
  page.counter("herald_layer2_replies_total", "", number(layer2.ndp_advertisements), {{"protocol", "ndp"}});
  page.counter("herald_layer2_announcements_total", "Gratuitous ARP and unsolicited neighbour advertisements sent",
               number(layer2.arp_announcements), {{"protocol", "arp"}});
  page.counter("herald_layer2_announcements_total", "", number(layer2.ndp_announcements), {{"protocol", "ndp"}});
  page.counter("herald_layer2_malformed_total", "Frames that do not hold together", number(layer2.malformed));
  page.counter("herald_layer2_foreign_claims_total", "Frames in which another host claims an address of ours",
               number(layer2.foreign_claims));
  page.counter("herald_layer2_send_errors_total", "Frames that could not be sent", number(layer2.send_errors));
  page.counter("herald_layer2_dropped_total", "Frames that the kernel dropped before they were read",
               number(layer2.dropped));
}

}  // namespace

Metrics::Metrics()
    : announce_{prometheus::Histogram::BucketBoundaries{0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025,
                                                        0.05, 0.1, 0.25, 0.5, 1, 2.5}} {}

void Metrics::announced_after(net::Duration latency) {
  announce_.Observe(std::chrono::duration<double>(latency).count());
}

std::string Metrics::text(const MetricsView& view) const {
  Page page;
  page.gauge("herald_build_info", "1; the version is in the label", 1, {{"version", HERALD_VERSION}});
  page.gauge("herald_uptime_seconds", "Time since the start", view.uptime_seconds);
  for (const auto& neighbor : view.neighbors) add_neighbor(page, neighbor);
  for (const auto& [name, bfd] : view.bfd) add_bfd(page, name, bfd);
  if (view.bfd_discarded)
    for (std::size_t reason = 0; reason < view.bfd_discarded->size(); ++reason)
      page.counter("herald_bfd_discarded_packets_total", "BFD Control packets that were not used, by reason",
                   number((*view.bfd_discarded)[reason]),
                   {{"reason", std::string{bfd::print(static_cast<bfd::Discard>(reason))}}});
  page.gauge("herald_rib_prefixes", "Prefixes in the table", number(view.table.ipv4_prefixes), {{"family", "ipv4"}});
  page.gauge("herald_rib_prefixes", "", number(view.table.ipv6_prefixes), {{"family", "ipv6"}});
  page.gauge("herald_rib_paths", "Paths in the table", number(view.table.ipv4_paths + view.table.ipv6_paths));
  page.gauge("herald_rib_attribute_sets", "Distinct attribute sets in the table", number(view.table.attribute_sets));
  page.gauge("herald_rib_bytes", "Memory of the tables", number(view.table.bytes));
  if (view.kernel) add_kernel(page, *view.kernel);
  for (const auto& cache : view.rpki_caches) add_cache(page, cache);
  for (const auto& station : view.stations) add_station(page, station);
  if (view.mrt) add_mrt(page, *view.mrt);
  add_layer2(page, view.layer2);
  page.gauge("herald_layer2_addresses", "Addresses that this node answers for", number(view.owned_addresses));
  page.gauge("herald_announced_prefixes", "Prefixes that this node originates by BGP", number(view.announced_prefixes));
  page.gauge("herald_announced_addresses", "Service addresses behind them", number(view.announced_addresses));
  page.histogram("herald_announce_seconds",
                 "From the arrival of a change of resources to its routes being ready for the sessions", announce_);
  for (const auto& [kind, count] : view.resources)
    page.gauge("herald_resources", "Resources in use, by kind", number(count), {{"kind", kind}});
  page.gauge("herald_resource_problems", "Problems found in the resources", number(view.problems));
  if (view.api) page.gauge("herald_api_connected", "1 while the API is reached", view.api_connected ? 1 : 0);
  return page.text();
}

}  // namespace speaker
