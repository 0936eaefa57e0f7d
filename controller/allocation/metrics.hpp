// SPDX-License-Identifier: Apache-2.0
// The allocation's numbers in Prometheus' registry: pools, services that wait, what was assigned and refused. Read
// from the loop when they are asked for; nothing is kept twice.
#pragma once

#include <memory>

#include <prometheus/registry.h>

#include "controller/allocation/loop.hpp"

namespace controller {

class AllocationMetrics {
 public:
  // The registry must outlive it.
  explicit AllocationMetrics(prometheus::Registry& registry);
  ~AllocationMetrics();
  AllocationMetrics(const AllocationMetrics&) = delete;
  AllocationMetrics& operator=(const AllocationMetrics&) = delete;

  // Takes over what the loop says now; pools that are gone are not shown any more.
  void update(const AllocationLoop& loop);

 private:
  struct Families;
  std::unique_ptr<Families> families_;
};

}  // namespace controller
