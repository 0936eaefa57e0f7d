// SPDX-License-Identifier: Apache-2.0
#include "config/source/api_client.hpp"

#include <exception>
#include <utility>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include "config/source/line_splitter.hpp"

namespace config {
namespace {

namespace asio = boost::asio;
using nlohmann::json;

std::string target_of(const ObjectPath& path) {
  const auto namespace_name = path.namespace_name.empty() ? std::string{"default"} : path.namespace_name;
  return object_path(*path.kind, percent_encode(namespace_name), percent_encode(path.name), path.subresource);
}

std::string query_of(const ApiSelectors& selectors) {
  std::string query;
  if (!selectors.labels.empty()) query += "&labelSelector=" + percent_encode(selectors.labels);
  if (!selectors.fields.empty()) query += "&fieldSelector=" + percent_encode(selectors.fields);
  return query;
}

std::string content_type(PatchType type) {
  switch (type) {
    case PatchType::Merge:
      return "application/merge-patch+json";
    case PatchType::Json:
      return "application/json-patch+json";
    case PatchType::StrategicMerge:
      break;
  }
  return "application/strategic-merge-patch+json";
}

std::string text_at(const json& object, const json::json_pointer& pointer) {
  const auto* found = object.contains(pointer) ? &object.at(pointer) : nullptr;
  return found != nullptr && found->is_string() ? found->get<std::string>() : std::string{};
}

// nlohmann throws where a text is not UTF-8; what is sent comes from readers that have checked it.
std::string body_of(const json& object) {
  return object.dump(-1, ' ', false, json::error_handler_t::replace);
}

}  // namespace

std::string print(const ApiError& error) {
  if (error.unreachable()) return error.message;
  auto out = error.message.empty() ? "HTTP status " + std::to_string(error.code) : error.message;
  if (!error.reason.empty()) out += " (" + error.reason + ")";
  return out;
}

std::string percent_encode(std::string_view text) {
  static constexpr std::string_view hex = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
                       c == '.' || c == '_' || c == '~';
    const auto octet = static_cast<unsigned char>(c);
    if (plain)
      out += c;
    else
      out.append({'%', hex[octet >> 4U], hex[octet & 15U]});
  }
  return out;
}

net::Result<ObjectPath, ApiError> path_of(const json& object) {
  using Pointer = json::json_pointer;
  const auto kind_name = text_at(object, Pointer{"/kind"});
  const auto api_version = text_at(object, Pointer{"/apiVersion"});
  const auto* kind = find_kind(api_version, kind_name);
  if (kind == nullptr)
    return net::fail(ApiError{400, "BadRequest", kind_name + " of " + api_version + " is not known"});
  ObjectPath path{
      kind, text_at(object, Pointer{"/metadata/namespace"}), text_at(object, Pointer{"/metadata/name"}), {}};
  if (path.name.empty()) return net::fail(ApiError{400, "BadRequest", "metadata.name is required"});
  return path;
}

ApiAnswer interpret(const HttpResponse& response) {
  auto body = json::parse(response.body, nullptr, false);
  const bool good = response.status >= 200 && response.status < 300;
  if (good && !body.is_discarded()) return body;
  ApiError error{response.status, {}, {}, response.retry_after};
  if (good) {
    error.message = "the answer is not JSON";
  } else if (body.is_object()) {
    error.reason = text_at(body, json::json_pointer{"/reason"});
    error.message = text_at(body, json::json_pointer{"/message"});
  }
  return net::fail(std::move(error));
}

AsyncApiClient::AsyncApiClient(asio::any_io_executor executor, const ApiEndpoint& endpoint,
                               std::chrono::milliseconds timeout)
    : connection_{HttpConnection::make(std::move(executor), endpoint)}, timeout_{timeout} {}

AsyncApiClient::Answer AsyncApiClient::call(HttpRequest request) {
  auto response = co_await connection_->exchange(std::move(request), timeout_);
  if (!response) co_return net::fail(ApiError{0, {}, std::move(response.error())});
  if (on_warning_)
    for (const auto& text : response->warnings) on_warning_(text);
  co_return interpret(*response);
}

AsyncApiClient::Answer AsyncApiClient::get(const ObjectPath& path) {
  HttpRequest request{"GET", target_of(path), {}, {}};
  return call(std::move(request));
}

AsyncApiClient::Answer AsyncApiClient::list(const KindInfo& kind, std::string namespace_name, ApiSelectors selectors) {
  const auto base = collection_path(kind, percent_encode(namespace_name)) + "?limit=500" + query_of(selectors);
  json whole;
  std::string next;
  do {
    HttpRequest request{"GET", base + (next.empty() ? "" : "&continue=" + percent_encode(next)), {}, {}};
    auto page = co_await call(std::move(request));
    if (!page) co_return page;
    next = text_at(*page, json::json_pointer{"/metadata/continue"});
    auto items = page->is_object() && page->contains("items") ? (*page)["items"] : json::array();
    if (!items.is_array()) items = json::array();
    if (whole.is_null()) {
      whole = *std::move(page);
      whole["items"] = std::move(items);
    } else {
      for (auto& item : items) whole["items"].push_back(std::move(item));
    }
  } while (!next.empty());
  if (whole.contains("metadata")) whole["metadata"].erase("continue");
  co_return whole;
}

AsyncApiClient::Answer AsyncApiClient::create(json object) {
  auto path = path_of(object);
  if (!path) co_return net::fail(std::move(path.error()));
  const auto namespace_name = path->namespace_name.empty() ? std::string{"default"} : path->namespace_name;
  HttpRequest request{"POST", collection_path(*path->kind, percent_encode(namespace_name)), body_of(object),
                      "application/json"};
  auto answer = co_await call(std::move(request));
  co_return answer;
}

