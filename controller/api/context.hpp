// SPDX-License-Identifier: Apache-2.0
// What the handlers of resource requests share: the parts of the process they work on, and the request taken
// apart.
#pragma once

#include <chrono>
#include <functional>

#include "controller/api/admission.hpp"
#include "controller/api/metrics.hpp"
#include "controller/api/rendering.hpp"
#include "controller/api/request.hpp"
#include "controller/api/status.hpp"
#include "controller/store/store.hpp"

namespace controller {

struct ApiContext {
  Store& store;
  Metrics& metrics;
  Admission& admission;
  std::function<WallTime()> now;
};

struct ResourceRequest {
  const Request& request;
  ObjectKey key;  // an empty name: the collection; an empty namespace: all, or a kind without
  std::string subresource;
  Rendering rendering;

  [[nodiscard]] const config::KindInfo& kind() const { return config::info(key.kind); }
};

}  // namespace controller
