// SPDX-License-Identifier: Apache-2.0
// The API over a store of its own, without sockets: a request in, the whole answer out.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "../store/store_fixture.hpp"
#include "controller/api/api.hpp"

namespace controller::testing {

struct Answer {
  unsigned status = 0;
  std::string content_type;
  std::string text;
  [[nodiscard]] json body() const { return json::parse(text, nullptr, false); }
};

// What a watch has said so far, event by event.
class Watching {
 public:
  explicit Watching(std::unique_ptr<BodyStream> stream) : stream_{std::move(stream)} {
    stream_->on_ready([this] { ++woken; });
  }
  // The next events; empty when there are none now.
  std::vector<json> events(SteadyTime now = SteadyTime{}) {
    std::vector<json> all;
    std::string text;
    do state = stream_->next(text, now);
    while (state == BodyStream::State::More);
    for (std::size_t at = 0, end = 0; (end = text.find('\n', at)) != std::string::npos; at = end + 1) {
      all.push_back(json::parse(text.substr(at, end - at)));
    }
    return all;
  }
  [[nodiscard]] std::optional<SteadyTime> wake_at() const { return stream_->wake_at(); }

  BodyStream::State state = BodyStream::State::More;
  int woken = 0;

 private:
  std::unique_ptr<BodyStream> stream_;
};

class ApiTest : public StoreTest {
 public:
  ApiTest() { write(create({config::Kind::Namespace, {}, "default"})); }

  Response respond(Request request) {
    std::optional<Response> response;
    api().handle(request, [&response](Response answer) { response = std::move(answer); });
    if (!queue.run_until([&response] { return response.has_value(); })) ADD_FAILURE() << "no answer";
    return std::move(*response);
  }

  static Request request(Method method, std::string_view target, std::string body = {}, std::string type = {}) {
    Request made{.method = method, .path = {}, .query = {}, .content_type = std::move(type), .body = std::move(body)};
    if (!set_target(made, target)) ADD_FAILURE() << "target: " << target;
    return made;
  }

  Answer ask(Request what) {
    auto response = respond(std::move(what));
    Answer answer{response.status, response.content_type, std::move(response.body)};
    if (response.stream) {
      while (response.stream->next(answer.text, {}) == BodyStream::State::More) {
      }
    }
    return answer;
  }
  Answer get(std::string_view target, std::string accept = {}) {
    auto made = request(Method::Get, target);
    made.accept = std::move(accept);
    return ask(std::move(made));
  }
  Answer post(std::string_view target, const json& body) {
    return ask(request(Method::Post, target, body.dump(), "application/json"));
  }
  Answer put(std::string_view target, const json& body) {
    return ask(request(Method::Put, target, body.dump(), "application/json"));
  }
  Answer patch(std::string_view target, const json& body, std::string type = "application/merge-patch+json") {
    return ask(request(Method::Patch, target, body.dump(), std::move(type)));
  }
  Answer apply(std::string_view target, const json& body) {
    return ask(request(Method::Patch, target, body.dump(), "application/apply-patch+yaml"));
  }
  Answer del(std::string_view target, std::string body = {}) {
    return ask(request(Method::Delete, target, std::move(body), "application/json"));
  }
  Watching watch(std::string_view target, std::string accept = {}) {
    auto made = request(Method::Get, target);
    made.accept = std::move(accept);
    auto response = respond(std::move(made));
    if (!response.stream) ADD_FAILURE() << response.status << " " << response.body;
    return Watching{std::move(response.stream)};
  }

  Api& api() {
    if (!api_) api_.emplace(*store, metrics, [this] { return now; });
    return *api_;
  }

  Metrics metrics;

 private:
  std::optional<Api> api_;
};

inline constexpr auto services = "/api/v1/namespaces/default/services";
inline constexpr auto pools = "/apis/herald.dev/v1/ipaddresspools";
inline constexpr auto peers = "/apis/herald.dev/v1/bgppeers";

inline json service_object(std::string_view name) {
  return {{"apiVersion", "v1"},
          {"kind", "Service"},
          {"metadata", {{"name", name}, {"labels", {{"app", name}}}}},
          {"spec", {{"type", "LoadBalancer"}, {"ports", {{{"name", "http"}, {"port", 80}}}}}}};
}
inline json pool_object(std::string_view name, std::string_view addresses = "192.0.2.0/24") {
  return {{"apiVersion", "herald.dev/v1"},
          {"kind", "IPAddressPool"},
          {"metadata", {{"name", name}}},
          {"spec", {{"addresses", {addresses}}}}};
}
inline json peer_object(std::string_view name) {
  return {{"apiVersion", "herald.dev/v1"},
          {"kind", "BGPPeer"},
          {"metadata", {{"name", name}}},
          {"spec", {{"peerASN", 65001}, {"peerAddress", "10.0.1.1"}, {"myASN", 65000}}}};
}

}  // namespace controller::testing
