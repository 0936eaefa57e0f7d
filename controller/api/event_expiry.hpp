// SPDX-License-Identifier: Apache-2.0
// Events are kept for an hour, as in Kubernetes; without an end they would fill the store. Pure.
#pragma once

#include <vector>

#include "controller/store/metadata.hpp"
#include "controller/store/store.hpp"

namespace controller {

// Deletions of the Events that happened last more than an hour ago.
[[nodiscard]] std::vector<Write> expired_events(const Store& store, WallTime now);

}  // namespace controller
