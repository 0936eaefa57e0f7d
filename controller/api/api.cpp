// SPDX-License-Identifier: Apache-2.0
#include "controller/api/api.hpp"

#include "controller/api/admission.hpp"
#include "controller/api/discovery.hpp"
#include "controller/api/openapi.hpp"
#include "controller/api/reading.hpp"
#include "controller/api/writing.hpp"

namespace controller {
namespace {

Response plain_text(std::string text) {
  return {.content_type = "text/plain; charset=utf-8", .body = std::move(text)};
}

bool is_health(std::string_view path) {
  return path == "/healthz" || path == "/livez" || path == "/readyz" || path.starts_with("/livez/") ||
         path.starts_with("/readyz/") || path.starts_with("/healthz/");
}

// The verb as Kubernetes' roles name it; empty for a method that the path does not take.
std::string_view verb_of(const Request& request, const config::ApiPath& path) {
  const auto named = !path.name.empty();
  switch (request.method) {
    case Method::Get:
      if (request.query.flag("watch")) return "watch";
      return named ? "get" : "list";
    case Method::Post:
      return named ? "" : "create";
    case Method::Put:
      return named ? "update" : "";
    case Method::Patch:
      return named ? "patch" : "";
    case Method::Delete:
      if (!path.subresource.empty()) return "";
      return named ? "delete" : "deletecollection";
    case Method::Other:
      break;
  }
  return "";
}

bool may(const Caller& caller, std::string_view verb, config::Kind kind) {
  if (caller.role == Caller::Role::Admin) return true;
  return (verb == "get" || verb == "list" || verb == "watch") && kind != config::Kind::Secret;
}

}  // namespace

void Api::handle(const Request& request, Respond respond) {
  const auto began = std::chrono::steady_clock::now();
  const auto path = config::parse_api_path(request.path);
  std::string verb{path ? verb_of(request, *path) : "get"};
  std::string resource{path ? path->kind->plural : ""};
  if (verb.empty()) verb = "other";
  const auto answered = std::make_shared<bool>(false);
  const Respond counted = [&metrics = context_.metrics, answered, began, verb = std::move(verb),
                           resource = std::move(resource), respond = std::move(respond)](Response response) {
    *answered = true;
    metrics.request(verb, resource, response.status, std::chrono::steady_clock::now() - began);
    respond(std::move(response));
  };
  // Requests do not throw by design; should one of them (no memory left), it alone fails.
  try {
    if (path) {
      route_resource(request, *path, counted);
    } else {
      route(request, counted);
    }
  } catch (const std::exception& error) {
    if (!*answered) counted(to_response(internal_error(error.what())));
  }
}

void Api::route(const Request& request, const Respond& respond) {
  if (request.method != Method::Get) {
    const auto known = is_health(request.path) || discover(request.path, {}).has_value();
    return respond(to_response(known ? method_not_allowed() : not_found()));
  }
  if (is_health(request.path)) return respond(plain_text("ok"));
  if (request.path == "/version" || request.path == "/version/") return respond(version_info());
  if (request.path == "/") return respond(root_paths());
  if (request.path == "/metrics") {
    auto response = plain_text(context_.metrics.text(context_.store));
    response.content_type = "text/plain; version=0.0.4; charset=utf-8";
    return respond(std::move(response));
  }
  if (auto response = discover(request.path, request.accept)) return respond(std::move(*response));
  if (auto response = openapi(request.path, request.accept)) return respond(std::move(*response));
  // `kubectl describe node` lists the pods of a node and gives up where that fails. There are none here.
  if (request.path == "/api/v1/pods") {
    return respond({.body = R"({"kind":"PodList","apiVersion":"v1","metadata":{"resourceVersion":"0"},"items":[]})"});
  }
  respond(to_response(not_found()));
}

void Api::route_resource(const Request& request, const config::ApiPath& path, Respond respond) {
  const auto& kind = *path.kind;
  const auto verb = verb_of(request, path);
  if (!path.subresource.empty() && !has_status(kind.kind)) return respond(to_response(not_found()));
  if (verb.empty()) return respond(to_response(method_not_allowed()));
  if (!may(request.caller, verb, kind.kind)) {
    return respond(to_response(forbidden(request.caller, verb, kind, path.namespace_name)));
  }
  const auto needs_namespace = verb == "create" || verb == "deletecollection";
  if (kind.namespaced() && path.namespace_name.empty() && needs_namespace) {
    return respond(to_response(method_not_allowed()));
  }
  auto rendering = Rendering::of(request, kind);
  if (!rendering) return respond(to_response(rendering.error()));
  const ResourceRequest resource{
      request, {kind.kind, path.namespace_name, path.name}, path.subresource, std::move(*rendering)};

  const auto answer = [&respond](ApiResult<Response> result) {
    respond(result ? std::move(*result) : to_response(result.error()));
  };
  if (verb == "get") return answer(get_object(context_, resource));
  if (verb == "list") return answer(list_objects(context_, resource));
  if (verb == "watch") return answer(watch_objects(context_, resource));
  if (verb == "create") return create_object(context_, resource, std::move(respond));
  if (verb == "update") return replace_object(context_, resource, std::move(respond));
  if (verb == "patch") return patch_object(context_, resource, std::move(respond));
  if (verb == "delete") return delete_object(context_, resource, std::move(respond));
  delete_collection(context_, resource, std::move(respond));
}

}  // namespace controller
