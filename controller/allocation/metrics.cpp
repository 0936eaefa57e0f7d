// SPDX-License-Identifier: Apache-2.0
#include "controller/allocation/metrics.hpp"

#include <array>
#include <map>
#include <string>

#include <prometheus/counter.h>
#include <prometheus/gauge.h>

namespace controller {
namespace {

using GaugeFamily = prometheus::Family<prometheus::Gauge>;

GaugeFamily& gauges(prometheus::Registry& registry, const char* name, const char* help) {
  return prometheus::BuildGauge().Name(name).Help(help).Register(registry);
}

prometheus::Counter& counter(prometheus::Registry& registry, const char* name, const char* help) {
  return prometheus::BuildCounter().Name(name).Help(help).Register(registry).Add({});
}

void follow(prometheus::Counter& counter, std::uint64_t value) {
  counter.Increment(static_cast<double>(value) - counter.Value());
}

constexpr std::array families_of_addresses{std::pair{net::Family::Ipv4, "ipv4"}, std::pair{net::Family::Ipv6, "ipv6"}};

}  // namespace

struct AllocationMetrics::Families {
  explicit Families(prometheus::Registry& registry)
      : addresses{gauges(registry, "herald_pool_addresses", "Addresses that the pool can give out.")},
        assigned{gauges(registry, "herald_pool_assigned_addresses", "Addresses that services have, shared ones once.")},
        quarantined{gauges(registry, "herald_pool_quarantined_addresses", "Released addresses that rest.")},
        services{gauges(registry, "herald_pool_services", "Services with an address of the pool.")},
        waiting{gauges(registry, "herald_services_waiting", "Services that ask for an address and have none.").Add({})},
        given{counter(registry, "herald_allocation_assigned_total", "Services that were given addresses.")},
        refused{counter(registry, "herald_allocation_refused_total", "Times that a service was told why it has none.")},
        conflicts{counter(registry, "herald_allocation_conflicts_total",
                          "Writes done again because the service had changed meanwhile.")} {}

  // What is shown of one pool.
  struct Pool {
    std::map<net::Family, std::array<prometheus::Gauge*, 3>> counts;
    prometheus::Gauge* services = nullptr;
  };

  Pool show(const std::string& name) {
    Pool pool;
    for (const auto& [family, text] : families_of_addresses) {
      const prometheus::Labels labels{{"pool", name}, {"family", text}};
      pool.counts[family] = {&addresses.Add(labels), &assigned.Add(labels), &quarantined.Add(labels)};
    }
    pool.services = &services.Add({{"pool", name}});
    return pool;
  }

  void hide(const Pool& pool) {
    for (const auto& [family, count] : pool.counts) {
      addresses.Remove(count[0]);
      assigned.Remove(count[1]);
      quarantined.Remove(count[2]);
    }
    services.Remove(pool.services);
  }

  GaugeFamily& addresses;
  GaugeFamily& assigned;
  GaugeFamily& quarantined;
  GaugeFamily& services;
  prometheus::Gauge& waiting;
  prometheus::Counter& given;
  prometheus::Counter& refused;
  prometheus::Counter& conflicts;
  std::map<std::string, Pool> pools;
};

AllocationMetrics::AllocationMetrics(prometheus::Registry& registry)
    : families_{std::make_unique<Families>(registry)} {}
AllocationMetrics::~AllocationMetrics() = default;

void AllocationMetrics::update(const AllocationLoop& loop) {
  auto gone = std::exchange(families_->pools, {});
  for (const auto& name : loop.pools()) {
    const auto known = gone.find(name);
    auto pool = known == gone.end() ? families_->show(name) : known->second;
    if (known != gone.end()) gone.erase(known);
    for (const auto& [family, count] : pool.counts) {
      const auto usage = loop.allocator().usage(name, family);
      count[0]->Set(static_cast<double>(usage.capacity));
      count[1]->Set(static_cast<double>(usage.assigned));
      count[2]->Set(static_cast<double>(usage.quarantined));
    }
    pool.services->Set(static_cast<double>(loop.allocator().services(name)));
    families_->pools.emplace(name, std::move(pool));
  }
  for (const auto& [name, pool] : gone) families_->hide(pool);
  families_->waiting.Set(static_cast<double>(loop.waiting()));
  follow(families_->given, loop.counters().assigned);
  follow(families_->refused, loop.counters().refused);
  follow(families_->conflicts, loop.counters().conflicts);
}

}  // namespace controller
