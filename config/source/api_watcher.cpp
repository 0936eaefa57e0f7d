// SPDX-License-Identifier: Apache-2.0
#include "config/source/api_watcher.hpp"

#include <algorithm>
#include <iterator>
#include <map>
#include <random>
#include <utility>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "config/document.hpp"
#include "config/source/api_client.hpp"
#include "config/source/line_splitter.hpp"

namespace config {
namespace {

namespace asio = boost::asio;
using std::chrono::milliseconds;
using Clock = std::chrono::steady_clock;

std::string text_at(const Value& value, std::string_view key) {
  const auto* member = value.find(key);
  return member == nullptr ? std::string{} : member->value.text;
}

const Value& mapping_at(const Value& value, std::string_view key) {
  static const Value nothing;
  const auto* member = value.find(key);
  return member == nullptr ? nothing : member->value;
}

}  // namespace

// One kind: its connection, what is known of it, and where its stream stands.
class ApiWatcher::Follower {
 public:
  Follower(ApiWatcher& watcher, const KindInfo& kind)
      : watcher_{watcher},
        kind_{kind},
        connection_{HttpConnection::make(watcher.executor_, watcher.options_.endpoint)},
        timer_{watcher.executor_},
        random_{std::random_device{}()} {}

  void start() {
    stopped_ = false;
    running_ = true;
    stale_since_ = Clock::now();
    asio::co_spawn(watcher_.executor_, follow(),
                   [this](const std::exception_ptr& /*none is thrown*/) { running_ = false; });
  }

  void stop() {
    stopped_ = true;
    connection_->close();
    timer_.cancel();
  }

  [[nodiscard]] bool listed() const { return listed_; }
  void add_to(Health& health) const {
    health.running = health.running || running_;
    health.relists += relists_;
    health.failures += failures_;
    if (stale_since_ && (!health.stale_since || *stale_since_ < *health.stale_since)) health.stale_since = stale_since_;
    if (!error_.empty()) health.last_error = error_;
  }

 private:
  enum class Outcome : std::uint8_t { Ended, Forgotten, Failed };

  asio::awaitable<void> follow() {
    bool must_list = true;
    auto wait = watcher_.options_.first_retry;
    while (!stopped_) {
      auto outcome = Outcome::Ended;
      if (must_list) {
        outcome = co_await list();
        must_list = outcome != Outcome::Ended;
      }
      if (!must_list && !stopped_) {
        heard_ = false;
        outcome = co_await watch();
        must_list = outcome == Outcome::Forgotten;
        if (heard_) wait = watcher_.options_.first_retry;
      }
      if (stopped_) break;
      if (outcome == Outcome::Ended) continue;
      co_await pause(wait);
      wait = std::min(2 * wait, watcher_.options_.last_retry);
    }
  }

  // Half of the time is fixed and half by chance, so that speakers cut off together do not come back together.
  asio::awaitable<void> pause(milliseconds longest) {
    const auto half = longest.count() / 2;
    std::uniform_int_distribution<milliseconds::rep> chance{0, half};
    timer_.expires_after(milliseconds{half + chance(random_)});
    constexpr auto token = asio::as_tuple(asio::use_awaitable);
    co_await timer_.async_wait(token);
  }

  Outcome fail(std::string why) {
    if (stopped_) return Outcome::Failed;
    ++failures_;
    if (!stale_since_) stale_since_ = Clock::now();
    // Said once for every kind of trouble, however long it lasts.
    const bool news = why != error_;
    error_ = std::move(why);
    if (news) tell(std::string{kind_.plural} + ": " + error_);
    return Outcome::Failed;
  }

  void well() {
    if (!error_.empty()) tell(std::string{kind_.plural} + ": followed again");
    error_.clear();
    stale_since_.reset();
  }

  void tell(const std::string& what) const {
    if (watcher_.on_event) watcher_.on_event(what);
  }

  // ---- list

  asio::awaitable<Outcome> list() {
    Changes changes;
    std::map<std::string, std::string> seen;
    std::string next;
    std::string version;
    do {
      HttpRequest request;
      request.target = collection_path(kind_) + "?limit=" + std::to_string(watcher_.options_.page_size) +
                       (next.empty() ? "" : "&continue=" + percent_encode(next));
      auto response = co_await connection_->exchange(std::move(request), watcher_.options_.request_timeout);
      if (!response) co_return fail(std::move(response.error()));
      if (response->status == 410) co_return Outcome::Forgotten;  // it changed too much between pages
      if (response->status != 200) co_return fail(print(interpret(*response).error()));
      const auto page = read_json(response->body, {});
      if (page.values.empty()) co_return fail("the list is not JSON");
      const auto& metadata = mapping_at(page.values[0], "metadata");
      next = text_at(metadata, "continue");
      version = text_at(metadata, "resourceVersion");
      for (const auto& item : mapping_at(page.values[0], "items").items) add_listed(item, changes, seen);
    } while (!next.empty());

    for (const auto& [key, known] : known_)
      if (!seen.contains(key)) changes.removed.push_back({kind_.kind, key});
    known_ = std::move(seen);
    version_ = std::move(version);
    relists_ += listed_ ? 1 : 0;
    listed_ = true;
    watcher_.deliver(std::move(changes));
    co_return Outcome::Ended;
  }

