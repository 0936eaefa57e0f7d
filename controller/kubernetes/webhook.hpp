// SPDX-License-Identifier: Apache-2.0
// A validating webhook: an HTTPS server with a certificate of its own, which it lists in the caBundle of its
// ValidatingWebhookConfiguration, and replaces long before it expires. Judges nothing itself. Without it, or while the
// API server cannot reach it, everything is let through (failurePolicy: Ignore).
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <nlohmann/json.hpp>

#include "config/source/api_endpoint.hpp"
#include "controller/api/listen_address.hpp"

namespace controller {

class Webhook {
 public:
  struct Options {
    TcpEndpoint listen;
    config::ApiEndpoint endpoint;
    std::string configuration;       // the name of the ValidatingWebhookConfiguration
    std::vector<std::string> names;  // by which the API server calls it
    std::chrono::seconds validity{std::chrono::hours{24 * 30}};
    std::chrono::milliseconds look{30'000};  // how often the bundle is looked at
  };
  using Review = std::function<nlohmann::json(const nlohmann::json&)>;
  // `event` is for the log. Throws std::runtime_error when the address cannot be had.
  Webhook(boost::asio::io_context& context, Options options, Review review,
          std::function<void(const std::string&)> event);
  ~Webhook();
  Webhook(const Webhook&) = delete;
  Webhook& operator=(const Webhook&) = delete;
  Webhook(Webhook&&) = delete;
  Webhook& operator=(Webhook&&) = delete;

  void start();
  void stop();
  // Its certificate is listed: the API server asks.
  [[nodiscard]] bool listed() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace controller
