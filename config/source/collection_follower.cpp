// SPDX-License-Identifier: Apache-2.0
#include "config/source/collection_follower.hpp"

#include <algorithm>
#include <utility>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "config/source/api_client.hpp"

namespace config {
namespace {

namespace asio = boost::asio;

constexpr int not_found = 404;
constexpr int forbidden = 403;
constexpr int gone = 410;
// A server that has just started may refuse everybody until it has read its rules.
constexpr int patience_with_refusals = 5;

// "/apis/metallb.io" of "/apis/metallb.io/v1beta1/communities"; empty where there is no group.
std::string group_of(const std::string& path) {
  constexpr std::string_view root = "/apis/";
  if (!path.starts_with(root)) return {};
  return path.substr(0, path.find('/', root.size()));
}

}  // namespace

CollectionFollower::CollectionFollower(asio::any_io_executor executor, Options options, CollectionSink& sink, Tell tell)
    : executor_{std::move(executor)},
      options_{std::move(options)},
      sink_{sink},
      tell_{std::move(tell)},
      connection_{HttpConnection::make(executor_, options_.endpoint)},
      timer_{executor_},
      random_{std::random_device{}()} {}

void CollectionFollower::start() {
  stopped_ = false;
  running_ = true;
  stale_since_ = Clock::now();
  asio::co_spawn(executor_, follow(), [this](const std::exception_ptr& /*none is thrown*/) { running_ = false; });
}

void CollectionFollower::stop() {
  stopped_ = true;
  connection_->close();
  timer_.cancel();
}

void CollectionFollower::refresh() {
  refresh_ = true;
  connection_->close();
  timer_.cancel();
}

asio::awaitable<void> CollectionFollower::follow() {
  if (!options_.ready_path.empty()) co_await wait_until_ready();
  bool must_list = true;
  auto wait = options_.first_retry;
  auto absent_wait = 10 * options_.first_retry;
  while (!stopped_) {
    auto outcome = Outcome::Ended;
    must_list = std::exchange(refresh_, false) || must_list;
    if (must_list) {
      outcome = co_await list();
      must_list = outcome != Outcome::Ended;
    }
    if (!must_list && !stopped_ && !refresh_) {
      heard_ = false;
      outcome = co_await watch();
      must_list = outcome == Outcome::Forgotten || outcome == Outcome::Absent;
      if (heard_) wait = options_.first_retry;
    }
    if (stopped_) break;
    if (outcome == Outcome::Ended || refresh_) continue;
    auto& current = outcome == Outcome::Absent ? absent_wait : wait;
    co_await pause(current);
    current = std::min(2 * current, outcome == Outcome::Absent ? options_.absent_retry : options_.last_retry);
  }
}

// Half of the time is fixed and half by chance, so that clients cut off together do not come back together.
asio::awaitable<void> CollectionFollower::pause(Milliseconds longest) {
  const auto half = longest.count() / 2;
  std::uniform_int_distribution<Milliseconds::rep> chance{0, half};
  timer_.expires_after(Milliseconds{half + chance(random_)});
  constexpr auto token = asio::as_tuple(asio::use_awaitable);
  co_await timer_.async_wait(token);
}

// A server that has just started may not know its custom kinds yet and say 404 for them, which must not be taken for
// their absence. A server that does not tell (404, 403) is taken as it is.
asio::awaitable<void> CollectionFollower::wait_until_ready() {
  auto wait = options_.first_retry;
  while (!stopped_) {
    HttpRequest request{"GET", options_.ready_path, {}, {}};
    auto response = co_await connection_->exchange(std::move(request), options_.request_timeout);
    if (!response) {
      fail(std::move(response.error()));
    } else if (response->status == 401) {
      fail(print(interpret(*response).error()));
    } else if (response->status < 500) {
      co_return;
    } else {
      fail("the API server is not ready yet (HTTP status " + std::to_string(response->status) + ")");
    }
    if (stopped_) co_return;
    co_await pause(wait);
    wait = std::min(2 * wait, options_.last_retry);
  }
}

CollectionFollower::Outcome CollectionFollower::fail(std::string why) {
  if (stopped_ || refresh_) return Outcome::Failed;
  ++failures_;
  if (!stale_since_) stale_since_ = Clock::now();
  // Said once for every kind of trouble, however long it lasts.
  const bool news = why != error_;
  error_ = std::move(why);
  if (news && tell_) tell_(options_.title + ": " + error_);
  return Outcome::Failed;
}

void CollectionFollower::well() {
  if (!error_.empty() && tell_) tell_(options_.title + ": followed again");
  error_.clear();
  stale_since_.reset();
}

// ---- list

// The path in use first, then the others: a server that was upgraded may serve another version now.
asio::awaitable<CollectionFollower::Outcome> CollectionFollower::list() {
  std::string why;
  for (std::size_t tried = 0; tried < options_.paths.size(); ++tried) {
    auto path = options_.paths[path_];
    const auto outcome = co_await list_from(std::move(path));
    if (outcome) co_return *outcome;
    path_ = (path_ + 1) % options_.paths.size();
  }
  if (options_.presence == Presence::Required) co_return fail("the server does not have them (HTTP status 404)");
  // Objects go one by one before their kind does, so what is known still stands until somebody says otherwise.
  if (!sink_.empty()) co_return fail("the server does not have them any more; what was known is kept");
  if (!std::exchange(absence_told_, true) && tell_) tell_(options_.title + ": not served; looked for again later");
  well();
  if (!listed_) {
    listed_ = true;
    sink_.begin_list();
    sink_.end_list();
  }
  co_return Outcome::Absent;
}

// Nothing: there is no such collection.
asio::awaitable<std::optional<CollectionFollower::Outcome>> CollectionFollower::list_from(std::string path) {
  sink_.begin_list();
  std::string next;
  do {
    HttpRequest request;
    request.target = path + "?limit=" + std::to_string(options_.page_size) +
                     (options_.query.empty() ? "" : "&" + options_.query) +
                     (next.empty() ? "" : "&continue=" + percent_encode(next));
    auto response = co_await connection_->exchange(std::move(request), options_.request_timeout);
    if (!response) co_return fail(std::move(response.error()));
    if (response->status == gone) co_return Outcome::Forgotten;  // it changed too much between pages
    if (response->status == not_found) co_return std::nullopt;
    if (response->status == forbidden && co_await is_hidden(path)) co_return std::nullopt;
    if (response->status != 200) co_return fail(print(interpret(*response).error()));
    auto page = sink_.take_page(response->body);
    if (!page) co_return fail(std::move(page.error()));
    next = std::move(page->next);
    version_ = std::move(page->version);
  } while (!next.empty());

  relists_ += listed_ ? 1 : 0;
  listed_ = true;
  absence_told_ = false;
  refusals_ = 0;
  sink_.end_list();
  co_return Outcome::Ended;
}

// Whether a refusal means that there is nothing for us. Of what is not there a server says 403 too, to those who might
// not read it if it were; that the group is not there, it tells everybody by a clear 404.
asio::awaitable<bool> CollectionFollower::is_hidden(std::string path) {
  if (options_.presence == Presence::Required) co_return false;
  if (auto group = group_of(path); !group.empty()) {
    HttpRequest request{"GET", std::move(group), {}, {}};
    const auto response = co_await connection_->exchange(std::move(request), options_.request_timeout);
    if (response && response->status == not_found) co_return true;
  }
  co_return ++refusals_ > patience_with_refusals;
}

// ---- watch

asio::awaitable<CollectionFollower::Outcome> CollectionFollower::watch() {
  // The server ends a watch after a while; not all at the same time.
  std::uniform_int_distribution<int> lifetime{300, 600};
  HttpRequest request;
  request.target =
      options_.paths[path_] + "?watch=true&allowWatchBookmarks=true&resourceVersion=" + percent_encode(version_) +
      (options_.query.empty() ? "" : "&" + options_.query) + "&timeoutSeconds=" + std::to_string(lifetime(random_));
  auto status = co_await connection_->open(std::move(request), options_.request_timeout);
  if (!status) co_return fail(std::move(status.error()));
  if (*status != 200) {
    connection_->close();
    if (*status == gone) co_return Outcome::Forgotten;
    const auto failed = fail("watch: HTTP status " + std::to_string(*status));
    // The list finds out whether another version is served.
    co_return *status == not_found ? Outcome::Forgotten : failed;
  }
  well();
  LineSplitter lines;
  for (;;) {
    auto piece = co_await connection_->read_some(options_.silence);
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

std::optional<CollectionFollower::Outcome> CollectionFollower::take_events(LineSplitter& lines) {
  using Type = CollectionSink::Event::Type;
  std::optional<Outcome> trouble;
  while (const auto line = trouble ? std::nullopt : lines.next()) {
    auto event = sink_.take_event(*line);
    if (!event) {
      trouble = fail(std::move(event.error()));
    } else if (event->type == Type::Forgotten) {
      trouble = Outcome::Forgotten;
    } else if (event->type == Type::Error) {
      trouble = fail("watch: " + event->message);
    } else if (!event->version.empty()) {
      version_ = std::move(event->version);
    }
  }
  sink_.end_events();
  return trouble;
}

}  // namespace config
