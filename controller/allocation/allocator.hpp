// SPDX-License-Identifier: Apache-2.0
// Which service gets which addresses. Pure: pools and requests in, assignments or the reason why not out; time
// is an argument, nothing is written anywhere. The same calls in the same order give the same addresses.
// A call costs the same whatever the number of services and the size of the pools.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "config/resources.hpp"
#include "controller/allocation/free_addresses.hpp"
#include "net/result.hpp"
#include "net/time.hpp"

namespace controller {

// What a service asks for, read from its spec and annotations.
struct AddressRequest {
  std::string service;  // "namespace/name"
  std::string namespace_name;
  config::Labels labels;
  config::Labels namespace_labels;
  std::vector<net::Family> families;  // in order of preference; empty: whichever a pool has, IPv4 first
  config::IpFamilyPolicy policy = config::IpFamilyPolicy::SingleStack;
  std::vector<net::IpAddress> addresses;  // exactly these; empty: any
  std::string pool;                       // only from this pool; empty: any
  std::string sharing_key;                // empty: not shared
  // Other namespaces with whose services an address may be shared; "*": with all. Both sides have to say so.
  std::set<std::string> shares_with;
  std::vector<config::Service::Port> ports;
  config::TrafficPolicy traffic_policy = config::TrafficPolicy::Cluster;
  config::Labels selector;
};

struct Assignment {
  std::string pool;
  std::vector<net::IpAddress> addresses;  // in the order of the families
  friend bool operator==(const Assignment&, const Assignment&) = default;
};

// Why a request was not met. The reason is a CamelCase word for conditions, the message a sentence for people.
struct Refusal {
  std::string reason;
  std::string message;
};
using Allocated = net::Result<Assignment, Refusal>;

class Allocator {
 public:
  // Replaces the pools. Services keep their addresses; those that no pool holds any more are named by orphans().
  void set_pools(const std::map<std::string, config::IPAddressPool>& pools);

  // Addresses for a service that has none (or whose wishes changed: what it held is released first when the new
  // request can be met, and kept otherwise).
  Allocated allocate(const AddressRequest& request, net::TimePoint now);
  // Takes the addresses that a service already has, at start-up or after somebody else wrote them. Refused when
  // they are outside the pools, taken, or no longer what the service asks for.
  Allocated adopt(const AddressRequest& request, const std::vector<net::IpAddress>& addresses, net::TimePoint now);
  // A PreferDualStack service with one address gets the other family from the same pool, where it has one.
  Allocated widen(const AddressRequest& request, net::TimePoint now);
  void release(const std::string& service, net::TimePoint now);
  // At start-up, after adopt() for all: `service` gave this address up at `released`, in an earlier life or without
  // our having held it for it. It rests for what is left of its pool's quarantine, unless somebody has it.
  void recall(const std::string& service, const net::IpAddress& address, net::TimePoint released, net::TimePoint now);
  // Ends the quarantines that are over; every call above does so first.
  void expire(net::TimePoint now);

  [[nodiscard]] const Assignment* assignment(const std::string& service) const;
  [[nodiscard]] bool in_a_pool(const net::IpAddress& address) const { return pool_of(address) != nullptr; }
  // Services with an address that is in no pool.
  [[nodiscard]] std::vector<std::string> orphans() const;
  // When a quarantine ends and a waiting service may be tried again.
  [[nodiscard]] std::optional<net::TimePoint> next_expiry() const;

  // The longest quarantine of any pool: what was given up longer ago need not be recalled.
  [[nodiscard]] std::chrono::seconds longest_quarantine() const;

  struct Usage {
    std::uint64_t capacity = 0;  // 2^64 - 1: that many or more
    std::uint64_t assigned = 0;  // addresses, shared ones once
    std::uint64_t quarantined = 0;
    [[nodiscard]] std::uint64_t available() const { return capacity - assigned - quarantined; }
  };
  [[nodiscard]] Usage usage(const std::string& pool, net::Family family) const;
  [[nodiscard]] std::size_t services(const std::string& pool) const;

 private:
  struct Pool {
    config::IPAddressPool spec;
    FreeAddresses free;
    std::map<net::Family, std::uint64_t> assigned;
    std::size_t services = 0;
  };
  // One address in use, and what the services on it must agree on.
  struct Holder {
    std::string service;
    std::vector<config::Service::Port> ports;
    std::string namespace_name;
    std::set<std::string> shares_with;
  };
  struct InUse {
    std::string pool;  // empty: none holds it any more
    std::string sharing_key;
    config::TrafficPolicy traffic_policy{};
    config::Labels selector;
    std::vector<Holder> holders;
  };
  using SharedKey = std::pair<std::string, std::string>;  // pool, sharing key

  [[nodiscard]] Allocated choose(const AddressRequest& request);
  // Do a pool's serviceAllocation and the bounds of namespaces count? Not for a service that already has the address.
  enum class PoolRules : std::uint8_t { Enforce, Waive };
  [[nodiscard]] Allocated choose_exactly(const AddressRequest& request, PoolRules rules);
  [[nodiscard]] Allocated choose_from(Pool& pool, const AddressRequest& request);
  [[nodiscard]] std::optional<net::IpAddress> choose_one(Pool& pool, net::Family family, const AddressRequest& request);
  [[nodiscard]] std::vector<Pool*> candidates(const AddressRequest& request);
  [[nodiscard]] std::optional<Refusal> obstacle(const net::IpAddress& address, const AddressRequest& request,
                                                PoolRules rules) const;
  [[nodiscard]] const Pool* pool_of(const net::IpAddress& address) const;
  [[nodiscard]] Pool* pool_of(const net::IpAddress& address);
  void hold(const AddressRequest& request, const Assignment& assignment);
  // Takes the service off its addresses; those that nobody else is on are free at `until`.
  std::optional<Assignment> let_go(const std::string& service, net::TimePoint until);
  // The service had `before` and nothing better was found: it keeps that, unless it may not.
  void restore(const AddressRequest& request, const Assignment& before, net::TimePoint now);
  void rest(const Assignment& given_up, net::TimePoint now);

  std::map<std::string, Pool> pools_;
  std::map<net::IpAddress, std::string> pool_by_start_;  // first address of each range
  std::unordered_map<net::IpAddress, InUse> in_use_;
  std::map<SharedKey, std::set<net::IpAddress>> shared_;
  std::unordered_map<std::string, Assignment> assignments_;
  // What a deleted service had: re-created while that is in quarantine, it gets the same.
  std::unordered_map<std::string, std::vector<net::IpAddress>> last_held_;
  std::unordered_map<net::IpAddress, std::string> last_holder_;
};

}  // namespace controller
