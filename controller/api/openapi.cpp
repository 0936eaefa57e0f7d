// SPDX-License-Identifier: Apache-2.0
#include "controller/api/openapi.hpp"

namespace controller {

std::optional<Response> openapi(std::string_view /*path*/, std::string_view /*accept*/) {
  return std::nullopt;
}

}  // namespace controller
