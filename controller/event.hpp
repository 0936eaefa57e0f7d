// SPDX-License-Identifier: Apache-2.0
// Events: what happened to an object, for `kubectl describe` and `heraldctl describe`. Made only when something
// changed, so that there are no floods. Pure.
#pragma once

#include <cstdint>
#include <string>

#include "controller/store/object.hpp"
#include "controller/store/store.hpp"

namespace controller {

struct EventText {
  enum class Type : std::uint8_t { Normal, Warning };
  Type type{};
  std::string reason;
  std::string message;
};

// Creates the Event about an object: in its namespace, or in "default" for kinds without one, as Kubernetes wants it.
// `serial` tells it from all other Events about the object; `timestamp` is the present in RFC 3339.
[[nodiscard]] Write event_about(const Object& object, const EventText& event, std::uint64_t serial,
                                const std::string& timestamp);

}  // namespace controller
