// SPDX-License-Identifier: Apache-2.0
#include "controller/event.hpp"

#include <utility>

#include <fmt/format.h>

#include "config/api_paths.hpp"
#include "controller/store/json_text.hpp"

namespace controller {

Write event_about(const Object& object, const EventText& event, std::uint64_t serial, const std::string& timestamp) {
  const auto& of = object.key;
  const auto& kind = config::info(of.kind);
  ObjectKey key{config::Kind::Event, of.namespace_name.empty() ? "default" : of.namespace_name,
                fmt::format("{}.{:x}", of.name, serial)};
  JsonWriter out;
  out.object().member("apiVersion", "v1").name("count").raw("1").member("firstTimestamp", timestamp);
  out.name("involvedObject").object().member("apiVersion", kind.api_version).member("kind", kind.name);
  out.member("name", of.name);
  if (!of.namespace_name.empty()) out.member("namespace", of.namespace_name);
  out.member("uid", object.uid).end_object();
  out.member("kind", "Event").member("lastTimestamp", timestamp).member("message", event.message);
  out.name("metadata").object().member("name", key.name).member("namespace", key.namespace_name).end_object();
  out.member("reason", event.reason).member("reportingComponent", "herald-controller");
  out.name("source").object().member("component", "herald-controller").end_object();
  out.member("type", event.type == EventText::Type::Normal ? "Normal" : "Warning").end_object();
  return {.verb = Write::Verb::Create, .key = std::move(key), .text = out.take()};
}

}  // namespace controller
