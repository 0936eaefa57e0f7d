// SPDX-License-Identifier: Apache-2.0
// The sysctls that decide how fast and how well the kernel does what we ask, and whether it does so at all. Sysctls
// belong to the whole network namespace, so they are changed only where it is ours; elsewhere they are reported.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace netlink {

struct KernelSettings {
  // 1 (the default): every change of a group is announced once per route, 2,000 times slower; 0: once.
  std::optional<int> nexthop_compat_mode;
  // Whether ECMP sees ports: 0 addresses only, 1 ports too, 2 inner headers, 3 chosen fields.
  std::optional<int> ipv4_multipath_hash_policy;
  std::optional<int> ipv6_multipath_hash_policy;
  // 1: no storm of IPv6 route messages when a link goes down.
  std::optional<int> ipv6_skip_notify_on_dev_down;
  // The effective ones of this process, by the numbers of capabilities(7).
  std::optional<std::uint64_t> capabilities = std::nullopt;

  // What slows us down or surprises operators, in words.
  [[nodiscard]] std::vector<std::string> warnings() const;
  [[nodiscard]] bool lacks(unsigned capability) const;
  friend bool operator==(const KernelSettings&, const KernelSettings&) = default;
};

// Of the network namespace of the calling thread. What cannot be read stays empty.
[[nodiscard]] KernelSettings read_kernel_settings();
// For a namespace of our own: nexthop_compat_mode 0 and skip_notify_on_dev_down 1 for speed, both hash policies 1 so
// that ECMP sees ports. What could not be written shows in the settings afterwards.
void tune_kernel();

}  // namespace netlink
