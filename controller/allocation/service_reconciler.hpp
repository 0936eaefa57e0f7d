// SPDX-License-Identifier: Apache-2.0
// From a Service (its text) as it stands to what has to be written: addresses, condition, event. Pure: it owns the
// allocator and what it knows of namespaces; the loop around it reads and writes objects.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "controller/allocation/allocator.hpp"
#include "controller/allocation/service_view.hpp"
#include "controller/event.hpp"

namespace controller {

struct ServiceUpdate {
  std::string merge_patch;  // JSON: {"metadata": {"annotations": ...}, "status": ...}
  std::vector<EventText> events;
};

// What came of looking at a service.
struct Reconciled {
  bool waits = false;                   // it wants an address and has none
  std::optional<ServiceUpdate> update;  // what must be written so that the service says so; nothing when it does
};

class ServiceReconciler {
 public:
  // Services with this spec.loadBalancerClass are ours; empty: those without a class.
  explicit ServiceReconciler(std::string load_balancer_class) : class_{std::move(load_balancer_class)} {}

  void set_pools(const std::map<std::string, config::IPAddressPool>& pools) { allocator_.set_pools(pools); }
  void set_namespace(const std::string& name, const config::Labels& labels) { namespaces_[name] = labels; }
  void remove_namespace(const std::string& name) { namespaces_.erase(name); }

  // At start-up, before reconcile() is called for any: takes what the service already has, so that nobody else is
  // given it. Call it for all services, oldest first. Settled: reconcile() would change nothing.
  enum class Adopted : std::uint8_t { Settled, NeedsALook };
  Adopted adopt(std::string_view service, net::TimePoint now);
  // After adopt() for all: what `service` had given up in an earlier life. See Allocator::recall().
  void recall(const std::string& service, const net::IpAddress& address, net::TimePoint released, net::TimePoint now) {
    allocator_.recall(service, address, released, now);
  }
  // Gives the service what it should have. `timestamp` is the same moment in RFC 3339, for the condition.
  Reconciled reconcile(std::string_view service, net::TimePoint now, const std::string& timestamp);
  void removed(const std::string& service, net::TimePoint now) { allocator_.release(service, now); }

  void expire(net::TimePoint now) { allocator_.expire(now); }

  [[nodiscard]] const Allocator& allocator() const { return allocator_; }

 private:
  [[nodiscard]] ServiceView view(std::string_view service) const;
  [[nodiscard]] bool ours(const ServiceView& view) const;
  // Has the service an address that is in no pool and that we did not give it?
  [[nodiscard]] bool foreign(const ServiceView& view) const;
  // What is still right of what the service has, with the other family added where that is wanted: empty when
  // nothing is, or when it is not enough.
  [[nodiscard]] std::optional<Allocated> keep(const ServiceView& view, const std::vector<net::IpAddress>& before,
                                              net::TimePoint now);
  // Could a service that was given this by adopt() get an address of its other family, too?
  [[nodiscard]] static bool can_widen(const ServiceView& view, const Assignment& assignment);
  // What must be written of what came out.
  [[nodiscard]] std::optional<ServiceUpdate> tell(const ServiceView& view, const Allocated& outcome,
                                                  std::vector<EventText> events, const std::string& timestamp) const;
  [[nodiscard]] std::optional<ServiceUpdate> not_ours(const ServiceView& view, net::TimePoint now);
  [[nodiscard]] Allocated settle(const ServiceView& view, net::TimePoint now, std::vector<EventText>& events);

  std::string class_;
  Allocator allocator_;
  std::map<std::string, config::Labels> namespaces_;
};

}  // namespace controller