  void add_listed(const Value& item, Changes& changes, std::map<std::string, std::string>& seen) const {
    auto read = read_item(item, kind_);
    const auto known = known_.find(read.key);
    const bool same = known != known_.end() && !read.resource_version.empty() && known->second == read.resource_version;
    seen.insert_or_assign(read.key, read.resource_version);
    if (!same) add(std::move(read), changes);
  }

  void add(ReadItem read, Changes& changes) const {
    if (read.object)
      changes.set.push_back(*std::move(read.object));
    else
      changes.refused.push_back({{kind_.kind, std::move(read.key)}, std::move(read.problems)});
  }

  // ---- watch

  asio::awaitable<Outcome> watch() {
    // The server ends a watch after a while; not all at the same time.
    std::uniform_int_distribution<int> lifetime{300, 600};
    HttpRequest request;
    request.target = collection_path(kind_) +
                     "?watch=true&allowWatchBookmarks=true&resourceVersion=" + percent_encode(version_) +
                     "&timeoutSeconds=" + std::to_string(lifetime(random_));
    auto status = co_await connection_->open(std::move(request), watcher_.options_.request_timeout);
    if (!status) co_return fail(std::move(status.error()));
    if (*status == 410) {
      connection_->close();
      co_return Outcome::Forgotten;
    }
    if (*status != 200) {
      connection_->close();
      co_return fail("watch: HTTP status " + std::to_string(*status));
    }
    well();
    LineSplitter lines;
    for (;;) {
      auto piece = co_await connection_->read_some(watcher_.options_.silence);
      if (!piece) co_return fail(std::move(piece.error()));
      if (piece->empty()) co_return heard_ ? Outcome::Ended : fail("the watch ended at once");
      heard_ = true;
      lines.add(*piece);
      if (auto trouble = take_events(lines)) {
        connection_->close();
        co_return *trouble;
      }
    }
  }

  // What is there is delivered as one difference, of which each object is told its last state.
  std::optional<Outcome> take_events(LineSplitter& lines) {
    std::map<std::string, ReadItem> latest;
    std::optional<Outcome> trouble;
    while (const auto line = trouble ? std::nullopt : lines.next()) {
      const auto event = read_json(*line, {});
      if (event.values.empty()) {
        trouble = fail("an event is not JSON");
        break;
      }
      const auto type = text_at(event.values[0], "type");
      const auto& object = mapping_at(event.values[0], "object");
      if (type == "ERROR") {
        trouble = text_at(object, "code") == "410" ? Outcome::Forgotten : fail("watch: " + text_at(object, "message"));
      } else {
        auto item = read_item(object, kind_);
        if (!item.resource_version.empty()) version_ = item.resource_version;
        if (type == "BOOKMARK") continue;
        item.removed = type == "DELETED";
        latest.insert_or_assign(item.key, std::move(item));
      }
    }
    Changes changes;
    for (auto& [key, item] : latest) {
      if (!item.removed) {
        known_.insert_or_assign(key, item.resource_version);
        add(std::move(item), changes);
      } else if (known_.erase(key) > 0) {
        changes.removed.push_back({kind_.kind, key});
      }
    }
    watcher_.deliver(std::move(changes));
    return trouble;
  }

  ApiWatcher& watcher_;
  const KindInfo& kind_;
  std::unique_ptr<HttpConnection> connection_;
  asio::steady_timer timer_;
  std::minstd_rand random_;
  std::map<std::string, std::string> known_;  // key -> resourceVersion
  std::string version_;                       // where the watch goes on
  bool listed_ = false;
  bool heard_ = false;  // the present watch said something
  bool stopped_ = false;
  bool running_ = false;
  std::optional<Clock::time_point> stale_since_;
  std::string error_;
  std::uint64_t relists_ = 0;
  std::uint64_t failures_ = 0;
};

ApiWatcher::ApiWatcher(asio::any_io_executor executor, Options options, OnChange on_change)
    : executor_{std::move(executor)}, options_{std::move(options)}, on_change_{std::move(on_change)} {
  for (const auto kind : options_.kinds) followers_.push_back(std::make_unique<Follower>(*this, info(kind)));
}

ApiWatcher::~ApiWatcher() = default;

void ApiWatcher::start() {
  for (const auto& follower : followers_) follower->start();
}

void ApiWatcher::stop() {
  for (const auto& follower : followers_) follower->stop();
}

void ApiWatcher::deliver(Changes changes) {
  if (!synced_) {
    std::ranges::move(changes.set, std::back_inserter(first_.set));
    std::ranges::move(changes.removed, std::back_inserter(first_.removed));
    std::ranges::move(changes.refused, std::back_inserter(first_.refused));
    if (!std::ranges::all_of(followers_, [](const auto& follower) { return follower->listed(); })) return;
    synced_ = true;
    changes = std::exchange(first_, {});
    on_change_(std::move(changes));
    return;
  }
  if (!changes.empty()) on_change_(std::move(changes));
}

ApiWatcher::Health ApiWatcher::health() const {
  Health health;
  health.synced = synced_;
  for (const auto& follower : followers_) follower->add_to(health);
  return health;
}

}  // namespace config
