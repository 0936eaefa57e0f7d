// SPDX-License-Identifier: Apache-2.0
#include "controller/api/patch.hpp"

#include <fmt/format.h>

#include "controller/api/body.hpp"
#include "controller/api/strategic_merge.hpp"

namespace controller {
namespace {

using nlohmann::json;

// As many as Kubernetes allows.
constexpr std::size_t operations_limit = 10'000;

ApiError unprocessable(std::string why) {
  return {422, "Invalid", "the server rejected our request due to an error in our request: " + std::move(why),
          json::object()};
}

// One operation at a time: a few "copy" of an object into itself would otherwise double it without end.
ApiResult<json> apply_json_patch(json object, const json& patch) {
  if (!patch.is_array()) return net::fail(bad_request("a JSON patch must be a list of operations"));
  if (patch.size() > operations_limit) {
    return net::fail(bad_request(
        fmt::format("a JSON patch must have at most {} operations, this has {}", operations_limit, patch.size())));
  }
  try {
    for (const auto& operation : patch) {
      object.patch_inplace(json::array({operation}));
      const auto grows = operation.at("op") == "copy";
      if (grows && object.dump().size() > body_limit) return net::fail(too_large(body_limit));
    }
  } catch (const json::exception& error) {
    std::string_view what = error.what();
    what.remove_prefix(std::min(what.find("] ") + 2, what.size()));
    return net::fail(unprocessable(std::string{what}));
  }
  return object;
}

}  // namespace

ApiResult<json> apply_patch(const json& object, const config::KindInfo& kind, std::string_view type,
                            std::string_view body) {
  const auto core = kind.group() != "herald.dev";
  const auto known = type == "application/merge-patch+json" || type == "application/json-patch+json" ||
                     (core && type == "application/strategic-merge-patch+json");
  if (!known) {
    return net::fail(unsupported_media_type(
        core ? "application/json-patch+json, application/merge-patch+json, application/strategic-merge-patch+json, "
               "application/apply-patch+yaml"
             : "application/json-patch+json, application/merge-patch+json, application/apply-patch+yaml"));
  }
  auto patch = decode_json(body);
  if (!patch) return patch;

  if (type == "application/json-patch+json") {
    auto patched = apply_json_patch(object, *patch);
    if (patched && !patched->is_object()) return net::fail(unprocessable("nothing is left of the object"));
    return patched;
  }
  if (!patch->is_object()) return net::fail(bad_request("the patch must be an object"));
  auto patched = object;
  if (type == "application/merge-patch+json") {
    patched.merge_patch(*patch);
    return patched;
  }
  if (auto done = strategic_merge(patched, *patch, kind.kind); !done) return net::fail(bad_request(done.error()));
  return patched;
}

}  // namespace controller
