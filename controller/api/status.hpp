// SPDX-License-Identifier: Apache-2.0
// Errors as Kubernetes says them: one value for what went wrong, and the `Status` object it becomes. Clients
// act upon `reason` and `details`, people read `message`.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "config/api_paths.hpp"
#include "config/meta.hpp"
#include "controller/api/request.hpp"
#include "controller/store/store.hpp"
#include "net/result.hpp"

namespace controller {

struct ApiError {
  unsigned code = 500;
  std::string reason;
  std::string message;
  nlohmann::json details = nullptr;
};

template <class Value>
using ApiResult = net::Result<Value, ApiError>;

// "bgppeers.herald.dev", "services"
[[nodiscard]] std::string qualified(const config::KindInfo& kind);

[[nodiscard]] ApiError bad_request(std::string message);
[[nodiscard]] ApiError not_found();  // no such path
[[nodiscard]] ApiError not_found(const config::KindInfo& kind, std::string_view name);
[[nodiscard]] ApiError already_exists(const config::KindInfo& kind, std::string_view name);
[[nodiscard]] ApiError conflict(const config::KindInfo& kind, std::string_view name, std::string_view why);
[[nodiscard]] ApiError invalid(const config::KindInfo& kind, std::string_view name,
                               const std::vector<config::Problem>& problems);
[[nodiscard]] ApiError method_not_allowed();
[[nodiscard]] ApiError not_acceptable(std::string_view accepted);
[[nodiscard]] ApiError unsupported_media_type(std::string_view accepted);
[[nodiscard]] ApiError too_large(std::size_t limit);
[[nodiscard]] ApiError unauthorized();
[[nodiscard]] ApiError forbidden(const Caller& caller, std::string_view verb, const config::KindInfo& kind,
                                 std::string_view namespace_name);
[[nodiscard]] ApiError forbidden(const Caller& caller, std::string_view path);
[[nodiscard]] ApiError expired(std::string message);
[[nodiscard]] ApiError revision_too_large(std::uint64_t asked, std::uint64_t current);
[[nodiscard]] ApiError internal_error(std::string message);
[[nodiscard]] ApiError from_store(const WriteError& error, const config::KindInfo& kind, std::string_view name);

[[nodiscard]] nlohmann::json status_object(const ApiError& error);
[[nodiscard]] Response to_response(const ApiError& error);
// Status "Success" of a deletion.
[[nodiscard]] Response deleted(const config::KindInfo& kind, std::string_view name, std::string_view uid);

}  // namespace controller
