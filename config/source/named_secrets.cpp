// SPDX-License-Identifier: Apache-2.0
#include "config/source/named_secrets.hpp"

#include <algorithm>
#include <utility>
#include <variant>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace config {
namespace {

namespace asio = boost::asio;
using std::chrono::milliseconds;

std::optional<std::string> secret_of(const BGPPeer& peer) {
  // A connection is signed in one way.
  const auto& own = peer.meta.namespace_name;
  if (peer.password_secret) return peer.password_secret->full_name(own);
  if (peer.tcp_ao) return peer.tcp_ao->secret.full_name(own);
  return std::nullopt;
}

}  // namespace

NamedSecrets::NamedSecrets(const asio::any_io_executor& executor, const ApiEndpoint& endpoint, milliseconds interval,
                           OnChange on_change, Tell tell)
    : executor_{executor},
      client_{executor, endpoint},
      interval_{interval},
      on_change_{std::move(on_change)},
      tell_{std::move(tell)},
      timer_{executor} {}

void NamedSecrets::start() {
  stopped_ = false;
  running_ = true;
  asio::co_spawn(executor_, run(), [this](const std::exception_ptr& /*none is thrown*/) { running_ = false; });
}

void NamedSecrets::stop() {
  stopped_ = true;
  client_.close();
  timer_.cancel();
}

void NamedSecrets::follow(const Changes& changes) {
  bool news = false;
  for (const auto& object : changes.set) {
    const auto* peer = std::get_if<BGPPeer>(&object);
    if (peer == nullptr) continue;
    const auto key = secret_of(*peer);
    if (!key) {
      news = named_.erase(peer->meta.key()) > 0 || news;
      continue;
    }
    named_.insert_or_assign(peer->meta.key(), *key);
    if (known_.contains(*key)) continue;
    wanted_.insert(*key);
    news = true;
  }
  for (const auto& id : changes.removed)
    if (id.kind == Kind::BGPPeer) news = named_.erase(id.key) > 0 || news;
  for (const auto& refused : changes.refused)
    if (refused.id.kind == Kind::BGPPeer) news = named_.erase(refused.id.key) > 0 || news;
  if (news) timer_.cancel();
}

void NamedSecrets::forget_unnamed() {
  Changes changes;
  std::erase_if(known_, [&](const auto& entry) {
    const bool used = std::ranges::any_of(named_, [&](const auto& peer) { return peer.second == entry.first; });
    if (!used) changes.removed.push_back({Kind::Secret, entry.first});
    return !used;
  });
  if (!changes.empty()) on_change_(std::move(changes));
}

asio::awaitable<void> NamedSecrets::run() {
  constexpr auto token = asio::as_tuple(asio::use_awaitable);
  while (!stopped_) {
    forget_unnamed();
    while (!wanted_.empty() && !stopped_) {
      auto key = std::move(wanted_.extract(wanted_.begin()).value());
      co_await fetch(std::move(key));
    }
    if (stopped_) break;
    const auto half = interval_.count() / 2;
    std::uniform_int_distribution<milliseconds::rep> chance{0, half};
    timer_.expires_after(milliseconds{half + chance(random_)});
    const auto [cut_short] = co_await timer_.async_wait(token);
    if (cut_short) continue;
    for (const auto& [peer, key] : named_) wanted_.insert(key);
  }
}

// An answer that there is none, or that it is not for us, takes the secret away: the peer is held down and says so.
// No answer says nothing, and what was known stands.
asio::awaitable<void> NamedSecrets::fetch(std::string key) {
  const auto slash = key.find('/');
  const ObjectPath path{&info(Kind::Secret), key.substr(0, slash), key.substr(slash + 1), {}};
  auto answer = co_await client_.get(path);
  if (stopped_) co_return;
  Changes changes;
  if (answer) {
    auto read = read_object(*answer);
    errors_.erase(key);
    if (read.objects.size() == 1) {
      const auto& version = meta_of(read.objects.front()).resource_version;
      const auto known = known_.find(key);
      if (known != known_.end() && known->second == version) co_return;
      known_.insert_or_assign(key, version);
      changes.set.push_back(std::move(read.objects.front()));
    } else {
      known_.insert_or_assign(key, std::string{});
      changes.refused.push_back({{Kind::Secret, key}, std::move(read.problems)});
    }
  } else if (answer.error().code == 404 || answer.error().code == 403) {
    trouble(key, print(answer.error()));
    if (known_.erase(key) > 0) changes.removed.push_back({Kind::Secret, key});
  } else {
    trouble(key, print(answer.error()));
  }
  if (!changes.empty()) on_change_(std::move(changes));
}

void NamedSecrets::trouble(const std::string& key, std::string why) {
  auto& last = errors_[key];
  if (last == why) return;
  if (tell_) tell_("secret " + key + ": " + why);
  last = std::move(why);
}

}  // namespace config
