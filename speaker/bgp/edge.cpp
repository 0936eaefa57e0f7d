// SPDX-License-Identifier: Apache-2.0
#include "speaker/bgp/edge.hpp"

#include <algorithm>
#include <utility>

#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>

#include "net/match.hpp"
#include "speaker/bgp/connection.hpp"
#include "speaker/bgp/endpoint.hpp"
#include "speaker/bgp/listener.hpp"
#include "speaker/bgp/socket_options.hpp"
#include "speaker/bgp/tcp_ao.hpp"

namespace speaker {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

namespace {

// What one session reads before all others have their turn, a quarter of a millisecond's work with small attribute
// sets: a change of one prefix does not wait behind somebody else's full table.
constexpr std::size_t read_at_once = 4UL * 1024;
// What is read before it is told to the peers; more at once than is read, since each send wakes somebody up.
constexpr std::size_t heard_at_once = 8UL * 1024;
constexpr std::size_t pull_at_once = 32UL * 1024;
constexpr std::size_t finishing_at_most = 256;  // beyond: closed without waiting for the peer
// TCP gives up a minute after the send hold time would have ended the session (RFC 9687): it is there for sessions
// without a hold time, and for those that have so little to say that all of it fits into TCP's buffers.
std::chrono::seconds user_timeout(net::Seconds hold_time) {
  constexpr net::Seconds any{1};
  return bgp::send_hold_time(std::max(hold_time, any)) + std::chrono::minutes{1};
}

net::TimePoint now() {
  return net::Clock::now();
}

// Everything that a neighbour's connection has beyond the common options, before or after it is open.
SocketResult set_neighbor_options(tcp::socket& socket, const bgp::PeerConfig& config) {
  const auto handle = socket.native_handle();
  set_common_options(handle, config.address.family());
  set_user_timeout(handle, user_timeout(config.hold_time));
  error_code ignored;
  socket.non_blocking(true, ignored);
  if (!config.password.empty()) {
    if (auto signing = set_md5_key(handle, net::Prefix::host(config.address), config.password); !signing)
      return signing;
  }
  return set_hop_limits(handle, config.address.family(), hop_limits(config));
}

net::Result<tcp::socket, std::string> dialling_socket(asio::io_context& io, const bgp::PeerConfig& config) {
  tcp::socket socket{io};
  error_code error;
  socket.open(config.address.is_v4() ? tcp::v4() : tcp::v6(), error);
  if (error) return net::fail(error.message());
  if (auto set = set_neighbor_options(socket, config); !set) return net::fail(std::move(set.error()));
  if (!config.authentication.empty()) {
    const auto peer = net::Prefix::host(config.address);
    bgp::AuthenticationKeys none;
    if (auto set = fit_ao_keys(socket.native_handle(), peer, none, config.authentication); !set)
      return net::fail(std::move(set.error()));
  }
  if (!config.interface.empty() && !config.address.link_local()) {
    if (auto bound = bind_to_interface(socket.native_handle(), config.interface); !bound) {
      return net::fail(std::move(bound.error()));
    }
  }
  if (config.source) {
    const auto local = to_endpoint(*config.source, 0, config.interface);
    if (!local) return net::fail(local.error());
    socket.bind(*local, error);
    if (error) return net::fail("source " + net::print(*config.source) + ": " + error.message());
  }
  return socket;
}

}  // namespace

BgpEdge::BgpEdge(asio::io_context& io, bgp::Router& router, BgpEdgeEvents events)
    : io_{io}, router_{router}, events_{std::move(events)}, timer_{io}, read_buffer_(read_at_once) {
  neighbors_changed();
  wake();
}

BgpEdge::~BgpEdge() {
  for (const auto& listener : listeners_) listener->close();
  for (const auto& [link, connection] : links_) connection->close();
  for (const auto& [key, connection] : finishing_) connection->close();
}

template <class Step>
void BgpEdge::later(Step step) {
  asio::post(io_, [step = std::move(step), alive = std::weak_ptr{alive_}] {
    if (!alive.expired()) step();
  });
}

void BgpEdge::wake() {
  if (std::exchange(wake_posted_, true)) return;
  later([this] {
    wake_posted_ = false;
    pump();
  });
}

// ---- the turn of the router -------------------------------------------------------------------------

// After anything that the router was told: does what it asks for, until it asks for nothing more.
void BgpEdge::pump() {
  if (std::exchange(pumping_, true)) return;
  perform_actions();
  if (events_.settled) {
    events_.settled();
    perform_actions();
  }
  pumping_ = false;
  rearm();
  if (router_.has_work() && !std::exchange(work_posted_, true)) later([this] { work(); });
}

void BgpEdge::perform_actions() {
  for (router_.take_actions(actions_); !actions_.empty(); router_.take_actions(actions_)) {
    for (const auto& action : actions_) perform(action);
  }
}

void BgpEdge::perform(const bgp::RouterAction& action) {
  std::visit(net::match{
                 [&](const bgp::OpenLink& open) { open_link(open.link); },
                 [&](const bgp::CloseLink& close) { close_link(close); },
                 [&](const bgp::WritableLink& writable) {
                   const auto found = links_.find(writable.link);
                   if (found != links_.end()) BgpConnection::flush(found->second);
                 },
                 [&](const bgp::NeighborsChanged&) { neighbors_changed(); },
                 [&](const bgp::NeighborMoved& moved) {
                   if (events_.moved) events_.moved(moved);
                 },
                 [&](const bgp::NeighborNotice& notice) {
                   if (events_.notice) events_.notice(notice);
                 },
             },
             action);
}

// A timer that is early costs one idle turn; so it is set anew only when it would be late.
void BgpEdge::rearm() {
  const auto deadline = router_.next_deadline();
  if (!deadline || (armed_for_ && *armed_for_ <= *deadline)) return;
  armed_for_ = deadline;
  timer_.expires_at(*deadline);
  timer_.async_wait([this, alive = std::weak_ptr{alive_}](const error_code& error) {
    if (error || alive.expired()) return;
    armed_for_.reset();
    // After a pause of the whole process, what peers sent meanwhile is read before their time is up.
    later([this] { tick(); });
  });
}

void BgpEdge::tick() {
  router_.tick(now());
  pump();
}

void BgpEdge::work() {
  work_posted_ = false;
  router_.work();
  pump();
}

// ---- connections ------------------------------------------------------------------------------------

void BgpEdge::open_link(bgp::Link link) {
  const auto* neighbor = router_.neighbor(link.peer);
  if (neighbor == nullptr) return;
  const auto& config = neighbor->session;
  const auto remote = to_endpoint(config.address, config.port, config.interface);
  if (!remote) return router_.lost(link, remote.error(), now());
  auto socket = dialling_socket(io_, config);
  if (!socket) return router_.lost(link, socket.error(), now());

  ++counters_.dialled;
  auto connection = std::make_shared<BgpConnection>(*this, std::move(*socket), link);
  links_[link] = connection;
  signed_by_[link] = {net::Prefix::host(config.address), config.authentication};
  BgpConnection::dial(std::move(connection), *remote);
}

void BgpEdge::connected(BgpConnection& connection) {
  if (const auto* neighbor = router_.neighbor(connection.link()->peer)) sign(connection, neighbor->session);
  router_.connected(*connection.link(), describe_transport(connection.socket()), now());
  pump();
}

void BgpEdge::accepted(BgpListener& listener, tcp::socket socket) {
  error_code error;
  const auto endpoint = socket.remote_endpoint(error);
  if (error) return;
  const auto remote = to_address(endpoint);
  const auto entered_by = entrance(listener, remote);
  if (!entered_by) return;  // closed as the socket goes

  const auto link = router_.accept(describe_transport(socket), zone_of(endpoint), now());
  if (!link) {
    ++counters_.refused;
    if (!link.error().bytes.empty()) refuse(std::move(socket), link.error().bytes);
    return pump();
  }
  ++counters_.accepted;
  const auto set = set_neighbor_options(socket, router_.neighbor(link->peer)->session);
  if (set) {
    auto connection = std::make_shared<BgpConnection>(*this, std::move(socket), *link);
    links_[*link] = connection;
    const auto& config = router_.neighbor(link->peer)->session;
    signed_by_[*link] = {*entered_by, config.authentication};  // inherited from the listener
    sign(*connection, config);
    BgpConnection::start_reading(std::move(connection));
  } else {
    report("neighbor " + net::print(remote), set.error());
    router_.lost(*link, set.error(), now());
  }
  pump();
}

// One that is listed counts before ranges, a longer range before a shorter one.
std::optional<net::Prefix> BgpEdge::door(const net::IpAddress& remote) const {
  std::optional<net::Prefix> known;
  if (const auto host = net::Prefix::host(remote); passwords_.contains(host)) return host;
  for (const auto& [range, password] : passwords_) {
    if (range.contains(remote) && (!known || range.length() > known->length())) known = range;
  }
  return known;
}

// Unknown addresses cost no more than this. A neighbour with a password enters only where its key guards the
// door: without the key on the listener, TCP would have let anybody in.
std::optional<net::Prefix> BgpEdge::entrance(const BgpListener& listener, const net::IpAddress& remote) {
  const auto known = door(remote);
  if (!known) {
    ++counters_.refused_unknown;
    return std::nullopt;
  }
  const auto& password = passwords_.at(*known);
  const auto signed_by = ao_keys_.find(*known);
  const bool guarded = (password.empty() || listener.has_key(*known, password)) &&
                       (signed_by == ao_keys_.end() || listener.has_ao_keys(*known, signed_by->second));
  if (guarded) return known;
  ++counters_.refused;
  return std::nullopt;
}

void BgpEdge::refuse(tcp::socket socket, std::span<const std::uint8_t> last) {
  error_code ignored;
  socket.non_blocking(true, ignored);
  auto connection = std::make_shared<BgpConnection>(*this, std::move(socket), std::nullopt);
  BgpConnection::start_reading(connection);
  finish(connection, last);
}

bool BgpEdge::readable(BgpConnection& connection) {
  error_code error;
  const auto size = connection.socket().read_some(asio::buffer(read_buffer_), error);
  if (error && error != asio::error::would_block) {
    if (connection.broken()) error = connection.broken();
    lost(connection, error == asio::error::eof ? "closed by peer" : error.message());
    return false;
  }
  counters_.bytes_in += size;
  if (size > 0 && !connection.finishing())
    router_.received(*connection.link(), std::span{read_buffer_}.first(size), now());
  const bool more = size == read_buffer_.size();
  heard_ += size;
  if (!more || heard_ >= heard_at_once) {
    heard_ = 0;
    pump();
  }
  return more;
}

BgpEdge::Output BgpEdge::take_output(const BgpConnection& connection) {
  write_buffer_.clear();
  const auto more = router_.pull(*connection.link(), write_buffer_, pull_at_once);
  return {write_buffer_, more};
}

void BgpEdge::written(BgpConnection& connection, std::size_t taken) {
  counters_.bytes_out += taken;
  if (taken > 0) progressed(connection);
}

void BgpEdge::progressed(BgpConnection& connection) {
  connection.blocked_since.reset();
  if (!connection.finishing()) router_.progressed(*connection.link());
}

void BgpEdge::blocked(BgpConnection& connection) {
  if (connection.finishing()) return;
  const auto at = now();
  if (!connection.blocked_since) connection.blocked_since = at;
  router_.blocked(*connection.link(), at);
  rearm();
}

std::optional<net::TimePoint> BgpEdge::blocked_since(bgp::PeerId peer) const {
  for (auto at = links_.lower_bound({peer, {}}); at != links_.end() && at->first.peer == peer; ++at)
    if (at->second->blocked_since) return at->second->blocked_since;
  return std::nullopt;
}

void BgpEdge::unblocked(BgpConnection& connection) {
  progressed(connection);
  wake();  // the router may have something to do now that it was asked for bytes
}

void BgpEdge::lost(BgpConnection& connection, const std::string& error) {
  if (connection.finishing()) return closed(connection);
  const auto link = *connection.link();
  connection.close();
  links_.erase(link);
  signed_by_.erase(link);
  router_.lost(link, error, now());
  pump();
}

void BgpEdge::close_link(const bgp::CloseLink& close) {
  const auto found = links_.find(close.link);
  if (found == links_.end()) return;
  auto connection = std::move(found->second);
  links_.erase(found);
  signed_by_.erase(close.link);
  if (connection->dialling()) return connection->close();
  finish(connection, close.last);
}

void BgpEdge::finish(const std::shared_ptr<BgpConnection>& connection, std::span<const std::uint8_t> last) {
  if (finishing_.size() >= finishing_at_most) return connection->close();
  finishing_[connection.get()] = connection;
  BgpConnection::finish(connection, last);
}

void BgpEdge::closed(BgpConnection& connection) {
  connection.close();
  finishing_.erase(&connection);
  say_drained();
}

void BgpEdge::drain(std::function<void()> done) {
  for (const auto& listener : listeners_) listener->close();
  listeners_.clear();
  drained_ = std::move(done);
  pump();
  say_drained();
}

void BgpEdge::say_drained() {
  if (drained_ && links_.empty() && finishing_.empty()) asio::post(io_, std::exchange(drained_, nullptr));
}

// ---- listeners and neighbours -----------------------------------------------------------------------

void BgpEdge::listen(const BgpListen& wanted) {
  auto addresses = wanted.addresses;
  if (addresses.empty()) addresses = {net::Ipv4Address{}, net::Ipv6Address{}};
  if (wanted.port == 0) addresses.clear();

  std::erase_if(listeners_, [&](const auto& listener) {
    const bool stays = listener->port() == wanted.port && std::ranges::count(addresses, listener->address()) > 0;
    if (!stays) listener->close();
    return !stays;
  });
  for (const auto& address : addresses) {
    const bool there = std::ranges::any_of(listeners_, [&](const auto& l) { return l->address() == address; });
    if (!there) open_listener(address, wanted.port, wanted);
  }
}

void BgpEdge::open_listener(const net::IpAddress& address, std::uint16_t port, const BgpListen& wanted) {
  const auto where = "listen " + print_endpoint(address, port);
  const auto listener = BgpListener::open(*this, io_, address, port);
  if (!listener) {
    const bool no_ipv6 = address.is_v6() && listener.error() == asio::error::address_family_not_supported;
    if (no_ipv6 && wanted.addresses.empty()) return;  // "any" on a host without IPv6
    return report(where, listener.error().message());
  }
  problems_.erase(where);
  listeners_.push_back(*listener);
  fit_keys(**listener);
  BgpListener::start(*listener);
}

std::vector<std::string> BgpEdge::listening() const {
  std::vector<std::string> texts;
  for (const auto& listener : listeners_) texts.push_back(print_endpoint(listener->address(), listener->port()));
  return texts;
}

void BgpEdge::neighbors_changed() {
  passwords_.clear();
  ao_keys_.clear();
  const auto guard = [&](const net::Prefix& neighbors, const bgp::PeerConfig& config) {
    passwords_[neighbors] = config.password;
    if (!config.authentication.empty()) ao_keys_[neighbors] = config.authentication;
  };
  for (const auto& status : router_.neighbors()) {
    const auto& neighbor = *router_.neighbor(status.id);
    if (!neighbor.dynamic) guard(net::Prefix::host(neighbor.session.address), neighbor.session);
  }
  for (const auto& pattern : router_.patterns()) guard(*pattern.range, pattern.session);
  for (const auto& listener : listeners_) fit_keys(*listener);
  if (events_.neighbors_changed) events_.neighbors_changed();

  // The hop limits are live.
  for (const auto& [link, connection] : links_) {
    const auto* neighbor = router_.neighbor(link.peer);
    if (neighbor == nullptr) continue;
    const auto& config = neighbor->session;
    const auto set = set_hop_limits(connection->socket().native_handle(), config.address.family(), hop_limits(config));
    if (!set) report("neighbor " + net::print(config.address), set.error());
    sign(*connection, config);
  }
}

// Keys roll over on a connection that is open: the peer is asked for the newest, and the kernel follows the peer.
void BgpEdge::sign(BgpConnection& connection, const bgp::PeerConfig& config) {
  auto& [peers, present] = signed_by_.at(*connection.link());
  if (config.authentication.empty() && present.empty()) return;
  const auto socket = connection.socket().native_handle();
  auto done = fit_ao_keys(socket, peers, present, config.authentication);
  if (done && !present.empty() && !connection.dialling()) done = ask_for_ao_key(socket, present.keys.rbegin()->first);
  if (!done) report("neighbor " + net::print(config.address), done.error());
}

void BgpEdge::fit_keys(BgpListener& listener) {
  auto wanted = passwords_;
  std::erase_if(wanted, [](const auto& neighbor) { return neighbor.second.empty(); });
  auto errors = listener.fit_keys(wanted);
  errors.merge(listener.fit_ao_keys(ao_keys_));
  const auto where = [](const net::Prefix& neighbors) {
    const bool one = neighbors.length() == net::address_bits(neighbors.family());
    return "neighbor " + (one ? net::print(neighbors.address()) : net::print(neighbors));
  };
  for (const auto& [neighbors, password] : wanted) {
    if (!errors.contains(neighbors)) problems_.erase(where(neighbors));
  }
  for (const auto& [neighbors, text] : errors) report(where(neighbors), text);
}

void BgpEdge::report(const std::string& where, const std::string& text) {
  auto& said = problems_[where];
  if (said == text) return;
  said = text;
  if (events_.problem) events_.problem({where, text});
}

}  // namespace speaker
