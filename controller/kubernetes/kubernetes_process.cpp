// SPDX-License-Identifier: Apache-2.0
#include "controller/kubernetes/kubernetes_process.hpp"

#include <csignal>
#include <optional>
#include <random>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/host_name.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <fmt/format.h>
#include <prometheus/text_serializer.h>

#include "controller/allocation/loop.hpp"
#include "controller/allocation/metrics.hpp"
#include "controller/api/server.hpp"
#include "controller/api/status.hpp"
#include "controller/kubernetes/lease_keeper.hpp"
#include "controller/kubernetes/mirror.hpp"
#include "controller/kubernetes/webhook.hpp"
#include "controller/notify.hpp"
#include "controller/store/metadata.hpp"

namespace controller {
namespace {

namespace asio = boost::asio;

constexpr auto tick_interval = std::chrono::seconds{1};

std::string new_identity() {
  boost::system::error_code error;
  const auto host = asio::ip::host_name(error);
  return fmt::format("{}_{:08x}", error ? "controller" : host, std::random_device{}());
}

WallTime wall_time() {
  return std::chrono::system_clock::now();
}

Response text_response(unsigned status, std::string body) {
  return {.status = status, .content_type = "text/plain; version=0.0.4", .body = std::move(body)};
}

// By the name of its Service, and by the address where it listens, for API servers that are told a URL.
std::vector<std::string> webhook_names(const KubernetesOptions& options, const std::string& pod_namespace) {
  const auto& space = options.lease_namespace.empty() ? pod_namespace : options.lease_namespace;
  std::vector<std::string> names{"herald-webhook." + space + ".svc", "herald-webhook." + space + ".svc.cluster.local"};
  if (!options.webhook->address.unspecified()) names.push_back(net::print(options.webhook->address));
  return names;
}

}  // namespace

struct KubernetesProcess::Parts {
  // One time of holding the Lease. What was posted for it does not run any more when it has ended.
  struct Term {
    Term(Mirror& mirror, const Options& options, asio::io_context& context)
        : alive{std::make_shared<bool>(true)},
          loop{mirror,
               options.load_balancer_class,
               {[] { return net::Clock::now(); }, wall_time},
               [&context, still = std::weak_ptr<bool>{alive}](std::function<void()> work) {
                 asio::post(context, [still, work = std::move(work)] {
                   if (still.lock()) work();
                 });
               },
               tick_interval} {}
    std::shared_ptr<bool> alive;
    AllocationLoop loop;
  };

  Parts(const Options& given, const config::KubernetesAccess& access, const Log& given_log, std::string given_socket,
        const ObserverFactory& make_observer);

  void start();
  void begin();
  void end();
  void tick();
  void stop(int signal);
  void serve(const Request& request, const Respond& respond);
  [[nodiscard]] std::string metrics();

