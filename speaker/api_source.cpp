// SPDX-License-Identifier: Apache-2.0
#include "speaker/api_source.hpp"

#include <algorithm>
#include <random>

#ifdef __GLIBC__
#include <malloc.h>
#endif

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <fmt/format.h>

#include "config/object.hpp"
#include "speaker/kept.hpp"

// gcc 12 takes a coroutine frame's own operator delete for the wrong one when it optimises (gcc bug 103993).
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic ignored "-Wmismatched-new-delete"
#endif

namespace speaker {
namespace {

namespace asio = boost::asio;
using config::Kind;

// A Kubernetes API writes every heartbeat to disk and sends it to every node: all of them together make at most 50 a
// second, so nodes beat slower where there are many.
constexpr std::chrono::milliseconds interval_per_node{20};
// A list of thousands of objects takes several times the memory of what is kept of them. The C library would hold on to
// that for ever.
constexpr std::size_t large_list = 1000;
constexpr std::chrono::seconds settling{2};
void give_memory_back() {
#ifdef __GLIBC__
  ::malloc_trim(0);
#endif
}

// A heartbeat that takes longer is as good as none.
constexpr std::chrono::milliseconds beat_timeout{2000};

config::ApiWatcher::Options watch_options(const config::ApiEndpoint& endpoint, const Options& options) {
  config::ApiWatcher::Options out;
  out.endpoint = endpoint;
  out.reduce = keep_needed;
  if (options.kubernetes)
    out.kubernetes = config::ApiWatcher::Options::Kubernetes{.metallb_namespace = options.metallb_namespace};
  out.kinds = {Kind::IPAddressPool,    Kind::Community, Kind::BGPPeer,       Kind::BGPConfiguration,
               Kind::BGPAdvertisement, Kind::BGPFilter, Kind::BFDProfile,    Kind::L2Advertisement,
               Kind::SpeakerState,     Kind::Service,   Kind::EndpointSlice, Kind::Node,
               Kind::Namespace,        Kind::Secret};
  return out;
}

Change::Kind change_kind(Kind kind) {
  switch (kind) {
    case Kind::Service:
      return Change::Kind::Service;
    case Kind::EndpointSlice:
      return Change::Kind::EndpointSlice;
    case Kind::Node:
      return Change::Kind::Node;
    case Kind::SpeakerState:
      return Change::Kind::SpeakerState;
    default:
      return Change::Kind::Policy;
  }
}

std::vector<Change> named(const config::Changes& changes) {
  std::vector<Change> out;
  for (const auto& object : changes.set)
    out.push_back({change_kind(config::kind_of(object)), config::meta_of(object).key()});
  for (const auto& id : changes.removed) out.push_back({change_kind(id.kind), id.key});
  for (const auto& refused : changes.refused) out.push_back({change_kind(refused.id.kind), refused.id.key});
  return out;
}

}  // namespace

ApiSource::ApiSource(asio::io_context& io, const config::ApiEndpoint& endpoint, const Options& options,
                     Listener listener, std::function<config::SpeakerState()> own_state)
    : io_{io},
      options_{options},
      listener_{std::move(listener)},
      own_state_{std::move(own_state)},
      set_{options.node},
      watcher_{io.get_executor(), watch_options(endpoint, options),
               [this](config::Changes changes) { take(std::move(changes)); }},
      client_{io.get_executor(), endpoint, beat_timeout},
      next_beat_{io},
      worked_through_{io},
      instance_{fmt::format("{:08x}", std::random_device{}())} {
  watcher_.on_event = listener_.log;
}

void ApiSource::start() {
  watcher_.start();
  asio::co_spawn(io_, heartbeats(), asio::detached);
}

void ApiSource::take(config::Changes changes) {
  const bool first = !std::exchange(synced_, true);
  const bool large = changes.set.size() >= large_list;
  if (first) listener_.listed(changes.set.size());
  auto list = first ? std::vector<Change>{} : named(changes);
  const auto effect = set_.apply(std::move(changes));
  if (large) give_memory_back_soon();
  if (first || effect == config::ResourceSet::Effect::Configuration) return listener_.replaced(set_.current());
  // A policy that had changed would have made it a new configuration: this is its status, or a namespace.
  std::erase_if(list, [](const Change& change) { return change.kind == Change::Kind::Policy; });
  if (!list.empty()) listener_.changed(set_.current(), list);
}

void ApiSource::beat() {
  next_beat_.cancel();
}

std::chrono::milliseconds ApiSource::interval() const {
  if (!options_.kubernetes) return options_.heartbeat;
  const auto nodes = static_cast<std::int64_t>(set_.current().resources.nodes.size());
  return std::max(options_.heartbeat, nodes * interval_per_node);
}

asio::awaitable<config::ApiAnswer> ApiSource::publish() {
  auto state = own_state_();
  state.heartbeat_interval = interval();
  state.heartbeat = ++heartbeat_;
  state.instance = instance_;
  auto object = config::print(config::Object{state});
  const auto& kind = config::info(Kind::SpeakerState);
  const config::ObjectPath path{&kind, {}, options_.node, {}};
  const nlohmann::json patch{{"spec", object["spec"]}};
  auto answer = co_await client_.patch(path, patch);
  if (!answer && answer.error().code == 404) answer = co_await client_.create(std::move(object));
  co_return answer;
}

asio::awaitable<void> ApiSource::heartbeats() {
  while (!leaving_) {
    const auto answer = co_await publish();
    if (leaving_) break;
    published_ = published_ || answer.has_value();
    // A refusal is an answer too: the API is there.
    const auto reached = answer.has_value() || !answer.error().unreachable();
    auto refusal = !answer && reached ? "heartbeat refused: " + config::print(answer.error()) : std::string{};
    if (refusal != refusal_ && !refusal.empty()) listener_.log(refusal);
    refusal_ = std::move(refusal);
    // While the watches are behind, the heartbeats of others are not seen either: that is not their silence.
    const auto following = !watcher_.health().stale_since.has_value();
    listener_.reached(reached && following ? Liveness::Api::Reachable : Liveness::Api::Away);
    next_beat_.expires_after(interval());
    boost::system::error_code cut_short;
    co_await next_beat_.async_wait(asio::redirect_error(asio::use_awaitable, cut_short));
  }
}

asio::awaitable<void> ApiSource::withdraw(std::function<void()> done) {
  const auto& kind = config::info(Kind::SpeakerState);
  config::ObjectPath path{&kind, {}, options_.node, {}};
  co_await client_.remove(path);
  done();
}

// Not now: there is work to do, and whoever called holds some of it. What comes of a list is worked through in the next
// moments, and leaves free memory behind as well.
void ApiSource::give_memory_back_soon() {
  asio::post(io_, give_memory_back);
  worked_through_.expires_after(settling);
  worked_through_.async_wait([](const boost::system::error_code& stopped) {
    if (!stopped) give_memory_back();
  });
}

void ApiSource::leave(std::function<void()> done) {
  leaving_ = true;
  next_beat_.cancel();
  worked_through_.cancel();
  watcher_.stop();
  if (!published_) return done();
  asio::co_spawn(io_, withdraw(std::move(done)), asio::detached);
}

}  // namespace speaker
