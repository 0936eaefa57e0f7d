// SPDX-License-Identifier: Apache-2.0
// Memory that will be looked at soon, brought into the cache while something else is done. A large table is in none:
// looked up one by one, each prefix waits for memory three times.
#pragma once

namespace bgp {

inline void fetch(const void* at) {
  // gcc takes a loop that does nothing but this for one that does nothing, and leaves it out; so the address has a use.
  asm volatile("" : : "r"(at));
  __builtin_prefetch(at);
}

}  // namespace bgp
