// SPDX-License-Identifier: Apache-2.0
// The controller's counters, in Prometheus' registry and text form. Docs name each of them; nothing else in
// the controller knows Prometheus.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include <prometheus/registry.h>

#include "controller/store/store.hpp"

namespace controller {

class Metrics {
 public:
  Metrics();
  ~Metrics();
  Metrics(const Metrics&) = delete;
  Metrics& operator=(const Metrics&) = delete;

  // For the families of others. Before each exposition `refresh` is called, so that they show what is true then, and
  // what it returns is exposed besides.
  [[nodiscard]] prometheus::Registry& registry();
  void on_exposition(std::function<std::string()> refresh);

  void request(std::string_view verb, std::string_view resource, unsigned code, std::chrono::nanoseconds took);
  void watch_began(std::string_view resource);
  void watch_ended(std::string_view resource);
  void connections(std::size_t open);
  void commit(std::chrono::nanoseconds took);

  // The exposition as text/plain; version=0.0.4. What the store knows is read now.
  [[nodiscard]] std::string text(const Store& store);

 private:
  struct Families;
  std::unique_ptr<Families> families_;
  std::function<std::string()> refresh_;
};

}  // namespace controller
