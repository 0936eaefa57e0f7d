// SPDX-License-Identifier: Apache-2.0
#include "speaker/layer2/layer2.hpp"

#include <algorithm>
#include <optional>
#include <set>
#include <utility>

#include <boost/asio/steady_timer.hpp>

#include "net/match.hpp"
#include "speaker/layer2/packet_socket.hpp"
#include "speaker/layer2/solicited_groups.hpp"

namespace speaker {
namespace {

bool on_subnet(const L2Link& link, const net::IpAddress& address) {
  return std::ranges::any_of(link.subnets, [&](const net::Prefix& subnet) { return subnet.contains(address); });
}

}  // namespace

// Handlers hold the key and the number of a socket, never the socket: one that was closed while its handler
// waited to run is not found any more.
class Layer2::Edge {
 public:
  Edge(boost::asio::any_io_executor executor, Listener listener)
      : executor_{std::move(executor)}, listener_{std::move(listener)}, timer_{executor_} {}

  void update(const OwnedAddresses& owned, const std::vector<L2Link>& links);
  [[nodiscard]] L2Counters counters();
  [[nodiscard]] const AddressCounters* counters(const net::IpAddress& address) const {
    return responder_.counters(address);
  }
  [[nodiscard]] std::vector<std::string> answering(const net::IpAddress& address) const;

 private:
  using Key = std::pair<unsigned, net::Family>;
  struct Slot {
    PacketSocket socket;
    std::uint64_t number;
  };

  void forget_flapped(const Responder::Ports& ports);
  void update_sockets(const Responder::Answers& answers);
  void update_groups(const Responder::Answers& answers);
  void open(const Key& key);
  void wait(const Key& key, Slot& slot);
  void readable(const Key& key, std::uint64_t number);
  void send(const L2Frame& frame, net::Family family);
  void pump();
  void tell_claims();
  [[nodiscard]] std::string name_of(unsigned link) const;

