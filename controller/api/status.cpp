// SPDX-License-Identifier: Apache-2.0
#include "controller/api/status.hpp"

#include <fmt/format.h>

namespace controller {
namespace {

using nlohmann::json;

json details_of(const config::KindInfo& kind, std::string_view name) {
  json details{{"kind", kind.plural}};
  if (!kind.group().empty()) details["group"] = kind.group();
  if (!name.empty()) details["name"] = name;
  return details;
}

}  // namespace

std::string qualified(const config::KindInfo& kind) {
  return kind.group().empty() ? std::string{kind.plural} : fmt::format("{}.{}", kind.plural, kind.group());
}

ApiError bad_request(std::string message) {
  return {400, "BadRequest", std::move(message)};
}

ApiError not_found() {
  return {404, "NotFound", "the server could not find the requested resource", json::object()};
}

ApiError not_found(const config::KindInfo& kind, std::string_view name) {
  return {404, "NotFound", fmt::format("{} \"{}\" not found", qualified(kind), name), details_of(kind, name)};
}

ApiError already_exists(const config::KindInfo& kind, std::string_view name) {
  return {409, "AlreadyExists", fmt::format("{} \"{}\" already exists", qualified(kind), name), details_of(kind, name)};
}

ApiError conflict(const config::KindInfo& kind, std::string_view name, std::string_view why) {
  return {409, "Conflict", fmt::format("Operation cannot be fulfilled on {} \"{}\": {}", qualified(kind), name, why),
          details_of(kind, name)};
}

ApiError invalid(const config::KindInfo& kind, std::string_view name, const std::vector<config::Problem>& problems) {
  auto causes = json::array();
  std::string all;
  for (const auto& problem : problems) {
    causes.push_back({{"reason", "FieldValueInvalid"}, {"message", problem.message}, {"field", problem.field}});
    if (!all.empty()) all += ", ";
    all += problem.field.empty() ? problem.message : fmt::format("{}: {}", problem.field, problem.message);
  }
  const auto type = kind.group().empty() ? std::string{kind.name} : fmt::format("{}.{}", kind.name, kind.group());
  // Here, and only here, details.kind is the kind and not its plural.
  auto details = details_of(kind, name);
  details["kind"] = kind.name;
  details["causes"] = std::move(causes);
  return {422, "Invalid", fmt::format("{} \"{}\" is invalid: {}", type, name, all), std::move(details)};
}

ApiError method_not_allowed() {
  return {405, "MethodNotAllowed", "the server does not allow this method on the requested resource", json::object()};
}

ApiError not_acceptable(std::string_view accepted) {
  return {406, "NotAcceptable", fmt::format("only the following media types are accepted: {}", accepted)};
}

ApiError unsupported_media_type(std::string_view accepted) {
  return {415, "UnsupportedMediaType",
          fmt::format("the body of the request was in an unknown format - accepted media types include: {}", accepted)};
}

ApiError too_large(std::size_t limit) {
  return {413, "RequestEntityTooLarge", fmt::format("the body of the request is larger than {} bytes", limit)};
}

ApiError unauthorized() {
  return {401, "Unauthorized", "Unauthorized"};
}

ApiError forbidden(const Caller& caller, std::string_view verb, const config::KindInfo& kind,
                   std::string_view namespace_name) {
  const auto where = namespace_name.empty() ? std::string{"at the cluster scope"}
                                            : fmt::format("in the namespace \"{}\"", namespace_name);
  return {403, "Forbidden",
          fmt::format("{} is forbidden: user \"{}\" cannot {} resource \"{}\" in API group \"{}\" {}", qualified(kind),
                      caller.name, verb, kind.plural, kind.group(), where),
          details_of(kind, {})};
}

ApiError forbidden(const Caller& caller, std::string_view path) {
  return {403, "Forbidden", fmt::format("forbidden: user \"{}\" cannot use path \"{}\"", caller.name, path),
          json::object()};
}

ApiError expired(std::string message) {
  return {410, "Expired", std::move(message)};
}

ApiError revision_too_large(std::uint64_t asked, std::uint64_t current) {
  auto message = fmt::format("Too large resource version: {}, current: {}", asked, current);
  json details{{"causes", {{{"reason", "ResourceVersionTooLarge"}, {"message", "Too large resource version"}}}},
               {"retryAfterSeconds", 1}};
  return {504, "Timeout", std::move(message), std::move(details)};
}

ApiError internal_error(std::string message) {
  return {500, "InternalError", std::move(message)};
}

ApiError from_store(const WriteError& error, const config::KindInfo& kind, std::string_view name) {
  switch (error.code) {
    case WriteError::Code::NotFound:
      return not_found(kind, name);
    case WriteError::Code::AlreadyExists:
      return already_exists(kind, name);
    case WriteError::Code::Conflict:
      return conflict(kind, name, error.message);
    case WriteError::Code::Invalid:
      return bad_request(error.message);
    case WriteError::Code::Storage:
      break;
  }
  return internal_error(error.message);
}

json status_object(const ApiError& error) {
  json status{{"kind", "Status"},         {"apiVersion", "v1"},     {"metadata", json::object()}, {"status", "Failure"},
              {"message", error.message}, {"reason", error.reason}, {"code", error.code}};
  if (!error.details.is_null()) status["details"] = error.details;
  return status;
}

Response to_response(const ApiError& error) {
  Response response{.status = error.code,
                    .body = status_object(error).dump(-1, ' ', false, json::error_handler_t::replace)};
  if (error.code == 401) response.headers.emplace_back("WWW-Authenticate", "Bearer realm=\"herald\"");
  return response;
}

Response deleted(const config::KindInfo& kind, std::string_view name, std::string_view uid) {
  auto details = details_of(kind, name);
  details["uid"] = uid;
  return {.body = json{{"kind", "Status"},
                       {"apiVersion", "v1"},
                       {"metadata", json::object()},
                       {"status", "Success"},
                       {"details", std::move(details)}}
                      .dump()};
}

}  // namespace controller
