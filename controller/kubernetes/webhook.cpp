// SPDX-License-Identifier: Apache-2.0
#include "controller/kubernetes/webhook.hpp"

#include <optional>
#include <utility>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "config/base64.hpp"
#include "config/source/api_client.hpp"
#include "controller/api/server.hpp"
#include "controller/kubernetes/own_certificate.hpp"

// gcc 12 takes a coroutine frame's own operator delete for the wrong one when it optimises (gcc bug 103993).
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic ignored "-Wmismatched-new-delete"
#endif

namespace controller {
namespace {

namespace asio = boost::asio;
using nlohmann::json;

constexpr auto drain_time = std::chrono::milliseconds{1'000};

std::chrono::system_clock::time_point wall() {
  return std::chrono::system_clock::now();
}

Response answer(unsigned status, const json& body) {
  return {.status = status, .body = body.dump(-1, ' ', false, json::error_handler_t::replace)};
}

}  // namespace

struct Webhook::State {
  State(asio::io_context& given, Options given_options, Review given_review,
        std::function<void(const std::string&)> given_event)
      : context{given},
        options{std::move(given_options)},
        review{std::move(given_review)},
        event{std::move(given_event)},
        client{context.get_executor(), options.endpoint},
        timer{context} {}

  void serve();
  asio::awaitable<void> keep();
  asio::awaitable<bool> publish();
  void tell(const std::string& what);

  asio::io_context& context;
  const Options options;
  const Review review;
  const std::function<void(const std::string&)> event;
  config::AsyncApiClient client;
  asio::steady_timer timer;
  OwnCertificate own;
  std::string served;  // the certificate in use
  std::optional<Server> server;
  std::string told;
  bool listed = false;
  bool stopping = false;
};

Webhook::Webhook(asio::io_context& context, Options options, Review review,
                 std::function<void(const std::string&)> event)
    : state_{std::make_unique<State>(context, std::move(options), std::move(review), std::move(event))} {
  state_->own = make_certificate(state_->options.names, wall(), state_->options.validity);
  state_->serve();
}

Webhook::~Webhook() = default;

bool Webhook::listed() const {
  return state_->listed;
}

void Webhook::State::serve() {
  if (server) server->drain(drain_time, [] {});
  ServerOptions out;
  out.listen = {options.listen};
  out.certificate_text = own.certificate;
  out.key_text = own.key;
  out.max_connections = 64;
  out.handler = [this](const Request& request, const Respond& respond) {
    if (request.method != Method::Post || request.path != "/validate") return respond(answer(404, json::object()));
    const auto asked = json::parse(request.body, nullptr, false);
    if (!asked.is_object()) return respond(answer(400, json::object()));
    respond(answer(200, review(asked)));
  };
  server.emplace(context, std::move(out));
  served = own.certificate;
}

void Webhook::State::tell(const std::string& what) {
  if (what == told) return;
  told = what;
  if (!what.empty()) event("webhook: " + what);
}

// Our certificate is in the bundle of every webhook of the configuration, or will be by this write.
asio::awaitable<bool> Webhook::State::publish() {
  const auto path = "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations/" +
                    config::percent_encode(options.configuration);
  config::HttpRequest look{"GET", path, {}, {}};
  auto found = co_await client.call(std::move(look));
  if (!found) {
    tell(config::print(found.error()));
    co_return false;
  }
  auto changed = false;
  for (auto& webhook : (*found)["webhooks"]) {
    auto& bundle = webhook["clientConfig"]["caBundle"];
    const auto before =
        bundle.is_string() ? config::decode_base64(bundle.get<std::string>()).value_or("") : std::string{};
    const auto after = bundle_with(before, own.certificate, wall());
    changed = changed || after != before;
    bundle = config::encode_base64(after);
  }
  if (changed) {
    // The version in it guards the write: another controller may list its own at the same time.
    config::HttpRequest write{"PUT", path + "?fieldManager=herald-controller", found->dump(), "application/json"};
    const auto written = co_await client.call(std::move(write));
    if (!written) {
      if (written.error().code != 409) tell(config::print(written.error()));
      co_return false;
    }
  }
  tell({});
  co_return true;
}

// A new certificate is listed before it is used, so that no request meets one that is not trusted.
asio::awaitable<void> Webhook::State::keep() {
  constexpr auto token = asio::as_tuple(asio::use_awaitable);
  while (!stopping) {
    if (wall() > own.not_after - options.validity / 2) own = make_certificate(options.names, wall(), options.validity);
    listed = co_await publish();
    if (stopping) break;
    if (listed && served != own.certificate) serve();
    timer.expires_after(listed ? options.look : std::chrono::milliseconds{1'000});
    co_await timer.async_wait(token);
  }
}

void Webhook::start() {
  asio::co_spawn(state_->context, state_->keep(), asio::detached);
}

void Webhook::stop() {
  state_->stopping = true;
  state_->timer.cancel();
  state_->client.close();
  if (state_->server) state_->server->drain(std::chrono::milliseconds{0}, [] {});
}

}  // namespace controller
