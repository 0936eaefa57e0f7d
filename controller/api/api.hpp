// SPDX-License-Identifier: Apache-2.0
// The API as a function from request to answer: routes, authorises, and counts. It runs on the store's thread
// and knows no sockets.
#pragma once

#include "controller/api/context.hpp"

namespace controller {

class Api {
 public:
  explicit Api(ApiContext context) : context_{std::move(context)} {}

  // `respond` is called once, now or later, on the same thread.
  void handle(const Request& request, Respond respond);

 private:
  void route(const Request& request, Respond respond);
  void route_resource(const Request& request, const config::ApiPath& path, Respond respond);

  ApiContext context_;
};

}  // namespace controller
