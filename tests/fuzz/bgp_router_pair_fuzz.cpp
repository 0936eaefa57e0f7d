// SPDX-License-Identifier: Apache-2.0
// Two routers on the simulated link: what bgp_pair_fuzz is for sessions, with routes, filters and restarts. Once they
// are left alone, each must have of the other what a plain list of its routes says, in its tables and in its kernel.
#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>
#include <map>
#include <optional>
#include <string>

#include "net/reader.hpp"
#include "tests/bgp/router_pair.hpp"
#include "tests/fuzz/require.hpp"

namespace {

using bgp::RouterPair;
using Mode = bgp::GracefulRestart::Mode;
using Meds = std::map<net::Prefix, std::uint32_t>;  // a route is told from another by its MED

constexpr int most_disturbances = 40;
constexpr std::uint32_t rejected_med = 1;  // by the import filter, where there is one
constexpr std::uint32_t kept_med = 2;      // by the export filter, where there is one

bgp::RouterPairOptions options(net::Reader& in) {
  bgp::RouterPairOptions made;
  const auto modes = in.u8();
  made.restart = {std::array{Mode::Off, Mode::Helper, Mode::Full}[modes % 3],
                  std::array{Mode::Off, Mode::Helper, Mode::Full}[modes / 3 % 3]};
  if (modes >= 128) made.asns[1] = made.asns[0];
  const auto network = in.u8();
  made.longest_piece = std::array<std::uint64_t, 4>{1500, 16, 200, 4096}[network % 4];
  made.window = std::array<std::uint64_t, 3>{4096, 64, 500}[network / 4 % 3];
  made.loss_percent = network / 12 % 3 * 5U;
  made.ipv6_next_hops = network / 36 % 2 == 1;
  return made;
}

bgp::FilterChain all_but(std::uint32_t med) {
  bgp::FilterRule rule;
  rule.name = "med";
  rule.match.med = med;
  rule.action = bgp::RuleAction::Reject;
  return {bgp::Filter{"med", {rule}}, bgp::accept_all()};
}

net::Prefix prefix(std::uint8_t choice) {
  const auto number = std::to_string(choice / 3 % 8);
  return *net::parse_prefix(choice % 3 == 0 ? "2001:db8:" + number + "::/48" : "10.9." + number + ".0/24");
}

class Course {
 public:
  explicit Course(net::Reader& in) : pair_{options(in), in.u32()} { pair_.start(); }

  void disturb(net::Reader& in) {
    const auto what = in.u8();
    const auto index = what / 16U % 2U;
    switch (what % 13) {
      case 0:
        pair_.cut();
        break;
      case 1:
        pair_.restart(index, RouterPair::Ending::Orderly);
        break;
      case 2:
        pair_.restart(index, RouterPair::Ending::Told);
        break;
      case 3:
        pair_.restart(index, RouterPair::Ending::Silent);
        break;
      case 4:
        pair_.set_road(what >= 128 ? RouterPair::Road::Open : RouterPair::Road::Closed);
        break;
      case 5:
        pair_.router(index).restart(pair_.peer(index), "again", pair_.now);
        break;
      case 6:
        (void)pair_.router(index).refresh_in(pair_.peer(index));
        break;
      case 7:
        (void)pair_.router(index).refresh_out(pair_.peer(index));
        break;
      case 8:
        if (what >= 128)
          change_import(index);
        else
          change_export(index);
        pair_.configure(index);
        break;
      case 9:
        pair_.run_until(pair_.now + net::Seconds{in.u8()});
        break;
      default:
        change_route(index, in);
    }
    pair_.take(index);
    const auto events = in.u8() % 64U;
    for (unsigned i = 0; i < events && pair_.step(pair_.now + net::Seconds{120}); ++i) continue;
    check();
  }

  void converge() {
    pair_.set_road(RouterPair::Road::Open);
    const auto end = pair_.now + net::Seconds{900};  // restart timers, hold times and pauses are over by then
    while (difference() != nullptr && pair_.now < end && pair_.broken.empty())
      pair_.run_until(pair_.now + net::Seconds{2});
    check();
    require_no_difference();
    // And nothing that was forgotten comes later.
    const auto ups = pair_.status(0).session.established_count;
    pair_.run_until(pair_.now + net::Seconds{400});
    check();
    require_no_difference();
    require(pair_.status(0).session.established_count == ups);
  }

 private:
  void change_import(std::size_t index) {
    pair_.config(index).import = filters_in(index) ? bgp::FilterChain{bgp::accept_all()} : all_but(rejected_med);
  }
  void change_export(std::size_t index) {
    auto& filter = pair_.config(index).export_filter;
    filter = filter ? std::nullopt : std::optional{all_but(kept_med)};
  }
  bool filters_in(std::size_t index) { return pair_.config(index).import.size() > 1; }

  void change_route(std::size_t index, net::Reader& in) {
    const auto which = prefix(in.u8());
    const auto how = in.u8();
    std::optional<bgp::LocalRoute> route;
    if (how % 4 != 0) {
      bgp::Announcement announcement;
      announcement.med = how % 4U;
      announcement.prepend = how / 4 % 3;
      route = bgp::LocalRoute{{announcement}};
    }
    pair_.set_local(index, which, route);
  }

  // What the other one says and the filters let through.
  Meds expected(std::size_t index) {
    Meds all;
    for (const auto& [prefix, route] : pair_.local(1 - index)) {
      const auto med = *route.announcements.front().med;
      const bool kept = pair_.config(1 - index).export_filter && med == kept_med;
      const bool rejected = filters_in(index) && med == rejected_med;
      if (!kept && !rejected) all.emplace(prefix, med);
    }
    return all;
  }

  Meds learned(std::size_t index) {
    Meds all;
    for (bgp::TableCursor cursor; !cursor.done();)
      pair_.router(index).walk_in(pair_.peer(index), cursor, 100, [&](const bgp::RouteRow& row) {
        all.emplace(row.prefix, row.attributes.med.value_or(0));
      });
    return all;
  }

  // The first thing in which the two are not what they must be.
  const char* difference() {
    if (!pair_.both_established()) return "not established";
    for (const std::size_t i : {0U, 1U}) {
      if (pair_.router(i).restarting()) return "restarting";
      const auto wanted = expected(i);
      if (learned(i) != wanted) return "Adj-RIB-In";
      std::map<net::Prefix, net::IpAddress> kernel;
      for (const auto& [prefix, med] : wanted)
        if (!pair_.local(i).contains(prefix)) kernel.emplace(prefix, pair_.next_hop(1 - i, prefix.family()));
      if (pair_.kernel(i) != kernel) return "kernel";
      const auto status = pair_.status(i);
      if (status.ipv4.received + status.ipv6.received != wanted.size()) return "count of received";
      if (status.ipv4.stale + status.ipv6.stale != 0) return "stale routes";
      if (!status.attribute_faults.empty()) return "faults";
    }
    return nullptr;
  }
  void require_no_difference() {
    const auto* const found = difference();
    if (found != nullptr) std::fprintf(stderr, "%s\n", found);
    require(found == nullptr);
  }

  void check() {
    for (const auto& each : pair_.broken) std::fprintf(stderr, "%s\n", each.c_str());
    require(pair_.broken.empty());
  }

  RouterPair pair_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  net::Reader in{{data, size}};
  Course course{in};
  for (int i = 0; i < most_disturbances && in.remaining() > 0; ++i) course.disturb(in);
  course.converge();
  return 0;
}