  boost::asio::any_io_executor executor_;
  Listener listener_;
  boost::asio::steady_timer timer_;
  Responder responder_;
  SolicitedGroups groups_;
  std::map<Key, Slot> sockets_;
  std::uint64_t next_number_ = 0;
  Responder::Ports ports_;
  std::map<unsigned, std::string> names_;
};

void Layer2::Edge::update(const OwnedAddresses& owned, const std::vector<L2Link>& links) {
  Responder::Ports ports;
  std::vector<const L2Link*> usable;
  names_.clear();
  for (const auto& link : links) {
    names_.emplace(link.index, link.name);
    if (!answers(link)) continue;
    usable.push_back(&link);
    ports.emplace(link.index, Responder::Port{link.mac, link.carrier_changes});
  }
  std::ranges::sort(usable, {}, &L2Link::index);
  Responder::Answers answering;
  for (const auto& [address, allowed] : owned) {
    std::vector<unsigned> where;
    for (const auto* link : usable) {
      if (allows(allowed, link->name) && on_subnet(*link, address)) where.push_back(link->index);
    }
    if (!where.empty()) answering.emplace_hint(answering.end(), address, std::move(where));
  }
  forget_flapped(ports);
  update_sockets(answering);
  update_groups(answering);
  responder_.update(answering, ports, net::Clock::now());
  ports_ = std::move(ports);
  pump();
}

// A link that lost its carrier may have come back on another switch, which has not heard our reports.
void Layer2::Edge::forget_flapped(const Responder::Ports& ports) {
  for (const auto& [link, before] : ports_) {
    const auto now = ports.find(link);
    if (now == ports.end() || now->second != before) groups_.leave(link);
  }
}

void Layer2::Edge::update_sockets(const Responder::Answers& answers) {
  std::set<Key> wanted;
  for (const auto& [address, links] : answers) {
    for (const auto link : links) wanted.emplace(link, address.family());
  }
  for (auto at = sockets_.begin(); at != sockets_.end();) {
    if (wanted.contains(at->first)) {
      ++at;
      continue;
    }
    responder_.counters().dropped += at->second.socket.take_drops();
    at = sockets_.erase(at);
  }
  for (const auto& key : wanted) {
    if (!sockets_.contains(key)) open(key);
  }
}

void Layer2::Edge::update_groups(const Responder::Answers& answers) {
  std::set<SolicitedGroups::Membership> wanted;
  for (const auto& [address, links] : answers) {
    if (address.is_v4()) continue;
    for (const auto link : links) wanted.emplace(link, solicited_node(address.v6()));
  }
  std::set<unsigned> told;
  for (const auto& failure : groups_.update(wanted)) {
    if (!told.insert(failure.link).second) continue;
    listener_(Layer2Trouble{name_of(failure.link), "joining a multicast group: " + failure.error.message()});
  }
}

void Layer2::Edge::open(const Key& key) {
  const auto [link, family] = key;
  const auto v4 = family == net::Family::Ipv4;
  auto socket = PacketSocket::open(executor_, link, v4 ? ethertype_arp : ethertype_ipv6,
                                   v4 ? PacketFilter::arp(link) : PacketFilter::ndp(link));
  if (!socket) {
    listener_(Layer2Trouble{name_of(link), std::string{v4 ? "ARP" : "NDP"} + " socket: " + socket.error().message()});
    return;
  }
  const auto slot = sockets_.emplace(key, Slot{std::move(*socket), next_number_++}).first;
  wait(key, slot->second);
}

void Layer2::Edge::wait(const Key& key, Slot& slot) {
  slot.socket.wait([this, key, number = slot.number](const boost::system::error_code& error) {
    if (!error) readable(key, number);
  });
}

void Layer2::Edge::readable(const Key& key, std::uint64_t number) {
  const auto at = sockets_.find(key);
  if (at == sockets_.end() || at->second.number != number) return;
  auto& slot = at->second;
  const auto now = net::Clock::now();
  slot.socket.receive([&](std::span<const std::uint8_t> frame) {
    if (const auto answer = responder_.handle(key.first, frame, now)) send(*answer, key.second);
  });
  wait(key, slot);
  tell_claims();
}

void Layer2::Edge::send(const L2Frame& frame, net::Family family) {
  const auto at = sockets_.find({frame.link, family});
  if (at == sockets_.end() || at->second.socket.send(frame.bytes())) ++responder_.counters().send_errors;
}

void Layer2::Edge::pump() {
  for (const auto& frame : responder_.tick(net::Clock::now()))
    send(frame, frame.size == std::tuple_size_v<ArpBytes> ? net::Family::Ipv4 : net::Family::Ipv6);
  const auto deadline = responder_.next_deadline();
  if (!deadline) {
    timer_.cancel();
    return;
  }
  timer_.expires_at(*deadline);
  timer_.async_wait([this](const boost::system::error_code& error) {
    if (!error) pump();
  });
}

void Layer2::Edge::tell_claims() {
  const auto claims = responder_.take_claims();
  for (const auto& claim : claims) listener_(ForeignClaim{claim.address, claim.mac, name_of(claim.link)});
  if (!claims.empty()) pump();  // each is to be answered by an announcement
}

L2Counters Layer2::Edge::counters() {
  for (auto& [key, slot] : sockets_) responder_.counters().dropped += slot.socket.take_drops();
  return responder_.counters();
}

std::vector<std::string> Layer2::Edge::answering(const net::IpAddress& address) const {
  std::vector<std::string> names;
  for (const auto link : responder_.links(address)) names.push_back(name_of(link));
  return names;
}

std::string Layer2::Edge::name_of(unsigned link) const {
  const auto at = names_.find(link);
  return at == names_.end() ? "interface " + std::to_string(link) : at->second;
}

Layer2::Layer2(boost::asio::any_io_executor executor, Listener listener)
    : edge_{std::make_unique<Edge>(std::move(executor), std::move(listener))} {}
Layer2::~Layer2() = default;

void Layer2::update(const OwnedAddresses& owned, const std::vector<L2Link>& links) {
  edge_->update(owned, links);
}
L2Counters Layer2::counters() {
  return edge_->counters();
}
const AddressCounters* Layer2::counters(const net::IpAddress& address) const {
  return edge_->counters(address);
}
std::vector<std::string> Layer2::answering(const net::IpAddress& address) const {
  return edge_->answering(address);
}

}  // namespace speaker
