// SPDX-License-Identifier: Apache-2.0
// What the kernel refused, in its own words where it has any.
#pragma once

#include <cstddef>
#include <string>

namespace netlink {

struct KernelError {
  int number = 0;    // errno
  std::string text;  // extended acknowledgement
  friend bool operator==(const KernelError&, const KernelError&) = default;
};
// "Nexthop has invalid gateway (EINVAL)"
[[nodiscard]] std::string print(const KernelError& error);

// The message at `index` of a batch was refused.
struct Refusal {
  std::size_t index = 0;
  KernelError error;
};

}  // namespace netlink
