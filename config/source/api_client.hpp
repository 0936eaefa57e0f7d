// SPDX-License-Identifier: Apache-2.0
// The objects of an API by name: get, list, create, replace, patch, apply, delete. Once as coroutines for
// the daemons, once blocking for command line and tests. Objects are JSON here, so that fields Herald does
// not know survive a round trip.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <nlohmann/json.hpp>

#include "config/api_paths.hpp"
#include "config/source/api_endpoint.hpp"
#include "config/source/http_connection.hpp"
#include "net/result.hpp"

namespace config {

// What a Kubernetes `Status` says, or that none came.
struct ApiError {
  int code = 0;                         // of HTTP; 0 when there was no answer
  std::string reason;                   // "NotFound", "Conflict", "Expired", …
  std::string message;                  // for people
  std::chrono::seconds retry_after{0};  // when the server asked to be left alone for so long
  [[nodiscard]] bool unreachable() const { return code == 0; }
};
[[nodiscard]] std::string print(const ApiError& error);

using ApiAnswer = net::Result<nlohmann::json, ApiError>;

struct ApiSelectors {
  std::string labels;  // "app=web,tier!=back"
  std::string fields;  // "metadata.name=web"
};

enum class PatchType : std::uint8_t { Merge, Json, StrategicMerge };

// One object in a path.
struct ObjectPath {
  const KindInfo* kind = nullptr;
  std::string namespace_name;  // ignored for kinds without; "default" when empty
  std::string name;
  std::string subresource;
};
// Of an object as it stands; an error when its kind is not in the table or it has no name.
[[nodiscard]] net::Result<ObjectPath, ApiError> path_of(const nlohmann::json& object);

[[nodiscard]] std::string percent_encode(std::string_view text);
// What a response means: its JSON, or the error its Status tells.
[[nodiscard]] ApiAnswer interpret(const HttpResponse& response);

// One request at a time; several clients for several at once.
class AsyncApiClient {
 public:
  using Answer = boost::asio::awaitable<ApiAnswer>;
  static constexpr std::chrono::milliseconds default_timeout{10'000};

  AsyncApiClient(boost::asio::any_io_executor executor, const ApiEndpoint& endpoint,
                 std::chrono::milliseconds timeout = default_timeout);

  Answer get(const ObjectPath& path);
  // All pages put together; an empty namespace means all.
  Answer list(const KindInfo& kind, std::string namespace_name = {}, ApiSelectors selectors = {});
  Answer create(nlohmann::json object);
  Answer replace(nlohmann::json object, std::string subresource = {});
  Answer patch(const ObjectPath& path, const nlohmann::json& patch, PatchType type = PatchType::Merge);
  // Server-side apply; `manager` owns the fields given. Force takes them from others.
  enum class Conflicts : std::uint8_t { Refuse, Force };
  Answer apply(nlohmann::json object, std::string manager, Conflicts conflicts = Conflicts::Refuse);
  Answer remove(const ObjectPath& path);
  // Anything else.
  Answer call(HttpRequest request);
  void close() { connection_->close(); }
  // Called with what the API has to say besides an answer, before the answer comes.
  using OnWarning = std::function<void(const std::string&)>;
  void on_warning(OnWarning told) { on_warning_ = std::move(told); }

 private:
  std::unique_ptr<HttpConnection> connection_;
  OnWarning on_warning_;
  std::chrono::milliseconds timeout_;
};

// The same, blocking: each call runs until it is answered.
class ApiClient {
 public:
  explicit ApiClient(const ApiEndpoint& endpoint, std::chrono::milliseconds timeout = AsyncApiClient::default_timeout,
                     AsyncApiClient::OnWarning on_warning = {});
  ~ApiClient();
  ApiClient(const ApiClient&) = delete;
  ApiClient& operator=(const ApiClient&) = delete;
  ApiClient(ApiClient&&) = delete;
  ApiClient& operator=(ApiClient&&) = delete;

  ApiAnswer get(const ObjectPath& path);
  ApiAnswer list(const KindInfo& kind, const std::string& namespace_name = {}, const ApiSelectors& selectors = {});
  ApiAnswer create(const nlohmann::json& object);
  ApiAnswer replace(const nlohmann::json& object, const std::string& subresource = {});
  ApiAnswer patch(const ObjectPath& path, const nlohmann::json& patch, PatchType type = PatchType::Merge);
  ApiAnswer apply(const nlohmann::json& object, const std::string& manager,
                  AsyncApiClient::Conflicts conflicts = AsyncApiClient::Conflicts::Refuse);
  ApiAnswer remove(const ObjectPath& path);
  ApiAnswer call(const HttpRequest& request);

  // Follows a collection from a resourceVersion ("" lists it first, as ADDED). `on_event` is given every
  // event ({"type": …, "object": …}) and answers whether to go on. Returns when it says no, when the server
  // ends the stream, or after `silence` without a word; an error of the server or the way there is returned.
  enum class Next : std::uint8_t { Continue, Stop };
  using OnEvent = std::function<Next(const nlohmann::json&)>;
  std::optional<ApiError> watch(const KindInfo& kind, const std::string& namespace_name, const ApiSelectors& selectors,
                                const std::string& resource_version, std::chrono::milliseconds silence,
                                const OnEvent& on_event);

 private:
  struct Engine;
  std::unique_ptr<Engine> engine_;
};

}  // namespace config
