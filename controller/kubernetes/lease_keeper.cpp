// SPDX-License-Identifier: Apache-2.0
#include "controller/kubernetes/lease_keeper.hpp"

#include <utility>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <fmt/chrono.h>
#include <fmt/format.h>

// gcc 12 takes a coroutine frame's own operator delete for the wrong one when it optimises (gcc bug 103993).
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic ignored "-Wmismatched-new-delete"
#endif

namespace controller {
namespace {

namespace asio = boost::asio;
using nlohmann::json;

// A renewal that takes longer comes too late.
constexpr std::chrono::milliseconds write_timeout{1'000};

// MicroTime of Kubernetes: RFC 3339 with six digits.
std::string wall_time() {
  const auto now = std::chrono::time_point_cast<std::chrono::microseconds>(std::chrono::system_clock::now());
  const auto fraction = now.time_since_epoch() % std::chrono::seconds{1};
  return fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:06}Z", fmt::gmtime(std::chrono::system_clock::to_time_t(now)),
                     fraction.count());
}

std::string leases(const std::string& namespace_name) {
  return "/apis/coordination.k8s.io/v1/namespaces/" + config::percent_encode(namespace_name) + "/leases";
}

config::CollectionFollower::Options follow(const LeaseKeeper::Options& options) {
  config::CollectionFollower::Options out;
  out.endpoint = options.endpoint;
  out.title = "lease " + options.namespace_name + "/" + options.name;
  out.paths = {leases(options.namespace_name)};
  out.query = "fieldSelector=" + config::percent_encode("metadata.name=" + options.name);
  // Its holder writes all the time: silence means that the connection is dead.
  out.silence = std::chrono::milliseconds{20'000};
  out.last_retry = std::chrono::milliseconds{1'000};
  return out;
}

}  // namespace

class LeaseKeeper::Sink final : public config::CollectionSink {
 public:
  explicit Sink(LeaseKeeper& keeper) : keeper_{keeper} {}
  void begin_list() override { listed_ = {}; }
  net::Result<Page, std::string> take_page(std::string_view body) override {
    const auto list = json::parse(body, nullptr, false);
    if (!list.is_object()) return net::fail(std::string{"the list is not JSON"});
    for (const auto& item : list.value("items", json::array())) listed_ = read_lease(item);
    return Page{{}, list.value("metadata", json::object()).value("resourceVersion", "")};
  }
  void end_list() override { keeper_.observe(listed_); }
  net::Result<Event, std::string> take_event(std::string_view line) override {
    const auto event = json::parse(line, nullptr, false);
    if (!event.is_object()) return net::fail(std::string{"an event is not JSON"});
    const auto type = event.value("type", "");
    const auto object = event.value("object", json::object());
    if (type == "ERROR")
      return Event{object.value("code", 0) == 410 ? Event::Type::Forgotten : Event::Type::Error,
                   {},
                   object.value("message", "")};
    Event out{type == "BOOKMARK" ? Event::Type::Bookmark : Event::Type::Changed,
              object.value("metadata", json::object()).value("resourceVersion", ""),
              {}};
    if (out.type == Event::Type::Changed) keeper_.observe(type == "DELETED" ? LeaseRecord{} : read_lease(object));
    return out;
  }
  void end_events() override {}
  [[nodiscard]] bool empty() const override { return false; }

 private:
  LeaseKeeper& keeper_;
  LeaseRecord listed_;
};

LeaseKeeper::LeaseKeeper(const asio::any_io_executor& executor, Options options, Listener listener)
    : executor_{executor},
      options_{std::move(options)},
      listener_{std::move(listener)},
      election_{options_.identity, options_.timing},
      sink_{std::make_unique<Sink>(*this)},
      follower_{executor, follow(options_), *sink_, listener_.event},
      client_{executor, options_.endpoint, write_timeout},
      timer_{executor} {}

LeaseKeeper::~LeaseKeeper() = default;

void LeaseKeeper::start() {
  follower_.start();
  asio::co_spawn(executor_, keep(), asio::detached);
}

bool LeaseKeeper::leads() const {
  return !leaving_ && election_.leads(net::Clock::now());
}

void LeaseKeeper::observe(const LeaseRecord& record) {
  if (leaving_) return;
  election_.observe(record, net::Clock::now());
  timer_.cancel();
}

// Tells what became of it.
void LeaseKeeper::settle() {
  if (election_.lost()) {
    election_.accept_loss();
    leading_ = false;
    listener_.lost();
  }
  const bool leads_now = leads();
  if (leads_now == leading_) return;
  leading_ = leads_now;
  leads_now ? listener_.gained() : listener_.paused();
}

asio::awaitable<void> LeaseKeeper::keep() {
  constexpr auto token = asio::as_tuple(asio::use_awaitable);
  while (!leaving_) {
    auto record = election_.due(net::Clock::now(), wall_time());
    if (record) co_await write(*std::move(record));
    if (leaving_) break;
    settle();
    timer_.expires_at(election_.next_deadline(net::Clock::now()));
    co_await timer_.async_wait(token);
    if (!leaving_) settle();
  }
}

asio::awaitable<void> LeaseKeeper::write(LeaseRecord record) {
  const bool create = record.resource_version.empty();
  const auto path = leases(options_.namespace_name);
  config::HttpRequest request;
  request.method = create ? "POST" : "PUT";
  request.target = create ? path : path + "/" + config::percent_encode(options_.name);
  request.body = print_lease(record, options_.name, options_.namespace_name, wall_time()).dump();
  request.content_type = "application/json";
  const auto asked = net::Clock::now();
  auto answer = co_await client_.call(std::move(request));
  if (leaving_) co_return;
  if (answer) {
    election_.wrote(record, read_lease(*answer).resource_version, asked);
    trouble_.clear();
    co_return;
  }
  election_.failed(net::Clock::now());
  if (answer.error().code != 409) trouble(config::print(answer.error()));
  // Somebody else was quicker, or our own write came through and its answer was lost.
  if (answer.error().code != 409 && answer.error().code != 404) co_return;
  config::HttpRequest look{"GET", path + "/" + config::percent_encode(options_.name), {}, {}};
  auto now_there = co_await client_.call(std::move(look));
  if (now_there) observe(read_lease(*now_there));
  if (!now_there && now_there.error().code == 404) observe({});
}

asio::awaitable<void> LeaseKeeper::give_up(LeaseRecord record, std::function<void()> done) {
  config::HttpRequest request;
  request.method = "PUT";
  request.target = leases(options_.namespace_name) + "/" + config::percent_encode(options_.name);
  request.body = print_lease(record, options_.name, options_.namespace_name, wall_time()).dump();
  request.content_type = "application/json";
  // A client of its own: the other may have a renewal under way.
  auto client = std::make_unique<config::AsyncApiClient>(executor_, options_.endpoint, write_timeout);
  co_await client->call(std::move(request));
  done();
}

void LeaseKeeper::leave(std::function<void()> done) {
  const auto record = election_.release();
  leaving_ = true;
  follower_.stop();
  timer_.cancel();
  if (!record) return done();
  asio::co_spawn(executor_, give_up(*record, std::move(done)), asio::detached);
}

void LeaseKeeper::trouble(const std::string& what) {
  if (what == trouble_) return;
  trouble_ = what;
  if (listener_.event) listener_.event("lease " + options_.namespace_name + "/" + options_.name + ": " + what);
}

}  // namespace controller
