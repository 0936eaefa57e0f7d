// SPDX-License-Identifier: Apache-2.0
// What of the Services and EndpointSlices of a cluster a speaker keeps. Every node is told of all of them, and there
// are many thousands: whatever no rule here looks at is dropped as soon as it was read. Pure.
#pragma once

#include "config/object.hpp"

namespace speaker {

// Of a Service: what its announcement and its explanation depend on. Of an EndpointSlice: its service, and the nodes
// with a usable endpoint, each once. Other kinds stay as they are. Desired gives the same answer before and after.
void keep_needed(config::Object& object);

}  // namespace speaker
