// SPDX-License-Identifier: Apache-2.0
// What the API is asked and what it answers, as values. Sockets and HTTP's syntax are the server's business;
// here a request is complete and an answer is a text or a stream that is pulled.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace controller {

using SteadyTime = std::chrono::steady_clock::time_point;

enum class Method : std::uint8_t { Get, Post, Put, Patch, Delete, Other };

// Who asks. The server has authenticated it; the API decides what it may do.
struct Caller {
  enum class Role : std::uint8_t { Admin, Viewer };  // a viewer reads everything but Secrets
  std::string name = "local";
  Role role = Role::Admin;
};

// The query of a URL, percent-decoded, in order.
class Query {
 public:
  Query() = default;
  // Nothing when the percent-encoding is broken.
  [[nodiscard]] static std::optional<Query> parse(std::string_view text);
  // Empty when absent; the first wins.
  [[nodiscard]] std::string_view get(std::string_view name) const;
  [[nodiscard]] bool has(std::string_view name) const;
  // "true" and "1", and the name alone.
  [[nodiscard]] bool flag(std::string_view name) const;

 private:
  std::vector<std::pair<std::string, std::string>> parameters_;
};

struct Request {
  Method method = Method::Get;
  std::string path;  // percent-decoded
  Query query;
  std::string content_type{};
  std::string accept{};
  std::string user_agent{};
  std::string body{};
  Caller caller{};
};

// Sets path and query of a request from "/path?query"; false when the percent-encoding is broken.
[[nodiscard]] bool set_target(Request& request, std::string_view target);

// A body that is made while it is sent, so that neither a long list nor a watch is ever held as a whole.
class BodyStream {
 public:
  enum class State : std::uint8_t { More, Waiting, End };
  virtual ~BodyStream() = default;
  // Appends the next piece, of some 100 KiB at most. Waiting: nothing more until `ready` is called or
  // wake_at() has come.
  virtual State next(std::string& piece, SteadyTime now) = 0;
  virtual void on_ready(std::function<void()> ready) = 0;
  [[nodiscard]] virtual std::optional<SteadyTime> wake_at() const = 0;
};

struct Response {
  unsigned status = 200;
  std::string content_type = "application/json";
  std::string body{};  // when there is no stream
  std::unique_ptr<BodyStream> stream{};
  std::vector<std::pair<std::string, std::string>> headers{};
};

using Respond = std::function<void(Response)>;

}  // namespace controller
