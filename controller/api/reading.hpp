// SPDX-License-Identifier: Apache-2.0
// get, list and watch.
#pragma once

#include "controller/api/context.hpp"

namespace controller {

[[nodiscard]] ApiResult<Response> get_object(const ApiContext& context, const ResourceRequest& resource);
// In pieces when the client asks by `limit` and `continue`; all pieces show one revision.
[[nodiscard]] ApiResult<Response> list_objects(const ApiContext& context, const ResourceRequest& resource);
[[nodiscard]] ApiResult<Response> watch_objects(const ApiContext& context, const ResourceRequest& resource);

// Which objects of a collection a request is about: its namespace and its selectors.
[[nodiscard]] ApiResult<std::function<bool(const Object&)>> selection_of(const ResourceRequest& resource);

}  // namespace controller
