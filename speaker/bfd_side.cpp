// SPDX-License-Identifier: Apache-2.0
#include "speaker/bfd_side.hpp"

#include <fstream>
#include <vector>

namespace speaker {
namespace {

// Echoes come back through the kernel's forwarding: without it, to offer that would take the neighbour's session down.
bool forwards(net::Family family) {
  std::ifstream file{family == net::Family::Ipv4 ? "/proc/sys/net/ipv4/ip_forward"
                                                 : "/proc/sys/net/ipv6/conf/all/forwarding"};
  int value = 0;
  return file >> value && value != 0;
}

bfd::Hops hops_of(const BfdWatch& wanted, const netlink::LinkTable& links) {
  if (wanted.distance != BfdWatch::Distance::ByLink)
    return wanted.distance == BfdWatch::Distance::Direct ? bfd::Hops::Single : bfd::Hops::Multi;
  const auto direct = wanted.remote.link_local() || links.connected(wanted.remote) != nullptr;
  return direct ? bfd::Hops::Single : bfd::Hops::Multi;
}

}  // namespace

BfdSide::BfdSide(boost::asio::io_context& io, Log& log, BgpSide& bgp, Links links)
    : io_{io}, log_{log}, bgp_{bgp}, links_{std::move(links)} {}

BfdSide::~BfdSide() = default;

// ---- what is wanted -----------------------------------------------------------------------------------

void BfdSide::configure(std::map<std::string, BfdWatch> wanted, std::map<std::string, BfdWatch> ranges) {
  wanted_ = std::move(wanted);
  ranges_ = std::move(ranges);
  apply(ranges_.empty() ? wanted_ : all_wanted());
}

void BfdSide::neighbors_changed() {
  if (!ranges_.empty()) apply(all_wanted());
}

std::map<std::string, BfdWatch> BfdSide::all_wanted() const {
  auto all = wanted_;
  const auto* router = bgp_.router();
  if (router == nullptr) return all;
  for (const auto& status : router->neighbors()) {
    const auto* neighbor = router->neighbor(status.id);
    const auto range = neighbor->dynamic ? ranges_.find(neighbor->policy_name()) : ranges_.end();
    if (range == ranges_.end()) continue;
    auto& made = all.insert_or_assign(neighbor->name, range->second).first->second;
    made.remote = neighbor->session.address;
    made.interface = neighbor->session.interface;
  }
  return all;
}

void BfdSide::apply(const std::map<std::string, BfdWatch>& wanted) {
  std::vector<std::string> gone;
  for (const auto& [name, watched] : watched_)
    if (!wanted.contains(name)) gone.push_back(name);
  for (const auto& name : gone) {
    edge_->remove(watched_.at(name).session);
    watched_.erase(name);
  }
  for (const auto& [name, each] : wanted) watch(name, each);
  for (const auto& [name, each] : wanted) tell(name);
  bgp_.wake();
}

void BfdSide::watch(const std::string& name, const BfdWatch& wanted) {
  open_edge();
  const auto target = target_of(wanted);
  const auto found = watched_.find(name);
  if (found == watched_.end()) {
    auto& made = watched_[name];
    made.wanted = wanted;
    made.target = target;
    made.session = edge_->add(target);
    be_patient(name);
    return;
  }
  auto& known = found->second;
  const auto waits_otherwise = known.wanted.strict != wanted.strict || known.wanted.hold_time != wanted.hold_time;
  known.wanted = wanted;
  if (known.target.path != target.path) {
    edge_->remove(known.session);
    known.session = edge_->add(target);
  } else if (known.target != target) {
    edge_->configure(known.session, target);
  }
  known.target = target;
  if (waits_otherwise) be_patient(name);
}

BfdTarget BfdSide::target_of(const BfdWatch& wanted) const {
  BfdTarget target;
  target.path = {hops_of(wanted, links_()), wanted.remote, wanted.source, wanted.interface};
  target.config = wanted.config;
  target.minimum_ttl = wanted.minimum_ttl;
  const auto direct = target.path.hops == bfd::Hops::Single;
  // RFC 5883 section 3: no echo over several hops.
  if (!direct) target.config.echo_interval = bfd::Interval{0};
  if (!direct || !forwards(wanted.remote.family())) target.config.required_min_echo_rx = bfd::Interval{0};
  return target;
}

void BfdSide::links_changed() {
  std::vector<std::string> dark;
  for (auto& [name, watched] : watched_) {
    const auto place = edge_->place(watched.session);
    const auto* link = place ? links_().find(place->interface_index) : nullptr;
    const auto direct = watched.target.path.hops == bfd::Hops::Single;
    if (direct && link != nullptr && !link->usable()) dark.push_back(name);
  }
  for (const auto& name : dark) edge_->path_down(watched_.at(name).session);

  // How far a neighbour is, and whether echoes can be looped for it. A link that is down has no subnets; that makes
  // nobody a distant neighbour.
  std::map<std::string, BfdWatch> again;
  for (const auto& [name, watched] : watched_)
    if (std::ranges::count(dark, name) == 0) again.emplace(name, watched.wanted);
  for (const auto& [name, wanted] : again) watch(name, wanted);
}

void BfdSide::leave() {
  if (edge_ == nullptr) return;
  for (const auto& [name, watched] : watched_) edge_->remove(watched.session);
  watched_.clear();
}

void BfdSide::open_edge() {
  if (edge_ != nullptr) return;
  BfdEdgeEvents events;
  events.changed = [this](bfd::SessionId session, const bfd::StateChanged& change) { changed(session, change); };
  events.admin_changed = [this](bfd::SessionId session, const bfd::RemoteAdminChanged&) {
    if (const auto name = name_of(session)) tell(*name);
  };
  events.problem = [this](const std::string& where, const std::string& text) {
    log_.warning("socket", {{"where", where}, {"problem", text}});
  };
  edge_ = std::make_unique<BfdEdge>(io_, std::move(events));
}

// ---- what happens -------------------------------------------------------------------------------------

void BfdSide::changed(bfd::SessionId session, const bfd::StateChanged& change) {
  const auto name = name_of(session);
  if (!name) return;  // one that says goodbye
  log_.bfd(change, *name, net::print(watched_.at(*name).wanted.remote));
  if (change.to == bfd::State::Up) {
    auto& watched = watched_.at(*name);
    watched.patience.reset();
    watched.gave_up = false;
  }
  if (change.to == bfd::State::AdminDown) return;  // our own doing
  if (change.from == bfd::State::Up) lost(*name, change);
  tell(*name);
}

void BfdSide::lost(const std::string& name, const bfd::StateChanged& change) {
  be_patient(name);
  // RFC 5882 section 3.2: the neighbour went on purpose, which says nothing of the path.
  if (change.remote_state == bfd::State::AdminDown) return;
  auto* router = bgp_.router();
  const auto peer = router == nullptr ? std::nullopt : router->find(name);
  if (!peer) return;
  const auto loss =
      change.remote_control_plane == bfd::ControlPlane::Independent ? bgp::BfdLoss::Path : bgp::BfdLoss::Unknown;
  const auto now = net::Clock::now();
  router->bfd_ready(*peer, bgp::BfdReady::No, now);
  router->bfd_down(*peer, loss, now);
  bgp_.wake();
}

void BfdSide::tell(const std::string& name) {
  const auto& watched = watched_.at(name);
  auto* router = bgp_.router();
  const auto peer = router == nullptr ? std::nullopt : router->find(name);
  const auto* session = edge_->sessions().find(watched.session);
  if (!peer || session == nullptr) return;
  const auto ready =
      session->state() == bfd::State::Up || session->remote_state() == bfd::State::AdminDown || watched.gave_up;
  router->bfd_ready(*peer, ready ? bgp::BfdReady::Yes : bgp::BfdReady::No, net::Clock::now());
  bgp_.wake();
}

void BfdSide::be_patient(const std::string& name) {
  auto& watched = watched_.at(name);
  watched.patience.reset();
  watched.gave_up = false;
  if (!watched.wanted.strict || !watched.wanted.hold_time) return;
  watched.patience = std::make_unique<boost::asio::steady_timer>(io_, *watched.wanted.hold_time);
  watched.patience->async_wait([this, name](const boost::system::error_code& error) {
    const auto found = watched_.find(name);
    if (error || found == watched_.end()) return;
    const auto* session = edge_->sessions().find(found->second.session);
    if (session == nullptr || session->state() == bfd::State::Up) return;
    found->second.gave_up = true;
    log_.warning("BFD is not up in time; the session is opened without it", {{"peer", name}});
    tell(name);
  });
}

std::optional<std::string> BfdSide::name_of(bfd::SessionId session) const {
  for (const auto& [name, watched] : watched_)
    if (watched.session == session) return name;
  return std::nullopt;
}

// ---- status -------------------------------------------------------------------------------------------

std::map<std::string, BfdStatus> BfdSide::status() const {
  std::map<std::string, BfdStatus> out;
  for (const auto& [name, watched] : watched_) {
    const auto* session = edge_->sessions().find(watched.session);
    if (session == nullptr) continue;
    out.emplace(name, BfdStatus{watched.wanted.profile, watched.target.path.hops, session->config(), session->status(),
                                edge_->place(watched.session), watched.wanted.strict});
  }
  return out;
}

}  // namespace speaker