AsyncApiClient::Answer AsyncApiClient::replace(json object, std::string subresource) {
  auto path = path_of(object);
  if (!path) co_return net::fail(std::move(path.error()));
  path->subresource = std::move(subresource);
  HttpRequest request{"PUT", target_of(*path), body_of(object), "application/json"};
  auto answer = co_await call(std::move(request));
  co_return answer;
}

AsyncApiClient::Answer AsyncApiClient::patch(const ObjectPath& path, const json& patch, PatchType type) {
  HttpRequest request{"PATCH", target_of(path), body_of(patch), content_type(type)};
  return call(std::move(request));
}

AsyncApiClient::Answer AsyncApiClient::apply(json object, std::string manager, Conflicts conflicts) {
  auto path = path_of(object);
  if (!path) co_return net::fail(std::move(path.error()));
  const auto force = conflicts == Conflicts::Force ? "&force=true" : "";
  HttpRequest request{"PATCH", target_of(*path) + "?fieldManager=" + percent_encode(manager) + force, body_of(object),
                      "application/apply-patch+yaml"};
  auto answer = co_await call(std::move(request));
  co_return answer;
}

AsyncApiClient::Answer AsyncApiClient::remove(const ObjectPath& path) {
  HttpRequest request{"DELETE", target_of(path), {}, {}};
  return call(std::move(request));
}

// A context of its own, run for as long as one call takes.
struct ApiClient::Engine {
  Engine(const ApiEndpoint& endpoint, std::chrono::milliseconds timeout)
      : client{context.get_executor(), endpoint, timeout},
        watching{HttpConnection::make(context.get_executor(), endpoint)} {}

  template <class T>
  T run(asio::awaitable<T> work) {
    std::optional<T> result;
    std::exception_ptr failure;
    asio::co_spawn(context, std::move(work), [&](std::exception_ptr thrown, T value) {
      failure = std::move(thrown);
      result = std::move(value);
    });
    context.restart();
    context.run();
    if (failure) std::rethrow_exception(failure);
    return *std::move(result);
  }

  asio::awaitable<std::optional<ApiError>> watch(std::string target, std::chrono::milliseconds silence,
                                                 const OnEvent& on_event) {
    HttpRequest request{"GET", std::move(target), {}, {}};
    auto status = co_await watching->open(std::move(request), silence);
    if (!status) co_return ApiError{0, {}, std::move(status.error())};
    if (*status != 200) {
      HttpResponse response;
      response.status = *status;
      auto piece = co_await watching->read_some(silence);
      if (piece) response.body = *std::move(piece);
      co_return interpret(response).error();
    }
    LineSplitter lines;
    for (;;) {
      auto piece = co_await watching->read_some(silence);
      if (!piece) co_return std::nullopt;  // silence, or the server went: both end a watch
      if (piece->empty()) co_return std::nullopt;
      lines.add(*piece);
      while (const auto line = lines.next()) {
        const auto event = json::parse(*line, nullptr, false);
        if (event.is_discarded()) co_return ApiError{200, {}, "an event is not JSON"};
        if (on_event(event) == Next::Continue) continue;
        watching->close();
        co_return std::nullopt;
      }
    }
  }

  asio::io_context context;
  AsyncApiClient client;
  std::unique_ptr<HttpConnection> watching;
};

ApiClient::ApiClient(const ApiEndpoint& endpoint, std::chrono::milliseconds timeout,
                     AsyncApiClient::OnWarning on_warning)
    : engine_{std::make_unique<Engine>(endpoint, timeout)} {
  engine_->client.on_warning(std::move(on_warning));
}

ApiClient::~ApiClient() = default;

ApiAnswer ApiClient::get(const ObjectPath& path) {
  return engine_->run(engine_->client.get(path));
}

ApiAnswer ApiClient::list(const KindInfo& kind, const std::string& namespace_name, const ApiSelectors& selectors) {
  return engine_->run(engine_->client.list(kind, namespace_name, selectors));
}

ApiAnswer ApiClient::create(const json& object) {
  return engine_->run(engine_->client.create(object));
}

ApiAnswer ApiClient::replace(const json& object, const std::string& subresource) {
  return engine_->run(engine_->client.replace(object, subresource));
}

ApiAnswer ApiClient::patch(const ObjectPath& path, const json& patch, PatchType type) {
  return engine_->run(engine_->client.patch(path, patch, type));
}

ApiAnswer ApiClient::apply(const json& object, const std::string& manager, AsyncApiClient::Conflicts conflicts) {
  return engine_->run(engine_->client.apply(object, manager, conflicts));
}

ApiAnswer ApiClient::remove(const ObjectPath& path) {
  return engine_->run(engine_->client.remove(path));
}

ApiAnswer ApiClient::call(const HttpRequest& request) {
  return engine_->run(engine_->client.call(request));
}

std::optional<ApiError> ApiClient::watch(const KindInfo& kind, const std::string& namespace_name,
                                         const ApiSelectors& selectors, const std::string& resource_version,
                                         std::chrono::milliseconds silence, const OnEvent& on_event) {
  auto target = collection_path(kind, percent_encode(namespace_name)) + "?watch=true" + query_of(selectors);
  if (!resource_version.empty()) target += "&resourceVersion=" + percent_encode(resource_version);
  return engine_->run(engine_->watch(std::move(target), silence, on_event));
}

}  // namespace config