  const Options options;
  const Log& log;
  const std::string notify_socket;
  const std::string api;
  const std::string identity = new_identity();
  asio::io_context context{1};
  asio::signal_set signals{context, SIGTERM, SIGINT};
  asio::steady_timer timer{context};
  std::optional<LeaseKeeper> lease;
  Mirror mirror;
  std::optional<Term> term;
  std::unique_ptr<Observer> observer;
  std::optional<Webhook> webhook;
  prometheus::Registry registry;
  AllocationMetrics allocation_metrics{registry};
  std::optional<Server> server;
  std::uint64_t terms = 0;
  bool refreshing = false;
  bool stopping = false;
};

KubernetesProcess::Parts::Parts(const Options& given, const config::KubernetesAccess& access, const Log& given_log,
                                std::string given_socket, const ObserverFactory& make_observer)
    : options{given},
      log{given_log},
      notify_socket{std::move(given_socket)},
      api{config::print(access.endpoint)},
      mirror{context.get_executor(),
             {.endpoint = access.endpoint, .metallb_namespace = options.kubernetes->metallb_namespace},
             [this] { return !stopping && lease->leads(); },
             {.synced =
                  [this] {
                    log.info("ready", {{"api", api},
                                       {"identity", identity},
                                       {"services", std::to_string(mirror.count(config::Kind::Service))}});
                    notify_service_manager(notify_socket, "READY=1");
                    begin();
                  },
              .event =
                  [this](const std::string& what) {
                    log.warning("api", {{"what", what}});
                  }}} {
  const auto& chosen = *options.kubernetes;
  lease.emplace(context.get_executor(),
                LeaseKeeper::Options{
                    .endpoint = access.endpoint,
                    .namespace_name = chosen.lease_namespace.empty() ? access.namespace_name : chosen.lease_namespace,
                    .name = chosen.lease_name,
                    .identity = identity},
                LeaseKeeper::Listener{.gained = [this] { begin(); },
                                      .paused = [this] { log.warning("lease-in-doubt"); },
                                      .lost = [this] { end(); },
                                      .event =
                                          [this](const std::string& what) {
                                            log.warning("api", {{"what", what}});
                                          }});
  if (make_observer)
    observer = make_observer({.executor = context.get_executor(),
                              .kubernetes = ObserverContext::Kubernetes{access.endpoint, chosen.metallb_namespace},
                              .load_balancer_class = options.load_balancer_class,
                              .objects = mirror,
                              .event = [this](const std::string& what) {
                                log.warning("api", {{"what", what}});
                              }});
  if (observer && chosen.webhook)
    webhook.emplace(
        context,
        Webhook::Options{.listen = *chosen.webhook,
                         .endpoint = access.endpoint,
                         .configuration = chosen.webhook_configuration,
                         .names = webhook_names(chosen, access.namespace_name)},
        [this](const nlohmann::json& asked) { return observer->review(asked); },
        [this](const std::string& what) {
          log.warning("api", {{"what", what}});
        });
  if (options.metrics)
    server.emplace(context, ServerOptions{.listen = {*options.metrics},
                                          .handler = [this](const Request& request, const Respond& respond) {
                                            serve(request, respond);
                                          }});
}

// The Lease is ours and everything is known: the services are listed once more, since another controller may have
// written until just now, and then the work begins. After a pause without anybody else in between it goes on.
void KubernetesProcess::Parts::begin() {
  if (stopping || refreshing || !mirror.synced() || !lease->leads()) return;
  if (term) {
    log.info("leading", {{"term", "resumed"}});
    return mirror.writer().resume();
  }
  refreshing = true;
  mirror.refresh([this] {
    refreshing = false;
    if (stopping || term || !lease->leads()) return;
    term.emplace(mirror, options, context);
    ++terms;
    log.info("leading", {{"services", std::to_string(mirror.count(config::Kind::Service))}});
    term->loop.start();
    if (observer) observer->lead();
  });
}

void KubernetesProcess::Parts::end() {
  if (!term) return;
  log.warning("standing-by", {{"holder", lease->holder()}});
  mirror.writer().abandon();
  if (observer) observer->stand_by();
  term.reset();
}

void KubernetesProcess::Parts::start() {
  mirror.start();
  if (observer) observer->start();
  if (webhook) webhook->start();
  lease->start();
  tick();
}

void KubernetesProcess::Parts::tick() {
  if (stopping) return;
  if (term && lease->leads()) term->loop.tick();
  timer.expires_after(tick_interval);
  timer.async_wait([this](boost::system::error_code error) {
    if (!error) tick();
  });
}

void KubernetesProcess::Parts::serve(const Request& request, const Respond& respond) {
  if (request.path == "/metrics") return respond(text_response(200, metrics()));
  if (request.path == "/healthz") return respond(text_response(200, "ok\n"));
  if (request.path == "/readyz") {
    const auto ready = mirror.synced();
    return respond(text_response(ready ? 200 : 503, ready ? "ok\n" : "objects are being listed\n"));
  }
  respond(to_response(not_found()));
}

std::string KubernetesProcess::Parts::metrics() {
  std::string out;
  const auto add = [&out](std::string_view name, std::string_view type, std::string_view help, auto value) {
    out += fmt::format("# HELP {0} {2}\n# TYPE {0} {1}\n{0} {3}\n", name, type, help, value);
  };
  const auto& writes = mirror.writer().counters();
  add("herald_controller_leader", "gauge", "1 while this controller holds the Lease.", lease->leads() ? 1 : 0);
  add("herald_controller_terms_total", "counter", "How often it began to lead.", terms);
  add("herald_controller_current", "gauge", "1 while every collection of the API is followed.",
      mirror.current() ? 1 : 0);
  add("herald_controller_services", "gauge", "Services known.", mirror.count(config::Kind::Service));
  add("herald_controller_writes_total", "counter", "Statuses written.", writes.written);
  add("herald_controller_write_conflicts_total", "counter", "Writes refused because the object had changed.",
      writes.conflicts);
  add("herald_controller_write_failures_total", "counter", "Writes that were made again.", writes.failures);
  if (webhook)
    add("herald_controller_webhook_listed", "gauge",
        "1 while the API server is told to trust the webhook's certificate.", webhook->listed() ? 1 : 0);
  add("herald_controller_events_total", "counter", "Events written.", writes.events);
  add("herald_controller_events_dropped_total", "counter", "Events that were not written.", writes.events_dropped);
  if (!term) return out;
  if (observer) out += observer->metrics();
  allocation_metrics.update(term->loop);
  return out + prometheus::TextSerializer{}.Serialize(registry.Collect());
}

void KubernetesProcess::Parts::stop(int signal) {
  if (std::exchange(stopping, true)) return context.stop();  // asked twice: at once
  log.info("stopping", {{"signal", signal == SIGINT ? "SIGINT" : "SIGTERM"}});
  notify_service_manager(notify_socket, "STOPPING=1");
  timer.cancel();
  term.reset();
  if (webhook) webhook->stop();
  if (observer) observer->stop();
  mirror.stop();
  signals.async_wait([this](boost::system::error_code error, int again) {
    if (!error) stop(again);
  });
  lease->leave([this] { context.stop(); });
}

KubernetesProcess::KubernetesProcess(const Options& options, const config::KubernetesAccess& access, const Log& log,
                                     std::string notify_socket, const ObserverFactory& observer)
    : parts_{std::make_unique<Parts>(options, access, log, std::move(notify_socket), observer)} {}

KubernetesProcess::~KubernetesProcess() = default;

void KubernetesProcess::run() {
  std::signal(SIGPIPE, SIG_IGN);
  parts_->signals.async_wait([this](boost::system::error_code error, int signal) {
    if (!error) parts_->stop(signal);
  });
  parts_->start();
  parts_->context.run();
}

}  // namespace controller
