// SPDX-License-Identifier: Apache-2.0
// The API as a function from request to answer: routes, authorises, and counts. It runs on the store's thread
// and knows no sockets.
#pragma once

#include "controller/api/context.hpp"

namespace controller {

class Api {
 public:
  Api(Store& store, Metrics& metrics, std::function<WallTime()> now)
      : admission_{store}, context_{store, metrics, admission_, std::move(now)} {}
  Api(const Api&) = delete;
  Api& operator=(const Api&) = delete;

  // `respond` is called once, now or later, on the same thread.
  void handle(const Request& request, Respond respond);

 private:
  void route(const Request& request, const Respond& respond);
  void route_resource(const Request& request, const config::ApiPath& path, Respond respond);

  Admission admission_;
  ApiContext context_;  // refers to the above
};

}  // namespace controller
