// SPDX-License-Identifier: Apache-2.0
#include "controller/process.hpp"

#include <csignal>

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <fmt/format.h>

#include "controller/allocation/loop.hpp"
#include "controller/allocation/metrics.hpp"
#include "controller/api/api.hpp"
#include "controller/api/event_expiry.hpp"
#include "controller/api/server.hpp"
#include "controller/notify.hpp"
#include "controller/store/store.hpp"

namespace controller {
namespace {

namespace asio = boost::asio;

constexpr auto tick_interval = std::chrono::seconds{1};
constexpr auto expiry_interval = std::chrono::minutes{1};
constexpr auto drain_patience = std::chrono::seconds{5};

WallTime wall_time() {
  return std::chrono::system_clock::now();
}

std::string addresses(const Server& server) {
  std::string all;
  for (const auto& address : server.addresses()) all += (all.empty() ? "" : ",") + print(address);
  return all;
}

}  // namespace

struct Process::Parts {
  Parts(const Options& given, const Log& given_log, std::string given_notify_socket,
        const ObserverFactory& make_observer);
  ~Parts();

  void ensure_default_namespace();
  void serve();
  void tick();
  void stop(int signal);
  void handle_metrics(const Request& request, const Respond& respond);

  const Options options;
  const Log& log;
  const std::string notify_socket;
  asio::io_context context{1};
  asio::signal_set signals{context, SIGTERM, SIGINT};
  asio::steady_timer timer{context};
  Metrics metrics;
  Store store;
  Api api;
  std::optional<Tokens> tokens;
  AllocationLoop allocation;
  AllocationMetrics allocation_metrics{metrics.registry()};
  std::unique_ptr<Observer> observer;
  std::optional<Server> server;
  std::optional<Server> metrics_server;
  SteadyTime expiry_due{};
  bool stopping = false;
};

Process::Parts::Parts(const Options& given, const Log& given_log, std::string given_notify_socket,
                      const ObserverFactory& make_observer)
    : options{given},
      log{given_log},
      notify_socket{std::move(given_notify_socket)},
      store{{.file = options.store,
             .post = [this](std::function<void()> work) { asio::post(context, std::move(work)); },
             .now = wall_time,
             .holdings = held_addresses}},
      api{store, metrics, wall_time},
      allocation{store,
                 given.load_balancer_class,
                 {[] { return net::Clock::now(); }, wall_time},
                 [this](std::function<void()> work) { asio::post(context, std::move(work)); }} {
  if (!options.token_file.empty()) tokens.emplace(options.token_file);
  if (make_observer)
    observer = make_observer({.executor = context.get_executor(),
                              .kubernetes = std::nullopt,
                              .load_balancer_class = given.load_balancer_class,
                              .objects = store,
                              .event = [this](const std::string& what) {
                                log.warning("status", {{"what", what}});
                              }});
  metrics.on_exposition([this] {
    allocation_metrics.update(allocation);
    return observer ? observer->metrics() : std::string{};
  });
  store.on_commit([this](const Commit& commit) {
    metrics.commit(commit.took);
    if (!commit.error.empty()) log.error("store-failed", {{"error", commit.error}});
  });
}

// Streams under way look at the store: they must be gone before it is.
Process::Parts::~Parts() {
  for (auto* one : {&server, &metrics_server}) {
    if (*one) (*one)->drain(std::chrono::milliseconds{0}, [] {});
  }
  context.restart();
  context.poll();
}

void Process::Parts::ensure_default_namespace() {
  std::vector<Write> batch;
  batch.push_back({.verb = Write::Verb::Create,
                   .key = {config::Kind::Namespace, {}, "default"},
                   .value = {{"status", {{"phase", "Active"}}}}});
  store.write(std::move(batch), [this](const std::vector<WriteResult>& results) {
    const auto& result = results.front();
    if (!result && result.error().code == WriteError::Code::Storage) {
      log.error("store-failed", {{"error", result.error().message}});
    }
    serve();
  });
}

void Process::Parts::serve() {
  allocation.start();
  if (observer) {
    observer->start();
    observer->lead();
  }
  server.emplace(context,
                 ServerOptions{.listen = options.listen,
                               .tokens = tokens ? &*tokens : nullptr,
                               .certificate = options.tls_certificate,
                               .key = options.tls_key,
                               .handler = [this](const Request& request,
                                                 Respond respond) { api.handle(request, std::move(respond)); },
                               .connections_changed = [this](std::size_t open) { metrics.connections(open); }});
  if (options.metrics) {
    metrics_server.emplace(context, ServerOptions{.listen = {*options.metrics},
                                                  .handler = [this](const Request& request, const Respond& respond) {
                                                    handle_metrics(request, respond);
                                                  }});
  }
  const auto exposed = std::ranges::find_if_not(options.listen, is_local) != options.listen.end();
  if (exposed && options.tls_certificate.empty()) {
    log.warning("no-tls", {{"why", "tokens and secrets travel in clear text; give --tls-cert and --tls-key"}});
  }
  log.info("ready", {{"listen", addresses(*server)},
                     {"metrics", metrics_server ? addresses(*metrics_server) : "off"},
                     {"store", options.store.string()},
                     {"services", std::to_string(store.count(config::Kind::Service))}});
  notify_service_manager(notify_socket, "READY=1");
  tick();
}

// A port that needs no token shows nothing but the metrics.
void Process::Parts::handle_metrics(const Request& request, const Respond& respond) {
  if (request.path != "/metrics") return respond(to_response(not_found()));
  api.handle(request, respond);
}

void Process::Parts::tick() {
  if (stopping) return;
  store.tick();
  allocation.tick();
  if (tokens) {
    if (const auto refreshed = tokens->refresh(); !refreshed) {
      log.warning("token-file", {{"error", refreshed.error()}, {"effect", "the tokens read last stay valid"}});
    }
  }
  const auto now = std::chrono::steady_clock::now();
  if (now >= expiry_due) {
    expiry_due = now + expiry_interval;
    if (auto old = expired_events(store, wall_time()); !old.empty()) store.write(std::move(old), nullptr);
  }
  timer.expires_after(tick_interval);
  timer.async_wait([this](boost::system::error_code error) {
    if (!error) tick();
  });
}

void Process::Parts::stop(int signal) {
  if (std::exchange(stopping, true)) return context.stop();  // asked twice: at once
  log.info("stopping", {{"signal", signal == SIGINT ? "SIGINT" : "SIGTERM"}});
  notify_service_manager(notify_socket, "STOPPING=1");
  timer.cancel();
  if (observer) observer->stop();
  signals.async_wait([this](boost::system::error_code error, int again) {
    if (!error) stop(again);
  });
  if (!server) return context.stop();
  server->drain(drain_patience, [this] { context.stop(); });
}

Process::Process(const Options& options, const Log& log, std::string notify_socket, const ObserverFactory& observer)
    : parts_{std::make_unique<Parts>(options, log, std::move(notify_socket), observer)} {}

Process::~Process() = default;

void Process::run() {
  std::signal(SIGPIPE, SIG_IGN);
  parts_->signals.async_wait([this](boost::system::error_code error, int signal) {
    if (!error) parts_->stop(signal);
  });
  parts_->ensure_default_namespace();
  parts_->context.run();
}

}  // namespace controller
