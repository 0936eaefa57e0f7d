// SPDX-License-Identifier: Apache-2.0
// How much memory the process has, for tests of what must not grow.
#pragma once

#include <cstddef>

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define HERALD_ADDRESS_SANITIZER
#endif
#elif defined(__SANITIZE_ADDRESS__)
#define HERALD_ADDRESS_SANITIZER
#endif
#ifdef HERALD_ADDRESS_SANITIZER
#include <sanitizer/allocator_interface.h>
#else
#include <malloc.h>
#endif

namespace bgp {

// Bytes that are allocated and not freed.
inline std::size_t allocated() {
#ifdef HERALD_ADDRESS_SANITIZER
  return __sanitizer_get_current_allocated_bytes();
#else
  const auto info = mallinfo2();
  return info.uordblks + info.hblkhd;
#endif
}

}  // namespace bgp
