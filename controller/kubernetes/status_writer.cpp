// SPDX-License-Identifier: Apache-2.0
#include "controller/kubernetes/status_writer.hpp"

#include <algorithm>
#include <utility>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "config/source/kubernetes_kinds.hpp"
#include "controller/store/metadata.hpp"

// gcc 12 takes a coroutine frame's own operator delete for the wrong one when it optimises (gcc bug 103993).
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic ignored "-Wmismatched-new-delete"
#endif

namespace controller {
namespace {

namespace asio = boost::asio;
using config::Kind;
using nlohmann::json;

constexpr std::string_view manager = "?fieldManager=herald-controller";
constexpr auto first_retry = std::chrono::milliseconds{100};
constexpr auto last_retry = std::chrono::milliseconds{5'000};

// Worth another try: the API is away, overloaded, or does not let us in yet. Addresses wait for a right that may still
// be given; they must not wait behind the status of something else that never is, after an upgrade without its RBAC.
bool passes(const config::ApiError& error, Kind kind) {
  const auto forbidden = error.code == 403 && (kind == Kind::Service || kind == Kind::IPAddressPool);
  return error.unreachable() || error.code >= 500 || error.code == 429 || error.code == 401 || forbidden;
}

WriteError::Code code_of(const config::ApiError& error) {
  if (error.code == 404) return WriteError::Code::NotFound;
  return error.code == 409 ? WriteError::Code::Conflict : WriteError::Code::Invalid;
}

}  // namespace

struct StatusWriter::Worker {
  Worker(const asio::any_io_executor& executor, const config::ApiEndpoint& endpoint)
      : client{executor, endpoint}, timer{executor} {}
  config::AsyncApiClient client;
  asio::steady_timer timer;
  std::chrono::milliseconds wait = first_retry;
  bool busy = false;
};

StatusWriter::StatusWriter(asio::any_io_executor executor, const config::ApiEndpoint& endpoint, Gate gate, View view)
    : executor_{std::move(executor)}, gate_{std::move(gate)}, view_{std::move(view)} {
  for (std::size_t i = 0; i < connections; ++i) workers_.push_back(std::make_unique<Worker>(executor_, endpoint));
}

StatusWriter::~StatusWriter() = default;

void StatusWriter::write(std::vector<Write> batch, Objects::Done done) {
  auto shared = std::make_shared<Batch>();
  shared->results.resize(batch.size());
  shared->done = std::move(done);
  for (std::size_t i = 0; i < batch.size(); ++i) {
    auto& write = batch[i];
    // Events answer to nobody: the API keeps them for a while and removes them itself.
    if (write.key.kind == Kind::Event) {
      if (write.verb == Write::Verb::Create) events_.push_back(std::move(write));
      continue;
    }
    ++shared->left;
    statuses_.push_back({std::move(write), shared, i});
  }
  while (events_.size() > most_events) {
    events_.pop_front();
    ++counters_.events_dropped;
  }
  if (shared->left == 0)
    asio::post(executor_, [this, shared, term = term_] {
      if (term == term_ && shared->done) shared->done(std::move(shared->results));
    });
  resume();
}

void StatusWriter::resume() {
  auto work_left = statuses_.size() + events_.size();
  if (!may_send()) return;
  for (const auto& worker : workers_) {
    if (work_left == 0) return;
    if (worker->busy) continue;
    --work_left;
    worker->busy = true;
    asio::co_spawn(executor_, work(*worker), [this, &one = *worker](const std::exception_ptr& /*none*/) {
      one.busy = false;
      resume();
    });
  }
}

void StatusWriter::abandon() {
  ++term_;
  statuses_.clear();
  events_.clear();
}

void StatusWriter::stop() {
  stopped_ = true;
  abandon();
  for (const auto& worker : workers_) {
    worker->timer.cancel();
    worker->client.close();
  }
}

asio::awaitable<void> StatusWriter::pause(Worker& worker, std::chrono::steady_clock::duration time) {
  constexpr auto token = asio::as_tuple(asio::use_awaitable);
  worker.timer.expires_after(time);
  co_await worker.timer.async_wait(token);
}

// Addresses go before the news of them.
asio::awaitable<void> StatusWriter::work(Worker& worker) {
  while (may_send() && !(statuses_.empty() && events_.empty())) {
    if (const auto wait = limiter_.reserve(std::chrono::steady_clock::now()); wait.count() > 0)
      co_await pause(worker, wait);
    // The lease may have run out while this waited, and another worker may have done the work.
    if (!may_send()) break;
    if (statuses_.empty()) {
      if (events_.empty()) break;
      auto event = std::move(events_.front());
      events_.pop_front();
      co_await send_event(worker, event);
      continue;
    }
    auto pending = std::move(statuses_.front());
    statuses_.pop_front();
    const auto term = term_;
    auto result = co_await attempt(worker, pending.write);
    if (term != term_) continue;
    if (result) {
      worker.wait = first_retry;
      answer(pending, *std::move(result));
      continue;
    }
    ++counters_.failures;
    statuses_.push_back(std::move(pending));
    std::uniform_int_distribution<std::chrono::milliseconds::rep> chance{worker.wait.count() / 2, worker.wait.count()};
    const auto time = std::chrono::milliseconds{chance(random_)};
    worker.wait = std::min(2 * worker.wait, last_retry);
    co_await pause(worker, time);
  }
}

void StatusWriter::answer(const Pending& pending, WriteResult result) {
  auto& batch = *pending.batch;
  batch.results[pending.index] = std::move(result);
  if (--batch.left == 0 && batch.done) batch.done(std::move(batch.results));
}

// A pool that is not ours by name is MetalLB's.
std::string StatusWriter::path_of(const ObjectKey& key) const {
  const auto& kind = config::info(key.kind);
  const auto name = config::percent_encode(key.name);
  if (key.kind != Kind::IPAddressPool || key.namespace_name.empty())
    return config::object_path(kind, key.namespace_name, name, "status");
  return config::metallb_path(kind.plural, "v1beta1", key.namespace_name) + "/" + name + "/status";
}

// Nothing: it has to be tried again.
asio::awaitable<std::optional<WriteResult>> StatusWriter::attempt(Worker& worker, const Write& write) {
  auto key = write.key;
  auto known = view_.find(key);
  if (known == nullptr && key.kind == Kind::IPAddressPool) {
    key.namespace_name = view_.metallb_namespace;
    known = view_.find(key);
  }
  if (known == nullptr)
    co_return WriteResult{net::fail(WriteError{WriteError::Code::NotFound, key.name + " is not there any more"})};
  auto patch = write.text.empty() ? write.value : json::parse(write.text, nullptr, false);
  if (write.if_revision) patch["metadata"]["resourceVersion"] = std::to_string(*write.if_revision);
  config::HttpRequest request;
  request.method = "PATCH";
  request.target = path_of(key).append(manager);
  request.body = compact(patch);
  request.content_type = "application/merge-patch+json";
  auto answer = co_await worker.client.call(std::move(request));
  if (answer) {
    ++counters_.written;
    trouble_.clear();
    view_.learned(key, *std::move(answer));
    co_return WriteResult{view_.find(key)};
  }
  const auto error = answer.error();
  if (passes(error, key.kind)) {
    trouble(key.namespace_name + "/" + key.name + ": " + config::print(error));
    if (error.retry_after.count() > 0) limiter_.hold_back(std::chrono::steady_clock::now() + error.retry_after);
    co_return std::nullopt;
  }
  if (error.code == 409) {
    ++counters_.conflicts;
    // The news may be long in coming by the watch; deciding again on what is known would conflict again.
    const config::ObjectPath path{&config::info(key.kind), key.namespace_name, key.name, {}};
    if (key.kind == Kind::Service)
      if (auto fresh = co_await worker.client.get(path)) view_.learned(key, *std::move(fresh));
  } else if (error.code != 404) {
    trouble(key.namespace_name + "/" + key.name + ": " + config::print(error));
  }
  co_return WriteResult{net::fail(WriteError{code_of(error), config::print(error)})};
}

asio::awaitable<void> StatusWriter::send_event(Worker& worker, const Write& write) {
  config::HttpRequest request;
  request.method = "POST";
  request.target = config::collection_path(config::info(Kind::Event), write.key.namespace_name).append(manager);
  request.body = text_of(write);
  request.content_type = "application/json";
  const auto answer = co_await worker.client.call(std::move(request));
  answer ? ++counters_.events : ++counters_.events_dropped;
  // In a namespace on its way out, events are refused; that is nobody's trouble.
  if (!answer && answer.error().code != 404 && answer.error().code != 409)
    trouble("event: " + config::print(answer.error()));
}

void StatusWriter::trouble(const std::string& what) {
  if (what == trouble_) return;
  trouble_ = what;
  if (view_.event) view_.event("write: " + what);
}

}  // namespace controller
