// SPDX-License-Identifier: Apache-2.0
// What this node must announce: a pure function of the resources and of the node's name. Knows nothing of
// sessions, sockets, liveness or elections: who owns a layer 2 address is decided from `layer2()` by
// layer2/election.hpp.
//
// The rules, per address of a service (status.loadBalancer.ingress):
// * The pool is the one whose ranges contain the address.
// * An advertisement selects the pool by name or by label (neither given: every pool), the service and the
//   node by label; lists of selectors are OR-ed, an empty list selects everything. Advertisements stack.
//   A BGPAdvertisement that lists `prefixes` and names no pool announces those prefixes and nothing else.
// * The node must not carry the exclude label nor the condition NetworkUnavailable. Where there are Node
//   objects it must have one; where there are none (a router by itself) every node is a plain one.
//   A node that is not Ready or is unschedulable goes on announcing: whether its speaker lives is what
//   counts, and Ready=False is said of nodes that forward perfectly well.
// * externalTrafficPolicy Cluster needs a usable endpoint anywhere, Local one on this very node. Usable is
//   ready, or still serving while terminating (KEP-1669). A service without selector and without any
//   EndpointSlice is served by every node: the anycast address of a host's own process.
// * `prefixes` of a BGPAdvertisement depend on nothing but its node selectors.
//
// Several advertisements for one prefix and one peer: communities are united; a field that only some of
// them set is taken from those; where they set it differently the most preferred value holds (highest
// localPref, lowest MED, fewest prepends) and problems() says so.
#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "bgp/wire/attributes.hpp"
#include "config/meta.hpp"
#include "config/resources.hpp"
#include "net/address.hpp"
#include "net/prefix.hpp"
#include "net/reconcile.hpp"
#include "speaker/gate.hpp"

namespace speaker {

// Who serves a service that has neither a selector nor EndpointSlices. Everywhere: a process on each node, of which
// nobody needs to write anything down. Nowhere: Kubernetes, where slices say who does, and may come a moment after the
// service.
enum class WithoutSlices : std::uint8_t { Everywhere, Nowhere };

// Who asks.
struct Scope {
  std::string node;
  std::string load_balancer_class;  // only services of this class; empty: only those without one
  WithoutSlices without_slices = WithoutSlices::Everywhere;
};

// What an advertisement puts on a route. Lists ascend and hold no value twice.
struct RouteAttributes {
  std::vector<bgp::Community> communities;
  std::vector<bgp::LargeCommunity> large_communities;
  std::vector<bgp::ExtendedCommunity> extended_communities;
  std::vector<bgp::Ipv6ExtendedCommunity> ipv6_extended_communities;
  std::optional<std::uint32_t> local_pref;  // for internal peers
  std::optional<std::uint32_t> med;
  std::uint8_t prepend = 0;  // own AS this many times more
  friend auto operator<=>(const RouteAttributes&, const RouteAttributes&) = default;
};

// One prefix: to whom it goes, and how.
struct Announcement {
  std::map<std::string, RouteAttributes> named;  // by BGPPeer; complete in itself
  std::optional<RouteAttributes> others;         // every peer not named; nothing: only the named ones

  // Nothing when the peer must not be told.
  [[nodiscard]] const RouteAttributes* to(std::string_view peer) const;
  friend auto operator<=>(const Announcement&, const Announcement&) = default;
};

// A node that may own a layer 2 address, as far as the resources say.
struct Candidate {
  std::string node;
  unsigned weight = 0;                  // summed preference; the highest weights are tried first
  std::vector<std::string> interfaces;  // ascending; empty: any
  friend auto operator<=>(const Candidate&, const Candidate&) = default;
};
using Candidates = std::vector<Candidate>;  // ascending by node, never empty

// Values that thousands of services have in common are kept once: equal values are the same pointer
// within one Desired.
using AnnouncementPtr = std::shared_ptr<const Announcement>;
using CandidatesPtr = std::shared_ptr<const Candidates>;
using Routes = std::map<net::Prefix, AnnouncementPtr>;
using Layer2Addresses = std::map<net::IpAddress, CandidatesPtr>;

// Why an address is, or is not, announced by this node. SessionDown, NoSubnet and NotOwner are for the caller
// to find out where the gate is Open.
struct Verdict {
  Method method = Method::Bgp;
  std::optional<net::IpAddress> address;  // nothing when the service has none
  Gate gate = Gate::Open;
  std::string detail;               // a sentence for people
  std::vector<net::Prefix> routes;  // BGP, Open: what carries the address
  std::vector<std::string> peers;   // BGP, Open: who of this node's peers is told
};

// One object that was added, replaced or removed. Policy stands for pools, advertisements, communities and
// peers: these change seldom, and everything is looked at again.
struct Change {
  enum class Kind : std::uint8_t { Service, EndpointSlice, Node, SpeakerState, Policy };
  Kind kind{};
  std::string key;  // "name" or "namespace/name"
};

struct Difference {
  net::Plan<net::Prefix, AnnouncementPtr> routes;
  net::Plan<net::IpAddress, CandidatesPtr> layer2;
  std::vector<net::IpAddress> addresses_added;
  std::vector<net::IpAddress> addresses_removed;
  std::vector<std::string> peers_added;
  std::vector<std::string> peers_removed;
  [[nodiscard]] bool empty() const;
};

// The function, kept up to date: a change of one service or of its endpoints costs as much as that service,
// however many others there are.
class Desired {
 public:
  explicit Desired(Scope scope);
  Desired(Desired&&) noexcept;
  Desired& operator=(Desired&&) noexcept;
  ~Desired();

  // Looks at everything again. For the start, a reload, a fresh list from the API.
  Difference reset(const config::Resources& now);
  // `now` holds the resources after all of `changes`.
  Difference apply(const config::Resources& now, std::span<const Change> changes);

  [[nodiscard]] const Routes& routes() const;
  // Every layer 2 address of the cluster that some node may own, the same on all nodes.
  [[nodiscard]] const Layer2Addresses& layer2() const;
  // Service addresses that this node draws to itself by BGP, each with the number of services behind it.
  // Those drawn by layer 2 are the ones it owns.
  [[nodiscard]] const std::map<net::IpAddress, unsigned>& addresses() const;
  // BGPPeers that this node runs.
  [[nodiscard]] const std::set<std::string>& peers() const;
  [[nodiscard]] std::vector<config::Problem> problems() const;

  // One verdict per address and method. Nothing for a service that does not exist.
  [[nodiscard]] std::vector<Verdict> explain(const config::Resources& now, const std::string& service) const;

 private:
  class State;
  std::unique_ptr<State> state_;
};

}  // namespace speaker
